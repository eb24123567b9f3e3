"""Flexible calibration: how predicted and observed risk differ along the whole scale.

A logistic regression of the outcome on a restricted cubic spline of the predicted log odds
(Harrell 2015, section 2.4.5), and the integrated calibration index, the mean absolute distance
between the prediction and that curve (Austin and Steyerberg 2019).
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit

# Harrell's places for four knots.
KNOTS_AT = (0.05, 0.35, 0.65, 0.95)
ITERATIONS, HALVINGS = 40, 20
# So little that no figure moves, and yet a draw in which a group's outcome is certain has an answer.
RIDGE = 1e-6


def spline(odds: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """Return the columns 1, the log odds, and the restricted cubic terms; straight beyond the outer knots.

    Knots that coincide add nothing: with fewer than three distinct ones the curve is a line.
    """
    knots = np.unique(knots)
    columns = [np.ones_like(odds), odds]
    if len(knots) > 2:
        last, before = knots[-1], knots[-2]
        width = (last - knots[0]) ** 2

        def cube(knot: float) -> np.ndarray:
            return np.maximum(odds - knot, 0) ** 3

        columns += [
            (
                cube(knot)
                - cube(before) * (last - knot) / (last - before)
                + cube(last) * (before - knot) / (last - before)
            )
            / width
            for knot in knots[:-2]
        ]
    return np.column_stack(columns)


def knots_of(odds: np.ndarray) -> np.ndarray:
    """Return where the spline bends, for predicted log odds."""
    return np.quantile(odds, KNOTS_AT)


def fit_logistic(
    design: np.ndarray, rows: np.ndarray, events: np.ndarray, offset: np.ndarray | float = 0.0
) -> np.ndarray:
    """Fit many logistic regressions of one design at once, by Newton's method, on counts.

    Parameters
    ----------
    design : cells x columns
    rows, events : ... x cells, the number of rows and of outcomes in each cell
    offset : log odds that are taken as given, by cell

    Returns
    -------
    ... x columns, the coefficients. Those of a fit without any row are 0.
    """
    squares = np.einsum("ci,cj->cij", design, design).reshape(len(design), -1)
    width = design.shape[1]
    beta = np.zeros((*rows.shape[:-1], width))

    def likelihood(beta: np.ndarray) -> np.ndarray:
        odds = beta @ design.T + offset
        return (events * odds - rows * np.logaddexp(0, odds)).sum(axis=-1) - RIDGE / 2 * (beta**2).sum(axis=-1)

    reached = likelihood(beta)
    for _ in range(ITERATIONS):
        chance = expit(beta @ design.T + offset)
        gradient = (events - rows * chance) @ design - RIDGE * beta
        curvature = ((rows * chance * (1 - chance)) @ squares).reshape(*beta.shape, width) + RIDGE * np.eye(width)
        step = np.linalg.solve(curvature, gradient[..., None])[..., 0]
        now = likelihood(beta + step)
        # A whole step may overshoot where a group lies at one end of the spline: go back until it gains.
        for _ in range(HALVINGS):
            worse = ~(now >= reached - 1e-9 * np.abs(reached))
            if not worse.any():
                break
            step = np.where(worse[..., None], step / 2, step)
            now = likelihood(beta + step)
        beta, reached = beta + step, now
        if np.abs(step).max(initial=0) < 1e-7:
            break
    return beta


def calibrated(
    odds: np.ndarray, rows: np.ndarray, events: np.ndarray, knots: np.ndarray, at: np.ndarray | None = None
) -> np.ndarray:
    """Return the observed risk, as the spline smooths it, at the predicted log odds `at` (of each cell, if not given).

    `odds` is by cell; `rows` and `events` are ... x cells; so is what is returned.
    """
    beta = fit_logistic(spline(odds, knots), rows, events)
    return expit(beta @ spline(odds if at is None else at, knots).T)
