"""At the same risk score, is one group sicker than another?

If it is, the score understates that group's need, as in Obermeyer and others, Science 2019.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from fairness import intervals
from fairness.levels import Levels
from fairness.rows import rows

BAND_EDGES = [0, 0.01, 0.05, 0.1, 0.2, 0.5, 1]
BANDS = ["top 1%", "1 to 5%", "5 to 10%", "10 to 20%", "20 to 50%", "lower half"]


def risk_position(risk: pd.Series) -> pd.Series:
    """Return each person's place by risk, from just above 0 (highest) to 1; ties share one."""
    return risk.rank(ascending=False, pct=True)


def need_ratio_rows(people: pd.DataFrame, grouping: str, levels: Levels) -> pd.DataFrame:
    """Measure, for each group, its mean need over that of everybody in the same hundredth of risk."""
    hundredth = np.ceil(people["position"] * 100)
    expected = people["need"].groupby(hundredth).transform("mean")
    parts = pd.DataFrame({"group": people[grouping], "need": people["need"], "expected": expected})
    parts = parts.assign(
        people=1.0, nn=parts["need"] ** 2, ne=parts["need"] * parts["expected"], ee=parts["expected"] ** 2
    )
    sums = parts.groupby("group", sort=True).sum()
    number, total = sums["people"], sums["expected"].where(sums["expected"] > 0)
    ratio = sums["need"] / total
    squares = (sums["nn"] - 2 * ratio * sums["ne"] + ratio**2 * sums["ee"]).clip(lower=0)
    deviation = np.sqrt(squares / (number - 1).where(number > 1)) * number / total
    plain, wide = (intervals.mean(ratio.to_numpy(), deviation.to_numpy(), number.to_numpy(), level) for level in levels)
    return rows("need_at_same_score", ratio, number, number, number, plain, wide).reset_index()


def need_by_band(people: pd.DataFrame, grouping: str, level: float) -> pd.DataFrame:
    """Return mean need by group and band of risk: group, band, people, value, low, high."""
    band = pd.cut(people["position"], BAND_EDGES, labels=BANDS)
    table = (
        people.groupby([grouping, band.rename("band")], sort=True, observed=True)["need"]
        .agg(people="size", value="mean", deviation="std")
        .reset_index()
        .rename(columns={grouping: "group"})
    )
    low, high = intervals.mean(
        table["value"].to_numpy(), table["deviation"].to_numpy(), table["people"].to_numpy("float64"), level
    )
    return table.assign(band=table["band"].astype("str"), low=low, high=high).drop(columns="deviation")
