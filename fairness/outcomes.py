"""Does the predicted risk mean the same in every group? Measured in the test window."""

from __future__ import annotations

import pandas as pd

from fairness import intervals
from fairness.levels import Levels
from fairness.rows import rows

MINIMUM_OUTCOMES = 10
"""Fewer people with the outcome, or without: no AUROC."""


def outcome_rows(test: pd.DataFrame, grouping: str, groups: pd.Index, levels: Levels) -> pd.DataFrame:
    """Measure, for each of `groups`, observed over expected outcomes and the AUROC.

    `test` follows models.tables.TEST_PREDICTIONS with the grouping's label beside it, in a
    stable order. A person counts at several index dates, so intervals are by person. A group
    that the window does not hold gets rows without values.
    """
    sums = _by_group(test, grouping).reindex(groups)
    return pd.concat([_calibration(sums, levels), _auroc(test, grouping, sums, levels)]).reset_index()


def calibration_rows(test: pd.DataFrame, grouping: str, groups: pd.Index, levels: Levels) -> pd.DataFrame:
    """Measure observed over expected outcomes alone, as `outcome_rows` does."""
    return _calibration(_by_group(test, grouping).reindex(groups), levels).reset_index()


def _by_group(test: pd.DataFrame, grouping: str) -> pd.DataFrame:
    person = (
        test.assign(rows=1.0, observed=test["outcome"].astype("float64"))
        .groupby([grouping, "person_id"], sort=True)
        .agg(rows=("rows", "sum"), observed=("observed", "sum"), expected=("risk", "sum"))
    )
    return (
        person.assign(
            people=1.0,
            with_outcome=(person["observed"] > 0).astype("float64"),
            oo=person["observed"] ** 2,
            oe=person["observed"] * person["expected"],
            ee=person["expected"] ** 2,
        )
        .groupby(level=grouping, sort=True)
        .sum()
    )


def _calibration(sums: pd.DataFrame, levels: Levels) -> pd.DataFrame:
    observed, expected = sums["observed"], sums["expected"].where(sums["expected"] > 0)
    ratio = observed / expected
    variance = sums["oo"] - 2 * ratio * sums["oe"] + ratio**2 * sums["ee"]
    design_effect = (variance / observed).where(observed > 0, sums["rows"] / sums["people"])
    arrays = observed.to_numpy(), expected.to_numpy(), design_effect.to_numpy()
    people, count = sums["people"].fillna(0), sums["with_outcome"].fillna(0)
    plain, wide = (intervals.observed_over_expected(*arrays, level) for level in levels)
    return rows("calibration_ratio", ratio, people, count, people, plain, wide)


def _auroc(test: pd.DataFrame, grouping: str, sums: pd.DataFrame, levels: Levels) -> pd.DataFrame:
    ranks = test.groupby(grouping)["risk"].rank()
    positive = ranks.where(test["outcome"], 0.0).groupby(test[grouping]).sum().reindex(sums.index)
    events, others = sums["observed"], sums["rows"] - sums["observed"]
    people_with, people_without = sums["with_outcome"], sums["people"] - sums["with_outcome"]
    enough = (people_with >= MINIMUM_OUTCOMES) & (people_without >= MINIMUM_OUTCOMES)
    area = ((positive - events * (events + 1) / 2) / (events * others)).where(enough)
    plain = intervals.area_under_curve(area.to_numpy(), people_with.to_numpy(), people_without.to_numpy(), levels.plain)
    people = sums["people"].fillna(0)
    return rows("auroc", area, people, people_with.fillna(0), people, plain)
