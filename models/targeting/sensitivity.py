"""How firm a finding is: how strong a hidden cause would explain it away, and how many people could tell it."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm

from models.benefit.comparison import Estimate


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


def e_value(ratio: Estimate) -> tuple[float, float]:
    """Return how strong a hidden cause must be to explain a risk ratio away, and to bring its interval to one.

    As a risk ratio with both starting and the outcome (VanderWeele and Ding, Ann Intern Med 2017); 1 where the
    interval holds one already.
    """
    low, high = ratio.interval()
    nearest = 1.0 if low <= 1 <= high else (high if ratio.value < 1 else low)
    return _strength(ratio.value), _strength(nearest)


def _strength(ratio: float) -> float:
    if np.isnan(ratio) or ratio <= 0:
        return float("nan")
    away = max(ratio, 1 / ratio)
    return float(away + np.sqrt(away * (away - 1)))
