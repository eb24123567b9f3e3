"""Logistic regression on all features: the simpler model, whose every coefficient can be read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import expit

from casewell.settings import Kind
from models.benefit.nuisances import Scale, straight_line

# A few hundred coefficients are learned from so many rows, drawn evenly, as well as from more.
MOST_ROWS = 100_000
# Inverse ridge penalties, on standardised features and the sum of losses; chosen on people not learned from.
FREEDOMS = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2)
ROWS_AT_ONCE = 50_000


@dataclass(frozen=True)
class Linear:
    """Coefficients of scaled features and of their being missing; as `models.risk.learned.Learned`.

    `average` is the mean of each scaled column among those learned from.
    """

    kind: ClassVar[Kind] = "linear"

    scale: Scale
    intercept: float
    coefficients: np.ndarray
    average: np.ndarray

    def raw(self, matrix: pd.DataFrame) -> np.ndarray:
        """Return the intercept plus coefficients times scaled features, one a row."""
        told = np.concatenate([[self.intercept], self.coefficients])
        parts = [
            straight_line(self.scale(matrix.iloc[at : at + ROWS_AT_ONCE].to_numpy("float32")), told)
            for at in range(0, len(matrix), ROWS_AT_ONCE)
        ]
        return np.concatenate(parts, dtype="float64") if parts else np.empty(0)

    def shap(self, matrix: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Return coefficient x (value - average), exact where features are taken one by one (Lundberg and Lee 2017).

        A feature's value and its being missing are one.
        """
        moved = (self.scale(matrix.to_numpy("float32")) - self.average) * self.coefficients
        known = len(self.scale.used)
        found = np.zeros(matrix.shape)
        found[:, self.scale.used] = moved[:, :known]
        found[:, self.scale.gappy] += moved[:, known:]
        return found, np.full(len(matrix), self.intercept + float(self.average @ self.coefficients))

    @property
    def size(self) -> int:
        """How many coefficients are not nought."""
        return int(np.count_nonzero(self.coefficients))

    def write(self, stem: Path) -> None:
        """Write JSON, which gives every number back as it was."""
        told = vars(self.scale) | {"coefficients": self.coefficients, "average": self.average}
        text = json.dumps({"intercept": self.intercept} | {name: values.tolist() for name, values in told.items()})
        stem.with_suffix(".json").write_text(text, encoding="utf-8")

    @classmethod
    def read(cls, stem: Path) -> Linear:
        """Read what `write` wrote."""
        told = json.loads(stem.with_suffix(".json").read_text(encoding="utf-8"))
        places = {"used": "int64", "gappy": "int64", "skewed": "bool"}
        taken = {name: np.array(told[name], dtype=places.get(name, "float64")) for name in Scale.__dataclass_fields__}
        return cls(Scale(**taken), told["intercept"], np.array(told["coefficients"]), np.array(told["average"]))


class LinearLearner:
    """Fits ridge logistic regressions; as `models.risk.learned.Learner`, whose freedom is the inverse of the penalty."""

    def __init__(
        self, matrix: pd.DataFrame, outcome: np.ndarray, usable: np.ndarray, rising: Mapping[str, int]
    ) -> None:
        """Measure the features' scale; parameters as for `models.risk.trees.TreeLearner`.

        Where risk may only rise with a feature, its coefficient is not below 0, and where only fall, not above.
        """
        self._matrix, self._outcome = matrix, outcome
        self._scale = Scale.of(self._values(usable))
        signs = [rising.get(matrix.columns[place], 0) for place in self._scale.used]
        bounds = {0: (None, None), 1: (0, None), -1: (None, 0)}
        free = [bounds[0]]
        self._bounds = free + [bounds[sign] for sign in signs] + free * len(self._scale.gappy)

    def choose(self, learn: np.ndarray, judge: np.ndarray) -> float:
        """Return the freedom with the least log loss on the judging rows."""
        columns, happened = self._told(learn)
        judges, came_true = self._told(judge)
        coefficients, losses = None, []
        for freedom in FREEDOMS:
            coefficients = _ridge(columns, happened, freedom, self._bounds, coefficients)
            losses.append(_loss(straight_line(judges, coefficients), came_true))
        return FREEDOMS[int(np.argmin(losses))]

    def fit(self, rows: np.ndarray, freedom: float) -> Linear:
        """Fit the regression."""
        columns, happened = self._told(rows)
        # From the beginning: where another fit ended there would be a trace of people who are not among these rows.
        found = _ridge(columns, happened, freedom, self._bounds)
        return Linear(self._scale, float(found[0]), found[1:], columns.mean(axis=0, dtype="float64"))

    def _values(self, rows: np.ndarray) -> np.ndarray:
        return self._matrix.iloc[np.sort(rows[:MOST_ROWS])].to_numpy("float32")

    def _told(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self._scale(self._values(rows)), self._outcome[np.sort(rows[:MOST_ROWS])].astype("float64")


def _loss(odds: np.ndarray, happened: np.ndarray) -> float:
    """Return the sum of the log loss."""
    odds = odds.astype("float64")
    return float((np.logaddexp(0, odds) - happened * odds).sum())


def _ridge(
    columns: np.ndarray,
    happened: np.ndarray,
    freedom: float,
    bounds: list[tuple[int | None, int | None]],
    start: np.ndarray | None = None,
) -> np.ndarray:
    """Return the intercept, which goes unpenalised, and the coefficients that lose least within their bounds (L-BFGS-B).

    scikit-learn's logistic regression knows no bounds; without any, this is the same optimum.
    """
    rows, penalty = len(columns), 1 / freedom
    if start is None:
        start = np.zeros(columns.shape[1] + 1)
        start[0] = np.log(happened.mean() / (1 - happened.mean()))

    def lost(told: np.ndarray) -> tuple[float, np.ndarray]:
        odds = straight_line(columns, told)
        excess = expit(odds) - happened
        fall = np.concatenate([[excess.sum()], excess.astype(columns.dtype) @ columns + penalty * told[1:]])
        return (_loss(odds, happened) + penalty / 2 * float(told[1:] @ told[1:])) / rows, fall / rows

    return np.asarray(minimize(lost, start, jac=True, method="L-BFGS-B", bounds=bounds, options=SEARCH).x)


# Relative fall of the mean loss, and its slope, below which the search ends.
SEARCH = {"maxiter": 300, "ftol": 1e-8, "gtol": 1e-6}
