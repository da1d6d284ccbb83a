"""The colours: two themes of our own, and a palette for what is drawn by hand under any theme."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final, NamedTuple
from zlib import crc32

from textual.color import Color, ColorParseError
from textual.theme import BUILTIN_THEMES, Theme

DARK: Final = Theme(
    name="fluxboard-dark",
    dark=True,
    primary="#7aa2f7",
    secondary="#7dcfff",
    accent="#bb9af7",
    warning="#ff9e64",
    error="#f7768e",
    success="#9ece6a",
    foreground="#e6e9ef",
    background="#11151c",
    surface="#1c212b",
    panel="#171c25",
    variables={"flux-medium": "#e0af68", "flux-low": "#98a0b6", "flux-muted": "#9ba3b7"},
)
LIGHT: Final = Theme(
    name="fluxboard-light",
    dark=False,
    primary="#2e5cd6",
    secondary="#00688c",
    accent="#7a3fc0",
    warning="#a5440f",
    error="#b82a46",
    success="#34700f",
    foreground="#1c2230",
    background="#f3f4f8",
    surface="#ffffff",
    panel="#e8eaf0",
    variables={"flux-medium": "#7d5800", "flux-low": "#566078", "flux-muted": "#5c6478"},
)

#: The terminal's own 16 colours, for terminals that have no others; of blue and red the bright ones, since
#: many show the dark ones hardly at all on black.
SIXTEEN: Final = replace(
    BUILTIN_THEMES["ansi-dark"],
    name="fluxboard-terminal",
    primary="ansi_bright_blue",
    error="ansi_bright_red",
    variables={**BUILTIN_THEMES["ansi-dark"].variables, "flux-muted": "ansi_bright_black"},
)

# None is a priority's or the accent's, so that a name tag never looks like a warning or like one's own.
_PEOPLE_ON_DARK: Final = ("#7dcfff", "#f5a3d0", "#9ece6a", "#bb9af7", "#4fd6be", "#d5c4a1")
_PEOPLE_ON_LIGHT: Final = ("#00749c", "#a3308c", "#3b7d14", "#7a3fc0", "#0f766e", "#7d5a3c")
_NAMED_ON_DARK: Final = {
    "red": "#f7768e",
    "orange": "#ff9e64",
    "yellow": "#e0af68",
    "green": "#9ece6a",
    "teal": "#4fd6be",
    "blue": "#7aa2f7",
    "purple": "#bb9af7",
    "pink": "#f5a3d0",
    "grey": "#8a92a6",
}
_NAMED_ON_LIGHT: Final = {
    "red": "#b3203f",
    "orange": "#a04312",
    "yellow": "#806000",
    "green": "#3b7d14",
    "teal": "#0f766e",
    "blue": "#2e5cd6",
    "purple": "#7a3fc0",
    "pink": "#a3308c",
    "grey": "#5c6478",
}


class Palette(NamedTuple):
    """Colours as Rich reads them ("#rrggbb", or the terminal's own names under an ANSI theme)."""

    background: str
    panel: str
    card: str
    cursor: str
    selected: str
    text: str
    muted: str
    rule: str
    accent: str
    label: str
    success: str
    low: str
    medium: str
    high: str
    critical: str
    people: tuple[str, ...]
    named: Mapping[str, str]

    def of_name(self, name: str | None) -> str:
        """The shade of one of :data:`fluxboard.model.types.COLORS`; an unknown name is muted."""
        return self.named.get(name or "", self.muted)

    def of_priority(self, priority: str) -> str:
        """The colour of a priority; an unknown one is drawn as medium."""
        return {"low": self.low, "high": self.high, "critical": self.critical}.get(priority, self.medium)

    def of_person(self, user_id: str, chosen: str | None = None, taken: Collection[str] = ()) -> str:
        """A person's colour: the one that the server gave, else one made from the id that is not taken."""
        if chosen is not None and chosen.startswith("#"):
            try:
                return Color.parse(chosen).hex6
            except ColorParseError:
                pass
        first = crc32(user_id.encode()) % len(self.people)
        mine = (*self.people[first:], *self.people[:first])
        return next((colour for colour in mine if colour not in taken), mine[0])

    def on(self, colour: str) -> str:
        """The text colour that is readable on ``colour``."""
        if not colour.startswith("#"):
            return "black"
        return "#11151c" if Color.parse(colour).brightness > 0.5 else "#ffffff"


#: The terminal's own colours by their names.
TERMINAL: Final = Palette(
    background="default",
    panel="default",
    card="default",
    cursor="default",
    selected="default",
    text="default",
    muted="bright_black",
    rule="bright_black",
    accent="bright_blue",
    label="cyan",
    success="green",
    low="bright_black",
    medium="yellow",
    high="bright_yellow",
    critical="bright_red",
    people=("bright_blue", "magenta", "cyan", "green", "yellow"),
    named={
        "red": "bright_red",
        "orange": "bright_yellow",
        "yellow": "yellow",
        "green": "green",
        "teal": "cyan",
        "blue": "bright_blue",
        "purple": "magenta",
        "pink": "bright_magenta",
        "grey": "bright_black",
    },
)


def palette_of(variables: Mapping[str, str]) -> Palette:
    """The palette of a theme, from its CSS variables."""

    def colour(*names: str) -> Color:
        for name in names:
            try:
                return Color.parse(variables[name])
            except (KeyError, ColorParseError):
                continue
        return Color.parse("#808080")

    background, text = colour("background"), colour("foreground")
    if background.ansi is not None:
        return TERMINAL
    accent, surface = colour("primary"), colour("surface")
    card = surface if surface.hex6 != background.hex6 else background.blend(text, 0.06)
    return Palette(
        background=background.hex6,
        panel=colour("panel").hex6,
        card=card.hex6,
        cursor=card.blend(accent, 0.16).hex6,
        selected=card.blend(accent, 0.08).hex6,
        text=text.hex6,
        muted=(colour("flux-muted") if "flux-muted" in variables else background.blend(text, 0.6)).hex6,
        rule=background.blend(text, 0.25).hex6,
        accent=accent.hex6,
        label=colour("secondary", "primary").hex6,
        success=colour("success").hex6,
        low=colour("flux-low").hex6 if "flux-low" in variables else background.blend(text, 0.5).hex6,
        medium=colour("flux-medium", "warning").hex6,
        high=colour("warning").hex6,
        critical=colour("error").hex6,
        people=_PEOPLE_ON_LIGHT if background.brightness > 0.5 else _PEOPLE_ON_DARK,
        named=_NAMED_ON_LIGHT if background.brightness > 0.5 else _NAMED_ON_DARK,
    )
