"""A probability from log odds: a learned model, and the rising curve that makes what it says come true."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, log_expit, logit
from sklearn.linear_model import LogisticRegression

from models.risk.group_calibration import Mended
from models.risk.learned import Learned


@dataclass(frozen=True)
class CalibratedRisk:
    """A learned model, and the rising curve that turns its log odds into calibrated ones.

    With p the model's own probability: intercept + slope x log odds + bend x log p. Without a bend that is logistic
    recalibration (Cox 1958), with one it is beta calibration (Kull, Silva Filho and Flach 2017). Neither changes who
    ranks above whom; `mended` does, between a group whose calibration failed and everybody else.
    """

    learned: Learned
    intercept: float
    slope: float
    features: tuple[str, ...]
    bend: float = 0.0
    mended: tuple[Mended, ...] = ()

    def predict(self, matrix: pd.DataFrame) -> np.ndarray:
        """Return the probability, one a row."""
        return self.predict_both(matrix)[1]

    def predict_both(self, matrix: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Return the probability as it would be had no group been mended, and as it is, one a row."""
        odds = self.calibrated(self.learned.raw(matrix[list(self.features)]))
        return expit(odds), expit(self.for_groups(matrix, odds))

    def for_groups(self, matrix: pd.DataFrame, odds: np.ndarray) -> np.ndarray:
        """Return calibrated log odds as they are for each row's groups."""
        return odds + sum((group.moves(matrix, odds) for group in self.mended), np.zeros(len(odds)))

    def calibrated(self, raw: np.ndarray) -> np.ndarray:
        """Return calibrated log odds for the model's own."""
        return self.intercept + self.slope * raw + self.bend * log_expit(raw)

    def contributions(self, matrix: pd.DataFrame) -> pd.DataFrame:
        """Return SHAP values on the calibrated log odds, rows and columns as in `matrix[features]`.

        They add up, in each row, to the difference from the calibrated log odds of the model's average.
        """
        parts, average = self.learned.shap(matrix[list(self.features)])
        moved = parts.sum(axis=1)
        steep = self.slope + self.bend * expit(-average)
        still = np.abs(moved) < 1e-6
        chord = (self.calibrated(average + moved) - self.calibrated(average)) / np.where(still, 1, moved)
        parts = np.where(still, steep, chord)[:, None] * parts
        found = pd.DataFrame(parts, index=matrix.index, columns=list(self.features))
        odds = self.calibrated(average + moved)
        for group in self.mended:
            found[group.feature] += group.moves(matrix, odds)
        return found


def recalibrate(odds: np.ndarray, outcome: np.ndarray) -> tuple[float, float]:
    """Return the intercept and slope of a logistic regression of the outcome on log odds (Cox 1958)."""
    fitted = LogisticRegression(C=np.inf, solver="newton-cholesky").fit(odds.reshape(-1, 1), outcome)
    return float(fitted.intercept_[0]), float(fitted.coef_[0, 0])


def beta_calibration(odds: np.ndarray, outcome: np.ndarray) -> tuple[float, float, float]:
    """Return the intercept, slope and bend of beta calibration (Kull, Silva Filho and Flach 2017).

    A curve that would fall somewhere is replaced by logistic recalibration, and one that falls even so, as where the
    odds say nothing, by the outcome's own rate.
    """
    design = np.column_stack([odds, log_expit(odds)])
    fitted = LogisticRegression(C=np.inf, solver="newton-cholesky").fit(design, outcome)
    slope, bend = (float(value) for value in fitted.coef_[0])
    if min(slope, slope + bend) >= 0:
        return float(fitted.intercept_[0]), slope, bend
    intercept, slope = recalibrate(odds, outcome)
    return (intercept, slope, 0.0) if slope >= 0 else (float(log_odds(outcome.mean())), 0.0, 0.0)


def log_odds(probability: np.ndarray) -> np.ndarray:
    """Return log odds, finite at 0 and 1."""
    return logit(np.clip(probability, 1e-6, 1 - 1e-6))
