"""Every sign that is drawn, in words: for the help, and for who cannot tell what a glyph is meant to be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SIGNS: Final[Mapping[str, str]] = {
    "▲▲": "Priority: critical",
    "▲": "Priority: high",
    "■": "Priority: medium",
    "▽": "Priority: low",
    "█": "The card under the cursor; in a chart, so many",
    "▎": "The edge of a card, in its priority's colour",
    "━": "The column of the cursor",
    "─": "A column, a group; what is still to come",
    "✓": "Selected; in the header: how many, or that my edit is saved",
    "✓✓": "So many of the others have seen my edit",
    "✎": "Somebody is writing here",
    "✉": "Comments; in the header: what waits in the inbox",
    "✉*": "Comments that are new to me",
    "☑": "Done, of a checklist; on, of labels",
    "☐": "Open, of a checklist; off, of labels",
    "◪": "On for some of the selected tasks",
    "▸": "The chosen item; where a dragged card will land",
    "◆": "The project",
    "▾": "More of it: a click opens the list",
    "▰▱": "How much of the project is finished",
    "●": "Live; somebody who is here; a column's colour",
    "○": "Not live; somebody who is away",
    "◌": "Here, but idle",
    "×": "In so many terminals",
    "⇢": "Whom I follow",
    "⇡": "Edits on their way to the server",
    "⇣": "Catching up with what was missed",
    "⚠": "Edits that the server refused: they wait for me",
    "→": "From here to there; in the inbox: assigned to me",
    "↑": "Above this line is what happened since I was here",
    "−": "Between two texts: what was taken away; + is what came",
    "◷": "In the inbox: due soon",
    "@": "In the inbox: somebody calls me",
    "•": "In a chart: the line to the due date",
    "┈": "In a chart: the height of a number at its left",
    "▒": "In a chart without colours: another column",
}
