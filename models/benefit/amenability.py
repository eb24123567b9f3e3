"""Amenability: the share of a person's risk that case management could plausibly touch.

Used only where benefit cannot be learned from the history. The rule follows what is
published: conditions that respond to good care outside hospital, isolation and care that
keeps being missed leave something to mend; the last year of life, care homes and severe
frailty call for other help (Lewis 2010; Orlowski 2021). It is an assumption, and every list
that rests on it says so.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

BASE = 0.2
RESPONSIVE_CONDITIONS = (
    "cms_heart_failure_any_ever",
    "cms_copd_any_ever",
    "cms_diabetes_any_ever",
    "cms_asthma_any_ever",
)
UNMET_CIRCUMSTANCES = ("lives_alone_any_ever", "outpatient_missed_count_365d")
OTHER_HELP = ("end_of_life_any_ever", "palliative_care_count_365d", "care_home_any_ever", "severe_frailty_any_ever")


WEIGHT = 0.4


def amenability(matrix: pd.DataFrame) -> np.ndarray:
    """Return the amenable share of risk, 0 to 1, one a row of the feature matrix.

    A fifth for everyone; four tenths more with a responsive condition, four tenths more with
    isolation or missed appointments; nothing where other help is called for.
    """
    share = BASE + WEIGHT * _any_of(matrix, RESPONSIVE_CONDITIONS) + WEIGHT * _any_of(matrix, UNMET_CIRCUMSTANCES)
    return np.where(_any_of(matrix, OTHER_HELP), 0.0, share)


def contributions(matrix: pd.DataFrame) -> pd.DataFrame:
    """Say how much each feature raised the logarithm of the amenable share; rows as in `matrix`.

    What a group of features adds is split evenly among those of them that are present.
    """
    share = amenability(matrix)
    parts: dict[str, np.ndarray] = {}
    for names in (RESPONSIVE_CONDITIONS, UNMET_CIRCUMSTANCES):
        present = matrix[list(names)] > 0
        with_group = np.maximum(share, BASE + WEIGHT)
        gain = np.log(with_group / (with_group - WEIGHT)) * (share > 0)
        each = gain / present.sum(axis=1).clip(lower=1).to_numpy()
        parts |= {name: each * present[name].to_numpy() for name in names}
    return pd.DataFrame(parts, index=matrix.index)


def _any_of(matrix: pd.DataFrame, names: tuple[str, ...]) -> np.ndarray:
    return (matrix[list(names)] > 0).any(axis=1).to_numpy()
