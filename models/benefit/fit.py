"""Learning who gains from the pipeline's own history, pooled with people drawn by lot where there are enough of them.

A history counts who *started* case management; a lot decides who is *offered* a place, and some of those drawn never
start, while some of those passed over do later. With d the share of a whole course by which the drawn differ from those
passed over, the drawn are explained by

    p = mu0 + d (mu1 - mu0)

so that both tell of the same thing, what case management changes: the instrumental-variable reading of a lottery
(Angrist, Imbens and Rubin, JASA 1996), which takes it that an offer by itself changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from models.benefit.effect import (
    BURN,
    DRAWS,
    HELD_OUT_BURN,
    HELD_OUT_DRAWS,
    READINGS,
    Effect,
    Reading,
    fit_readings,
    held_out_losses,
    reading_weights,
)
from models.benefit.estimator import CONTROLS_PER_TREATED, CORRECTION_PENALTY
from models.benefit.model import EffectModel, Foretold, designs
from models.benefit.nuisances import Scale, ridge_logistic, straight_line, with_ones
from models.benefit.reach import Reach
from models.risk.calibration import log_odds


@dataclass(frozen=True)
class Lottery:
    """Who of the rows was in a lot: recorded chance (NaN for all others), and what being drawn means.

    dose : share of a whole course of case management by which the drawn differ from those passed over
    """

    chance: np.ndarray
    dose: float

    @property
    def inside(self) -> np.ndarray:
        """Boolean: was in a lot, drawn or not."""
        return ~np.isnan(self.chance)


def no_lottery(rows: int) -> Lottery:
    """Return the lottery in which nobody was."""
    return Lottery(np.full(rows, np.nan), 1.0)


def fit_effect(
    matrix: pd.DataFrame,
    outcome: np.ndarray,
    treated: np.ndarray,
    risk: np.ndarray,
    propensity: np.ndarray,
    folds: np.ndarray,
    seed: int,
    lottery: Lottery | None = None,
) -> tuple[EffectModel, Foretold]:
    """Learn who gains.

    Parameters
    ----------
    matrix : DataFrame of features, one row a person and index date
    outcome, treated : boolean arrays; for people in a lot, `treated` means drawn
    risk, propensity : out-of-fold probabilities; the second is of being chosen for case management, not drawn
    folds : of people; each row's out-of-fold effect is learned from the other folds
    lottery : of the same rows

    Returns
    -------
    The model, and what models that did not see the person foretell of each row: for people in a lot too, the benefit
    is that of case management, not of an offer.
    """
    lottery = lottery or no_lottery(len(treated))
    kept, weights = overlap_sample(treated, np.where(lottery.inside, lottery.chance, propensity), seed)
    features = tuple(matrix.columns)
    sampled = matrix[kept]
    scale = Scale.of(sampled.to_numpy("float32"))
    sample = _Sample(
        np.concatenate([design for _, design in designs(sampled, scale, risk[kept], propensity[kept])]),
        log_odds(risk[kept]),
        outcome[kept],
        treated[kept],
        weights[kept],
        lottery.inside[kept],
        lottery.dose,
    )
    random, of_sample = np.random.default_rng(seed), folds[kept]
    everybody = np.ones(len(of_sample), dtype=bool)
    without, benefit, low, high = np.empty((4, len(matrix)))
    crossed = Foretold(without, benefit, low, high, np.zeros(len(matrix), dtype=bool))
    # Many small solves: threads would only wait for one another.
    with threadpool_limits(1, user_api="blas"):
        parts = {
            fold: sample.learn(of_sample != fold, random, HELD_OUT_DRAWS, HELD_OUT_BURN) for fold in np.unique(folds)
        }
        losses = np.zeros((len(READINGS), len(of_sample)))
        for fold, part in parts.items():
            judged = sample.treated & (of_sample == fold)
            losses[:, judged] = sample.losses(part, judged)
        weighed = reading_weights(losses[:, sample.treated])
        for fold, part in parts.items():
            rows = folds == fold
            found = part.model(features, scale, weighed).foretell(matrix[rows], risk[rows], propensity[rows])
            for name, values in vars(found).items():
                getattr(crossed, name)[rows] = values
        model = sample.learn(everybody, random).model(features, scale, weighed)
    return model, crossed


@dataclass(frozen=True)
class _Learned:
    correction: np.ndarray
    readings: tuple[Reading, ...]
    reach: Reach

    def model(self, features: tuple[str, ...], scale: Scale, weights: np.ndarray) -> EffectModel:
        return EffectModel(features, scale, self.correction, Effect(self.readings, weights), self.reach)


@dataclass(frozen=True)
class _Sample:
    """Every treated row, and untreated ones in proportion to their chance of treatment."""

    design: np.ndarray
    offset: np.ndarray
    outcome: np.ndarray
    treated: np.ndarray
    weights: np.ndarray
    by_lot: np.ndarray
    dose: float

    def learn(self, rows: np.ndarray, random: np.random.Generator, draws: int = DRAWS, burn: int = BURN) -> _Learned:
        """Learn from some rows (boolean): the correction, both readings, and whom they reach."""
        untreated, treated = rows & ~self.treated, rows & self.treated
        columns = with_ones(self.design[untreated])
        correction = ridge_logistic(
            columns,
            self.outcome[untreated],
            self.offset[untreated],
            self.weights[untreated],
            CORRECTION_PENALTY,
            np.zeros(columns.shape[1]),
        )
        design, weight = self.design[treated], self._weight(treated)
        without = self.offset[treated] + straight_line(design, correction)
        told = design, without, self.outcome[treated], weight, self._chosen(treated), random
        readings = fit_readings(*told, READINGS, draws, burn, dose=self._dose(treated))
        return _Learned(correction, readings, Reach.of(design, without, weight))

    def losses(self, learned: _Learned, treated: np.ndarray) -> np.ndarray:
        """Return each reading's loss on treated rows (boolean) it did not see, shape (readings, rows)."""
        design = self.design[treated]
        without = self.offset[treated] + straight_line(design, learned.correction)
        told = design, without, self._chosen(treated), self._dose(treated)
        foretold = np.array([reading.foretold(*told) for reading in learned.readings])
        return held_out_losses(foretold, self.outcome[treated], self._weight(treated))

    def _weight(self, rows: np.ndarray) -> np.ndarray:
        return np.minimum(1.0, 2 * self.weights[rows])

    def _chosen(self, rows: np.ndarray) -> np.ndarray | None:
        """Mark those treated because somebody chose so; None where nobody was drawn by lot, or everybody."""
        mixed = self.by_lot[self.treated].any() and not self.by_lot[self.treated].all()
        return ~self.by_lot[rows] if mixed else None

    def _dose(self, rows: np.ndarray) -> np.ndarray:
        return np.where(self.by_lot[rows], self.dose, 1.0)


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
