"""The estimator of benefit: usable alone, on any table of numbers.

    estimator = BenefitEstimator().fit(X, treatment, outcome, groups=person)
    estimator.predict(X)

Fold by fold and by person: the chance of the outcome without treatment, the chance of treatment
(`models.benefit.nuisances`), and the effect (`models.benefit.effect`). What joins them is fitted on all rows: the blend
of trees and regression in each chance (three numbers), a strongly penalised correction of the first where
treated and untreated overlap, and how much each reading of the effect counts. History and people drawn by lot are pooled: the chosen get a bias term of their own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from models.benefit.doubly_robust import doubly_robust_scores
from models.benefit.effect import (
    HELD_OUT_BURN,
    HELD_OUT_DRAWS,
    READINGS,
    Effect,
    effect_design,
    fit_readings,
    held_out_losses,
    reading_weights,
)
from models.benefit.nuisances import Scale, binned, fit_chance, ridge_logistic, straight_line, with_ones
from models.benefit.reach import Reach
from models.benefit.requirements import Input, as_features, checked, require_overlap

CONTROLS_PER_TREATED = 12
CORRECTION_PENALTY = 1000.0


class BenefitEstimator(BaseEstimator):
    """Expected fall in the chance of a bad outcome that a treatment brings, person by person.

    Parameters
    ----------
    folds : folds of people for cross-fitting
    rounds : boosting rounds of the outcome's trees; treatment's take four fifths of them
    maximum_controls : the outcome without treatment, and who is treated, are learned from about so many
        untreated rows at most
    minimum_propensity : below it nobody like the person was treated
    seed : root of every random number; the same data and seed give the same numbers

    Attributes
    ----------
    scores_ : doubly robust score of each row of the history; its mean over any group estimates the
        group's average benefit. Trees, regressions and effect are out of fold; the blend of the first
        two, the correction and `weights_` were fitted on all rows, this one among them
    without_, with_, propensity_ : chances of each row, 0 to 1, out of fold with the same exceptions
    weights_ : what each of `models.benefit.effect.READINGS` counts for
    """

    def __init__(
        self,
        folds: int = 3,
        rounds: int = 60,
        maximum_controls: int = 200_000,
        minimum_propensity: float = 0.002,
        seed: int = 0,
    ):
        self.folds = folds
        self.rounds = rounds
        self.maximum_controls = maximum_controls
        self.minimum_propensity = minimum_propensity
        self.seed = seed

    def fit(
        self,
        X: Any,
        treatment: Any,
        outcome: Any,
        *,
        propensity: Any = None,
        randomised: Any = None,
        groups: Any = None,
        sample_weight: Any = None,
    ) -> BenefitEstimator:
        """Learn from a history.

        Parameters
        ----------
        X : table or array of numbers, (rows, features); NaN is missing
        treatment, outcome : 0 or 1 a row; the outcome is something bad
        propensity : known chances of treatment, strictly between 0 and 1; NaN where not known
        randomised : true where treatment was drawn by lot (with the known chance, or one chance for all)
        groups : person of each row; a person is never in two folds
        sample_weight : weight of each row, not negative

        Raises
        ------
        BenefitInputError
            Naming every problem with the history.
        """
        told = checked(X, treatment, outcome, propensity, randomised, groups, sample_weight, self.folds)
        # Many small solves: threads would only wait for one another.
        with threadpool_limits(1, user_api="blas"):
            return self._fit(told)

    def _fit(self, told: Input) -> BenefitEstimator:
        random = np.random.default_rng(self.seed)
        folds = random.permutation(told.person.max() + 1)[told.person] % self.folds
        self.n_features_in_ = told.X.shape[1]
        if told.names is not None:
            self.feature_names_in_ = np.array(told.names, dtype=object)
        self.scale_ = Scale.of(told.X)
        Z = self.scale_(told.X)

        self.bins_ = binned(told.X)
        self.outcome_, without = self._fit_outcome(told, Z, folds, random)
        self.treatment_, chosen = self._fit_treatment(told, Z, folds, random, ~told.randomised)
        chance = told.chance(expit(chosen))
        require_overlap(told.treated, chance, told.X, told.names)
        self.margin_, anyone = None, chosen
        if told.randomised.any() and not told.randomised.all():
            self.margin_, anyone = self._fit_treatment(told, Z, folds, random, np.ones(len(Z), dtype=bool))

        del self.bins_
        design = effect_design(Z, without, chosen)
        self.correction_ = self._correct(told, design, without, chance, random)
        without = without + straight_line(design, self.correction_)
        weight = told.weight * np.minimum(1.0, 2 * (1 - chance))
        self._fit_effect(told, design, without, weight, folds, random)
        self.reach_ = Reach.of(design[told.treated], without[told.treated], weight[told.treated])
        self.without_, self.propensity_, self.support_ = expit(without), chance, self._reached(design, expit(anyone))
        self.scores_ = doubly_robust_scores(told.treated, told.outcome, chance, self.without_, self.with_)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return the expected benefit, one a row; nought where people differ and nobody like the person was treated."""
        design, without, supported = self._prepared(X)[:3]
        return self.effect_.benefit(design, without, supported)

    def predict_interval(self, X: Any, level: float = 0.95) -> np.ndarray:
        """Return (rows, 2): a credible interval of the benefit; -1 and 1 for the unsupported."""
        return np.column_stack(self.effect_.interval(*self._prepared(X)[:3], level))

    def components(self, X: Any) -> pd.DataFrame:
        """Return the parts of a prediction, one row a row of X.

        `risk_without`, `risk_with`, `benefit`, `propensity` (by choice or by lot), `propensity_by_choice` (of those not
        drawn; the same where nobody was), `supported`.
        """
        design, without, supported, chance, by_choice = self._prepared(X)
        benefit, risk = self.effect_.benefit(design, without, supported), expit(without)
        index = X.index if isinstance(X, pd.DataFrame) else None
        columns = {"risk_without": risk, "risk_with": risk - benefit, "benefit": benefit}
        columns |= {"propensity": chance, "propensity_by_choice": by_choice, "supported": supported}
        return pd.DataFrame(columns, index=index)

    def _fit_outcome(self, told: Input, Z: np.ndarray, folds: np.ndarray, random: np.random.Generator) -> Any:
        untreated = ~told.treated
        sampled = untreated & (random.random(len(Z)) < self.maximum_controls / untreated.sum())
        return fit_chance(
            self.bins_, told.X, Z, told.outcome, sampled, untreated, folds, told.weight, self.rounds, self.seed
        )

    def _fit_treatment(
        self, told: Input, Z: np.ndarray, folds: np.ndarray, random: np.random.Generator, rows: np.ndarray
    ) -> Any:
        """Learn who is treated among `rows`; with nobody chosen, everybody has the lot's own chance."""
        rows = rows if rows.any() else np.ones(len(Z), dtype=bool)
        share = min(CONTROLS_PER_TREATED * told.treated.mean(), self.maximum_controls / len(Z))
        drawn = random.random(len(Z)) < share
        sampled = rows & (told.treated | drawn)
        return fit_chance(
            self.bins_,
            told.X,
            Z,
            told.treated,
            sampled,
            rows,
            folds,
            told.weight,
            max(1, self.rounds * 4 // 5),
            self.seed,
        )

    @staticmethod
    def _correct(
        told: Input, design: np.ndarray, without: np.ndarray, chance: np.ndarray, random: np.random.Generator
    ) -> np.ndarray:
        """Mend the outcome's log odds where people could have been treated, from untreated people like them."""
        share = np.minimum(1.0, chance * CONTROLS_PER_TREATED * told.treated.sum() / chance[~told.treated].sum())
        kept = ~told.treated & (random.random(len(chance)) < share)
        weight = told.weight[kept] * chance[kept] / share[kept]
        columns = with_ones(design[kept])
        nought = np.zeros(columns.shape[1])
        return ridge_logistic(columns, told.outcome[kept], without[kept], weight, CORRECTION_PENALTY, nought)

    def _fit_effect(
        self,
        told: Input,
        design: np.ndarray,
        without: np.ndarray,
        weight: np.ndarray,
        folds: np.ndarray,
        random: np.random.Generator,
    ) -> None:
        """Fit the readings on all the treated, and fold by fold to weigh them and to foretell each row honestly."""
        chosen = ~told.randomised if told.randomised.any() and not told.randomised.all() else None

        def readings(rows: np.ndarray, *length: int) -> Any:
            part = None if chosen is None else chosen[rows]
            fitted = design[rows], without[rows], told.outcome[rows], weight[rows], part, random
            return fit_readings(*fitted, READINGS, *length)

        held = np.empty((len(READINGS), len(design)))
        foretold = np.empty_like(held)
        for fold in np.unique(folds):
            rows = folds == fold
            fitted = readings(told.treated & ~rows, HELD_OUT_DRAWS, HELD_OUT_BURN)
            held[:, rows] = [reading.mean_with_treatment(design[rows], without[rows]) for reading in fitted]
            judged = rows & told.treated
            part = None if chosen is None else chosen[judged]
            foretold[:, judged] = [reading.foretold(design[judged], without[judged], part) for reading in fitted]
        treated = told.treated
        self.weights_ = reading_weights(held_out_losses(foretold[:, treated], told.outcome[treated], weight[treated]))
        self.with_ = self.weights_ @ held
        self.effect_ = Effect(readings(told.treated), self.weights_)

    def _reached(self, design: np.ndarray, chance: np.ndarray) -> np.ndarray:
        """Mark people who could have been treated and are no further from the treated than all but 1 in 100 of them."""
        return self.reach_.holds(design) & (chance >= self.minimum_propensity)

    def _prepared(self, X: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return the design, log odds without treatment, support, and the chance of treatment: by choice or by lot, and by choice."""
        check_is_fitted(self, "effect_")
        values = as_features(X, tuple(self.feature_names_in_) if hasattr(self, "feature_names_in_") else None)
        Z = self.scale_(values)
        without, chosen = self.outcome_.log_odds(values, Z), self.treatment_.log_odds(values, Z)
        chance = expit(chosen if self.margin_ is None else self.margin_.log_odds(values, Z))
        design = effect_design(Z, without, chosen)
        without = without + straight_line(design, self.correction_)
        return design, without, self._reached(design, chance), chance, expit(chosen)
