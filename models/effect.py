"""Who gains: two readings of one history, weighed by how well each foretells people it has not seen.

With mu0 the chance of the outcome without treatment, the treated are explained by

    alike       mu1 = mu0 exp(b)             everybody's risk changes by the same factor
    relative    logit mu1 = logit mu0 + D b  who gains differs, and more at higher risk

D holds the features, log odds of risk and of treatment. In the second `b` has a horseshoe prior.
"Alike" orders people by risk. Each counts in proportion to the likelihood it gave to people held out
(pseudo-Bayesian model averaging: Yao, Vehtari, Simpson and Gelman 2018).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from models.horseshoe import horseshoe_draws
from models.nuisances import with_ones

READINGS = ("alike", "relative")
DRAWS, BURN, KEPT = 600, 200, 60
HELD_OUT_DRAWS, HELD_OUT_BURN = 180, 100
ROWS_AT_ONCE = 20_000
NEGLIGIBLE = 1e-3


@dataclass(frozen=True)
class Reading:
    """Draws of the coefficients of one reading, shape (draws, 1 + columns of the design); `alike` has one column.

    `bias`, shape (draws, 0 or 2), is how those chosen differ from those drawn by lot, which is no effect.
    """

    name: str
    coefficients: np.ndarray
    bias: np.ndarray

    def with_treatment(self, design: np.ndarray, without: np.ndarray) -> np.ndarray:
        """Return each draw's chance of the outcome with treatment, shape (rows, draws); `without` in log odds."""
        columns = with_ones(design)[:, : self.coefficients.shape[1]]
        change = columns @ self.coefficients.T.astype(columns.dtype)
        return _mean(self.name, without[:, None].astype(columns.dtype), change)

    def mean_with_treatment(self, design: np.ndarray, without: np.ndarray) -> np.ndarray:
        """Return the expected chance of the outcome with treatment, one a row."""
        return self.with_treatment(design, without).mean(axis=1)

    def foretold(self, design: np.ndarray, without: np.ndarray, chosen: np.ndarray | None) -> np.ndarray:
        """Return the expected chance of the outcome of treated people, those chosen with their bias; one a row."""
        columns = with_ones(design)[:, : self.coefficients.shape[1]]
        change = columns @ self.coefficients.T + _bias_columns(design, chosen) @ self.bias.T
        return _mean(self.name, without[:, None], change).mean(axis=1)


@dataclass(frozen=True)
class Effect:
    """The readings and their weights, which sum to one."""

    readings: tuple[Reading, ...]
    weights: np.ndarray

    def benefit(self, design: np.ndarray, without: np.ndarray, supported: np.ndarray) -> np.ndarray:
        """Return the expected fall in the chance of the outcome; negative is harm.

        Readings by which people differ claim nothing (nought) for the unsupported.
        """
        risk, total = expit(without), np.zeros(len(without))
        for reading, weight in zip(self.readings, self.weights, strict=True):
            if weight > 0:
                fall = risk - _by_chunk(reading.mean_with_treatment, design, without)
                total += weight * (fall if reading.name == "alike" else fall * supported)
        return total

    def interval(
        self, design: np.ndarray, without: np.ndarray, supported: np.ndarray, level: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the ends of a credible interval of the benefit; -1 and 1 for the unsupported, where nothing is known."""
        ends = ((1 - level) / 2, (1 + level) / 2)
        counts = np.round(self.weights * KEPT * 4).astype(int)

        def chunk(d: np.ndarray, w: np.ndarray) -> np.ndarray:
            falls = [
                expit(w)[:, None] - reading.with_treatment(d, w)[:, np.arange(count) % len(reading.coefficients)]
                for reading, count in zip(self.readings, counts, strict=True)
                if count
            ]
            return np.quantile(np.column_stack(falls), ends, axis=1).T

        both = _by_chunk(chunk, design, without)
        return np.where(supported, both[:, 0], -1.0), np.where(supported, both[:, 1], 1.0)


def effect_design(Z: np.ndarray, without: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Return D: scaled features, log odds of the outcome without treatment, log odds of treatment."""
    return np.column_stack([Z, (without + 2.5) / 1.2, (chance + 4.0) / 1.7]).astype("float32")


def fit_readings(
    design: np.ndarray,
    without: np.ndarray,
    outcome: np.ndarray,
    weight: np.ndarray,
    chosen: np.ndarray | None,
    random: np.random.Generator,
    names: Sequence[str] = READINGS,
    draws: int = DRAWS,
    burn: int = BURN,
) -> tuple[Reading, ...]:
    """Fit readings to treated rows.

    Parameters
    ----------
    chosen : None, or boolean: treated because somebody chose so, not by lot. Their difference from
        the randomised gets a term of its own, c0 + c1 log odds of risk, which is not part of the effect.
    draws, burn : of the horseshoe's sampler
    """
    columns = with_ones(design).astype("float64")
    bias = _bias_columns(design, chosen)
    readings = []
    for name in names:
        used = columns[:, :1] if name == "alike" else columns
        both = np.column_stack([used, bias])
        free = np.zeros(both.shape[1], dtype=bool)
        free[0] = True
        free[used.shape[1] :] = True
        curvature, score = _quadratic(name, both, without, outcome, weight, free)
        if name == "alike":
            drawn = random.multivariate_normal(np.linalg.solve(curvature, score), np.linalg.inv(curvature), KEPT)
        else:
            drawn = horseshoe_draws(curvature, score, free, draws, burn, random)[:: max(1, draws // KEPT)]
        readings.append(Reading(name, drawn[:, : used.shape[1]], drawn[:, used.shape[1] :]))
    return tuple(readings)


def reading_weights(losses: np.ndarray) -> np.ndarray:
    """Weigh readings by their loss on held-out people.

    Parameters
    ----------
    losses : shape (readings, rows); negative log likelihood of the outcomes

    Returns
    -------
    Weights that sum to one, in proportion to each reading's held-out likelihood.
    """
    total = losses.sum(axis=1)
    weights = np.exp(total.min() - total)
    weights = np.where(weights < NEGLIGIBLE, 0.0, weights)
    return weights / weights.sum()


def _bias_columns(design: np.ndarray, chosen: np.ndarray | None) -> np.ndarray:
    if chosen is None:
        return np.empty((len(design), 0))
    return chosen[:, None] * np.column_stack([np.ones(len(design)), design[:, -2]])


def _quadratic(
    name: str, columns: np.ndarray, without: np.ndarray, outcome: np.ndarray, weight: np.ndarray, free: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return H and s of the log likelihood s'b - b'Hb/2 about its mildly penalised peak."""
    ridge = np.where(free, 0.5, 30.0)
    at = np.zeros(columns.shape[1])
    for _ in range(25):
        gradient, curvature = _derivatives(name, columns, without, outcome, weight, at)
        step = np.linalg.solve(curvature + np.diag(ridge), gradient - ridge * at)
        at = at + step * min(1.0, 1.0 / max(np.abs(step).max(), 1e-12))
        if np.abs(step).max() < 1e-5:
            break
    gradient, curvature = _derivatives(name, columns, without, outcome, weight, at)
    curvature = curvature + 1e-3 * np.eye(len(at))
    return curvature, curvature @ at + gradient


def _derivatives(
    name: str, columns: np.ndarray, without: np.ndarray, outcome: np.ndarray, weight: np.ndarray, at: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    p = _mean(name, without, columns @ at)
    variance = p * (1 - p)
    slope = p if name == "alike" else variance
    gradient = columns.T @ (weight * slope / variance * (outcome - p))
    return gradient, (columns * (weight * slope**2 / variance)[:, None]).T @ columns


def _mean(name: str, without: np.ndarray, change: np.ndarray) -> np.ndarray:
    if name == "relative":
        return expit(without + change)
    return np.clip(expit(without) * np.exp(np.clip(change, -3, 3)), 1e-4, 1 - 1e-4)


def _by_chunk(
    function: Callable[[np.ndarray, np.ndarray], np.ndarray], design: np.ndarray, without: np.ndarray
) -> np.ndarray:
    # Once even for nobody, so that an empty table gives an empty array.
    starts = range(0, max(1, len(without)), ROWS_AT_ONCE)
    return np.concatenate([function(design[i : i + ROWS_AT_ONCE], without[i : i + ROWS_AT_ONCE]) for i in starts])
