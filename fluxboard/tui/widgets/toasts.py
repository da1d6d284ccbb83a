"""Which toasts the news make: one for each, and one for a burst."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from fluxboard.model.notify import NewsKind

Kind = Literal["information", "success", "warning"]
_KINDS: Final[dict[NewsKind, Kind]] = {"completed": "success", "deleted": "warning"}
_DEEDS: Final[dict[NewsKind, str]] = {
    "commented": "commented",
    "mentioned": "mentioned you",
    "assigned": "assigned you",
}
#: What is said to me, and of which other news of the same task it says all.
_PERSONAL: Final[dict[NewsKind, frozenset[NewsKind]]] = {
    "mentioned": frozenset({"commented", "created", "updated"}),
    "assigned": frozenset({"created", "updated"}),
}
BURST: Final = 3
WINDOW: Final = 0.2
WINDOW_AFTER_BURST: Final = 2.0


@dataclass(frozen=True, slots=True)
class Headline:
    """What somebody else did to a task; ``title`` is "" where it is unknown."""

    kind: NewsKind
    user_id: str
    user_name: str
    task_id: str
    title: str
    project_id: str = ""


@dataclass(frozen=True, slots=True)
class Toast:
    """A toast's text, which is never markup, its kind, and the task that it leads to; "" for none.

    ``news`` is the one thing that it tells, None where it tells several.
    """

    text: str
    kind: Kind
    task_id: str = ""
    project_id: str = ""
    news: NewsKind | None = field(default=None, compare=False)


def toast_of(news: Headline) -> Toast:
    """The toast of one change of somebody else."""
    name = news.user_name or "Somebody"
    if news.kind == "deleted" and not news.title:
        return Toast(f"{name} deleted a task", "warning")
    text = f"{name} {_DEEDS.get(news.kind, news.kind)}: {news.title}"
    return Toast(text, _KINDS.get(news.kind, "information"), news.task_id, news.project_id, news.kind)


class Gatherer:
    """Gathers the news of a moment; the same of the same task counts once."""

    def __init__(self) -> None:
        self._waiting: dict[str, dict[tuple[str, NewsKind], Headline]] = {}
        self.window = WINDOW

    def add(self, news: Headline) -> bool:
        """Takes some news; True when they are the first of their moment and a window should open."""
        first = not self._waiting
        theirs = self._waiting.setdefault(news.user_id or news.user_name, {})
        theirs[(news.task_id, news.kind)] = news
        return first

    def flush(self) -> list[Toast]:
        """The toasts of the moment that is over. After a burst the next window is longer."""
        toasts: list[Toast] = []
        burst = False
        for waiting in self._waiting.values():
            for (task_id, kind), _ in list(waiting.items()):
                for said in _PERSONAL.get(kind, ()):
                    waiting.pop((task_id, said), None)
            latest = list(waiting.values())
            if len(latest) <= BURST:
                toasts += [toast_of(news) for news in latest]
                continue
            burst = True
            personal = [news for news in latest if news.kind in _PERSONAL]
            if len(personal) <= BURST:
                toasts += [toast_of(news) for news in personal]
                latest = [news for news in latest if news.kind not in _PERSONAL]
            toasts += [_of_burst(latest)] if latest else []
        self._waiting.clear()
        self.window = WINDOW_AFTER_BURST if burst else WINDOW
        return toasts


def _of_burst(latest: list[Headline]) -> Toast:
    count = len({news.task_id for news in latest})
    name = latest[-1].user_name or "Somebody"
    return toast_of(latest[-1]) if count == 1 else Toast(f"{name} changed {count} tasks", "information")
