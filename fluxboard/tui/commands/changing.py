"""Edits. Each acts on the selected tasks, else on the one under the cursor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from fluxboard.model.types import COMPLETED, TaskPatch
from fluxboard.tui.widgets.card import GLYPHS, UNTITLED, priorities_of

if TYPE_CHECKING:
    from fluxboard.tui.screens.board import BoardScreen


def move_right(screen: BoardScreen) -> None:
    _move(screen, 1)


def move_left(screen: BoardScreen) -> None:
    _move(screen, -1)


def _move(screen: BoardScreen, distance: int) -> None:
    place = screen.cursor.column + distance
    if 0 <= place < len(screen.view.columns):
        _move_to(screen, screen.view.columns[place].id, screen.cursor.targets())


def _move_to(screen: BoardScreen, status: str, targets: Sequence[str]) -> None:
    """Moves tasks to the top of a column, where they stay in view."""
    board = screen.board
    ids = [task_id for task_id in board.column_ids(status) if task_id not in targets]
    there = [task_id for task_id in targets if task_id in board.tasks]
    if there and screen.has_room(status, there):
        board.move(there, status, before_id=ids[0] if ids else None)
        screen.after_edit()


def order_down(screen: BoardScreen) -> None:
    _reorder(screen, 1)


def order_up(screen: BoardScreen) -> None:
    _reorder(screen, -1)


def order_first(screen: BoardScreen) -> None:
    _reorder(screen, -screen.cursor.index)


def order_last(screen: BoardScreen) -> None:
    _reorder(screen, len(screen.view.ids(screen.cursor.status)) - 1 - screen.cursor.index)


def _reorder(screen: BoardScreen, distance: int) -> None:
    cursor, view = screen.cursor, screen.view
    if not view.by_hand:
        screen.notify(
            f"The order comes by sorting or grouping: {screen.key('sort')}, {screen.key('group')}.", timeout=4
        )
        return
    ids = view.ids(cursor.status)
    place = cursor.index + distance
    if cursor.task_id is None or not distance or not 0 <= place < len(ids):
        return
    if distance > 0:
        screen.board.move([cursor.task_id], cursor.status, after_id=ids[place])
    else:
        screen.board.move([cursor.task_id], cursor.status, before_id=ids[place])
    screen.after_edit()


def column(screen: BoardScreen) -> None:
    from fluxboard.tui.screens.picker import Item, PickScreen

    targets = screen.cursor.targets()
    now = {screen.board.tasks[task_id].status for task_id in targets}
    items = [
        Item(each.id, each.name, "here" if now == {each.id} else _limit(screen, each.id))
        for each in screen.board.project.columns
    ]

    def chosen(status: str | None) -> None:
        if status is not None:
            _move_to(screen, status, targets)

    screen.app.push_screen(PickScreen("Move to", items), chosen)


def _limit(screen: BoardScreen, status: str) -> str:
    each = next(each for each in screen.board.project.columns if each.id == status)
    _, count = screen.view.count(status)
    return f"{count} of {each.wip_limit}" if each.wip_limit is not None else str(count)


def priority(screen: BoardScreen) -> None:
    from fluxboard.tui.screens.picker import Item, PickScreen

    targets = screen.cursor.targets()
    now = {screen.board.tasks[task_id].priority for task_id in targets}
    items = [
        Item(name, name.capitalize(), "now" if now == {name} else "", lead=GLYPHS[name])
        for name in reversed(priorities_of(screen.board.layer))
    ]

    def chosen(name: str | None) -> None:
        if name is not None:
            _update(screen, targets, TaskPatch(priority=name))

    screen.app.push_screen(PickScreen("Priority", items), chosen)


def raise_priority(screen: BoardScreen) -> None:
    _shift_priority(screen, 1)


def lower_priority(screen: BoardScreen) -> None:
    _shift_priority(screen, -1)


def _shift_priority(screen: BoardScreen, distance: int) -> None:
    """Each of the tasks by one; at the ends it stays."""
    known = priorities_of(screen.board.layer)
    patches = {}
    for task_id in screen.cursor.targets():
        now = screen.board.tasks[task_id].priority
        place = known.index(now) if now in known else 1
        patches[task_id] = TaskPatch(priority=known[max(0, min(place + distance, len(known) - 1))])
    screen.board.change(patches)
    screen.after_edit()


def assign(screen: BoardScreen) -> None:
    from fluxboard.tui.screens.picker import Item, PickScreen

    board = screen.board
    people = sorted(
        board.members,
        key=lambda member: (member.user_id != board.user.id, screen.faces.full_name(member.user_id)),
    )
    items = [Item(member.user_id, screen.faces.full_name(member.user_id), member.email) for member in people]
    items.append(Item("", "Nobody", ""))
    targets = screen.cursor.targets()

    def assigned(user_id: str | None) -> None:
        if user_id is not None:
            _update(screen, targets, TaskPatch(assigned_to=user_id or None))

    screen.app.push_screen(PickScreen("Assign to", items), assigned)


def assign_me(screen: BoardScreen) -> None:
    """To me; what is all mine already, to nobody."""
    board, targets = screen.board, screen.cursor.targets()
    mine = all(board.tasks[task_id].assigned_to == board.user.id for task_id in targets)
    _update(screen, targets, TaskPatch(assigned_to=None if mine else board.user.id))


def labels(screen: BoardScreen) -> None:
    from fluxboard.tui.screens.labels import LabelScreen

    screen.app.push_screen(LabelScreen(screen.board, screen.cursor.targets()))


def due(screen: BoardScreen) -> None:
    from fluxboard.tui.screens.due import DueScreen

    targets = screen.cursor.targets()
    now = {screen.board.tasks[task_id].due_date for task_id in targets}

    def chosen(day: str | None) -> None:
        if day is not None:
            _update(screen, targets, TaskPatch(due_date=day or None))

    screen.app.push_screen(DueScreen(screen.today, now.pop() if len(now) == 1 else None), chosen)


def done(screen: BoardScreen) -> None:
    """To the column of finished tasks."""
    _move_to(screen, COMPLETED, screen.cursor.targets())


def archive(screen: BoardScreen) -> None:
    """Off the board; archived ones back onto it."""
    board, targets = screen.board, screen.cursor.targets()
    away = not all(board.tasks[task_id].archived for task_id in targets)
    _update(screen, targets, TaskPatch(archived=away))
    what = f"{len(targets)} tasks are" if len(targets) > 1 else "The task is"
    text = f"{what} back"
    if away:
        text = f"{what} archived: /is:archived finds it, {screen.key('undo')} brings it back"
    screen.notify(text, timeout=4)


def archive_done(screen: BoardScreen) -> None:
    from fluxboard.tui.screens.confirm import ConfirmScreen

    board = screen.board
    finished = [i for i in board.column_ids(COMPLETED) if not board.tasks[i].archived]
    if not finished:
        screen.notify("No finished task is on the board.", timeout=4)
        return

    def answered(yes: bool | None) -> None:
        if yes:
            _update(screen, finished, TaskPatch(archived=True))

    question = f"Archive {len(finished)} finished task{'s' if len(finished) > 1 else ''}?"
    screen.app.push_screen(
        ConfirmScreen(question, yes="Archive", hint="/is:archived finds them", grave=False), answered
    )


async def new(screen: BoardScreen) -> None:
    await screen.adding.open()


def new_whole(screen: BoardScreen) -> None:
    from fluxboard.tui.screens.editor import EditorScreen

    status = screen.cursor.status
    screen.app.push_screen(
        EditorScreen(screen.board, screen.today, status=status, memory=screen.memory), screen.edited
    )


def edit(screen: BoardScreen) -> None:
    from fluxboard.tui.screens.editor import EditorScreen

    if screen.cursor.task_id is not None:
        screen.app.push_screen(
            EditorScreen(screen.board, screen.today, task_id=screen.cursor.task_id, memory=screen.memory),
            screen.edited,
        )


def duplicate(screen: BoardScreen) -> None:
    """A copy of each, below it."""
    from fluxboard.model.types import ChecklistItem, new_id
    from fluxboard.model.wire import TaskCreate

    made = []
    for task_id in screen.cursor.targets():
        task = screen.board.tasks[task_id]
        made.append(
            TaskCreate(
                title=task.title,
                description=task.description,
                status=task.status,
                priority=task.priority,
                assigned_to=task.assigned_to,
                due_date=task.due_date,
                labels=task.labels,
                checklist=tuple(ChecklistItem(id=new_id(), text=item.text) for item in task.checklist),
                after_id=task.id,
            )
        )
    ids = screen.board.create_all(made)
    screen.after_edit()
    if len(ids) == 1:
        screen.go(lambda: screen.cursor.to_task(ids[0]))


async def open_task(screen: BoardScreen) -> None:
    if screen.cursor.task_id is not None:
        await screen.room.open_task(screen.cursor.task_id)


def copy(screen: BoardScreen) -> None:
    titles = [screen.board.tasks[task_id].title for task_id in screen.cursor.targets()]
    screen.app.copy_to_clipboard("\n".join(titles))
    screen.notify("The title was sent to your terminal's clipboard.", timeout=3)


def delete(screen: BoardScreen) -> None:
    from fluxboard.tui.screens.confirm import ConfirmScreen

    board = screen.board
    targets = screen.cursor.targets()
    if not targets:
        return
    if len(targets) == 1:
        question, what = "Delete this task?", board.tasks[targets[0]].title or UNTITLED
    else:
        question, what = f"Delete {len(targets)} tasks?", ""

    def answered(yes: bool | None) -> None:
        there = [task_id for task_id in targets if task_id in board.tasks]
        if yes and there:
            board.delete(there)
            screen.after_edit()

    hint = f"{screen.key('undo')} brings it back"
    screen.app.push_screen(ConfirmScreen(question, what, yes="Delete", hint=hint), answered)


def undo(screen: BoardScreen) -> None:
    _travel(screen, screen.board.undo, "Undone", "Nothing to undo")


def redo(screen: BoardScreen) -> None:
    _travel(screen, screen.board.redo, "Done again", "Nothing to redo")


def _travel(screen: BoardScreen, go: Callable[..., str | None], done: str, nothing: str) -> None:
    """Undo or redo; asks before it overwrites what somebody else did since."""
    from fluxboard.client.undo import Overtaken
    from fluxboard.tui.screens.confirm import ConfirmScreen

    def tell(name: str | None) -> None:
        screen.notify(f"{done}: {name}" if name is not None else nothing, timeout=3)
        screen.after_edit()

    def answered(yes: bool | None) -> None:
        if yes:
            tell(go(overwrite=True))

    try:
        tell(go())
    except Overtaken as overtaken:
        titles = "\n".join(title or UNTITLED for title in overtaken.titles[:4])
        question = "Somebody else changed this since. Do it anyway?"
        hint = f"To take back: {overtaken.step}"
        screen.app.push_screen(ConfirmScreen(question, titles, yes="Overwrite", hint=hint), answered)


def _update(screen: BoardScreen, targets: Sequence[str], patch: TaskPatch) -> None:
    there = [task_id for task_id in targets if task_id in screen.board.tasks]
    if there:
        screen.board.update(there, patch)
        screen.after_edit()
