"""Other people's learners of effects on one made-up history; run by `benchmarks.benefit` in an environment of its own.

One fixed set of sensible settings each: LightGBM with 100 trees of 15 leaves wherever a learner is asked for.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.benefit_measures import FRESH, FRESH_SEEDS, measures
from benchmarks.benefit_testbed import History, make

TREES: dict[str, Any] = {
    "n_estimators": 100,
    "num_leaves": 15,
    "min_child_samples": 50,
    "learning_rate": 0.08,
    "verbose": -1,
    "random_state": 0,
}


def learners() -> dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]]:
    """Return name: function of (X, treated, outcome, fresh X) that gives the benefit of each fresh row."""
    from causalml.inference.meta import BaseDRRegressor, BaseRRegressor, BaseXRegressor
    from econml.dml import CausalForestDML
    from econml.dr import DRLearner
    from lightgbm import LGBMClassifier, LGBMRegressor
    from sklift.models import SoloModel, TwoModels

    def classifier() -> Any:
        return LGBMClassifier(**TREES)

    def regressor() -> Any:
        return LGBMRegressor(**TREES)

    def doubly_robust(X: np.ndarray, w: np.ndarray, y: np.ndarray, fresh: np.ndarray) -> np.ndarray:
        model = DRLearner(
            model_propensity=classifier(),
            model_regression=regressor(),
            model_final=regressor(),
            min_propensity=0.01,
            cv=5,
        )
        return -model.fit(y, w, X=X).effect(fresh)

    def forest(X: np.ndarray, w: np.ndarray, y: np.ndarray, fresh: np.ndarray) -> np.ndarray:
        model = CausalForestDML(
            model_y=regressor(), model_t=classifier(), discrete_treatment=True, n_estimators=100, cv=5, random_state=0
        )
        return -model.fit(y, w, X=X).effect(fresh)

    def of_causalml(kind: type) -> Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]:
        def learn(X: np.ndarray, w: np.ndarray, y: np.ndarray, fresh: np.ndarray) -> np.ndarray:
            chance = np.clip(classifier().fit(X, w).predict_proba(X)[:, 1], 0.01, 0.99)
            model = kind(learner=regressor())
            model.fit(X=X, treatment=w, y=y, p=chance)
            there = np.clip(classifier().fit(X, w).predict_proba(fresh)[:, 1], 0.01, 0.99)
            return -np.asarray(model.predict(fresh, p=there)).ravel()

        return learn

    def one_model(X: np.ndarray, w: np.ndarray, y: np.ndarray, fresh: np.ndarray) -> np.ndarray:
        return -np.asarray(SoloModel(classifier()).fit(X, y, w).predict(fresh))

    def two_models(X: np.ndarray, w: np.ndarray, y: np.ndarray, fresh: np.ndarray) -> np.ndarray:
        model = TwoModels(classifier(), classifier(), method="ddr_control")
        return -np.asarray(model.fit(X, y, w).predict(fresh))

    return {
        "econml DRLearner": doubly_robust,
        "econml CausalForestDML": forest,
        "causalml X": of_causalml(BaseXRegressor),
        "causalml R": of_causalml(BaseRRegressor),
        "causalml DR": of_causalml(BaseDRRegressor),
        "scikit-uplift one model": one_model,
        "scikit-uplift two models": two_models,
    }


def filled(history: History) -> Any:
    """Return features with what is missing at its median, which some of the learners need."""
    return history.features.fillna(history.features.median())


def main() -> None:
    """Learn from the history that the command line names (shape, people, seed, randomised, learners) and print JSON."""
    warnings.filterwarnings("ignore")
    shape, people, seed, randomised, *wanted = sys.argv[1:]
    history, fresh = (
        make(shape, int(people), int(seed), int(randomised)),
        make(shape, FRESH, int(seed) + FRESH_SEEDS),
    )
    known = learners()
    for name in wanted or known:
        began = time.process_time()
        try:
            stated = known[name](
                filled(history), history.treated.astype(int), history.outcome.astype(float), filled(fresh)
            )
        except Exception as failure:  # a peer that cannot do it is a finding, not the end of the comparison
            print(json.dumps({"learner": name, "failed": f"{type(failure).__name__}: {failure}"[:200]}), flush=True)
            continue
        result = measures(np.asarray(stated).ravel(), fresh.benefit, time.process_time() - began)
        print(json.dumps({"learner": name} | result), flush=True)


if __name__ == "__main__":
    main()
