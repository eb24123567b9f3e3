"""The difference between the best and the worst group, with an interval that knows they were picked.

Whoever looks for the largest of several differences finds one by chance alone. So every pair of groups gets
an interval (Newcombe's, of two Wilson intervals: Statistics in Medicine 17, 1998, method 10), each at the
confidence that keeps all pairs together at the level asked for (Bonferroni). Where all of them hold, the true
difference between the best and the worst group lies between the largest lower and the largest upper limit.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

Numbers = NDArray[np.float64]
COLUMNS = ["grouping", "measure", "groups", "best", "worst", "value", "low", "high"]


def wilson(count: Numbers, base: Numbers, level: float) -> tuple[Numbers, Numbers]:
    """Return Wilson's interval of proportions.

    `count` may be a sum of values between 0 and 1: such a mean varies at most as much as a proportion does, so
    that the interval is then too wide rather than too narrow.
    """
    z = stats.norm.ppf((1 + level) / 2)
    share = count / base
    middle = (share + z**2 / (2 * base)) / (1 + z**2 / base)
    half = z / (1 + z**2 / base) * np.sqrt(share * (1 - share) / base + z**2 / (4 * base**2))
    return np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0)


def gap(count: Numbers, base: Numbers, level: float) -> tuple[float, float, float]:
    """Return the largest difference between the shares of two groups, and its simultaneous limits.

    Missing when there are fewer than two groups; a lower limit of 0 says that all groups may be alike.
    """
    groups = len(base)
    if groups < 2:
        return np.nan, np.nan, np.nan
    share = count / base
    low, high = wilson(count, base, 1 - (1 - level) / (groups * (groups - 1) / 2))
    below, above = (share - low) ** 2, (high - share) ** 2
    difference = share[:, None] - share[None, :]
    lowest = difference - np.sqrt(below[:, None] + above[None, :])
    highest = difference + np.sqrt(above[:, None] + below[None, :])
    return float(difference.max()), float(max(lowest.max(), 0.0)), float(min(highest.max(), 1.0))


def best_and_worst(lost: pd.DataFrame, level: float, minimum: int) -> pd.DataFrame:
    """Compare the groups of every grouping by every measure.

    Parameters
    ----------
    lost
        `grouping`, `group`, `measure`, `base` (units) and `count` (of them lost: less is better). Leave out groups
        that are none, such as `not known`.
    level
        Confidence that the interval holds, whichever groups turn out best and worst.
    minimum
        A group with fewer units is not compared: its own interval would be all that is seen.

    Returns
    -------
    One row a grouping and measure: `groups` compared, `best` and `worst` (the first, of equals; empty when fewer
    than two can be compared, or all are alike), `value` (worst less best share), `low`, `high`.
    """
    rows = []
    for (grouping, measure), part in lost.groupby(["grouping", "measure"], sort=False):
        compared = part[part["base"] >= max(minimum, 1)]
        count, base = (compared[name].to_numpy(dtype=float) for name in ("count", "base"))
        named = compared["group"].to_numpy()
        limits = gap(count, base, level)
        # Fewer than two, or all alike: none is best, and none worst.
        apart = limits[0] > 0
        best = str(named[np.argmin(count / base)]) if apart else ""
        worst = str(named[np.argmax(count / base)]) if apart else ""
        rows.append((grouping, measure, len(base), best, worst, *limits))
    return pd.DataFrame(rows, columns=COLUMNS)
