"""Do the intervals of `models.targeting` hold the truth as often as they say? 200 histories with known nuisances.

    python -m benchmarks.benefit_coverage [--replicates 200] [--people 3000]

Treatment depends on risk; scores are doubly robust with the true chance of treatment and outcome models
that are wrong on purpose (everybody's average). The placebo is an outcome that treatment does not move:
its interval should miss nought one time in twenty.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from scipy.special import expit

from models.benefit.comparison import Estimate
from models.benefit.doubly_robust import doubly_robust_scores
from models.targeting import advantage, area_under_toc, calibration_of_benefit, gain_at_capacity, qini
from models.targeting.clusters import clustered_error

SHARE, TRUTH_PEOPLE = 0.05, 300_000


def world(people: int, seed: int) -> dict[str, np.ndarray]:
    """Draw people with two features of which one says who gains; a rule that sees it dimly, and their risk."""
    random = np.random.default_rng(seed)
    illness, gains = random.normal(size=people), random.normal(size=people)
    without = expit(-1.5 + illness)
    benefit = without * 0.5 * expit(2 * gains)
    chance = expit(-1.8 + 0.5 * illness)
    treated = random.random(people) < chance
    outcome = random.random(people) < without - benefit * treated
    placebo = random.random(people) < without
    stated = without * 0.5 * expit(2 * gains + random.normal(0, 0.5, people))
    level = np.full(people, 0.2)
    return {
        "benefit": benefit,
        "stated": stated,
        "risk": without,
        "chance": chance,
        "scores": doubly_robust_scores(treated, outcome, chance, level, level),
        "placebo": doubly_robust_scores(treated, placebo, chance, level, level),
    }


def estimates(told: dict[str, np.ndarray], scores: np.ndarray, placebo: np.ndarray) -> dict[str, Estimate]:
    """Return every measure of one history."""
    person = np.arange(len(scores))
    return {
        "gain at capacity": gain_at_capacity(scores, told["stated"], SHARE, person),
        "advantage over risk": advantage(scores, told["stated"], told["risk"], SHARE, person),
        "AUTOC": area_under_toc(scores, told["stated"], person),
        "Qini": qini(scores, told["stated"], person),
        "calibration slope": calibration_of_benefit(scores, told["stated"], told["chance"], person),
        "placebo": Estimate(float(placebo.mean()), clustered_error(placebo - placebo.mean(), person)),
    }


def main() -> None:
    """Count how often each 95 % interval holds the truth."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--replicates", type=int, default=200)
    arguments.add_argument("--people", type=int, default=3_000)
    chosen = arguments.parse_args()
    whole = world(TRUTH_PEOPLE, 0)
    truth = {name: made.value for name, made in estimates(whole, whole["benefit"], np.zeros(TRUTH_PEOPLE)).items()}
    held = []
    for seed in range(1, chosen.replicates + 1):
        told = world(chosen.people, seed)
        made = estimates(told, told["scores"], told["placebo"])
        ends = {name: estimate.interval() for name, estimate in made.items()}
        held.append({name: low < truth[name] < high for name, (low, high) in ends.items()})
    table = Table("measure", "truth", "95 % intervals that hold it", title=f"{chosen.replicates} histories")
    for name, share in pd.DataFrame(held).mean().items():
        table.add_row(str(name), f"{truth[str(name)]:.4f}", f"{share:.1%}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
