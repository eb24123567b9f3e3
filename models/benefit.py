"""Benefit: what case management would change for a person.

A cross-fitted learner of effects that holds up when few people were treated, and not at
random. Out of fold, trees predict the outcome without case management (mu0) and the chance
of having been treated (e). One penalised logistic regression then explains the outcome with
mu0 as its starting point:

    logit p = logit mu0 + a0 + Z alpha + W (b0 + Z beta),   weights W (1 - e) + (1 - W) e

`alpha` mends mu0 where treated and untreated people overlap; `beta` says who gains. The
weights let people who could have gone either way count most (overlap weights: Li, Morgan
and Zaslavsky 2018). Benefit is the fall in probability from p(W=0) to p(W=1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from casewell.settings import Benefit
from models.amenability import amenability
from models.trees import log_odds

PENALTIES = (1e5, 3000.0, 1000.0, 300.0, 100.0, 30.0, 10.0)
CONTROLS_PER_TREATED = 12


@dataclass(frozen=True)
class Scale:
    """Centre and spread of log-compressed features; what is missing counts as average."""

    features: tuple[str, ...]
    centre: np.ndarray
    spread: np.ndarray

    def design(self, matrix: pd.DataFrame, risk: np.ndarray, propensity: np.ndarray) -> np.ndarray:
        """Return Z, float64 of shape (rows, features + 3): features, log odds of risk, its square, of propensity."""
        compressed = _compress(matrix[list(self.features)].to_numpy("float64"))
        features = np.clip((compressed - self.centre) / self.spread, -4, 4)
        odds = (log_odds(risk) + 2.5) / 1.2
        chance = (log_odds(propensity) + 5.0) / 2.0
        return np.column_stack([np.nan_to_num(features), odds, odds**2 - 1, chance])


@dataclass(frozen=True)
class EffectModel:
    """Coefficients of the joint regression: a0, alpha, b0, beta."""

    scale: Scale
    coefficients: np.ndarray

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


@dataclass(frozen=True)
class CrossFitted:
    """Out-of-fold predictions on the rows the effect was learned from, for honest checks."""

    without: np.ndarray
    with_programme: np.ndarray
    penalty: float

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
    person: np.ndarray,
    seed: int,
) -> tuple[EffectModel, CrossFitted]:
    """Learn who gains.

    Parameters
    ----------
    matrix : DataFrame of features, one row a person and index date
    outcome, treated : boolean arrays
    risk, propensity : out-of-fold probabilities from `fit_risk` and `fit_propensity`
    folds, person : the penalty is the strongest within one paired standard error, by person, of the best
    """
    kept, weights = overlap_sample(treated, propensity, seed)
    compressed = _compress(matrix[kept].to_numpy("float64"))
    known = ~np.isnan(compressed)
    often = np.flatnonzero(known.sum(axis=0) > 1)
    spread = np.nanstd(compressed[:, often], axis=0)
    used = often[spread > 1e-9]
    scale = Scale(tuple(matrix.columns[used]), np.nanmean(compressed[:, used], axis=0), spread[spread > 1e-9])

    design = scale.design(matrix, risk, propensity)
    sample = _Sample(design[kept], treated[kept], outcome[kept], log_odds(risk[kept]), weights[kept])
    losses = np.zeros((len(PENALTIES), int(kept.sum())))
    paths = []
    for fold in np.unique(folds):
        held_out = folds[kept] == fold
        path = sample.where(~held_out).path(PENALTIES)
        losses[:, held_out] = [sample.where(held_out).loss(coefficients) for coefficients in path]
        paths.append(path)
    chosen = strongest_within_one_error(losses, person[kept])

    without, with_programme = np.empty(len(matrix)), np.empty(len(matrix))
    for fold, path in zip(np.unique(folds), paths, strict=True):
        rows = folds == fold
        odds = EffectModel(scale, path[chosen]).outcome_odds(design[rows], risk[rows])
        without[rows], with_programme[rows] = expit(odds[0]), expit(odds[1])
    final = EffectModel(scale, sample.path(PENALTIES[: chosen + 1])[-1])
    return final, CrossFitted(without, with_programme, PENALTIES[chosen])


def assumed_benefit(matrix: pd.DataFrame, risk: np.ndarray, rules: Benefit) -> np.ndarray:
    """Return risk x amenable share x assumed relative reduction: benefit without evidence from here."""
    return risk * amenability(matrix) * rules.assumed_relative_reduction


def released_benefit(learned: np.ndarray, assumed: np.ndarray, propensity: np.ndarray, rules: Benefit) -> np.ndarray:
    """Return learned benefit where there are others like the person among the treated, assumed benefit elsewhere."""
    return np.where(propensity >= rules.minimum_propensity, learned, assumed)


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


def strongest_within_one_error(losses: np.ndarray, person: np.ndarray) -> int:
    """Choose the first (strongest) penalty whose held-out loss is within one paired standard error of the least.

    `losses` has shape (penalties, rows), strongest penalty first, each already weighted. The
    error is that of a sum over people, whose rows are not independent.
    """
    best = int(losses.sum(axis=1).argmin())
    _, people = np.unique(person, return_inverse=True)
    excess = np.stack([np.bincount(people, weights=row) for row in losses - losses[best]])
    error = np.sqrt(excess.var(axis=1) * excess.shape[1])
    return int(np.flatnonzero(excess.sum(axis=1) <= error)[0])


@dataclass(frozen=True)
class _Sample:
    design: np.ndarray
    treated: np.ndarray
    outcome: np.ndarray
    offset: np.ndarray
    weights: np.ndarray

    def where(self, rows: np.ndarray) -> _Sample:
        return _Sample(self.design[rows], self.treated[rows], self.outcome[rows], self.offset[rows], self.weights[rows])

    def _columns(self) -> np.ndarray:
        ones = np.column_stack([np.ones(len(self.design)), self.design])
        return np.column_stack([ones, ones * self.treated[:, None]])

    def loss(self, coefficients: np.ndarray) -> np.ndarray:
        odds = self.offset + self._columns() @ coefficients
        return self.weights * (np.logaddexp(0, odds) - self.outcome * odds)

    def path(self, penalties: Sequence[float]) -> list[np.ndarray]:
        """Newton's method for each ridge penalty in turn, each starting where the last ended."""
        columns = self._columns()
        free = np.zeros(columns.shape[1], dtype=bool)
        free[[0, columns.shape[1] // 2]] = True
        coefficients = np.zeros(columns.shape[1])
        fitted = []
        for penalty in penalties:
            ridge = np.where(free, 1e-3, penalty)
            for _ in range(25):
                p = expit(self.offset + columns @ coefficients)
                gradient = columns.T @ (self.weights * (p - self.outcome)) + ridge * coefficients
                curvature = (columns * (self.weights * p * (1 - p))[:, None]).T @ columns + np.diag(ridge)
                step = np.linalg.solve(curvature, gradient)
                coefficients = coefficients - step * min(1.0, 2.0 / max(np.abs(step).max(), 1e-12))
                if np.abs(step).max() < 1e-6:
                    break
            fitted.append(coefficients)
        return fitted


def _compress(values: np.ndarray) -> np.ndarray:
    return np.sign(values) * np.log1p(np.abs(values))
