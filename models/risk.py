"""Risk: what will happen to a person if nothing changes.

Gradient-boosted trees (LightGBM) learn from people who did *not* start case management,
so that past case management does not make the people it helped look safe. Predictions are
calibrated on people that the trees have not seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from casewell.settings import Training


@dataclass(frozen=True)
class RiskModel:
    """Trees and the logistic recalibration of their log odds (intercept, slope)."""

    booster: lightgbm.Booster
    intercept: float
    slope: float
    features: tuple[str, ...]

    def predict(self, matrix: pd.DataFrame) -> np.ndarray:
        """Return the probability of the outcome within the horizon, one a row."""
        raw = np.asarray(self.booster.predict(matrix[list(self.features)], raw_score=True))
        return expit(self.intercept + self.slope * raw)

    def contributions(self, matrix: pd.DataFrame) -> pd.DataFrame:
        """Return SHAP values on the log odds, rows and columns as in `matrix[features]`."""
        shap = np.asarray(self.booster.predict(matrix[list(self.features)], pred_contrib=True))
        return pd.DataFrame(self.slope * shap[:, :-1], index=matrix.index, columns=list(self.features))


def person_folds(person_id: pd.Series, folds: int, seed: int) -> np.ndarray:
    """Deal people, not rows, into folds; the fold depends only on the person and the seed."""
    mixed = pd.util.hash_array(person_id.to_numpy("int64") ^ np.int64(seed))
    return (mixed % np.uint64(folds)).astype("int64")


def fit_risk(
    matrix: pd.DataFrame, outcome: np.ndarray, treated: np.ndarray, folds: np.ndarray, rules: Training, seed: int
) -> tuple[RiskModel, np.ndarray]:
    """Fit the risk model and predict each row from models that never saw its person.

    Parameters
    ----------
    matrix : DataFrame of float32, one row a person and index date
    outcome, treated : boolean arrays
    folds : integer array from `person_folds`

    Returns
    -------
    RiskModel, and the calibrated out-of-fold probability of each row.
    """
    parameters: dict[str, Any] = {
        "objective": "binary",
        "learning_rate": rules.learning_rate,
        "num_leaves": rules.leaves,
        "min_data_in_leaf": rules.minimum_leaf,
        "feature_fraction": 0.25,
        "lambda_l2": 20.0,
        "max_bin": 63,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbose": -1,
    }
    data = lightgbm.Dataset(matrix, outcome.astype("float32"), params=parameters, free_raw_data=False).construct()
    order = np.random.default_rng(seed).permutation(len(matrix))

    def grow(rows: np.ndarray) -> lightgbm.Booster:
        drawn = np.sort(order[rows[order]][: rules.maximum_rows])
        return lightgbm.train(parameters, data.subset(drawn.tolist()), rules.trees)

    raw = np.empty(len(matrix))
    for fold in np.unique(folds):
        held_out = folds == fold
        raw[held_out] = grow(~treated & ~held_out).predict(matrix[held_out], raw_score=True)
    booster = grow(~treated)
    intercept, slope = recalibrate(raw[~treated], outcome[~treated])
    return RiskModel(booster, intercept, slope, tuple(matrix.columns)), expit(intercept + slope * raw)


def recalibrate(raw: np.ndarray, outcome: np.ndarray) -> tuple[float, float]:
    """Return the intercept and slope of a logistic regression of the outcome on log odds (Cox 1958)."""
    fitted = LogisticRegression(C=np.inf, solver="newton-cholesky").fit(raw.reshape(-1, 1), outcome)
    return float(fitted.intercept_[0]), float(fitted.coef_[0, 0])


def log_odds(probability: np.ndarray) -> np.ndarray:
    """Return log odds, finite at 0 and 1."""
    return logit(np.clip(probability, 1e-6, 1 - 1e-6))
