"""What each aggregation of values means, in pandas and whole millionths.

Slow and plain on purpose: the kernel must give the same cells to the last bit. A value counts rounded to a
millionth, as a Python integer, which neither overflows nor loses a digit; only the last step divides. `inside` are
the visible events of the window with a usable value, and `age`, whole days back from the index date.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

ROW = ["index_date", "person_id"]
MILLIONTHS = 1_000_000
DAYS_PER_YEAR = 365.25


def _of_groups(inside: pd.DataFrame, tell: Callable[[pd.DataFrame], float]) -> pd.Series:
    """Apply `tell` to each person's events on each index date, with the values as integers in column `y`."""
    whole = [int(value) for value in np.rint(inside["numeric_value"] * MILLIONTHS)]
    values = inside.assign(y=pd.Series(whole, index=inside.index, dtype="object"))
    told = {row: tell(group) for row, group in values.groupby(ROW)}
    index = pd.MultiIndex.from_tuples(list(told), names=ROW) if told else inside.set_index(ROW).index
    return pd.Series(list(told.values()), index=index, dtype="float64")


def total(inside: pd.DataFrame) -> pd.Series:
    """Sum."""
    return _of_groups(inside, lambda group: float(sum(group["y"])) / MILLIONTHS)


def mean(inside: pd.DataFrame) -> pd.Series:
    """Mean."""
    return _of_groups(inside, lambda group: float(sum(group["y"])) / len(group) / MILLIONTHS)


def smallest(inside: pd.DataFrame) -> pd.Series:
    """Smallest."""
    return _of_groups(inside, lambda group: min(group["y"]) / MILLIONTHS)


def largest(inside: pd.DataFrame) -> pd.Series:
    """Largest."""
    return _of_groups(inside, lambda group: max(group["y"]) / MILLIONTHS)


def latest(inside: pd.DataFrame) -> pd.Series:
    """Latest; of several on one day the one known last, then the largest."""
    days = inside.assign(day=inside["time"].dt.normalize(), known_day=inside["known_at"].dt.normalize())
    return _of_groups(
        days, lambda group: max(zip(group["day"], group["known_day"], group["y"], strict=True))[2] / MILLIONTHS
    )


def slope(inside: pd.DataFrame) -> pd.Series:
    """Least-squares change per year; missing with fewer than two days."""
    return _of_groups(inside, _slope)


def _slope(group: pd.DataFrame) -> float:
    points = [(-int(age), value) for age, value in zip(group["age"], group["y"], strict=True)]
    x, y = sum(day for day, _ in points), sum(value for _, value in points)
    rise = len(points) * sum(day * value for day, value in points) - x * y
    spread = len(points) * sum(day * day for day, _ in points) - x * x
    return float(rise) / spread * DAYS_PER_YEAR / MILLIONTHS if spread else float("nan")


VALUES: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
    "sum": total,
    "mean": mean,
    "min": smallest,
    "max": largest,
    "last": latest,
    "slope": slope,
}
