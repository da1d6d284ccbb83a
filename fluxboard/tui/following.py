"""Follow mode: my cursor goes where somebody else's goes, until I press a key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fluxboard.model.types import OnlineUser

if TYPE_CHECKING:
    from fluxboard.tui.screens.board import BoardScreen


class Following:
    """Whom one board screen follows, if anybody."""

    def __init__(self, screen: BoardScreen) -> None:
        self.screen = screen
        self.user_id: str | None = None
        #: Whose name was clicked: there is no choice then.
        self.wanted: str | None = None

    @property
    def person(self) -> OnlineUser | None:
        """Whom I follow, while they are here."""
        return next((user for user in self.screen.board.online if user.id == self.user_id), None)

    def choose(self) -> None:
        """Asks whom to follow, where there is a choice."""
        from fluxboard.tui.screens.picker import Item, PickScreen

        screen = self.screen
        wanted, self.wanted = self.wanted, None
        if wanted is not None:
            self.start(wanted)
            return
        others = [user for user in screen.board.online if user.id != screen.board.user.id]
        if not others:
            screen.notify("Nobody else is here now.", timeout=3)
        elif len(others) == 1:
            self.start(others[0].id)
        else:
            tasks = screen.board.tasks
            items = [
                Item(user.id, user.name or "?", task.title if (task := tasks.get(user.task_id or "")) else "")
                for user in others
            ]
            screen.app.push_screen(PickScreen("Follow", items), self.start)

    def start(self, user_id: str | None) -> None:
        """Follows somebody from now on."""
        if user_id is None or user_id == self.screen.board.user.id:
            return
        self.user_id = user_id
        if self.person is None:
            self.user_id = None
            return
        self.screen.notify(f"You follow {self.person.name}; any key ends it.", timeout=4)
        self.step()
        self.screen.refresh_chrome()

    def stop(self) -> None:
        """My cursor is my own again."""
        if self.user_id is not None:
            self.user_id = None
            self.screen.refresh_chrome()

    def step(self) -> None:
        """Goes where they are now; who left is followed no more."""
        if self.user_id is None:
            return
        person = self.person
        if person is None:
            self.screen.notify("Whom you followed has left.", timeout=4)
            self.stop()
        elif person.task_id is not None and self.screen.view.is_shown(person.task_id):
            task_id = person.task_id
            self.screen.go(lambda: self.screen.cursor.to_task(task_id))
