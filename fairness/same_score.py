"""At the same risk score, is one group sicker than another, and does it fare worse?

If it is, the score understates that group's need, as in Obermeyer and others, Science 2019. Illness as recorded on the
day of the list; deaths, and admissions that care outside hospital can often prevent, in the test window, whose score is of
then. Deaths do not depend on who is admitted, so they show what a label made of admissions hides.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from fairness import intervals
from fairness.levels import Levels
from fairness.outcomes import calibration_rows
from fairness.rows import rows

BAND_EDGES = [0, 0.01, 0.05, 0.1, 0.2, 0.5, 1]
BANDS = ["top 1%", "1 to 5%", "5 to 10%", "10 to 20%", "20 to 50%", "lower half"]
BAND_COLUMNS = ["group", "band", "what", "people", "count", "value", "low", "high"]
HAPPENED_MEASURES = {"died": "death_at_same_score", "preventable": "preventable_at_same_score"}
"""Each column of `fairness.happened.HAPPENED`, and the measure by it."""


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


def happened_rows(test: pd.DataFrame, grouping: str, groups: pd.Index, levels: Levels) -> pd.DataFrame:
    """Measure, for each of `groups`, people to whom something happened over those of everybody in the same hundredth of risk.

    `test` is as for `fairness.outcomes.outcome_rows`, with the columns of `fairness.happened.HAPPENED`; one measure each.
    """
    hundredth = np.ceil(risk_position(test["risk"]) * 100)
    tables = []
    for flag, measure in HAPPENED_MEASURES.items():
        expected = test[flag].astype("float64").groupby(hundredth).transform("mean")
        table = test[["person_id", grouping]].assign(outcome=test[flag], risk=expected)
        tables.append(calibration_rows(table, grouping, groups, levels).assign(measure=measure))
    return pd.concat(tables)


def need_by_band(people: pd.DataFrame, grouping: str, level: float) -> pd.DataFrame:
    """Return mean need by group and band of risk: group, band, what (`illness`), people, count (missing), value, low, high."""
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
    told = table.assign(band=table["band"].astype("str"), what="illness", count=np.nan, low=low, high=high)
    return told[BAND_COLUMNS]


def happened_by_band(test: pd.DataFrame, grouping: str, level: float) -> pd.DataFrame:
    """Return, in the columns of `need_by_band`, the share of people to whom each of `HAPPENED` came after any test date."""
    band = pd.cut(risk_position(test["risk"]), BAND_EDGES, labels=BANDS).astype("str").rename("band")
    tables = []
    for flag in HAPPENED_MEASURES:
        person = test[flag].groupby([test[grouping], band, test["person_id"]], sort=True).max()
        table = person.groupby(level=[0, 1], sort=True).agg(people="size", count="sum").astype("float64")
        low, high = intervals.proportion(table["count"].to_numpy(), table["people"].to_numpy(), level)
        table = table.assign(what=flag, value=table["count"] / table["people"], low=low, high=high)
        tables.append(table.rename_axis(["group", "band"]).reset_index())
    return pd.concat(tables, ignore_index=True)[BAND_COLUMNS]
