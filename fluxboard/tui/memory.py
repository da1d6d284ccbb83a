"""What the screens remember between runs; where that is kept is somebody else's."""

from __future__ import annotations

from typing import Protocol

from fluxboard.tui.view import Looks
from fluxboard.tui.widgets.card import Density

Typed = dict[str, str]


class Memory(Protocol):
    """Answers at once and writes in the background."""

    def looks(self, project_id: str) -> Looks:
        """How a project was last looked at, and its saved views."""
        ...

    def keep_looks(self, project_id: str, looks: Looks) -> None: ...

    def draft(self, key: str) -> Typed:
        """What was written into a form and neither saved nor thrown away; empty for nothing."""
        ...

    def keep_draft(self, key: str, draft: Typed) -> None:
        """Keeps what is written so far; an empty one is forgotten."""
        ...

    def keep_theme(self, name: str) -> None: ...

    def keep_density(self, density: Density) -> None: ...

    @property
    def seen_tour(self) -> bool:
        """Whether the first steps were shown, or this is not the first run."""
        ...

    def keep_tour(self) -> None: ...


class NoMemory:
    """Remembers for as long as it lives."""

    def __init__(self, *, seen_tour: bool = True) -> None:
        self._looks: dict[str, Looks] = {}
        self._drafts: dict[str, Typed] = {}
        self.seen_tour = seen_tour

    def looks(self, project_id: str) -> Looks:
        return self._looks.get(project_id, Looks())

    def keep_looks(self, project_id: str, looks: Looks) -> None:
        self._looks[project_id] = looks

    def draft(self, key: str) -> Typed:
        return self._drafts.get(key, {})

    def keep_draft(self, key: str, draft: Typed) -> None:
        self._drafts[key] = draft

    def keep_theme(self, name: str) -> None:
        pass

    def keep_density(self, density: Density) -> None:
        pass

    def keep_tour(self) -> None:
        self.seen_tour = True
