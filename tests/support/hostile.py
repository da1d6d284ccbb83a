"""Texts that people type, paste or send to break a screen."""

from __future__ import annotations

from typing import Final

#: What a user types, by what it is.
RAW: Final[dict[str, str]] = {
    "a tag": "[bug] x",
    "a closing tag": "[/] y",
    "an action": "[@click=app.quit]z",
    "a colour": "\x1b[31mred",
    "the clipboard": "\x1b]52;c;aGVsbG8=\x07copied",
    "a window title": "\x9d0;owned\x9cstill here",
    "a bidi override": "abc\u202efdp.exe",
    "isolates": "a\u2066b\u2069c",
    "wide": "漢" * 500,
    "a family": "👩‍👩‍👧‍👦" * 20,
    "flags": "🏳️‍🌈🇸🇪 flags",
    "a lone bracket": "[",
    "a trailing backslash": "path\\",
    "an open tag and a backslash": "[b + c \\",
    "braces and dollars": "${x} $t {0} %s",
    "a link": "[link=file:///etc/passwd]here[/link]",
    "marks": "e" + "\u0301" * 200,
    "a long word": "a" * 500,
    "breaks": "one\r\ntwo\x0bthree\u2028four",
    "nothing": "",
}

#: The longest description there may be, all of it two cells wide.
LONG_DESCRIPTION: Final = "🎉" * 5000
