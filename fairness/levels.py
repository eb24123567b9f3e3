"""How sure the gate must be, and what it then says of one figure.

Two mistakes are possible and each has its own guard.

- *A fair list is called unfair.* Many groups are compared, and one of them will look badly
  off by chance. To **fail**, the whole interval must lie beyond the limit even when it is
  widened so that all comparisons together raise a false alarm no more often than
  1 - confidence (Bonferroni).
- *An unfair list is called fair.* The gate passes only if every comparison passes, so the
  list slips through only if its worst group does: no widening is needed. To **pass**, the
  whole interval at the plain confidence must lie on the acceptable side.

Anything between, and any group with fewer people than the minimum, is **cannot tell**.
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import numpy as np
import pandas as pd

from casewell.errors import SettingsError
from casewell.settings import Fairness
from fairness.rows import RECORDED

PASS, FAIL, CANNOT_TELL, REPORTED = "pass", "fail", "cannot tell", "reported"


class Levels(NamedTuple):
    """Confidence of the interval that is shown, and of the one that a fail needs."""

    plain: float
    wide: float


def levels_for(confidence: float, comparisons: int, share: float = 1.0) -> Levels:
    """Return the confidence levels for a number of comparisons, which together may use up a `share` of the false alarms."""
    return Levels(confidence, 1 - (1 - confidence) * share / max(comparisons, 1))


def limits_of(settings: Fairness) -> dict[str, tuple[float, float]]:
    """Return the acceptable range of each measure that has one."""
    return {
        "share_ratio": (settings.minimum_share_ratio, np.inf),
        RECORDED: (settings.minimum_recording_ratio, np.inf),
        "calibration_ratio": (1 / settings.maximum_calibration_ratio, settings.maximum_calibration_ratio),
    }


def judge(measures: pd.DataFrame, settings: Fairness) -> pd.Series:
    """Return a verdict for each row; `reported` for a measure without a limit."""
    limits = limits_of(settings)
    lower = measures["measure"].map({name: low for name, (low, _) in limits.items()}).astype("float64")
    upper = measures["measure"].map({name: high for name, (_, high) in limits.items()}).astype("float64")
    unknown = measures[["value", "low", "high"]].isna().any(axis=1) | (measures["people"] < settings.minimum_people)
    beyond = (measures["wide_high"] < lower) | (measures["wide_low"] > upper)
    within = (measures["low"] >= lower) & (measures["high"] <= upper)
    verdicts = np.select([lower.isna(), unknown, beyond, within], [REPORTED, CANNOT_TELL, FAIL, PASS], CANNOT_TELL)
    return pd.Series(verdicts, index=measures.index, dtype="str")


def refuse_outdated_limits(settings: Fairness, as_of: dt.date) -> None:
    """Refuse limits whose review is overdue, as an overdue policy is refused: nobody answers for them any longer.

    Raises
    ------
    SettingsError
        When the list's date lies after `fairness.limits_review_date`.
    """
    if settings.limits_review_date is not None and as_of > settings.limits_review_date:
        raise SettingsError(
            f"fairness.limits_review_date was {settings.limits_review_date}: the limits of the fairness gate have not been reviewed since",
            "Have whoever answers for them (fairness.limits_owner) review them, and give the next date.",
        )
