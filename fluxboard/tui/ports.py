"""What the screens need from the client, as protocols: a board in memory serves them as well."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol

from fluxboard.client.company import Company
from fluxboard.client.events import BoardEvent, Connection
from fluxboard.client.inbox import Inbox
from fluxboard.client.outbox import Attention
from fluxboard.model.stats import StatusChange
from fluxboard.model.types import Comment, Member, OnlineUser, Project, ProjectPatch, Task, TaskPatch, User
from fluxboard.model.wire import ActivitiesAnswer, HistoryEntry, TaskCreate

Clock = Callable[[], datetime]
Unsubscribe = Callable[[], None]


class Board(Protocol):
    """One project, live. The edits are optimistic: what they change is shown when they return."""

    @property
    def project(self) -> Project: ...

    @property
    def user(self) -> User: ...

    @property
    def layer(self) -> Literal["core", "plus"]: ...

    @property
    def connection(self) -> Connection: ...

    @property
    def online(self) -> tuple[OnlineUser, ...]: ...

    @property
    def company(self) -> Company:
        """The others: where they look, what they write, and what they are told of me."""
        ...

    @property
    def inbox(self) -> Inbox:
        """What concerns me in all projects, and how I want to hear of things."""
        ...

    @property
    def visited_at(self) -> str:
        """When I last closed this board before this time; "" for never."""
        ...

    @property
    def members(self) -> tuple[Member, ...]: ...

    @property
    def tasks(self) -> Mapping[str, Task]: ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What this server cannot do, in words for the user."""
        ...

    def column_ids(self, status: str) -> Sequence[str]:
        """The ids of a column's tasks, from top to bottom."""
        ...

    def create(self, task: TaskCreate) -> str: ...

    def create_all(self, tasks: Sequence[TaskCreate]) -> Sequence[str]: ...

    def update(self, task_ids: Iterable[str], patch: TaskPatch) -> None: ...

    def change(self, patches: Mapping[str, TaskPatch]) -> None:
        """Changes tasks, each the fields of its own patch, as one step."""
        ...

    def move(
        self,
        task_ids: Iterable[str],
        status: str,
        *,
        after_id: str | None = None,
        before_id: str | None = None,
    ) -> None: ...

    def delete(self, task_ids: Iterable[str]) -> None: ...

    @property
    def attention(self) -> tuple[Attention, ...]:
        """My edits that the server refused, oldest first, until I decide."""
        ...

    def undo(self, *, overwrite: bool = False) -> str | None:
        """Takes back my last change and says what it was; None where there is none.

        Raises Overtaken, with nothing done, when somebody changed meanwhile what it changed.
        """
        ...

    def redo(self, *, overwrite: bool = False) -> str | None: ...

    def retry(self, op_id: str, patch: TaskPatch | None = None) -> None:
        """Sends a refused edit again, with ``patch`` instead of its own, over what is there now."""
        ...

    def discard(self, op_id: str) -> None: ...

    def comment(self, task_id: str, content: str) -> str:
        """Writes a comment and answers its id."""
        ...

    def change_comment(self, comment: Comment, content: str) -> None: ...

    def remove_comment(self, comment: Comment) -> None: ...

    def comments(self, task_id: str) -> tuple[Comment, ...]:
        """A task's comments as far as they are known, oldest first."""
        ...

    async def load_comments(self, task_id: str) -> None:
        """Asks the server for a task's comments."""
        ...

    async def history(self, task_id: str) -> tuple[HistoryEntry, ...]:
        """Who changed what in a task, newest first."""
        ...

    async def activities(
        self,
        offset: int = 0,
        *,
        user_id: str | None = None,
        since: str | None = None,
        until: str | None = None,
    ) -> ActivitiesAnswer:
        """A page of what was done in the project, newest first."""
        ...

    async def change_project(self, patch: ProjectPatch) -> None:
        """Changes the project itself: its name, its dates, its columns."""
        ...

    async def status_changes(
        self, progress: Callable[[int, int], None] = lambda done, total: None
    ) -> tuple[StatusChange, ...]:
        """The tasks' moves from column to column, oldest first, as far back as is known.

        ``progress`` hears how many entries of the log are read, and how many there are.
        """
        ...

    def subscribe(self, callback: Callable[[BoardEvent], None]) -> Unsubscribe: ...

    def open(self) -> bool:
        """Shows the board as it was last seen on this computer, without any network; whether it ever was."""
        ...

    async def start(self) -> None: ...

    async def close(self) -> None: ...


class Session(Protocol):
    """An account on a server. Every error's text is fit to be read by the user."""

    @property
    def user(self) -> User | None: ...

    @property
    def place(self) -> str:
        """What people call its server: the address, or this computer."""
        ...

    async def sign_in(self, email: str, password: str) -> User: ...

    async def sign_up(self, email: str, password: str, name: str) -> User: ...

    async def sign_out(self) -> None: ...

    def unsent(self) -> int:
        """How many edits of this user, in all projects, the server does not have."""
        ...

    async def projects(self) -> tuple[Project, ...]: ...

    async def create_project(self, name: str, description: str = "") -> Project: ...

    async def board(self, project_id: str) -> Board: ...

    async def close(self) -> None: ...
