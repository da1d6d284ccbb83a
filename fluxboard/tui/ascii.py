"""The board for fonts without glyphs: what this program draws beyond ASCII is replaced, cell by cell."""

from __future__ import annotations

from typing import Final

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_GLYPHS: Final = (
    "×⇢−◌◷█▓▒░▋▉┈▎▏▌▐▊▍┃│╹╻▔▁▂▃▄▅▆▇▀─━▸▹▶▾▼▲▽△■●○◆▰▱✓✔☑☐◪✉⚠⇡⇣↑↓←→…·•“”┌┐└┘├┤┬┴┼╭╮╰╯✎◉◐☾",
    'x>-.t#%+:||-||||||||\',-____===--=>>>vv^v^o*o*#.xxx_/@!^v^v<>~.*""+++++++++++++~@cz',
)
_TABLE: Final = str.maketrans(*_GLYPHS)


class AsciiGlyphs(LineFilter):
    """Replaces each glyph by one of ASCII that is as wide."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [
            segment if segment.text.isascii() else Segment(segment.text.translate(_TABLE), *segment[1:])
            for segment in segments
        ]
