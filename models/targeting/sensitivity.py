"""How strong a hidden difference would have to be, and how many people it takes to tell."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm


def e_value(risk_with: float, risk_without: float) -> float:
    """Return the E-value of a risk ratio (VanderWeele and Ding 2017).

    An unseen cause would have to be tied to both treatment and outcome by risk ratios of at least this
    much to explain the whole effect; 1 means that nothing is needed.

    Raises
    ------
    ValueError
        A risk that is not between 0 and 1, both excluded.
    """
    if not (0 < risk_with < 1 and 0 < risk_without < 1):
        raise ValueError(f"risks must lie between 0 and 1; they are {risk_with} and {risk_without}")
    ratio = max(risk_with / risk_without, risk_without / risk_with)
    return float(ratio + np.sqrt(ratio * (ratio - 1)))


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
