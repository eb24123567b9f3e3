"""Is the weekly pipeline's benefit as good as the estimator's, and do its intervals hold the truth?

    python -m benchmarks.benefit_pipeline [--people 50000] [--seeds 1 2 3 4] [--shapes relative ...]

The pipeline's own steps (risk, propensity, effect) on shapes of the test bed, beside `BenefitEstimator` on the same
histories: capture at 2 % of 50,000 fresh people, slope of the truth on what is stated, and how often a 95 % interval
holds the true benefit, among supported people and among the 2 % chosen.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from benchmarks.benefit_measures import FRESH, FRESH_SEEDS, captured, measures
from benchmarks.benefit_testbed import SHAPES, History, make
from casewell.settings import Benefit, Training
from models.benefit import BenefitEstimator
from models.benefit.fit import Lottery, fit_effect
from models.benefit.propensity import fit_propensity
from models.risk.estimator import fit_risk, person_folds

SHARE, DRAWN = 0.02, 3_000


def pipeline(history: History, fresh: History, seed: int) -> dict[str, float]:
    """Learn as `casewell train` does, and state the benefit of fresh people."""
    rules, training = Benefit(), Training()
    drawn, treated, outcome = history.randomised, history.treated, history.outcome
    folds = person_folds(pd.Series(np.arange(len(treated))), rules.folds, seed)
    model, risk = fit_risk(history.features, outcome, treated, folds, training, seed)
    propensity, chance = fit_propensity(history.features, treated, folds, seed, ~drawn)
    lottery = Lottery(np.where(drawn, 0.5, np.nan), 1.0) if drawn.any() else None
    effect, _ = fit_effect(history.features, outcome, treated, risk, chance, folds, seed, lottery)
    chosen = propensity.predict(fresh.features)
    told = effect.foretell(fresh.features, model.predict(fresh.features), chosen)
    supported = told.reached & (chosen >= rules.minimum_propensity)
    return stated(np.where(supported, told.benefit, 0), np.stack([told.low, told.high]), supported, fresh.benefit)


def estimator(history: History, fresh: History) -> dict[str, float]:
    """Learn by the estimator, and state the benefit of the same people."""
    drawn = history.randomised if history.randomised.any() else None
    learned = BenefitEstimator().fit(history.features, history.treated, history.outcome, randomised=drawn)
    parts = learned.components(fresh.features)
    ends = learned.predict_interval(fresh.features).T
    return stated(parts["benefit"].to_numpy(), ends, parts["supported"].to_numpy(), fresh.benefit)


def stated(benefit: np.ndarray, ends: np.ndarray, supported: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Hold stated benefits and the ends of their intervals against the truth."""
    held = (ends[0] <= truth) & (truth <= ends[1])
    chosen = np.zeros(len(truth), dtype=bool)
    chosen[np.argsort(-benefit, kind="stable")[: round(SHARE * len(truth))]] = True
    found = measures(benefit, truth, 0.0)
    return {
        "capture 2 %": captured(benefit, truth, SHARE),
        "slope": found["slope"],
        "bias": float((benefit - truth)[supported].mean()),
        "supported": float(supported.mean()),
        "held": float(held[supported].mean()),
        "held, chosen": float(held[supported & chosen].mean()),
        "width, chosen": float((ends[1] - ends[0])[supported & chosen].mean()),
        "fall of the chosen": float(benefit[chosen].mean()),
        "true": float(truth[chosen].mean()),
    }


def main() -> None:
    """Print one line a learner, shape and seed, and the means."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--people", type=int, default=50_000)
    arguments.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4])
    arguments.add_argument("--shapes", nargs="+", choices=SHAPES, default=["relative"])
    chosen = arguments.parse_args()
    rows: list[dict[str, Any]] = []
    for shape in chosen.shapes:
        for seed in chosen.seeds:
            history = make(shape, chosen.people, seed, DRAWN if shape == "confounded" else 0)
            fresh = make(shape, FRESH, seed + FRESH_SEEDS)
            for name, found in (
                ("pipeline", pipeline(history, fresh, seed)),
                ("estimator", estimator(history, fresh)),
            ):
                rows.append({"shape": shape, "learner": name, "seed": str(seed)} | found)
    table = pd.DataFrame(rows)
    means = table.groupby(["shape", "learner"], sort=False).mean(numeric_only=True).reset_index()
    shown = pd.concat([table, means.assign(seed="mean")])
    printed = Table(*shown.columns, title=f"{chosen.people:,} people to learn from", title_justify="left")
    for row in shown.itertuples(index=False):
        printed.add_row(*(value if isinstance(value, str) else f"{value:.3g}" for value in row))
    Console(width=170).print(printed)


if __name__ == "__main__":
    main()
