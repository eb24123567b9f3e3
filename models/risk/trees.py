"""Gradient-boosted trees: thresholds, bends and interactions, found by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import lightgbm
import numpy as np
import pandas as pd

from casewell.settings import Kind, Training

# Boosting stops when the newest months have not gained for so many trees.
PATIENCE = 30
# Each tree may use this share of the features, which keeps the trees different, and at least so many.
FRACTION, FEWEST_TRIED = 0.25, 10


@dataclass(frozen=True)
class Trees:
    """LightGBM's trees; as `models.risk.learned.Learned`."""

    kind: ClassVar[Kind] = "trees"

    booster: lightgbm.Booster

    def raw(self, matrix: pd.DataFrame) -> np.ndarray:
        """Return the sum of the trees, one a row."""
        return np.asarray(self.booster.predict(matrix, raw_score=True))

    def shap(self, matrix: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Return path-dependent SHAP values (Lundberg and others 2020) and the trees' average, one a row."""
        found = np.asarray(self.booster.predict(matrix, pred_contrib=True))
        return found[:, :-1], found[:, -1]

    @property
    def size(self) -> int:
        """How many trees."""
        return int(self.booster.num_trees())

    def write(self, stem: Path) -> None:
        """Write LightGBM's own text."""
        self.booster.save_model(stem.with_suffix(".txt"))

    @classmethod
    def read(cls, stem: Path) -> Trees:
        """Read LightGBM's own text."""
        return cls(lightgbm.Booster(model_file=stem.with_suffix(".txt")))


class TreeLearner:
    """Grows trees; as `models.risk.learned.Learner`, whose freedom is how many."""

    def __init__(
        self,
        matrix: pd.DataFrame,
        target: np.ndarray,
        usable: np.ndarray,
        rules: Training,
        seed: int,
        rising: Mapping[str, int],
        objective: Mapping[str, str | float],
    ) -> None:
        """Sort features into bins, once for all fits: of rows enough for each of them to draw its fill from.

        Parameters
        ----------
        matrix : features of all rows
        target : the outcome, one a row
        usable : places of the rows that may be learned from, in random order
        rising : feature: 1 where the target may only rise with it, -1 where it may only fall
        objective : LightGBM's, with its parameters
        """
        self._most_rows, self._most_trees = rules.maximum_rows, rules.trees
        bound = [rising.get(name, 0) for name in matrix.columns]
        self._told = (
            parameters(rules.learning_rate, rules.leaves, rules.minimum_leaf, seed, bound)
            | {"feature_fraction": min(1.0, max(FRACTION, FEWEST_TRIED / matrix.shape[1]))}
            | dict(objective)
        )
        self._matrix, self._label = matrix, target.astype("float32")
        self._pool = np.zeros(len(matrix), dtype=bool)
        self._pool[usable[: 2 * rules.maximum_rows]] = True
        self._place = np.cumsum(self._pool) - 1
        self._data = lightgbm.Dataset(
            matrix[self._pool], self._label[self._pool], params=self._told, free_raw_data=False
        ).construct()

    def choose(self, learn: np.ndarray, judge: np.ndarray) -> float:
        """Return after how many trees the judging rows gain no more."""
        judges = np.sort(judge[: self._most_rows])
        held = lightgbm.Dataset(self._matrix.iloc[judges], self._label[judges], params=self._told, reference=self._data)
        stop = lightgbm.early_stopping(PATIENCE, verbose=False)
        grown = lightgbm.train(self._told, self._drawn(learn), self._most_trees, [held], callbacks=[stop])
        return float(grown.best_iteration)

    def fit(self, rows: np.ndarray, freedom: float) -> Trees:
        """Grow so many trees."""
        return Trees(lightgbm.train(self._told, self._drawn(rows), int(freedom)))

    def _drawn(self, rows: np.ndarray) -> lightgbm.Dataset:
        taken = rows[self._pool[rows]][: self._most_rows]
        return self._data.subset(np.sort(self._place[taken]).tolist())


def parameters(
    learning_rate: float, leaves: int, minimum_leaf: int, seed: int, rising: Sequence[int] | None = None
) -> dict[str, Any]:
    """Return LightGBM's parameters: strongly regularised, and the same bytes from the same data.

    `rising` holds, for each feature, 1 where risk may only rise with it, -1 where it may only fall, else 0.
    """
    told: dict[str, Any] = {
        "objective": "binary",
        "learning_rate": learning_rate,
        "num_leaves": leaves,
        "min_data_in_leaf": minimum_leaf,
        "feature_fraction": 0.25,
        "lambda_l2": 20.0,
        "max_bin": 63,
        "seed": seed,
        "deterministic": True,
        "force_col_wise": True,
        "verbose": -1,
    }
    return told | ({"monotone_constraints": list(rising)} if rising is not None and any(rising) else {})
