"""Standard errors that know one person's rows from independent ones."""

from __future__ import annotations

import numpy as np


def clustered_error(influence: np.ndarray, person: np.ndarray) -> float:
    """Return the standard error of a mean whose rows have this influence (mean nought), clustered by person."""
    _, people = np.unique(person, return_inverse=True)
    return float(np.sqrt((np.bincount(people, weights=influence) ** 2).sum()) / len(influence))
