"""One project, live: what is shown, what I may do with it, and what others do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from fluxboard.client.api import ApiError, Layer
from fluxboard.client.company import Company
from fluxboard.client.editing import Editing
from fluxboard.client.edits import (
    AddComment,
    ChangeComment,
    Edit,
    RemoveComment,
    Restore,
    with_patch,
)
from fluxboard.client.events import (
    BoardEvent,
    Commented,
    Connection,
)
from fluxboard.client.inbox import Inbox
from fluxboard.client.outbox import Attention
from fluxboard.client.upkeep import Upkeep
from fluxboard.model.stats import StatusChange
from fluxboard.model.text import clean_text
from fluxboard.model.types import (
    Author,
    Comment,
    Member,
    OnlineUser,
    Project,
    ProjectPatch,
    Task,
    TaskPatch,
    User,
    new_id,
    timestamp,
)
from fluxboard.model.wire import ActivitiesAnswer, HistoryEntry, TaskCreate

if TYPE_CHECKING:
    from fluxboard.client.session import Session

LOG_MAX: Final = 20_000
LOG_PAGE: Final = 500
FEED_PAGE: Final = 100

CORE_NOTES: Final = (
    "This server speaks the basic protocol only. Off: the order inside a column, labels, the members' names.",
    "It may refuse the column Review and the priority Critical, and it limits how often one may ask.",
)


class Board:
    """Edits are shown when the call returns and sent in the background, in order.

    What happens is told to the subscribers on the event loop. Not thread-safe.
    """

    def __init__(self, session: Session, project: Project) -> None:
        """Use :meth:`fluxboard.client.session.Session.board`."""
        self._upkeep = Upkeep(session, project)
        self._editing = Editing(
            self._upkeep.replica, self._upkeep.user, self._upkeep.do, lambda: self._upkeep.api.layer == "core"
        )

    # -- what is shown

    @property
    def project(self) -> Project:
        return self._upkeep.incoming.project

    @property
    def user(self) -> User:
        return self._upkeep.user

    @property
    def layer(self) -> Layer:
        """What the server speaks; known once the board has started."""
        return self._upkeep.api.layer or "core"

    @property
    def connection(self) -> Connection:
        return self._upkeep.connection

    @property
    def online(self) -> tuple[OnlineUser, ...]:
        """Who is in the project now, myself first."""
        return self._upkeep.company.online

    @property
    def company(self) -> Company:
        """The others in the project, and what they are told of me."""
        return self._upkeep.company

    @property
    def inbox(self) -> Inbox:
        """What concerns me, and how I want to hear of things."""
        return self._upkeep.inbox

    @property
    def visited_at(self) -> str:
        """When I last closed this board before this time; "" for never, and where nobody knows."""
        return self._upkeep.live.visited_at or ""

    @property
    def members(self) -> tuple[Member, ...]:
        return self._upkeep.incoming.members

    @property
    def tasks(self) -> Mapping[str, Task]:
        return self._upkeep.replica.shown

    @property
    def rev(self) -> int:
        """The revision up to which everything is known; 0 on a Core server."""
        return self._upkeep.replica.rev

    @property
    def notes(self) -> tuple[str, ...]:
        """What this server cannot do, in words for the user."""
        return CORE_NOTES if self._upkeep.api.layer == "core" else ()

    def column_ids(self, status: str) -> Sequence[str]:
        """The ids of a column's tasks, from top to bottom."""
        return self._upkeep.replica.column(status)

    # -- what I do

    def create(self, task: TaskCreate) -> str:
        """Adds a task and answers its id."""
        return self._editing.create([task])[0]

    def create_all(self, tasks: Sequence[TaskCreate]) -> Sequence[str]:
        """Adds tasks as one step that can be undone, and answers their ids."""
        return self._editing.create(tasks)

    def update(self, task_ids: Iterable[str], patch: TaskPatch) -> None:
        """Changes the fields of ``patch`` in each of the tasks."""
        self._editing.update(dict.fromkeys(task_ids, patch))

    def change(self, patches: Mapping[str, TaskPatch]) -> None:
        """Changes tasks, each the fields of its own patch, as one step that can be undone."""
        self._editing.update(patches)

    def move(
        self,
        task_ids: Iterable[str],
        status: str,
        *,
        after_id: str | None = None,
        before_id: str | None = None,
    ) -> None:
        """Puts tasks into a column, in the order given, behind or before a neighbour, else at its bottom."""
        self._editing.move(task_ids, status, after_id, before_id)

    def delete(self, task_ids: Iterable[str]) -> None:
        """Deletes tasks."""
        self._editing.delete(task_ids)

    def undo(self, *, overwrite: bool = False) -> str | None:
        """Takes back my last step and says what it was; None where there is none.

        Raises Overtaken, with nothing done, when somebody changed meanwhile what the step changed.
        """
        return self._editing.undo(overwrite=overwrite)

    def redo(self, *, overwrite: bool = False) -> str | None:
        """Does again what was last taken back; None where nothing was. Raises Overtaken."""
        return self._editing.redo(overwrite=overwrite)

    # -- what the server did not take

    @property
    def attention(self) -> tuple[Attention, ...]:
        """My edits that the server refused, oldest first, until I decide."""
        return self._upkeep.outbox.attention

    def retry(self, op_id: str, patch: TaskPatch | None = None) -> None:
        """Sends a refused edit again, with the values of ``patch`` for its own, over what is there now.

        A task that was deleted meanwhile is restored first.
        """
        item = next((item for item in self.attention if item.edit.op_id == op_id), None)
        if item is None:
            return
        again = self._upkeep.outbox.again(op_id, None if self.layer == "core" else self._upkeep.replica.rev)
        edits = list(again.values())
        if patch is not None:
            edits = [with_patch(edit, patch) for edit in edits]
        gone = item.refusal.gone
        if gone is not None and gone.id not in self.tasks and self.layer == "plus":
            edits = [Restore(task_id=gone.id, task=gone), *edits]
        self._upkeep.do(edits, instead_of=again)

    def discard(self, op_id: str) -> None:
        """Gives up a refused edit."""
        self._upkeep.outbox.discard(op_id)
        self._upkeep.tell_connection()

    # -- comments

    def comment(self, task_id: str, content: str) -> str:
        """Writes a comment and answers its id."""
        now = timestamp()
        made = Comment(
            id=new_id(),
            task_id=task_id,
            project_id=self.project.id,
            content=clean_text(content),
            created_by=self._upkeep.user.id,
            created_at=now,
            updated_at=now,
            author=Author(id=self._upkeep.user.id, name=self._upkeep.user.name),
        )
        self._do_comment(AddComment(task_id=task_id, comment=made))
        return made.id

    def change_comment(self, comment: Comment, content: str) -> None:
        """Writes another text for one's own comment."""
        changed = msgspec.structs.replace(comment, content=clean_text(content), updated_at=timestamp())
        self._do_comment(ChangeComment(task_id=comment.task_id, comment=changed))

    def remove_comment(self, comment: Comment) -> None:
        """Deletes one's own comment."""
        self._do_comment(RemoveComment(task_id=comment.task_id, comment_id=comment.id))

    def comments(self, task_id: str) -> tuple[Comment, ...]:
        """A task's comments as far as they are known, oldest first; see :meth:`load_comments`."""
        return self._upkeep.comments.shown(task_id, self._upkeep.replica.pending)

    async def load_comments(self, task_id: str) -> None:
        """Asks the server for a task's comments. Raises ApiError and ApiUnreachable."""
        try:
            self._upkeep.comments.load(task_id, await self._upkeep.api.comments(self.project.id, task_id))
        except ApiError as error:
            if error.status != 404:  # a task that is not there yet, or a server without comments
                raise

    def _do_comment(self, edit: Edit) -> None:
        self._upkeep.do([edit])
        self._upkeep.emit(Commented(edit.task_id))

    async def history(self, task_id: str) -> tuple[HistoryEntry, ...]:
        """Who changed what in a task, newest first. Raises ApiError and ApiUnreachable."""
        if self.layer == "core":
            return ()
        return await self._upkeep.api.history(self.project.id, task_id)

    async def activities(
        self,
        offset: int = 0,
        *,
        user_id: str | None = None,
        since: str | None = None,
        until: str | None = None,
    ) -> ActivitiesAnswer:
        """A page of what was done in the project, newest first. Raises ApiError and ApiUnreachable."""
        return await self._upkeep.api.activities(
            self.project.id, FEED_PAGE, offset, user_id=user_id, since=since, until=until
        )

    async def change_project(self, patch: ProjectPatch) -> None:
        """Changes the project itself, at once and not offline. Raises ApiError and ApiUnreachable."""
        project = await self._upkeep.api.update_project(self.project.id, patch)
        self._upkeep.incoming.take_project(project)

    async def status_changes(
        self, progress: Callable[[int, int], None] = lambda done, total: None
    ) -> tuple[StatusChange, ...]:
        """The tasks' moves from column to column, as far back as the log reaches.

        ``progress`` hears how many entries are read, and how many there are. Raises ApiError and
        ApiUnreachable.
        """
        moves: list[StatusChange] = []
        seen, more = 0, True
        while more and seen < LOG_MAX:
            page = await self._upkeep.api.activities(self.project.id, limit=LOG_PAGE, offset=seen)
            seen += len(page.activities)
            progress(seen, min(page.total, LOG_MAX))
            more = page.has_more and bool(page.activities)
            for activity in page.activities:
                told = activity.metadata
                if told.field == "status" and told.old_value and told.new_value:
                    moves.append(
                        StatusChange(activity.entity_id, told.old_value, told.new_value, activity.timestamp)
                    )
        return tuple(reversed(moves))

    # -- life

    def subscribe(self, callback: Callable[[BoardEvent], None]) -> Callable[[], None]:
        """Calls ``callback`` for each event until the function that is returned is called."""
        return self._upkeep.subscribe(callback)

    def open(self) -> bool:
        """Shows the board as it was last seen on this computer, without any network; whether it ever was."""
        return self._upkeep.open()

    async def start(self) -> None:
        """Shows the board as it was last seen and then keeps it live.

        One that was never seen is loaded first. Raises ApiError and ApiUnreachable.
        """
        await self._upkeep.start()

    async def idle(self) -> None:
        """Returns when the server has confirmed or refused every edit."""
        await self._upkeep.outbox.idle()

    async def close(self) -> None:
        """Leaves the project; what is not confirmed within a second is sent when it is next opened."""
        await self._upkeep.close()

    async def abandon(self) -> None:
        """Ends all work at once; what is on disk stays there for the next start."""
        await self._upkeep.abandon()
