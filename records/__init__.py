"""From source extracts to linked, pseudonymised people and events, cut at a day."""

from records.linked import Linked, build
from records.span import Span, inspect

__all__ = ["Linked", "Span", "build", "inspect"]
