"""Gradient-boosted trees whose log odds are recalibrated: what every probability here comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression


@dataclass(frozen=True)
class CalibratedTrees:
    """Trees and the logistic recalibration of their log odds (intercept, slope)."""

    booster: lightgbm.Booster
    intercept: float
    slope: float
    features: tuple[str, ...]

    def predict(self, matrix: pd.DataFrame) -> np.ndarray:
        """Return the probability, one a row."""
        raw = np.asarray(self.booster.predict(matrix[list(self.features)], raw_score=True))
        return expit(self.intercept + self.slope * raw)

    def contributions(self, matrix: pd.DataFrame) -> pd.DataFrame:
        """Return SHAP values on the log odds, rows and columns as in `matrix[features]`."""
        shap = np.asarray(self.booster.predict(matrix[list(self.features)], pred_contrib=True))
        return pd.DataFrame(self.slope * shap[:, :-1], index=matrix.index, columns=list(self.features))


def parameters(learning_rate: float, leaves: int, minimum_leaf: int, seed: int) -> dict[str, Any]:
    """Return LightGBM's parameters: strongly regularised, and the same bytes from the same data."""
    return {
        "objective": "binary",
        "learning_rate": learning_rate,
        "num_leaves": leaves,
        "min_data_in_leaf": minimum_leaf,
        "feature_fraction": 0.25,
        "lambda_l2": 20.0,
        "max_bin": 63,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbose": -1,
    }


def recalibrate(odds: np.ndarray, outcome: np.ndarray) -> tuple[float, float]:
    """Return the intercept and slope of a logistic regression of the outcome on log odds (Cox 1958)."""
    fitted = LogisticRegression(C=np.inf, solver="newton-cholesky").fit(odds.reshape(-1, 1), outcome)
    return float(fitted.intercept_[0]), float(fitted.coef_[0, 0])


def log_odds(probability: np.ndarray) -> np.ndarray:
    """Return log odds, finite at 0 and 1."""
    return logit(np.clip(probability, 1e-6, 1 - 1e-6))
