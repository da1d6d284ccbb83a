"""What a board screen asks its app for: all that goes beyond one board."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message


@dataclass
class WantsAction(Message):
    """A click stands for an action of the table."""

    action: str


@dataclass
class WantsProjects(Message):
    """The user wants to see the list of projects."""


@dataclass
class WantsTask(Message):
    """The user wants to see a task of another project."""

    project_id: str
    task_id: str


@dataclass
class WantsRedraw(Message):
    """Something else has written to the terminal."""


@dataclass
class WantsTold(Message):
    """Something that the desktop is to tell as well."""

    text: str


@dataclass
class BoardClosed(Message):
    """The board cannot go on: access is lost, or a sign-in is needed."""

    reason: str
    sign_in: bool
