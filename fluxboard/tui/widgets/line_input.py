"""One line of text from the user."""

from __future__ import annotations

from textual.widgets import Input

from fluxboard.model.text import clean_text


class LineInput(Input):
    """An input that never holds what a terminal would act upon, whatever is pasted into it."""

    def validate_value(self, value: str) -> str:
        """Spaces stay as they are typed; control characters go, and line ends become spaces."""
        if value.isprintable():
            return value
        return clean_text(value).replace("\n", " ").replace("\t", " ")
