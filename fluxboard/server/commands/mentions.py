"""Whom a text calls by @name."""

from __future__ import annotations

import re
from typing import Final

from fluxboard.model.types import Member

_MENTION: Final = re.compile(r"@([\w.\-]+)")


def mentioned(content: str, people: tuple[Member, ...]) -> tuple[str, ...]:
    """The ids of the members whom a text calls: by first name, whole name or the name in their address."""
    called = {word.lower().rstrip(".-") for word in _MENTION.findall(content)}
    if not called:
        return ()

    def names(member: Member) -> set[str]:
        words = member.name.lower().split()
        return {"".join(words), ".".join(words), *words[:1], member.email.split("@", maxsplit=1)[0].lower()}

    return tuple(member.user_id for member in people if names(member) & called)
