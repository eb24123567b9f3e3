"""The gate's reasons on the figures of groups, in plain sentences fit to be shown."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from casewell.settings import Fairness
from fairness.groups import GROUPING_NAMES
from fairness.levels import FAIL, limits_of
from fairness.rows import GATED, RECORDED

UNDER_DIAGNOSIS = "their illness may be written down less than it is (under-diagnosis)"
WORST_FEW = 3
"""Practices named in a reason; of a hundred like them the number is told."""

_WHERE = {
    "share_ratio": "",
    "calibration_ratio": " in the test window",
    RECORDED: " in whom a hospital found a lasting condition",
}


def reasons_of(judged: pd.DataFrame, settings: Fairness, what: str = "") -> list[str]:
    """Return a sentence for each row, all of one verdict; of practices for the few worst, and how many more there are.

    Parameters
    ----------
    judged
        Rows of `fairness.controlled.controlled_measures`.
    what
        Put after the group, where the figure is not of the whole list.
    """
    many = judged["grouping"] == "practice"
    said = [_sentence(row, settings, what) for row in judged[~many].itertuples()]
    for measure, rows in judged[many].groupby("measure", sort=False):
        far = _how_far(rows["value"], both_ways=limits_of(settings)[str(measure)][1] < math.inf)
        worst = rows.assign(far=far).sort_values(["far", "group"], ascending=[False, True])
        said += [_sentence(row, settings, what) for row in worst.head(WORST_FEW).itertuples()]
        if (more := len(rows) - WORST_FEW) > 0:
            said.append(
                f"Practice{what}: the same of {more} more practice{'s' if more > 1 else ''}, in {GATED[str(measure)]}; the tables name each."
            )
    return said


def _how_far(value: pd.Series, both_ways: bool) -> pd.Series:
    """Return how far ratios lie below 1, or from it either way (logarithms); of those that are not known, less than any."""
    below = -np.log(value.astype("float64").clip(lower=1e-9))
    return (below.abs() if both_ways else below).fillna(-np.inf)


def _sentence(row: Any, settings: Fairness, what: str) -> str:
    who = f"{GROUPING_NAMES[row.grouping]}, {row.group}{what}"
    return f"{who}: {_what_was_seen(row, settings)}"


def _what_was_seen(row: Any, settings: Fairness) -> str:
    measure, verdict = row.measure, row.verdict
    subject = GATED[measure]
    if row.people < settings.minimum_people or pd.isna(row.people):
        return f"fewer than {settings.minimum_people} people{_WHERE[measure]}, too few to judge {subject}."
    if row.hidden:
        seen = f"{subject} rests on a count that is kept back, because it or one beside it is below 8"
    elif pd.isna(row.value):
        return f"{subject} cannot be worked out."
    else:
        seen = f"{subject} is {row.value:.2f} (interval {row.low:.2f} to {row.high:.2f})"
    meaning = f": {UNDER_DIAGNOSIS}" if measure == RECORDED and verdict == FAIL else ""
    return f"{seen}, {_against_limits(measure, verdict, settings)}{meaning}."


def _against_limits(measure: str, verdict: str, settings: Fairness) -> str:
    low, high = limits_of(settings)[measure]
    limits = f"the limit of {low:.2f}" if high == math.inf else f"the limits of {low:.2f} and {high:.2f}"
    return f"beyond {limits} by more than chance" if verdict == FAIL else f"not clearly within {limits}"
