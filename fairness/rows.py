"""The one shape of a measured figure."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fairness.intervals import Limits

RECORDED = "recorded_before_found"
GATED = {
    "share_ratio": "share of places over share of need",
    "calibration_ratio": "observed over predicted outcomes",
    RECORDED: "conditions on record before a hospital found them over those expected",
}
"""What the gate decides by for each group, in words."""
MEASURES = (
    "share_of_people",
    "share_of_places",
    "share_of_need",
    *GATED,
    "selection_rate",
    "false_negative_rate",
    "auroc",
    "need_at_same_score",
    "death_at_same_score",
    "preventable_at_same_score",
    "use_at_same_need",
    "admitted_when_attending",
    "benefit_beyond_promise",
)
COLUMNS = ["grouping", "group", "measure", "value", "low", "high", "wide_low", "wide_high", "people", "count", "base"]


def rows(
    measure: str,
    value: pd.Series,
    people: pd.Series,
    count: pd.Series,
    base: pd.Series | float,
    plain: Limits | None = None,
    wide: Limits | None = None,
) -> pd.DataFrame:
    """Return one row per group (the index of `value`) in the columns of `fairness.audit.Audit.measures`."""
    low, high = plain or (np.nan, np.nan)
    wide_low, wide_high = wide or (np.nan, np.nan)
    return pd.DataFrame(
        {
            "measure": measure,
            "value": value,
            "low": low,
            "high": high,
            "wide_low": wide_low,
            "wide_high": wide_high,
            "people": people,
            "count": count,
            "base": base,
        },
        index=value.index.rename("group"),
    )
