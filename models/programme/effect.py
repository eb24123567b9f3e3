"""What a programme did for those who started it: doubly robust effects on the treated.

With W started, Y what happened, e the chance of starting and mu0 what is expected without, both out of fold:

    effect = mean over starters of (Y - mu0)  -  mean over the others, weighted by e / (1 - e), of (Y - mu0)

It is right if either e or mu0 is, and asks only that starters had people like them among the others, not the other
way round (Mercatanti and Li, Ann Appl Stat 2014). People who moved away are stood for by others who were as likely to
(inverse probability of censoring). Standard errors take the nuisances for known and are clustered by person.
"""

from __future__ import annotations

from dataclasses import dataclass

import lightgbm
import numpy as np
import pandas as pd

from models.benefit.comparison import Estimate
from models.risk.calibration import recalibrate
from models.risk.estimator import person_folds
from models.risk.trees import parameters

FOLDS = 4
LEARNED_FROM = 40_000  # rows that each learner sees at most, beside every starter: more would cost time and tell little
LEARNING_RATE, LEAVES, MINIMUM_LEAF = 0.06, 7, 60
ROUNDS_START, ROUNDS_OUTCOME, ROUNDS_STAY = 120, 80, 40
LARGEST_ODDS = 20.0  # of starting; one comparator never counts for more starters than this
SMALLEST_STAY = 0.2
SMALLEST_LEVEL = (
    1e-6  # an expected level below it is rounding, or an extrapolation below nought: nothing is a share of it
)


@dataclass(frozen=True)
class Arms:
    """Starters and comparators, with what each counts for.

    person, treated : of each row
    odds : of having started, out of fold; the scale does not matter
    seen : 0 for those who moved away; else one over the chance of having stayed
    """

    person: np.ndarray
    treated: np.ndarray
    odds: np.ndarray
    seen: np.ndarray

    def where(self, rows: np.ndarray) -> Arms:
        """Return the arms of some rows (boolean)."""
        return Arms(*(values[rows] for values in vars(self).values()))

    def weights(self) -> tuple[np.ndarray, np.ndarray]:
        """Return what each row counts for as a starter, and as a comparator; each sums to one."""
        starters = self.treated * self.seen
        others = ~self.treated * self.seen * self.odds
        return starters / starters.sum(), others / others.sum()

    def comparable(self) -> float:
        """Return how many equally weighted people would tell as much as the comparators (Kish 1965)."""
        _, others = self.weights()
        return float(1 / (_by_person(self.person, others) ** 2).sum())


@dataclass(frozen=True)
class Effect:
    """An effect on starters, as with less without: both levels, the difference, and each person's influence on it."""

    with_programme: float
    without: float
    difference: Estimate
    influence: np.ndarray

    def ratio(self, arms: Arms, happened: np.ndarray) -> Estimate:
        """Return with over without, its error by the delta method; NaN where nothing was to be expected without."""
        if not self.without > SMALLEST_LEVEL:
            return Estimate(float("nan"), float("nan"))
        starters, _ = arms.weights()
        level = _by_person(arms.person, starters * (happened - self.with_programme))
        value = self.with_programme / self.without
        # without = with - difference
        influence = (level - value * (level - self.influence)) / self.without
        return Estimate(value, float(np.sqrt((influence**2).sum())))


class Nuisances:
    """Trees over one binned table, fitted fold by fold of people; each row is predicted by trees that never saw its person.

    `sampled` marks people enough to learn from, by a hash of the person.
    """

    def __init__(self, X: pd.DataFrame, person: np.ndarray, seed: int):
        self._X = X
        self._folds = person_folds(pd.Series(person), FOLDS, seed)
        parts = max(1, -(-len(X) // LEARNED_FROM))
        self.sampled = person_folds(pd.Series(person), parts, seed + 1) == 0
        self._told = parameters(LEARNING_RATE, LEAVES, MINIMUM_LEAF, seed)
        empty = np.zeros(len(X), dtype="float32")
        self._data = lightgbm.Dataset(X, empty, params=self._told, free_raw_data=False).construct()

    def predict(self, target: np.ndarray, learn: np.ndarray, objective: str, rounds: int) -> np.ndarray:
        """Return each row's raw score (log odds or log mean) or, where nothing varies in `learn`, that of the mean.

        Parameters
        ----------
        target : what to predict; not negative
        learn : boolean; rows to learn from
        objective : `binary` or `poisson`, of LightGBM
        """
        told = (
            self._told | {"objective": objective} | ({"poisson_max_delta_step": 0.7} if objective == "poisson" else {})
        )
        found = np.empty(len(target))
        label = target.astype("float32")
        for fold in range(FOLDS):
            outside = self._folds == fold
            places = np.flatnonzero(learn & ~outside)
            if label[places].std() == 0:
                found[outside] = _raw(float(label[places].mean()), objective)
                continue
            data = self._data.subset(places.tolist(), params=told).construct()
            data.set_label(label[places])
            found[outside] = lightgbm.train(told, data, rounds).predict(self._X[outside], raw_score=True)
        return found


def arms(nuisances: Nuisances, person: np.ndarray, treated: np.ndarray, stayed: np.ndarray) -> Arms:
    """Learn who starts and who stays.

    The chance of starting is recalibrated, so that comparators weighted by its odds are as the starters are.
    """
    raw = nuisances.predict(treated, treated | nuisances.sampled, "binary", ROUNDS_START)
    intercept, slope = recalibrate(raw, treated)
    odds = np.minimum(np.exp(intercept + slope * raw), LARGEST_ODDS)
    leaves = np.ones(len(treated))
    if not stayed.all():
        leaves = 1 / (1 + np.exp(-nuisances.predict(stayed, nuisances.sampled, "binary", ROUNDS_STAY)))
    return Arms(person, treated, odds, stayed / np.maximum(leaves, SMALLEST_STAY))


def expected_without(nuisances: Nuisances, happened: np.ndarray, arms: Arms) -> np.ndarray:
    """Return what is expected of each row without the programme, learned from comparators who stayed; a chance or a mean."""
    learn = ~arms.treated & (arms.seen > 0) & nuisances.sampled
    if set(np.unique(happened)) <= {0, 1}:
        return 1 / (1 + np.exp(-nuisances.predict(happened, learn, "binary", ROUNDS_OUTCOME)))
    return np.exp(nuisances.predict(happened, learn, "poisson", ROUNDS_OUTCOME))


def effect(arms: Arms, happened: np.ndarray, expected: np.ndarray) -> Effect:
    """Return the average effect on the starters among the rows; NaN where an arm is empty.

    Parameters
    ----------
    happened : what happened to each row, any unit
    expected : of each row without the programme, in the same unit, by models that did not see its person
    """
    nothing = Estimate(np.nan, np.nan)
    if not (arms.treated & (arms.seen > 0)).any() or not (~arms.treated & (arms.seen > 0)).any():
        return Effect(np.nan, np.nan, nothing, np.full(len(np.unique(arms.person)), np.nan))
    starters, others = arms.weights()
    residual = happened - expected
    gap, drift = float(starters @ residual), float(others @ residual)
    observed = float(starters @ happened)
    influence = _by_person(arms.person, starters * (residual - gap) - others * (residual - drift))
    value = gap - drift
    return Effect(observed, observed - value, Estimate(value, float(np.sqrt((influence**2).sum()))), influence)


def imbalance(X: pd.DataFrame, arms: Arms) -> pd.Series:
    """Return each feature's standardised mean difference after weighting, starters less comparators.

    In standard deviations of the starters and the comparators as they are; what is missing counts as the average.
    """
    starters, others = arms.weights()
    weight = starters - others

    def apart(column: str) -> float:
        values = X[column].to_numpy("float64")
        known = ~np.isnan(values)
        values = np.where(known, values, values[known].mean() if known.any() else 0)
        spread = np.sqrt((values[arms.treated].var() + values[~arms.treated].var()) / 2)
        return float(weight @ values / (spread if spread > 0 else 1))

    # One column at a time: the whole table in double precision would not fit in memory at a million people.
    return pd.Series({column: apart(column) for column in X.columns})


def _by_person(person: np.ndarray, influence: np.ndarray) -> np.ndarray:
    _, people = np.unique(person, return_inverse=True)
    return np.bincount(people, weights=influence)


def _raw(mean: float, objective: str) -> float:
    inside = np.clip(mean, 1e-6, 1 - 1e-6 if objective == "binary" else None)
    return float(np.log(inside / (1 - inside)) if objective == "binary" else np.log(inside))
