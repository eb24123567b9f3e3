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
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from models.benefit.horseshoe import horseshoe_draws
from models.benefit.nuisances import with_ones
from models.risk.calibration import log_odds

READINGS = ("alike", "relative")
DRAWS, BURN, KEPT = 600, 200, 60
HELD_OUT_DRAWS, HELD_OUT_BURN = 180, 100
ROWS_AT_ONCE = 20_000
NEGLIGIBLE = 1e-3
LARGEST_SHIFT = 1.0  # of the level, in log odds
WIDENED = 2.0
"""What the draws' intervals are widened by: the draws know one shape of effect, and the truth is none. As they were, 95 % intervals
held the truth of two thirds of the people whom the benefit would choose (docs/decisions/0037-benefit-in-the-week.md)."""


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

    def foretold(
        self, design: np.ndarray, without: np.ndarray, chosen: np.ndarray | None, dose: np.ndarray | None = None
    ) -> np.ndarray:
        """Return the expected chance of the outcome of treated people, one a row: the chosen with their bias, others by dose."""
        columns = with_ones(design)[:, : self.coefficients.shape[1]]
        change = columns @ self.coefficients.T
        if chosen is not None:
            change = change + _bias_columns(design, chosen) @ self.bias.T
        risk, found = expit(without), _mean(self.name, without[:, None], change).mean(axis=1)
        return found if dose is None else risk + dose * (found - risk)


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

        def ends(part: np.ndarray, odds: np.ndarray) -> np.ndarray:
            return self.benefit_and_interval(part, odds, level)[1:].T

        both = _by_chunk(ends, design, without)
        return np.where(supported, both[:, 0], -1.0), np.where(supported, both[:, 1], 1.0)

    def benefit_and_interval(self, design: np.ndarray, without: np.ndarray, level: float) -> np.ndarray:
        """Return the expected benefit and the ends of its credible interval, shape (3, rows), as if all were supported.

        All draws stand in memory together: give some thousand rows at a time.
        """
        risk, counted = expit(without), self.weights > 0
        falls = [
            risk[:, None] - reading.with_treatment(design, without)
            for reading, counts in zip(self.readings, counted, strict=True)
            if counts
        ]
        weights = self.weights[counted]
        benefit = np.sum([weight * fall.mean(axis=1) for weight, fall in zip(weights, falls, strict=True)], axis=0)
        if len(falls) > 1:
            shares = np.round(weights * 2 * KEPT).astype(int)
            falls = [fall[:, np.arange(share) % fall.shape[1]] for fall, share in zip(falls, shares, strict=True)]
        ends = ((1 - level) / 2, (1 + level) / 2)
        # Weibull's rule (k / (n + 1)): with few draws any other gives ends that hold less than they say.
        low, high = np.quantile(np.column_stack(falls), ends, axis=1, method="weibull")
        return np.stack([benefit, *(_widened(risk, benefit, end) for end in (low, high))])


def _widened(risk: np.ndarray, benefit: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return an end of an interval moved away from the benefit, on the scale of log odds."""
    middle, far = log_odds(risk - benefit), log_odds(risk - end)
    return risk - expit(middle + WIDENED * (far - middle))


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
    *,
    dose: np.ndarray | None = None,
) -> tuple[Reading, ...]:
    """Fit readings to treated rows.

    Parameters
    ----------
    chosen : None, or boolean: treated because somebody chose so, not by lot. Their difference from
        the randomised gets a term of its own, c0 + c1 log odds of risk, which is not part of the effect.
    draws, burn : of the horseshoe's sampler
    dose : share of the treatment that each row had, where it is known; all of it unless given
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
        curvature, score = _quadratic(name, both, without, outcome, weight, free, 1.0 if dose is None else dose)
        if name == "alike":
            drawn = random.multivariate_normal(np.linalg.solve(curvature, score), np.linalg.inv(curvature), KEPT)
        else:
            drawn = horseshoe_draws(curvature, score, free, draws, burn, random)[:: max(1, draws // KEPT)]
        reading = Reading(name, drawn[:, : used.shape[1]], drawn[:, used.shape[1] :])
        told = np.ones(len(design), dtype=bool) if chosen is None else ~chosen
        part = None if dose is None else dose[told]
        readings.append(_levelled(reading, design[told], without[told], outcome[told], weight[told], part))
    return tuple(readings)


def _levelled(
    reading: Reading,
    design: np.ndarray,
    without: np.ndarray,
    outcome: np.ndarray,
    weight: np.ndarray,
    dose: np.ndarray | None,
) -> Reading:
    """Shift all draws by one number, so that they foretell as many outcomes of these treated people as there were.

    Draws scatter in log odds, where a risk rises faster than it falls, about the peak of an approximation: left as they
    are, they foretell more outcomes than were seen, and state too little benefit.
    """
    happened, level = np.average(outcome, weights=weight), np.eye(reading.coefficients.shape[1])[0]

    def moved(shift: float) -> Reading:
        return replace(reading, coefficients=reading.coefficients + shift * level)

    def too_many(shift: float) -> float:
        return float(np.average(moved(shift).foretold(design, without, None, dose), weights=weight) - happened)

    if not too_many(-LARGEST_SHIFT) < 0 < too_many(LARGEST_SHIFT):
        return reading
    return moved(float(brentq(too_many, -LARGEST_SHIFT, LARGEST_SHIFT, xtol=1e-4)))


def held_out_losses(foretold: np.ndarray, outcome: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the negative log likelihood of outcomes, shape (readings, rows), from chances of that shape."""
    likely = np.where(outcome, foretold, 1 - foretold)
    return -weight * np.log(np.maximum(likely, 1e-4))


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
    name: str,
    columns: np.ndarray,
    without: np.ndarray,
    outcome: np.ndarray,
    weight: np.ndarray,
    free: np.ndarray,
    dose: np.ndarray | float,
) -> tuple[np.ndarray, np.ndarray]:
    """Return H and s of the log likelihood s'b - b'Hb/2 about its mildly penalised peak."""
    ridge = np.where(free, 0.5, 30.0)
    at = np.zeros(columns.shape[1])
    for _ in range(25):
        gradient, curvature = _derivatives(name, columns, without, outcome, weight, at, dose)
        step = np.linalg.solve(curvature + np.diag(ridge), gradient - ridge * at)
        at = at + step * min(1.0, 1.0 / max(np.abs(step).max(), 1e-12))
        if np.abs(step).max() < 1e-5:
            break
    gradient, curvature = _derivatives(name, columns, without, outcome, weight, at, dose)
    curvature = curvature + 1e-3 * np.eye(len(at))
    return curvature, curvature @ at + gradient


def _derivatives(
    name: str,
    columns: np.ndarray,
    without: np.ndarray,
    outcome: np.ndarray,
    weight: np.ndarray,
    at: np.ndarray,
    dose: np.ndarray | float,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradient and the expected information of p = mu0 + dose (mu1 - mu0)."""
    whole, risk = _mean(name, without, columns @ at), expit(without)
    p = risk + dose * (whole - risk)
    variance = p * (1 - p)
    slope = dose * (whole if name == "alike" else whole * (1 - whole))
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
