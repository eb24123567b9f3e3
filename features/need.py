"""Need: how ill a person is now, by the Cambridge Multimorbidity Score."""

from __future__ import annotations

import pandas as pd

NEED_COLUMN = "cms_score"


def need(features_frame: pd.DataFrame) -> pd.Series:
    """Return the need score of each row of a feature matrix, in points (float64)."""
    return features_frame[NEED_COLUMN].astype("float64").rename("need")
