"""What a model must beat: the simple rules that cost nothing, and logistic regression on the same features.

Each is a logistic regression fitted on the rows that the back-test learned from, so that its
figures are those of a probability too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, SplineTransformer, StandardScaler

from models.nuisances import compress
from models.risk import person_folds

LOGISTIC = "logistic regression"
# A risk that ranks no better than this above logistic regression does not pay for its trees.
ENOUGH_BETTER = 0.005
MAXIMUM_ROWS = 60_000
# How freely logistic regression may use the features; chosen on people whom it has not seen.
FREEDOMS = (0.0001, 0.001, 0.01)
# Standard deviations from the mean beyond which a value tells no more.
FARTHEST = 5.0
# Features that a baseline stands on, by baseline.
SINGLE = {
    "last year's admissions": ("emergency_admission_count_365d",),
    "age and sex": ("age", "sex_female"),
    "Charlson index": ("charlson_score",),
    "eFI-like frailty index": ("efi_index",),
}


@dataclass(frozen=True)
class Baselines:
    """Each baseline's probabilities for the tested rows, and why those that are absent could not be run."""

    risk: pd.DataFrame
    absent: dict[str, str]


def run_baselines(
    learn: pd.DataFrame, outcome: np.ndarray, person: np.ndarray, test: pd.DataFrame, columns: list[str]
) -> Baselines:
    """Fit every baseline and predict the tested rows.

    Parameters
    ----------
    learn, test : DataFrame
        Feature matrices of the rows to learn from and of those to predict.
    outcome, person : whether it happened, and to whom, one a row of `learn`
    columns : the features that the risk model uses
    """
    risk, absent = {}, {}
    # A baseline has few coefficients to learn: rows are taken evenly.
    every = -(-len(learn) // MAXIMUM_ROWS)
    learn, outcome, person = learn.iloc[::every], outcome[::every], person[::every]
    for name, needed in SINGLE.items():
        if missing := sorted(set(needed) - set(learn.columns)):
            absent[name] = f"the features have no {' and no '.join(missing)}"
        elif learn[list(needed)].notna().sum().min() == 0:
            absent[name] = f"{' and '.join(needed)} hold no value"
        else:
            model = _curved() if "age" in needed else _plain()
            risk[name] = _predicted(model.fit(_values(learn, needed), outcome), test, needed)
    told = [name for name in columns if learn[name].nunique(dropna=False) > 1]
    if told:
        risk[LOGISTIC] = _predicted(_penalised(_values(learn, told), outcome, person), test, told)
    else:
        absent[LOGISTIC] = "no feature varies"
    return Baselines(pd.DataFrame(risk, index=test.index), absent)


def _values(table: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    return table[list(names)].to_numpy("float32")


def _predicted(model: Pipeline, test: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    return np.asarray(model.predict_proba(_values(test, names))[:, 1], dtype="float64")


def _plain() -> Pipeline:
    return make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())


def _curved() -> Pipeline:
    return make_pipeline(SimpleImputer(), SplineTransformer(n_knots=6), StandardScaler(), LogisticRegression())


def _penalised(values: np.ndarray, outcome: np.ndarray, person: np.ndarray) -> Pipeline:
    """Return a strong plain model: long tails compressed, a mark for what is missing, the ridge chosen by log loss."""
    held = person_folds(pd.Series(person), 4, 0) == 0
    freedom = FREEDOMS[0]
    if 0 < outcome[held].sum() < held.sum() and 0 < outcome[~held].sum() < (~held).sum():
        losses = [
            log_loss(outcome[held], _ridge(each).fit(values[~held], outcome[~held]).predict_proba(values[held])[:, 1])
            for each in FREEDOMS
        ]
        freedom = FREEDOMS[int(np.argmin(losses))]
    return _ridge(freedom).fit(values, outcome)


def _ridge(freedom: float) -> Pipeline:
    return make_pipeline(
        FunctionTransformer(compress),
        SimpleImputer(add_indicator=True, keep_empty_features=True),
        StandardScaler(),
        FunctionTransformer(np.clip, kw_args={"a_min": -FARTHEST, "a_max": FARTHEST}),
        LogisticRegression(C=freedom, tol=1e-3, max_iter=100),
    )
