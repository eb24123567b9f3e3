"""What is learned, and what learns it: the one shape that trees and the linear model have in common."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Protocol, TypeVar

import numpy as np
import pandas as pd

from casewell.settings import Kind

L = TypeVar("L", bound="Learned", covariant=True)


class Learned(Protocol):
    """A model as it was learned, before calibration; `matrix` holds its features, in its order."""

    kind: ClassVar[Kind]

    def raw(self, matrix: pd.DataFrame) -> np.ndarray:
        """Return uncalibrated log odds (of a model of days: the logarithm of the days), one a row."""
        ...

    def shap(self, matrix: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Return SHAP values of `raw` (rows x features), and the average that they depart from, one a row."""
        ...

    @property
    def size(self) -> int:
        """Of how many trees, or coefficients, it is made."""
        ...

    def write(self, stem: Path) -> None:
        """Write it without pickle; `stem` is a path to which an ending is added."""
        ...

    @classmethod
    def read(cls, stem: Path) -> Learned:
        """Read what `write` wrote."""
        ...


class Learner(Protocol[L]):
    """Learns from rows of a matrix, which are given by their places in random order, so that it may stop at enough."""

    def choose(self, learn: np.ndarray, judge: np.ndarray) -> float:
        """Return how free a model may be (trees, or an inverse penalty): learned from some rows, judged on others."""
        ...

    def fit(self, rows: np.ndarray, freedom: float) -> L:
        """Learn from rows."""
        ...
