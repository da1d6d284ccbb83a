"""The program around the board: projects, help, what needs attention, leaving."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from fluxboard.tui.wishes import WantsRedraw

if TYPE_CHECKING:
    from fluxboard.tui.screens.board import BoardScreen

#: The id of the question whether to quit.
QUITTING: Final = "quitting"


def retry(screen: BoardScreen) -> None:
    screen.start_board()


def attention(screen: BoardScreen) -> None:
    from fluxboard.tui.screens.attention import AttentionScreen

    if screen.board.attention:
        screen.app.push_screen(AttentionScreen(screen.board, screen.today))
    else:
        screen.notify("Nothing needs your attention: the server took every edit.", timeout=4)


def go(screen: BoardScreen) -> None:
    from fluxboard.tui.screens.go import GoScreen

    def chosen(action_id: str | None) -> None:
        if action_id is not None:
            screen.call_later(screen.run_action, f"act('{action_id}')")

    screen.app.push_screen(GoScreen([action for action in screen.actions if action.when(screen)]), chosen)


def newest_news(screen: BoardScreen) -> None:
    screen.news.jump()


def told(screen: BoardScreen) -> None:
    screen.news.show_history()


def inbox(screen: BoardScreen) -> None:
    from fluxboard.tui.screens.inbox import Chosen, InboxScreen

    def chosen(where: Chosen | None) -> None:
        if where is None:
            return
        if where.refused:
            attention(screen)
        elif where.project_id != screen.board.project.id:
            screen.go_to(where.project_id, where.task_id)
        else:
            screen.jump_to(where.task_id)

    screen.app.push_screen(InboxScreen(screen.board, screen.clock), chosen)


def activity(screen: BoardScreen) -> None:
    from fluxboard.tui.screens.activity import ActivityScreen

    def chosen(task_id: str | None) -> None:
        if task_id is not None:
            screen.jump_to(task_id)

    screen.app.push_screen(ActivityScreen(screen.board, screen.faces, screen.clock), chosen)


def preferences(screen: BoardScreen) -> None:
    from fluxboard.tui.screens.preferences import PreferencesScreen

    screen.app.push_screen(PreferencesScreen(screen.board, screen.clock))


def mute(screen: BoardScreen) -> None:
    """The tasks make no inbox items; those that make none make them again."""
    board, targets = screen.board, screen.cursor.targets()
    muted = not all(task_id in board.inbox.muted for task_id in targets)
    for task_id in targets:
        board.inbox.mute(board.project.id, task_id, muted=muted)
    screen.notify("Quiet from now on." if muted else "No longer quiet.", timeout=3)


def projects(screen: BoardScreen) -> None:
    screen.ask_for_projects()


def statistics(screen: BoardScreen) -> None:
    from fluxboard.tui.screens.stats import StatsScreen

    screen.app.push_screen(StatsScreen(screen.board, screen.clock))


def settings(screen: BoardScreen) -> None:
    from fluxboard.tui.screens.settings import SettingsScreen

    screen.app.push_screen(SettingsScreen(screen.board, screen.today))


def tour(screen: BoardScreen) -> None:
    screen.tour.start()


def end_tour(screen: BoardScreen) -> None:
    screen.tour.end()
    screen.memory.keep_tour()


def menu(screen: BoardScreen) -> None:
    """What can be done with the task under the cursor, to pick from."""
    from fluxboard.tui.screens.picker import Item, PickScreen

    items = [
        Item(action.id, action.title, lead="  ".join(action.shown_keys))
        for action in screen.actions
        if action.in_menu and action.when(screen)
    ]

    title = f"{count} tasks" if (count := len(screen.cursor.targets())) > 1 else "This task"
    screen.app.push_screen(PickScreen(title, items), picked(screen))


def picked(screen: BoardScreen) -> Callable[[str | None], None]:
    """Runs the action that is picked from a list, on no task but those that were meant when it opened."""
    targets = set(screen.cursor.targets())
    about_tasks = {action.id for action in screen.actions if action.in_menu}

    def run(action_id: str | None) -> None:
        if action_id is None:
            return
        # Somebody may have deleted the task meanwhile: the one that took its place was not meant.
        if action_id in about_tasks and not set(screen.cursor.targets()) <= targets:
            screen.notify("This task is no longer in view.", timeout=4)
        else:
            screen.call_later(screen.run_action, f"act('{action_id}')")

    return run


def redraw(screen: BoardScreen) -> None:
    screen.post_message(WantsRedraw())


def palette(screen: BoardScreen) -> None:
    screen.app.action_command_palette()


async def help_screen(screen: BoardScreen) -> None:
    from fluxboard.tui.screens.help import HelpScreen

    await screen.app.push_screen(HelpScreen(screen.actions, screen.board.notes), picked(screen))


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
