"""What the board's actions do. Each edit is shown before its function returns."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from fluxboard.model.types import PRIORITIES, TaskPatch
from fluxboard.tui.widgets.card import GLYPHS, UNTITLED

if TYPE_CHECKING:
    from fluxboard.tui.screens.board import BoardScreen

#: The id of the question whether to quit.
QUITTING: Final = "quitting"


def always(screen: BoardScreen) -> bool:
    return True


def on_task(screen: BoardScreen) -> bool:
    return screen.cursor.task_id is not None


def has_selection(screen: BoardScreen) -> bool:
    return bool(screen.cursor.selected)


def has_failed(screen: BoardScreen) -> bool:
    return screen.failure is not None


def retry(screen: BoardScreen) -> None:
    screen.start_board()


def down(screen: BoardScreen) -> None:
    screen.go(lambda: screen.cursor.step(screen.board, 1))


def up(screen: BoardScreen) -> None:
    screen.go(lambda: screen.cursor.step(screen.board, -1))


def left(screen: BoardScreen) -> None:
    screen.go(lambda: screen.cursor.sideways(screen.board, -1))


def right(screen: BoardScreen) -> None:
    screen.go(lambda: screen.cursor.sideways(screen.board, 1))


def first(screen: BoardScreen) -> None:
    screen.go(lambda: screen.cursor.step(screen.board, -screen.cursor.index))


def last(screen: BoardScreen) -> None:
    screen.go(lambda: screen.cursor.step(screen.board, len(screen.board.tasks)))


def page_down(screen: BoardScreen) -> None:
    screen.go(lambda: screen.cursor.step(screen.board, screen.cards_a_page))


def page_up(screen: BoardScreen) -> None:
    screen.go(lambda: screen.cursor.step(screen.board, -screen.cards_a_page))


def select(screen: BoardScreen) -> None:
    screen.cursor.toggle()
    screen.repaint([screen.cursor.task_id])
    screen.refresh_chrome()


def clear(screen: BoardScreen) -> None:
    selected = list(screen.cursor.selected)
    screen.cursor.selected.clear()
    screen.repaint(selected)
    screen.refresh_chrome()


def move_right(screen: BoardScreen) -> None:
    _move(screen, 1)


def move_left(screen: BoardScreen) -> None:
    _move(screen, -1)


def _move(screen: BoardScreen, distance: int) -> None:
    """Moves the cards to the top of the neighbouring column, where they stay in view."""
    board, cursor = screen.board, screen.cursor
    place = cursor.column + distance
    if not 0 <= place < len(board.project.columns):
        return
    status = board.project.columns[place].id
    targets = cursor.targets(board)
    ids = [task_id for task_id in board.column_ids(status) if task_id not in targets]
    board.move(targets, status, before_id=ids[0] if ids else None)
    screen.after_edit()


def order_down(screen: BoardScreen) -> None:
    _reorder(screen, 1)


def order_up(screen: BoardScreen) -> None:
    _reorder(screen, -1)


def _reorder(screen: BoardScreen, distance: int) -> None:
    board, cursor = screen.board, screen.cursor
    status = cursor.status(board)
    ids = board.column_ids(status)
    place = cursor.index + distance
    if cursor.task_id is None or not 0 <= place < len(ids):
        return
    if distance > 0:
        board.move([cursor.task_id], status, after_id=ids[place])
    else:
        board.move([cursor.task_id], status, before_id=ids[place])
    screen.after_edit()


def priority(screen: BoardScreen) -> None:
    """Raises the priority by one; after the highest comes the lowest."""
    board = screen.board
    task = board.tasks.get(screen.cursor.task_id or "")
    if task is None:
        return
    choice = PRIORITIES if board.layer == "plus" else PRIORITIES[:3]
    known = [str(item) for item in choice]
    place = known.index(task.priority) if task.priority in known else 0
    board.update(screen.cursor.targets(board), TaskPatch(priority=known[(place + 1) % len(known)]))
    screen.after_edit()


def assign(screen: BoardScreen) -> None:
    from fluxboard.tui.screens.picker import Item, PickScreen

    board = screen.board
    people = sorted(
        board.members,
        key=lambda member: (member.user_id != board.user.id, screen.person_name(member.user_id)),
    )
    items = [Item("", "Nobody", "")] + [
        Item(member.user_id, screen.person_name(member.user_id), member.email) for member in people
    ]
    targets = screen.cursor.targets(board)

    def assigned(user_id: str | None) -> None:
        if user_id is not None:
            there = [task_id for task_id in targets if task_id in board.tasks]
            board.update(there, TaskPatch(assigned_to=user_id or None))
            screen.after_edit()

    screen.app.push_screen(PickScreen("Assign to", items), assigned)


def new(screen: BoardScreen) -> None:
    from fluxboard.tui.screens.editor import EditorScreen

    status = screen.cursor.status(screen.board)
    screen.app.push_screen(EditorScreen(screen.board, screen.today, status=status), screen.edited)


def edit(screen: BoardScreen) -> None:
    from fluxboard.tui.screens.editor import EditorScreen

    if screen.cursor.task_id is not None:
        screen.app.push_screen(
            EditorScreen(screen.board, screen.today, task_id=screen.cursor.task_id), screen.edited
        )


def open_task(screen: BoardScreen) -> None:
    from fluxboard.tui.screens.detail import DetailScreen

    task_id = screen.cursor.task_id
    if task_id is None:
        return

    def closed(action: str | None) -> None:
        if action is not None and task_id in screen.board.tasks:
            screen.go(lambda: screen.cursor.to_task(screen.board, task_id))
            {"edit": edit, "delete": delete}[action](screen)

    screen.app.push_screen(DetailScreen(screen.board, task_id, screen.today), closed)


def delete(screen: BoardScreen) -> None:
    from fluxboard.tui.screens.confirm import ConfirmScreen

    board = screen.board
    targets = screen.cursor.targets(board)
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

    screen.app.push_screen(ConfirmScreen(question, what, yes="Delete", hint="u brings it back"), answered)


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


def attention(screen: BoardScreen) -> None:
    from fluxboard.tui.screens.attention import AttentionScreen

    screen.app.push_screen(AttentionScreen(screen.board, screen.today))


def has_attention(screen: BoardScreen) -> bool:
    return bool(screen.board.attention)


def sidebar(screen: BoardScreen) -> None:
    screen.toggle_sidebar()


def projects(screen: BoardScreen) -> None:
    screen.ask_for_projects()


def theme(screen: BoardScreen) -> None:
    from fluxboard.tui.screens.picker import Item, PickScreen

    app = screen.app
    ours = [name for name in sorted(app.available_themes) if name.startswith("fluxboard")]
    others = [name for name in sorted(app.available_themes) if not name.startswith("fluxboard")]

    def chosen(name: str | None) -> None:
        if name is not None:
            app.theme = name

    items = [Item(name, name, "in use" if name == app.theme else "") for name in ours + others]
    app.push_screen(PickScreen("Theme", items), chosen)


def palette(screen: BoardScreen) -> None:
    screen.app.action_command_palette()


async def help_screen(screen: BoardScreen) -> None:
    from fluxboard.tui.screens.help import HelpScreen

    def chosen(action_id: str | None) -> None:
        if action_id is not None:
            screen.call_later(screen.run_action, f"act('{action_id}')")

    await screen.app.push_screen(HelpScreen(screen.board.notes), chosen)


def quit_app(screen: BoardScreen) -> None:
    from fluxboard.tui.screens.confirm import ConfirmScreen

    connection = screen.board.connection
    parts = []
    # Live, what is queued is on its way: closing the board waits for it.
    if connection.queued and connection.word != "live":
        parts.append(f"{connection.queued} not sent yet")
    if connection.refused:
        parts.append(f"{connection.refused} not taken by the server")
    if not parts:
        screen.app.exit()
        return

    def answered(yes: bool | None) -> None:
        if yes:
            screen.app.exit()

    hint = "They are kept on this computer, and sent when you come back."
    question = ConfirmScreen("Quit with unsent edits?", ", ".join(parts), yes="Quit", no="Stay", hint=hint)
    question.id = QUITTING
    screen.app.push_screen(question, answered)


def priority_text(name: str) -> str:
    """A priority as glyph and word, never by colour alone."""
    return f"{GLYPHS.get(name, '■')} {name}"
