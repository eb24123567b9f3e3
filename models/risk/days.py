"""Days in hospital, or days not at home: an expected number, right on average, for people whom it has not seen.

Most people have none and few have many, so the trees are grown by the Tweedie deviance (a Poisson number of stays,
each of a random length: Jorgensen 1987). Their logarithm is then recalibrated by a Poisson regression, whose
expected days add up to the days that were.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.linear_model import PoissonRegressor

from models.risk.trees import Trees

POWER = 1.5
"""Of the Tweedie distribution: halfway between a number of stays and their length."""


@dataclass(frozen=True)
class CalibratedDays:
    """Trees, and the line that turns their log of days into a calibrated one; `most` is the horizon.

    With `from_most` the trees count the days that are lacking: days at home are those of the horizon less the others.
    """

    learned: Trees
    intercept: float
    slope: float
    features: tuple[str, ...]
    most: float
    from_most: bool

    def predict(self, matrix: pd.DataFrame) -> np.ndarray:
        """Return the expected days, one a row."""
        raw = self.learned.raw(matrix[list(self.features)])
        days = np.minimum(np.exp(self.intercept + self.slope * raw), self.most)
        return self.most - days if self.from_most else days


def calibrate_days(raw: np.ndarray, days: np.ndarray) -> tuple[float, float]:
    """Return the intercept and slope of the log of days on the trees' own; a falling line becomes the mean."""
    fitted = PoissonRegressor(alpha=0.0).fit(raw.reshape(-1, 1), days)
    slope = float(fitted.coef_[0])
    return (float(fitted.intercept_), slope) if slope > 0 else (float(np.log(days.mean())), 0.0)
