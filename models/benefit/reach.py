"""Who is like anybody treated: distance in the metric of the regression that the effect is learned by.

A limit on the chance of treatment alone misses rare groups (care homes), because trees smooth a small
group's chance upward. The leverage of a person on the treated, x' (X'VX + I)^-1 x, does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from models.benefit.nuisances import with_ones

FURTHEST_SHARE = 0.01
ROWS_AT_ONCE = 20_000


@dataclass(frozen=True)
class Reach:
    """The inverse information of the treated, and how far from them all but 1 in 100 of them are."""

    inverse: np.ndarray
    furthest: float

    @classmethod
    def of(cls, design: np.ndarray, without: np.ndarray, weight: np.ndarray) -> Reach:
        """Measure treated rows: design, log odds of the outcome without treatment, weight."""
        columns, risk = with_ones(design), expit(without)
        information = (columns * (weight * risk * (1 - risk))[:, None]).T @ columns
        inverse = np.linalg.inv(information + np.eye(len(information)))
        return cls(inverse, float(np.quantile(_leverage(columns, inverse), 1 - FURTHEST_SHARE)))

    def holds(self, design: np.ndarray) -> np.ndarray:
        """Mark rows no further from the treated than all but 1 in 100 of them."""
        near = np.zeros(len(design), dtype=bool)
        for at in range(0, len(design), ROWS_AT_ONCE):
            part = slice(at, at + ROWS_AT_ONCE)
            near[part] = _leverage(with_ones(design[part]), self.inverse) <= self.furthest
        return near


def _leverage(columns: np.ndarray, inverse: np.ndarray) -> np.ndarray:
    return ((columns @ inverse.astype(columns.dtype)) * columns).sum(axis=1)
