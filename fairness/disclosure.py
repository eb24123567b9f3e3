"""NHS disclosure control for counts below national level (as for Hospital Episode Statistics).

1 to 7 is hidden, nil is shown, any other count is rounded to the nearest 5; percentages come
from rounded counts. Everything that leaves the room passes through here.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from fairness.audit import Audit

HIDDEN = "*"
SMALLEST_SHOWN = 8
ROUND_TO = 5
DECIMALS = 3
FROM_ROUNDED_COUNTS = (
    "share_of_people",
    "share_of_places",
    "share_of_need",
    "selection_rate",
    "false_negative_rate",
)


def control(counts: pd.Series) -> pd.Series:
    """Return counts fit to show; those from 1 to 7 are missing."""
    rounded = np.floor((counts + ROUND_TO // 2) / ROUND_TO) * ROUND_TO
    return rounded.mask((counts > 0) & (counts < SMALLEST_SHOWN))


def shown(count: float) -> str:
    """Write one exact count as it may be shown."""
    controlled = control(pd.Series([count], dtype="float64")).iloc[0]
    return HIDDEN if np.isnan(controlled) else f"{int(controlled):,}"


def controlled_measures(audit: Audit) -> pd.DataFrame:
    """Return `audit.measures` fit to show.

    A figure that rests on a hidden count is missing, `hidden` says so, and its verdict stays.
    """
    table = audit.measures
    counts = pd.DataFrame({name: control(table[name]) for name in ("people", "count", "base")})
    hidden = (counts.isna() & table[["people", "count", "base"]].notna()).any(axis=1)
    from_counts = table["measure"].isin(FROM_ROUNDED_COUNTS)
    value = table["value"].mask(from_counts, counts["count"] / counts["base"].where(counts["base"] > 0))
    figures = table[["low", "high", "wide_low", "wide_high"]].assign(value=value)
    figures = figures.where(~hidden).round(DECIMALS)
    return table.assign(**counts, **figures, hidden=hidden)


def controlled_bands(audit: Audit) -> pd.DataFrame:
    """Return `audit.need_by_band` fit to show: no mean of 1 to 7 people."""
    table = audit.need_by_band
    people = control(table["people"])
    figures = table[["value", "low", "high"]].where(people.notna()).round(DECIMALS)
    return table.assign(people=people, **figures, hidden=people.isna())


def controlled_totals(audit: Audit) -> dict[str, str]:
    """Return the audit's numbers of people as they may be shown."""
    return {name: shown(number) for name, number in audit.totals.items() if name != "comparisons"}
