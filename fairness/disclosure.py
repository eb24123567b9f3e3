"""NHS disclosure control for counts below national level (as for Hospital Episode Statistics).

1 to 7 is hidden, nil is shown, any other count is rounded to the nearest 5; percentages come
from rounded counts. Where one part alone of a whole would be hidden, the next smallest is hidden too.
Everything that leaves the room passes through here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from fairness.audit import CROSSINGS, Audit
from fairness.groups import QUINTILES
from fairness.lost import differences, large_enough
from records.tables import NOT_RECORDED

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


def control_parts(parts: pd.Series, whole: Sequence[pd.Series] = ()) -> pd.Series:
    """Return the parts of a whole that is shown too, fit to show; rows alike in `whole` are the parts of one.

    One hidden part could be reckoned back from the whole and the others, so the smallest other part that is not nil is
    hidden as well (secondary suppression).
    """
    keys = list(whole) or [pd.Series(0, index=parts.index)]
    controlled = control(parts)
    hidden = controlled.isna() & parts.notna()
    others = parts.where(controlled.notna() & (parts > 0)).astype("float64")
    smallest = others == others.groupby(keys).transform("min")
    first = smallest & (smallest.astype("int64").groupby(keys).cumsum() == 1)
    return controlled.mask(first & (hidden.astype("int64").groupby(keys).transform("sum") == 1))


def _controlled_by(whole: Sequence[pd.Series], table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return columns of counts fit to show, where rows alike in `whole` are the parts of one."""
    return pd.DataFrame({name: control_parts(table[name].astype("float64"), whole) for name in names})


def _whole(table: pd.DataFrame) -> list[pd.Series]:
    """Return what each row's group is a part of: everybody or, for a group that crosses others, the group it divides."""
    crossed = table["grouping"].isin(CROSSINGS)
    return [table["grouping"], table["group"].astype("str").str.rsplit(", ", n=1).str[0].where(crossed, "")]


def shown(count: float) -> str:
    """Write one exact count as it may be shown."""
    controlled = control(pd.Series([count], dtype="float64")).iloc[0]
    return HIDDEN if np.isnan(controlled) else f"{int(controlled):,}"


def controlled_measures(audit: Audit) -> pd.DataFrame:
    """Return `audit.measures` fit to show.

    A figure that rests on a hidden count is missing, `hidden` says so, and its verdict stays.
    """
    table = audit.measures
    names = ["people", "count", "base"]
    counts = _controlled_by([*_whole(table), table["measure"]], table, names)
    # The most deprived fifth is shown a second time, against all others.
    again = (table["grouping"] == "core20") & (table["group"] != NOT_RECORDED)
    fifth = (table["grouping"] == "imd_quintile") & (table["group"] == QUINTILES[1.0])
    for name in names:
        kept_back = table.loc[fifth & counts[name].isna() & table[name].notna(), "measure"]
        counts[name] = counts[name].mask(again & table["measure"].isin(kept_back))
    hidden = (counts.isna() & table[names].notna()).any(axis=1)
    from_counts = table["measure"].isin(FROM_ROUNDED_COUNTS)
    value = table["value"].mask(from_counts, counts["count"] / counts["base"].where(counts["base"] > 0))
    figures = table[["low", "high", "wide_low", "wide_high"]].assign(value=value)
    figures = figures.where(~hidden).round(DECIMALS)
    return table.assign(**counts, **figures, hidden=hidden)


def controlled_bands(audit: Audit) -> pd.DataFrame:
    """Return `audit.need_by_band` fit to show: no mean of 1 to 7 people."""
    table = audit.need_by_band
    people = _controlled_by([table["grouping"], table["group"]], table, ["people"])["people"]
    figures = table[["value", "low", "high"]].where(people.notna()).round(DECIMALS)
    return table.assign(people=people, **figures, hidden=people.isna())


def controlled_lost(audit: Audit) -> pd.DataFrame:
    """Return `audit.lost` fit to show: counts controlled, shares from them, no figure that rests on a hidden count."""
    table = audit.lost
    counts = _controlled_by([table["grouping"], table["measure"]], table, ["base", "count"])
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
    controlled = enough.assign(**controlled_lost(audit)[["base", "count"]])
    table = differences(controlled.dropna(subset=["base", "count"]), audit.settings, audit.levels)
    figures = table[["value", "low", "high", "wide_low", "wide_high"]].round(DECIMALS)
    exact = audit.lost_differences
    hidden = (table["groups"] < 2) & (exact["groups"] > 1)
    return table.assign(**figures, groups=exact["groups"], verdict=exact["verdict"], hidden=hidden)


def controlled_pooled(audit: Audit) -> pd.DataFrame:
    """Return `audit.pooled` fit to show: no figure of a cell whose people, places or high need are hidden."""
    table = audit.pooled
    counts = _controlled_by(_whole(table), table, ["people", "places", "high_need"])
    hidden = counts.isna().any(axis=1)
    figures = table[["raw", "pooled", "low", "high"]].where(~hidden).round(DECIMALS)
    # What need would bring tells the exact count of those in high need.
    return table.drop(columns="expected").assign(**counts, **figures, hidden=hidden)


def controlled_labels(audit: Audit) -> pd.DataFrame:
    """Return `audit.labels` fit to show."""
    table = audit.labels
    counts = {name: control(table[name]) for name in ("places", "also_listed", "core20", "high_need")}
    measured = controlled_measures(audit)
    fifth = (measured["group"] == QUINTILES[1.0]) & (measured["measure"] == "share_of_places")
    if measured.loc[fifth, "count"].isna().any():
        counts["core20"] = counts["core20"].mask(table["label"] == "list")
    return table.assign(**counts, **table[["concentration", "inequity"]].round(DECIMALS))


def controlled_feeds(audit: Audit) -> pd.DataFrame:
    """Return `audit.feeds` fit to show: shares from controlled counts."""
    table = audit.feeds
    counts = _controlled_by([table["grouping"]], table, ["people", "silent"])
    share = (counts["silent"] / counts["people"].where(counts["people"] > 0)).round(DECIMALS)
    return table.assign(**counts, share=share, hidden=counts.isna().any(axis=1))


def controlled_totals(audit: Audit) -> dict[str, str]:
    """Return the audit's numbers of people as they may be shown."""
    return {name: shown(number) for name, number in audit.totals.items() if name != "comparisons"}
