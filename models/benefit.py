"""Benefit: what case management would change for a person.

For any table of numbers there is `BenefitEstimator`. The weekly pipeline brings its own risk and
propensity, out of fold, and takes from the same code what comes after them:

    logit p = logit mu0 + a0 + Z alpha + W (b0 + Z beta)

`alpha` mends mu0 on untreated people, weighted by their chance of treatment (overlap weights: Li,
Morgan and Zaslavsky 2018); `beta`, under a horseshoe prior, says who gains. Benefit is the fall in
probability from p(W=0) to p(W=1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit
from threadpoolctl import threadpool_limits

from casewell.settings import Benefit
from models.amenability import amenability
from models.benefit_estimator import CONTROLS_PER_TREATED, CORRECTION_PENALTY, BenefitEstimator
from models.effect import fit_readings
from models.nuisances import compress, ridge_logistic, with_ones
from models.reach import Reach
from models.trees import log_odds

__all__ = [
    "BenefitEstimator",
    "CrossFitted",
    "EffectModel",
    "Scale",
    "assumed_benefit",
    "fit_effect",
    "overlap_sample",
    "released_benefit",
]


@dataclass(frozen=True)
class Scale:
    """Centre and spread of log-compressed features; what is missing counts as average."""

    features: tuple[str, ...]
    centre: np.ndarray
    spread: np.ndarray

    def design(self, matrix: pd.DataFrame, risk: np.ndarray, propensity: np.ndarray) -> np.ndarray:
        """Return Z, float64 of shape (rows, features + 3): features, log odds of risk, its square, of propensity."""
        compressed = compress(matrix[list(self.features)].to_numpy("float64"))
        features = np.clip((compressed - self.centre) / self.spread, -4, 4)
        odds = (log_odds(risk) + 2.5) / 1.2
        chance = (log_odds(propensity) + 5.0) / 2.0
        return np.column_stack([np.nan_to_num(features), odds, odds**2 - 1, chance])


@dataclass(frozen=True)
class EffectModel:
    """Coefficients of the joint regression: a0, alpha, b0, beta; and whom the treated it was learned from resemble."""

    scale: Scale
    coefficients: np.ndarray
    reach: Reach

    def outcome_odds(self, design: np.ndarray, risk: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the log odds of the outcome without and with case management, one a row."""
        half = len(self.coefficients) // 2
        ones = np.column_stack([np.ones(len(design)), design])
        without = log_odds(risk) + ones @ self.coefficients[:half]
        return without, without + ones @ self.coefficients[half:]

    def benefit(self, matrix: pd.DataFrame, risk: np.ndarray, propensity: np.ndarray) -> np.ndarray:
        """Return the absolute fall in the outcome's probability, one a row; negative is harm."""
        without, with_programme = self.outcome_odds(self.scale.design(matrix, risk, propensity), risk)
        return expit(without) - expit(with_programme)

    def supported(self, matrix: pd.DataFrame, risk: np.ndarray, propensity: np.ndarray, rules: Benefit) -> np.ndarray:
        """Mark people who could have been treated, and are like somebody who was."""
        near = self.reach.holds(self.scale.design(matrix, risk, propensity))
        return near & (propensity >= rules.minimum_propensity)


@dataclass(frozen=True)
class CrossFitted:
    """Out-of-fold predictions on the rows the effect was learned from, for honest checks."""

    without: np.ndarray
    with_programme: np.ndarray
    reached: np.ndarray  # boolean: like somebody treated

    @property
    def benefit(self) -> np.ndarray:
        """Out-of-fold benefit of each row."""
        return self.without - self.with_programme


def fit_effect(
    matrix: pd.DataFrame,
    outcome: np.ndarray,
    treated: np.ndarray,
    risk: np.ndarray,
    propensity: np.ndarray,
    folds: np.ndarray,
    seed: int,
) -> tuple[EffectModel, CrossFitted]:
    """Learn who gains.

    Parameters
    ----------
    matrix : DataFrame of features, one row a person and index date
    outcome, treated : boolean arrays
    risk, propensity : out-of-fold probabilities from `fit_risk` and `fit_propensity`
    folds : of people; each row's out-of-fold effect is learned from the other folds
    """
    kept, weights = overlap_sample(treated, propensity, seed)
    compressed = compress(matrix[kept].to_numpy("float64"))
    known = ~np.isnan(compressed)
    often = np.flatnonzero(known.sum(axis=0) > 1)
    spread = np.nanstd(compressed[:, often], axis=0)
    used = often[spread > 1e-9]
    scale = Scale(tuple(matrix.columns[used]), np.nanmean(compressed[:, used], axis=0), spread[spread > 1e-9])

    design, offset = scale.design(matrix, risk, propensity), log_odds(risk)
    random = np.random.default_rng(seed)

    def learn(rows: np.ndarray) -> EffectModel:
        coefficients, reach = _coefficients(
            design[rows], offset[rows], outcome[rows], treated[rows], weights[rows], random
        )
        return EffectModel(scale, coefficients, reach)

    without, with_programme = np.empty(len(matrix)), np.empty(len(matrix))
    reached = np.zeros(len(matrix), dtype=bool)
    # Many small solves: threads would only wait for one another.
    with threadpool_limits(1, user_api="blas"):
        for fold in np.unique(folds):
            rows = folds == fold
            model = learn(kept & ~rows)
            odds = model.outcome_odds(design[rows], risk[rows])
            without[rows], with_programme[rows] = expit(odds[0]), expit(odds[1])
            reached[rows] = model.reach.holds(design[rows])
        return learn(kept), CrossFitted(without, with_programme, reached)


def _coefficients(
    design: np.ndarray,
    offset: np.ndarray,
    outcome: np.ndarray,
    treated: np.ndarray,
    weights: np.ndarray,
    random: np.random.Generator,
) -> tuple[np.ndarray, Reach]:
    """Return a0, alpha, b0, beta; and the reach of the treated."""
    columns, untreated = with_ones(design), ~treated
    alpha = ridge_logistic(
        columns[untreated],
        outcome[untreated],
        offset[untreated],
        weights[untreated],
        CORRECTION_PENALTY,
        np.zeros(columns.shape[1]),
    )
    without = offset[treated] + columns[treated] @ alpha
    weight = np.minimum(1.0, 2 * weights[treated])
    relative = fit_readings(design[treated], without, outcome[treated], weight, None, random, ["relative"])
    learned = np.concatenate([alpha, relative[0].coefficients.mean(axis=0)])
    return learned, Reach.of(design[treated], without, weight)


def assumed_benefit(matrix: pd.DataFrame, risk: np.ndarray, rules: Benefit) -> np.ndarray:
    """Return risk x amenable share x assumed relative reduction: benefit without evidence from here."""
    return risk * amenability(matrix) * rules.assumed_relative_reduction


def released_benefit(learned: np.ndarray, assumed: np.ndarray, supported: np.ndarray) -> np.ndarray:
    """Return learned benefit where there are others like the person among the treated, assumed benefit elsewhere."""
    return np.where(supported, learned, assumed)


def overlap_sample(treated: np.ndarray, propensity: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Keep every treated row and untreated rows in proportion to their propensity.

    Returns
    -------
    kept : boolean array
    weights : overlap weight over the chance of being kept, so that the sample stands for all
    """
    wanted = CONTROLS_PER_TREATED * treated.sum()
    chance = np.where(treated, 1.0, np.minimum(1.0, propensity * wanted / propensity[~treated].sum()))
    kept = np.random.default_rng(seed).random(len(treated)) < chance
    return kept, np.where(treated, 1 - propensity, propensity) / chance
