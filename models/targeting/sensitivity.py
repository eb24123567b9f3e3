"""How many people it takes to tell an effect from nought."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm


def people_needed(value: float, error: float, people: int, power: float = 0.8, level: float = 0.95) -> int:
    """Return how many people it takes to tell an effect of size `value` from nought, one-sided.

    Parameters
    ----------
    error : standard error that `people` people gave; it falls with the square root of their number

    Raises
    ------
    ValueError
        `value` or `error` is not positive.
    """
    if not (value > 0 and error > 0):
        raise ValueError("the effect to be told and its error must be positive")
    return int(np.ceil(people * ((norm.ppf(level) + norm.ppf(power)) * error / value) ** 2))
