"""The part of `evaluation.html` that says what is known of each programme beside case management."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from casewell.page import html_table
from models.benefit.evidence import FEWEST_TOLD


def programmes_section(programmes: Mapping[str, Mapping[str, Any]]) -> str:
    """Write a row a programme: its `title`, `grade`, people `treated` (None for a few) and `sentence`, by its code."""
    learned = sum(told["grade"] != "assumed" for told in programmes.values())
    sentence = (
        f"Of {len(programmes)} programme(s) beside case management the benefit of {learned} is learned from the past; that of "
        "the others is what the settings assume."
    )
    rows = [[told["title"], told["grade"], _people(told["treated"]), told["sentence"]] for told in programmes.values()]
    table = html_table("Evidence of each programme's benefit", ["Programme", "Grade", "Started", "Why"], rows)
    return f'<section><h2>Other programmes</h2><p class="says">{escape(sentence)}</p>{table}</section>'


def _people(treated: int | None) -> str:
    return f"fewer than {FEWEST_TOLD}" if treated is None else f"{treated:,}"
