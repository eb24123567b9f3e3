"""When a challenger becomes champion: a stated rule, applied by nobody's taste."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.metrics import brier_score_loss

RULE = (
    "A challenger becomes champion when, in the test months, its calibration slope lies between 0.7 and 1.4, "
    "its area under the ROC curve is surely above one half, and its Brier score is no worse than the champion's. "
    "Both are judged by their back-tests, which had not seen those months."
)


@dataclass(frozen=True)
class Promotion:
    """The decision and its reason, in a sentence."""

    promoted: bool
    reason: str


def decide(measures: pd.DataFrame, test: pd.DataFrame, champion_risk: np.ndarray | None) -> Promotion:
    """Apply the rule.

    Parameters
    ----------
    measures : DataFrame from `models.evaluation.evaluate` for the challenger
    test : `models.tables.TEST_PREDICTIONS` of the challenger's back-test
    champion_risk : the champion's back-test predictions on the same rows; None when there is no
        champion, or it needs features that are no longer built
    """
    value, low = (dict(zip(measures["measure"], measures[end], strict=True)) for end in ("value", "low"))
    slope = value["calibration_slope"]
    if not 0.7 <= slope <= 1.4:
        return Promotion(False, f"its calibration slope is {slope:.2f}, outside 0.7 to 1.4")
    if low["auroc"] <= 0.5:
        return Promotion(False, "it may do no better than chance: the interval of its area under the curve reaches 0.5")
    if champion_risk is None:
        return Promotion(True, "there was no champion whose features are still built, and it is calibrated")
    old, new = brier_score_loss(test["outcome"], champion_risk), value["brier"]
    if new > old:
        return Promotion(False, f"its Brier score is {new:.5f}, the champion's is {old:.5f}")
    return Promotion(True, f"its Brier score is {new:.5f}, the champion's was {old:.5f}")
