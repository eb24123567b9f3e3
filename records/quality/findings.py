"""A finding: what is wrong with a source, in one plain sentence, and what to do about it.

No finding holds a value of a person, and no count from 1 to 7: those read *fewer than 8*.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass

import pandas as pd

from casewell import doors
from records.tables import SOURCE_FINDINGS

STOP, LOOK, INFORM = "stops the run", "look at it", "for information"
SEVERITIES = (STOP, LOOK, INFORM)
SMALLEST_SHOWN = 8


@dataclass(frozen=True)
class Finding:
    """One row of the table `SOURCE_FINDINGS`.

    Attributes
    ----------
    check
        Which check found it, in a word or two.
    column, place, month
        Where in the source, as far as that can be said; `place` is a practice, hospital or team code.
    rows
        How many rows; None where that does not apply or the count is too small to show.
    """

    source: str
    check: str
    severity: str
    sentence: str
    advice: str
    column: str = ""
    place: str = ""
    month: dt.date | None = None
    rows: int | None = None


def shown(count: float) -> str:
    """Write a number of rows as it may be shown."""
    return f"fewer than {SMALLEST_SHOWN}" if 0 < count < SMALLEST_SHOWN else f"{int(count):,}"


def countable(count: float) -> int | None:
    """Return a number of rows as it may be handed on; None when it is too small."""
    return None if 0 < count < SMALLEST_SHOWN else int(count)


def masked(words: str) -> str:
    """Return a message in which counts of 1 to 7 rows or lines are not shown."""
    return re.sub(r"\b[1-7](?= (?:of [\d,]+ )?(?:row|line)(?:\(s\)|s)?)", f"fewer than {SMALLEST_SHOWN}", words)


def share(part: float, whole: float) -> str:
    """Write a part of a whole as a percentage, one that gives no small count away."""
    return f"{part / whole:.1%}" if whole and not 0 < part < SMALLEST_SHOWN else "very few"


def month_words(first: dt.date, last: dt.date | None = None) -> str:
    """Write a month, or a stretch of months."""
    return f"{first:%B %Y}" if last is None or last == first else f"{first:%B %Y} to {last:%B %Y}"


def table_of(findings: Iterable[Finding]) -> pd.DataFrame:
    """Return the findings as the checked table, the gravest first."""
    ordered = sorted(
        findings,
        key=lambda f: (SEVERITIES.index(f.severity), f.source, f.check, f.place, f.month or dt.date.min, f.sentence),
    )
    if not ordered:
        return doors.empty(SOURCE_FINDINGS)
    table = pd.DataFrame([asdict(finding) for finding in ordered])
    table["month"] = pd.to_datetime(table["month"])
    return doors.check(table.astype({"rows": "Int64"}), SOURCE_FINDINGS)
