"""One line of text from the user."""

from __future__ import annotations

from rich.segment import Segment
from textual.strip import Strip
from textual.widgets import Input

from fluxboard.model.text import clean_text


class LineInput(Input):
    """An input that never holds what a terminal would act upon, whatever is pasted into it.

    Where its beginning is out of view, an ellipsis says so.
    """

    def validate_value(self, value: str) -> str:
        """Spaces stay as they are typed; control characters go, and line ends become spaces."""
        if value.isprintable():
            return value
        return clean_text(value).replace("\n", " ").replace("\t", " ")

    def render_line(self, y: int) -> Strip:
        strip = super().render_line(y)
        if not self.scroll_offset.x or not strip.cell_length:
            return strip
        style = self.get_component_rich_style("input--placeholder")
        return Strip.join([Strip([Segment("…", style)]), strip.crop(1)])
