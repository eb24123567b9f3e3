"""The pipeline's model of benefit: its own risk and propensity, out of fold, and what `BenefitEstimator` does after them.

The correction

    logit mu0 = logit risk + a0 + D alpha

on untreated people, weighted by their chance of treatment (overlap weights: Li, Morgan and Zaslavsky
2018), and both readings of who gains (`models.benefit.effect`), weighed by people held out. Benefit is the fall
in probability that case management brings; each person's interval comes from draws kept with the model.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from casewell.settings import Benefit
from models.benefit.amenability import amenability
from models.benefit.effect import Effect, effect_design
from models.benefit.nuisances import Scale, straight_line
from models.benefit.reach import Reach
from models.risk.calibration import log_odds

LEVEL = 0.95
ROWS_AT_ONCE = 20_000


@dataclass(frozen=True)
class Foretold:
    """What is foretold of each row: `without` case management, the fall it brings with its ends, and whether anybody treated is near."""

    without: np.ndarray
    benefit: np.ndarray
    low: np.ndarray
    high: np.ndarray
    reached: np.ndarray  # boolean: like somebody treated


@dataclass(frozen=True)
class EffectModel:
    """The correction (a0, alpha), the readings with their draws and weights, and whom the treated they were learned from resemble."""

    features: tuple[str, ...]
    scale: Scale
    correction: np.ndarray
    effect: Effect
    reach: Reach

    def foretell(self, matrix: pd.DataFrame, risk: np.ndarray, propensity: np.ndarray) -> Foretold:
        """Foretell every row of a feature matrix, block by block; `risk` and `propensity` are probabilities.

        The ends are those of a 95 % credible interval of the benefit, given risk and propensity.
        """
        without, reached = np.empty(len(matrix)), np.zeros(len(matrix), dtype=bool)
        found = np.empty((3, len(matrix)))
        for rows, design in designs(matrix[list(self.features)], self.scale, risk, propensity):
            odds = log_odds(risk[rows]) + straight_line(design, self.correction)
            without[rows] = expit(odds)
            found[:, rows] = self.effect.benefit_and_interval(design, odds, LEVEL)
            reached[rows] = self.reach.holds(design)
        benefit, low, high = found
        return Foretold(without, benefit, low, high, reached)


def designs(
    matrix: pd.DataFrame, scale: Scale, risk: np.ndarray, propensity: np.ndarray
) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield block after block of rows with their design (`models.benefit.effect.effect_design`); one block at least."""
    for at in range(0, max(1, len(matrix)), ROWS_AT_ONCE):
        rows = slice(at, at + ROWS_AT_ONCE)
        Z = scale(matrix.iloc[rows].to_numpy("float32"))
        yield rows, effect_design(Z, log_odds(risk[rows]), log_odds(propensity[rows]))


def assumed_benefit(matrix: pd.DataFrame, risk: np.ndarray, rules: Benefit) -> np.ndarray:
    """Return risk x amenable share x assumed relative reduction: benefit without evidence from here."""
    return risk * amenability(matrix) * rules.assumed_relative_reduction


def released_benefit(learned: np.ndarray, assumed: np.ndarray, supported: np.ndarray) -> np.ndarray:
    """Return learned benefit where there are others like the person among the treated, assumed benefit elsewhere."""
    return np.where(supported, learned, assumed)
