"""Is a stated benefit the benefit that is had?"""

from __future__ import annotations

import numpy as np

from models.benefit.comparison import Estimate
from models.targeting.clusters import clustered_error


def calibration_of_benefit(
    scores: np.ndarray, benefit: np.ndarray, propensity: np.ndarray, person: np.ndarray
) -> Estimate:
    """Estimate the slope of doubly robust scores on stated benefit, overlap-weighted; 1 is right.

    Below 1, differences between people are overstated; 0, they mean nothing. Undefined (NaN) where
    everybody is told the same.
    """
    weight = propensity * (1 - propensity)
    weight = weight / weight.mean()
    centred = benefit - np.average(benefit, weights=weight)
    spread = float((weight * centred**2).mean())
    if spread <= 1e-16:
        return Estimate(float("nan"), float("nan"))
    slope = float((weight * centred * scores).mean()) / spread
    residual = scores - np.average(scores, weights=weight) - slope * centred
    return Estimate(slope, clustered_error(weight * centred * residual / spread, person))
