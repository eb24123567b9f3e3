"""What a model must beat: the simple rules that cost nothing. (Logistic regression on all features is `models.risk.linear`.)

Each is a logistic regression fitted on the rows that the back-test learned from, so that its
figures are those of a probability too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import SplineTransformer, StandardScaler

MAXIMUM_ROWS = 60_000
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
    rows: pd.DataFrame, learn: np.ndarray, test: pd.DataFrame, others: Mapping[str, np.ndarray]
) -> Baselines:
    """Fit every simple rule, predict the tested rows, and put what others predicted for them beside.

    Parameters
    ----------
    rows : features, and `outcome`: whether it happened
    learn : boolean, the rows to learn from
    test : features of the rows to predict
    others : by name, probabilities of other models, one a row of `test`
    """
    risk, absent = {}, {}
    # A baseline has few coefficients to learn: rows are taken evenly.
    places = np.flatnonzero(learn)
    taken = rows.iloc[places[:: max(1, -(-len(places) // MAXIMUM_ROWS))]]
    outcome = taken["outcome"].to_numpy()
    for name, needed in SINGLE.items():
        if missing := sorted(set(needed) - set(rows.columns)):
            absent[name] = f"the features have no {' and no '.join(missing)}"
        elif taken[list(needed)].notna().sum().min() == 0:
            absent[name] = f"{' and '.join(needed)} hold no value"
        else:
            model = _curved() if "age" in needed else _plain()
            risk[name] = _predicted(model.fit(_values(taken, needed), outcome), test, needed)
    return Baselines(pd.DataFrame(risk | dict(others), index=test.index), absent)


def _values(table: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    return table[list(names)].to_numpy("float32")


def _predicted(model: Pipeline, test: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    return np.asarray(model.predict_proba(_values(test, names))[:, 1], dtype="float64")


def _plain() -> Pipeline:
    return make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())


def _curved() -> Pipeline:
    return make_pipeline(SimpleImputer(), SplineTransformer(n_knots=6), StandardScaler(), LogisticRegression())
