"""Is illness on record before a hospital finds it, in every group alike?

A hospital writes down what it finds in whom it admits, whether anybody had before (`models.need.second_looks`). Of the lasting
conditions that hospitals found in a group, how many were on record elsewhere by then, over those that everybody's share of the
same condition at the same age would give (indirect standardisation)? Below 1 the group's illness is written down less than it
is, and a list that ranks by what is written down passes over it. A second, independent look is how completeness of registers is
told without the truth (Hook and Regal, Epidemiol Rev 17, 1995). Assumed: hospitals look at everybody they admit alike.

Whose group is not recorded is left out: whoever is seldom seen has neither group nor illness written down.
"""

from __future__ import annotations

import pandas as pd

from fairness.groups import is_recorded
from fairness.levels import Levels
from fairness.outcomes import calibration_rows
from fairness.rows import RECORDED


def recorded_before(found: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """Return whether each condition that a hospital found was on record before, and the chance of it.

    Parameters
    ----------
    found
        One row per person and condition that a hospital wrote down: `person_id`, `condition`, `first` (it was on record before).
    people
        One row per person who is compared, with `age_band` and any groupings; conditions of others do not count.

    Returns
    -------
    `people`, a row for each of their conditions, with `outcome` (it was on record) and `risk` (the share of the condition that is,
    among all of that age).
    """
    rows = people.merge(found[["person_id", "condition", "first"]], on="person_id")
    outcome = rows["first"].astype("float64")
    alike = outcome.groupby([rows["condition"], rows["age_band"]]).transform("mean")
    return rows.drop(columns=["condition", "first"]).assign(outcome=outcome, risk=alike)


def recording_rows(conditions: pd.DataFrame, grouping: str, groups: pd.Index, levels: Levels) -> pd.DataFrame:
    """Return a row of the measure for each of `groups` that is recorded; `conditions` is from `recorded_before`."""
    known = groups[is_recorded(groups.to_series()).to_numpy()]
    return calibration_rows(conditions, grouping, known, levels).assign(measure=RECORDED)
