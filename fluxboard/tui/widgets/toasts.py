"""Which toasts other people's changes make: one for each, and one for a burst."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from fluxboard.client.events import Remote

Kind = Literal["information", "success", "warning"]
_KINDS: Final[dict[str, Kind]] = {"completed": "success", "deleted": "warning"}
BURST: Final = 3
WINDOW: Final = 0.2
WINDOW_AFTER_BURST: Final = 2.0


@dataclass(frozen=True, slots=True)
class Toast:
    """A toast's text, which is never markup, and its kind."""

    text: str
    kind: Kind


def toast_of(change: Remote) -> Toast:
    """The toast of one change of somebody else."""
    name = change.user_name or "Somebody"
    if change.kind == "deleted" and not change.title:
        return Toast(f"{name} deleted a task", "warning")
    return Toast(f"{name} {change.kind}: {change.title}", _KINDS.get(change.kind, "information"))


class Gatherer:
    """Gathers the changes of a moment; the same change of the same task counts once."""

    def __init__(self) -> None:
        self._waiting: dict[str, dict[tuple[str, str], Remote]] = {}
        self.window = WINDOW

    def add(self, change: Remote) -> bool:
        """Takes a change; True when it is the first of its moment and a window should open."""
        first = not self._waiting
        mine = self._waiting.setdefault(change.user_id or change.user_name, {})
        mine[(change.task_id, change.kind)] = change
        return first

    def flush(self) -> list[Toast]:
        """The toasts of the moment that is over. After a burst the next window is longer."""
        toasts: list[Toast] = []
        burst = False
        for changes in self._waiting.values():
            latest = list(changes.values())
            if len(latest) <= BURST:
                toasts += [toast_of(change) for change in latest]
                continue
            burst = True
            count = len({change.task_id for change in latest})
            name = latest[-1].user_name or "Somebody"
            if count == 1:
                toasts.append(toast_of(latest[-1]))
            else:
                toasts.append(Toast(f"{name} changed {count} tasks", "information"))
        self._waiting.clear()
        self.window = WINDOW_AFTER_BURST if burst else WINDOW
        return toasts
