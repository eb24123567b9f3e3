"""What goes wrong on a page, in words for a coordinator."""

from __future__ import annotations


class PlainMessageError(Exception):
    """Shown as a page of its own. Nothing was written; the text holds no person's value."""

    def __init__(self, text: str, status: int) -> None:
        """Hold the sentence to show and the HTTP status that goes with it."""
        self.status = status
        super().__init__(text)
