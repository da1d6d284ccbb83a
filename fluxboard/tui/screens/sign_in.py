"""Signing in, and signing up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Button, Input, Label, Static

from fluxboard.model.text import clean_line
from fluxboard.model.types import PASSWORD_MIN
from fluxboard.tui.ports import Session
from fluxboard.tui.widgets.dialog import Dialog, KeyHints
from fluxboard.tui.widgets.waiting import Waiting


class SignInScreen(Screen[bool]):
    """Asks who is there. What was typed stays when the server says no."""

    AUTO_FOCUS = "#email"
    BINDINGS: ClassVar[list[BindingType]] = [
        ("ctrl+n", "switch", "New account"),
        ("ctrl+q,escape", "leave", "Quit"),
    ]
    DEFAULT_CSS = """
    SignInScreen { align: center middle; }
    SignInScreen Dialog { width: 54; }
    SignInScreen #brand { text-style: bold; color: $primary; }
    SignInScreen #server { color: $flux-muted; margin-bottom: 1; max-height: 2; }
    SignInScreen Label { color: $flux-muted; }
    SignInScreen Input { margin-bottom: 1; }
    SignInScreen #error { color: $error; display: none; max-height: 4; margin-bottom: 1; }
    SignInScreen Waiting { margin-bottom: 1; }
    SignInScreen #buttons { height: 1; }
    SignInScreen #name-row { height: auto; display: none; }
    SignInScreen #keys { margin-top: 1; }
    """

    def __init__(self, session: Session, *, reason: str = "", may_leave: bool = False) -> None:
        super().__init__()
        self.session = session
        self.signing_up = False
        self._reason = reason
        self._may_leave = may_leave

    def compose(self) -> ComposeResult:
        with Dialog():
            yield Static("◆ fluxboard", id="brand", markup=False)
            yield Static(f"Sign in to {self.session.place}", id="server", markup=False)
            with Vertical(id="name-row"):
                yield Label("Name")
                yield Input(id="name", placeholder="As your team knows you")
            yield Label("Email")
            yield Input(id="email", placeholder="you@example.com")
            yield Label("Password")
            yield Input(id="password", password=True)
            yield Static("", id="error", markup=False)
            yield Waiting("Asking the server")
            with Horizontal(id="buttons"):
                yield Button("Sign in", id="submit", variant="primary", compact=True)
                yield Button("New account", id="switch", compact=True)
            yield KeyHints(*self._keys(), id="keys")

    def _keys(self) -> Sequence[tuple[str, str]]:
        other = "sign in" if self.signing_up else "new account"
        return ("enter", "send"), ("ctrl+n", other), ("esc", "back" if self._may_leave else "quit")

    def on_mount(self) -> None:
        if self._reason:
            self._say(self._reason)

    def action_switch(self) -> None:
        """Changes between signing in and making an account; keeps what was typed."""
        self.signing_up = not self.signing_up
        self.query_one("#name-row").display = self.signing_up
        verb = "Make an account on" if self.signing_up else "Sign in to"
        self.query_one("#server", Static).update(f"{verb} {self.session.place}")
        submit, switch = self.query_one("#submit", Button), self.query_one("#switch", Button)
        submit.label = "Sign up" if self.signing_up else "Sign in"
        switch.label = "I have an account" if self.signing_up else "New account"
        # A new label does not ask for its room by itself.
        submit.refresh(layout=True)
        switch.refresh(layout=True)
        self.query_one("#keys", KeyHints).show(*self._keys())
        self.query_one("#name" if self.signing_up else "#email").focus()

    @on(Button.Pressed, "#switch")
    def _switch_pressed(self) -> None:
        self.action_switch()

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        order = ["name", "email", "password"] if self.signing_up else ["email", "password"]
        empty = next((name for name in order if not self._value(name)), None)
        if empty is not None:
            self.query_one(f"#{empty}").focus()
        else:
            self._submit()

    @on(Button.Pressed, "#submit")
    def _submit_pressed(self) -> None:
        self._submit()

    def _value(self, name: str) -> str:
        value = self.query_one(f"#{name}", Input).value
        return value if name == "password" else clean_line(value)

    def _submit(self) -> None:
        email, password, name = (self._value(field) for field in ("email", "password", "name"))
        if not email or not password or (self.signing_up and not name):
            self._say("Every field is needed.")
        elif self.signing_up and len(password) < PASSWORD_MIN:
            self._say(f"Password: at least {PASSWORD_MIN} characters.")
        else:
            self._send(email, password, name)

    @work(exclusive=True, exit_on_error=False)
    async def _send(self, email: str, password: str, name: str) -> None:
        button = self.query_one("#submit", Button)
        pressed, button.disabled = button.has_focus, True  # sent once, however often it is pressed
        try:
            with self.query_one(Waiting).on():
                if self.signing_up:
                    await self.session.sign_up(email, password, name)
                else:
                    await self.session.sign_in(email, password)
        except Exception as error:  # the client's errors are written for the user
            self._say(clean_line(str(error)) or "The server did not answer. What you typed is kept.")
            return
        finally:
            button.disabled = False
            if pressed:
                button.focus()
        self.dismiss(True)

    def _say(self, text: str) -> None:
        error = self.query_one("#error", Static)
        error.update(text)
        error.display = True

    def action_leave(self) -> None:
        if self._may_leave:
            self.dismiss(False)
        else:
            self.app.exit()
