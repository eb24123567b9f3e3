"""What each aggregation of gaps and regularity means, in pandas.

Slow and plain on purpose: the kernel must give the same cells. `inside` are the visible events of the window, with
`age`, whole days back from the index date (1 is the day before it). Several events of a day are one.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

ROW = ["index_date", "person_id"]
PERIOD_DAYS = 30
USUAL = 3  # days with an event; fewer have no usual gap


def gaps(inside: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each day with an event after the first: the days since the one before."""
    days = inside.drop_duplicates([*ROW, "age"]).sort_values([*ROW, "age"], ascending=[True, True, False])
    return days.assign(gap=days.groupby(ROW)["age"].shift() - days["age"]).dropna(subset="gap")


def longest_gap(inside: pd.DataFrame, window: int | None) -> pd.Series:
    """Longest time between two events that follow each other, in days; missing with fewer than two days."""
    return gaps(inside).groupby(ROW)["gap"].max()


def periods_with(inside: pd.DataFrame, window: int | None) -> pd.Series:
    """Share of the window's whole periods of 30 days, counted back from the index date, with an event."""
    whole = int(window or 0) // PERIOD_DAYS
    period = (inside["age"] - 1) // PERIOD_DAYS
    return inside.assign(period=period)[period < whole].groupby(ROW)["period"].nunique() / whole


def overdue(inside: pd.DataFrame, window: int | None) -> pd.Series:
    """Days since the latest event over the usual (median) gap between days; missing with fewer than three days."""
    usual = gaps(inside).groupby(ROW)["gap"].agg(["median", "size"])
    since = inside.groupby(ROW)["age"].min()
    return (since / usual["median"]).where(usual["size"] >= USUAL - 1)


GAPS: dict[str, Callable[[pd.DataFrame, int | None], pd.Series]] = {
    "longest_gap": longest_gap,
    "periods_with": periods_with,
    "overdue": overdue,
}
