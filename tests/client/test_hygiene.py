from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from fluxboard.client.hygiene import decode
from fluxboard.model.text import clean_line, clean_text
from fluxboard.model.types import Task


@given(st.text(), st.text())
def test_decoding_cleans_whatever_a_server_let_through(title: str, description: str) -> None:
    for ensure_ascii in (False, True):
        raw = _json({"id": "1", "title": title, "description": description}, ensure_ascii)
        task = decode(raw, Task)
        assert task.title == (title if harmless(title) else clean_line(title))
        assert task.description == clean_text(description)


def harmless(text: str) -> bool:
    return text.isascii() and text.isprintable()


def test_only_a_core_server_is_unescaped() -> None:
    raw = b'{"id": "1", "title": "a &amp; b"}'
    assert decode(raw, Task).title == "a &amp; b"
    assert decode(raw, Task, escaped=True).title == "a & b"


def test_unescaping_cannot_smuggle_a_control_character_in() -> None:
    raw = b'{"id": "1", "title": "a&#x1b;[31mb&#x202e;c"}'
    assert decode(raw, Task, escaped=True).title == "a[31mbc"


def _json(value: object, ensure_ascii: bool) -> bytes:
    if not ensure_ascii:
        return msgspec.json.encode(value)
    import json

    return json.dumps(value).encode()
