"""NHS disclosure control for counts below national level (as for Hospital Episode Statistics).

1 to 7 is hidden, nil is shown, any other count is rounded to the nearest 5; percentages come
from rounded counts. Everything that leaves the room passes through here.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from fairness.audit import Audit
from fairness.lost import differences, large_enough

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


def control_parts(parts: pd.Series) -> pd.Series:
    """Return the parts of a whole that is shown too, fit to show.

    One hidden part could be reckoned back from the whole and the others, so the smallest other part that is not nil is
    hidden as well (secondary suppression).
    """
    controlled = control(parts)
    others = parts[controlled.notna() & (parts > 0)]
    if controlled.isna().sum() == 1 and len(others):
        controlled = controlled.mask(controlled.index == others.idxmin())
    return controlled


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


def controlled_lost(audit: Audit) -> pd.DataFrame:
    """Return `audit.lost` fit to show: counts controlled, shares from them, no figure that rests on a hidden count."""
    table = audit.lost
    counts = pd.DataFrame({name: control(table[name]) for name in ("base", "count")})
    hidden = counts.isna().any(axis=1)
    limits = table[["low", "high"]].where(~hidden).round(DECIMALS)
    return table.assign(**counts, **limits, share=(counts["count"] / counts["base"]).round(DECIMALS), hidden=hidden)


def controlled_differences(audit: Audit) -> pd.DataFrame:
    """Return `audit.lost_differences` fit to show.

    The verdicts, and the number of groups, are those of the exact counts. Everything else is worked out from the
    counts that are shown, as they are shown, so that nobody can reckon back a hidden one; `hidden` says that fewer
    than two are shown of groups that were compared.
    """
    enough = large_enough(audit.lost, audit.settings)
    controlled = enough.assign(base=control(enough["base"]), count=control(enough["count"]))
    table = differences(controlled.dropna(subset=["count"]), audit.settings, audit.levels)
    figures = table[["value", "low", "high", "wide_low", "wide_high"]].round(DECIMALS)
    exact = audit.lost_differences
    hidden = (table["groups"] < 2) & (exact["groups"] > 1)
    return table.assign(**figures, groups=exact["groups"], verdict=exact["verdict"], hidden=hidden)


def controlled_pooled(audit: Audit) -> pd.DataFrame:
    """Return `audit.pooled` fit to show: no figure of a cell whose people, places or high need are hidden."""
    table = audit.pooled
    counts = pd.DataFrame({name: control(table[name]) for name in ("people", "places", "high_need")})
    hidden = counts.isna().any(axis=1)
    figures = table[["raw", "pooled", "low", "high"]].where(~hidden).round(DECIMALS)
    # What need would bring tells the exact count of those in high need.
    return table.drop(columns="expected").assign(**counts, **figures, hidden=hidden)


def controlled_labels(audit: Audit) -> pd.DataFrame:
    """Return `audit.labels` fit to show."""
    table = audit.labels
    counts = {name: control(table[name]) for name in ("places", "also_listed", "core20", "high_need")}
    return table.assign(**counts, **table[["concentration", "inequity"]].round(DECIMALS))


def controlled_feeds(audit: Audit) -> pd.DataFrame:
    """Return `audit.feeds` fit to show: shares from controlled counts."""
    table = audit.feeds
    counts = pd.DataFrame({name: control(table[name].astype("float64")) for name in ("people", "silent")})
    share = (counts["silent"] / counts["people"].where(counts["people"] > 0)).round(DECIMALS)
    return table.assign(**counts, share=share, hidden=counts.isna().any(axis=1))


def controlled_totals(audit: Audit) -> dict[str, str]:
    """Return the audit's numbers of people as they may be shown."""
    return {name: shown(number) for name, number in audit.totals.items() if name != "comparisons"}
