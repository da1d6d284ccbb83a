"""The projects: open one, or make one."""

from __future__ import annotations

from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from fluxboard.model.text import clean_line
from fluxboard.model.types import PROJECT_NAME_MAX, Project
from fluxboard.tui.ports import Session
from fluxboard.tui.widgets.dialog import Dialog, KeyHints
from fluxboard.tui.widgets.line_input import LineInput
from fluxboard.tui.widgets.waiting import Waiting

_NONE = "No projects yet. n makes the first one. Invited? Run fluxboard join CODE."


class ProjectsScreen(Screen[str]):
    """Answers the id of the project to open, or "" once the user signed out."""

    AUTO_FOCUS = "#projects"
    BINDINGS: ClassVar[list[BindingType]] = [
        ("n", "new", "New project"),
        ("r", "reload", "Reload"),
        ("o", "sign_out", "Sign out"),
        ("escape", "leave", "Back"),
        ("q", "app.quit", "Quit"),
        ("j", "step(1)", "Next"),
        ("k", "step(-1)", "Before"),
    ]
    DEFAULT_CSS = """
    ProjectsScreen { align: center middle; }
    ProjectsScreen Dialog { width: 72; }
    ProjectsScreen #heading { text-style: bold; }
    ProjectsScreen #account { color: $flux-muted; margin-bottom: 1; max-height: 2; }
    ProjectsScreen #state { color: $flux-muted; max-height: 4; }
    ProjectsScreen #state.-failed { color: $error; }
    ProjectsScreen #projects { height: auto; max-height: 24; display: none; }
    ProjectsScreen #name { margin-top: 1; display: none; }
    ProjectsScreen #keys { margin-top: 1; }
    """

    def __init__(self, session: Session, *, current: str | None = None, reason: str = "") -> None:
        super().__init__()
        self.session = session
        self.current = current
        self._reason = reason
        self._projects: tuple[Project, ...] = ()

    def compose(self) -> ComposeResult:
        user = self.session.user
        with Dialog():
            yield Static("Projects", id="heading", markup=False)
            who = f"{user.name} on {self.session.place}" if user is not None else self.session.place
            yield Static(who, id="account", markup=False)
            yield Static("", id="state", markup=False)
            yield Waiting()
            yield OptionList(id="projects", classes="-squeeze", markup=False)
            yield LineInput(placeholder="Name of the new project; enter makes it, esc does not", id="name")
            leave = ("esc", "quit" if self.current is None else "back")
            yield KeyHints(
                ("enter", "open"), ("n", "new"), ("r", "reload"), ("o", "sign out"), leave, id="keys"
            )

    def on_mount(self) -> None:
        self.action_reload()

    @work(exclusive=True, exit_on_error=False)
    async def action_reload(self) -> None:
        """Asks the server for the list again."""
        try:
            with self.query_one(Waiting).on("Loading the projects"):
                self._projects = await self.session.projects()
        except Exception as error:  # the client's errors are written for the user
            self._say(
                f"The projects could not be loaded: {clean_line(str(error))}. r tries again.", failed=True
            )
            return
        self._show()

    def _show(self) -> None:
        options = self.query_one("#projects", OptionList)
        options.clear_options()
        options.add_options([self._option(project) for project in self._projects])
        options.display = bool(self._projects)
        if self._projects:
            ids = [project.id for project in self._projects]
            options.highlighted = ids.index(self.current) if self.current in ids else 0
            if not self.query_one("#name").display:
                options.focus()
        self._say(self._reason or ("" if self._projects else _NONE))

    def _option(self, project: Project) -> Option:
        mark = "● " if project.id == self.current else "  "
        return Option(
            Content.assemble((mark, "$primary"), (f"{project.progress:>3}%  ", "$flux-muted"), project.name)
        )

    @on(OptionList.OptionSelected, "#projects")
    def _picked(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._projects[event.option_index].id)

    def action_step(self, distance: int) -> None:
        options = self.query_one("#projects", OptionList)
        if distance > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()

    def action_new(self) -> None:
        """Asks for the name of a new project."""
        name = self.query_one("#name", Input)
        name.display = True
        name.focus()

    @on(Input.Submitted, "#name")
    def _named(self, event: Input.Submitted) -> None:
        name = clean_line(event.value)
        if not name:
            self._say("Name: a project needs one.", failed=True)
        elif len(name) > PROJECT_NAME_MAX:
            self._say(f"Name: {len(name)} characters, {PROJECT_NAME_MAX} fit.", failed=True)
        else:
            self._create(name)

    @work(exclusive=True, exit_on_error=False)
    async def _create(self, name: str) -> None:
        try:
            with self.query_one(Waiting).on(f"Making {name}"):
                project = await self.session.create_project(name)
        except Exception as error:  # the client's errors are written for the user
            self._say(
                f"It was not made: {clean_line(str(error))}. The name is kept; enter tries again.",
                failed=True,
            )
            return
        self.dismiss(project.id)

    @work(exclusive=True, exit_on_error=False)
    async def action_sign_out(self) -> None:
        """Signs out; the app then asks who is there. Asks first where something is unsent."""
        from fluxboard.tui.screens.confirm import ConfirmScreen

        if unsent := self.session.unsent():
            told = f"{unsent} edit{'s are' if unsent > 1 else ' is'} not sent yet"
            hint = "They are kept on this computer for your next sign-in here."
            question = ConfirmScreen("Sign out?", told, yes="Sign out", no="Stay", hint=hint, grave=False)
            if not await self.app.push_screen_wait(question):
                return
        try:
            with self.query_one(Waiting).on("Signing out"):
                await self.session.sign_out()
        except Exception as error:  # the client's errors are written for the user
            self._say(f"Not signed out: {clean_line(str(error))}.", failed=True)
            return
        self.dismiss("")

    def action_leave(self) -> None:
        """Closes the name field, else goes back to the board."""
        name = self.query_one("#name", Input)
        if name.display:
            name.display = False
            self.query_one("#projects").focus()
        elif self.current is not None:
            self.dismiss(self.current)
        else:
            self.app.exit()

    def _say(self, text: str, *, failed: bool = False) -> None:
        state = self.query_one("#state", Static)
        state.update(text)
        state.display = bool(text)
        state.set_class(failed, "-failed")
