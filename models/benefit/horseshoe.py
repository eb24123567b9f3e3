"""Draws from the posterior of a regression in which few coefficients are expected to matter.

The horseshoe prior (Carvalho, Polson and Scott 2010) pulls small coefficients hard to nought
and leaves large ones alone; the Gibbs sampler is that of Makalic and Schmidt (2016). The
likelihood enters only by its curvature and its peak, so the cost does not grow with people.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg.blas import dtrsv
from scipy.linalg.lapack import dpotrf

NARROW = 1e-10
WIDE = 1e8


def horseshoe_draws(
    curvature: np.ndarray,
    score: np.ndarray,
    free: np.ndarray,
    draws: int,
    burn: int,
    random: np.random.Generator,
    scale: float = 0.05,
) -> np.ndarray:
    """Sample coefficients.

    Parameters
    ----------
    curvature, score : H of shape (p, p) and s of shape (p,), the log likelihood being s'b - b'Hb/2
    free : boolean of shape (p,); those coefficients have next to no prior, such as an intercept
    scale : median of the half-Cauchy prior of the global scale

    Returns
    -------
    Array of shape (draws, p).
    """
    shrunk = ~free
    number = int(shrunk.sum())
    local, local_mix = np.ones(number), np.ones(number)
    overall, overall_mix = scale**2, 1.0
    precision = np.full(len(score), 1e-3)
    kept = np.empty((draws, len(score)))
    for step in range(burn + draws):
        precision[shrunk] = 1 / np.clip(local * overall, NARROW, WIDE)
        sharper = np.array(curvature, order="F")
        sharper.flat[:: len(score) + 1] += precision
        # LAPACK itself: checking and converting a hundred columns would take longer than solving for them.
        root, failed = dpotrf(sharper, lower=1, overwrite_a=1)
        if failed:
            raise np.linalg.LinAlgError("the likelihood's curvature is not positive definite")
        whitened = dtrsv(root, score, lower=1) + random.normal(size=len(score))
        coefficients = dtrsv(root, whitened, lower=1, trans=1)
        squares = coefficients[shrunk] ** 2
        local = 1 / random.gamma(1.0, 1 / (1 / local_mix + squares / (2 * overall)))
        local = np.clip(local, NARROW, WIDE)
        local_mix = 1 / random.gamma(1.0, 1 / (1 + 1 / local))
        overall = 1 / random.gamma((number + 1) / 2, 1 / (1 / overall_mix + (squares / local).sum() / 2))
        overall = float(np.clip(overall, NARROW, WIDE))
        overall_mix = 1 / random.gamma(1.0, 1 / (1 / scale**2 + 1 / overall))
        if step >= burn:
            kept[step - burn] = coefficients
    return kept
