"""What the person at the keyboard sees while a flow works."""

from __future__ import annotations

import time

from rich.console import Console
from rich.markup import escape

console = Console(stderr=True, highlight=False)
_began = time.monotonic()


def say(message: str) -> None:
    """Print a step with the seconds since the command began."""
    console.print(f"[dim]{time.monotonic() - _began:5.0f} s[/dim]  {escape(message)}", soft_wrap=True)
