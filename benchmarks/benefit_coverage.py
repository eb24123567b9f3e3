"""Do the intervals of `models.targeting` hold the truth as often as they say? 1,500 histories with known nuisances.

    python -m benchmarks.benefit_coverage [--replicates 1500] [--people 3000]

Treatment depends on risk; scores are doubly robust with the true chance of treatment and outcome models
that are wrong on purpose (everybody's average). A second programme has a price and a benefit of its own, and a history
beside the first's. The placebo is an outcome that treatment does not move:
its interval should miss nought one time in twenty. A share of 1,500 is known to half a point, one of 200 to a point and a half.
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
from models.targeting import (
    Offered,
    advantage,
    advantage_of_programmes,
    area_under_toc,
    calibration_of_benefit,
    gain_at_budget,
    gain_at_capacity,
    gain_of_programmes,
    gain_per_pound,
    net_benefit_at_budget,
    qini,
)
from models.targeting.clusters import clustered_error

SHARE, TRUTH_PEOPLE = 0.05, 300_000
BUDGET, WORTH = 40.0, 10_000.0


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
    second = without * 0.3 * expit(-2 * gains)
    had_second = random.random(people) < 0.2
    after = random.random(people) < without - second * had_second
    fifth = np.full(people, 0.2)
    return {
        "cost": 600 + 200 * random.random(people) + 300 * expit(illness),
        "second": second,
        "second stated": without * 0.3 * expit(-2 * gains + random.normal(0, 0.5, people)),
        "second scores": doubly_robust_scores(had_second, after, fifth, level, level),
        "second cost": 200 + 100 * random.random(people),
        "benefit": benefit,
        "stated": stated,
        "risk": without,
        "chance": chance,
        "scores": doubly_robust_scores(treated, outcome, chance, level, level),
        "placebo": doubly_robust_scores(treated, placebo, chance, level, level),
    }


def estimates(
    told: dict[str, np.ndarray], scores: np.ndarray, second: np.ndarray, placebo: np.ndarray
) -> dict[str, Estimate]:
    """Return every measure of one history."""
    person = np.arange(len(scores))
    cost, for_money = told["cost"], told["stated"] / told["cost"]
    one = Offered(scores, told["stated"], cost)
    both = [one, Offered(second, told["second stated"], told["second cost"])]
    return {
        "gain at capacity": gain_at_capacity(scores, told["stated"], SHARE, person),
        "advantage over risk": advantage(scores, told["stated"], told["risk"], SHARE, person),
        "AUTOC": area_under_toc(scores, told["stated"], person),
        "Qini": qini(scores, told["stated"], person),
        "calibration slope": calibration_of_benefit(scores, told["stated"], told["chance"], person),
        "gain at a budget": gain_at_budget(scores, for_money, cost, BUDGET, person),
        "gain per pound": gain_per_pound(scores, told["stated"], cost, SHARE, person),
        "net benefit, pounds": net_benefit_at_budget(scores, for_money, cost, BUDGET, WORTH, person),
        "two programmes, one budget": gain_of_programmes(both, BUDGET, person),
        "two programmes over one": advantage_of_programmes(both, [one], BUDGET, person),
        "placebo": Estimate(float(placebo.mean()), clustered_error(placebo - placebo.mean(), person)),
    }


def main() -> None:
    """Count how often each 95 % interval holds the truth."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--replicates", type=int, default=1_500)
    arguments.add_argument("--people", type=int, default=3_000)
    chosen = arguments.parse_args()
    whole = world(TRUTH_PEOPLE, 0)
    true = whole, whole["benefit"], whole["second"], np.zeros(TRUTH_PEOPLE)
    truth = {name: made.value for name, made in estimates(*true).items()}
    held = []
    for seed in range(1, chosen.replicates + 1):
        told = world(chosen.people, seed)
        made = estimates(told, told["scores"], told["second scores"], told["placebo"])
        ends = {name: estimate.interval() for name, estimate in made.items()}
        held.append({name: low < truth[name] < high for name, (low, high) in ends.items()})
    table = Table("measure", "truth", "95 % intervals that hold it", title=f"{chosen.replicates} histories")
    for name, share in pd.DataFrame(held).mean().items():
        table.add_row(str(name), f"{truth[str(name)]:.4g}", f"{share:.1%}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
