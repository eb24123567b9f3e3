"""Is a grade above `assumed` kept from histories that do not deserve it, and given to those that do? Shapes of the test bed.

    python -m benchmarks.benefit_grades [--people 50000] [--seeds 20] [--first 201] [--shapes "no effect" ...]

`hidden cause` is `confounded` with nobody drawn by lot. Where a grade is earned, the slope of the true benefit on what
is stated of 50,000 fresh people is printed: over those who could have been treated (overlap-weighted, as the grade asks
for), and over everybody. An oracle is told every chance and every benefit, and states these: what it is refused, no
learner can be sure of.
"""

from __future__ import annotations

import argparse
from collections import Counter

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.benefit_testbed import History as Made
from benchmarks.benefit_testbed import make
from casewell.settings import Benefit
from models.benefit.comparison import History
from models.benefit.estimator import BenefitEstimator
from models.benefit.evidence import Evidence, judge
from models.benefit.graded import graded
from models.benefit.judged import Judged

SHAPES = {
    "no effect": "no effect",
    "no overlap": "no overlap",
    "hidden cause": "confounded",
    "relative": "relative",
    "follows risk": "follows risk",
    "harm": "harm",
}
SHARE, FIRST_SEED, FRESH = 0.02, 201, 50_000


def told_everything(history: Made) -> Evidence:
    """Judge the truth itself as if it had been learned."""
    person = np.arange(len(history.treated))
    of = History(person, history.treated, history.outcome, history.propensity, history.risk_without, history.risk_with)
    level = np.full(len(person), history.placebo.mean())
    control = History(person, history.treated, history.placebo, history.propensity, level, level)
    orders = {"learned benefit": history.benefit, "risk": history.risk_without}
    everybody = np.ones(len(person), dtype=bool)
    return judge(Judged(of, control, history.features, orders, everybody, np.zeros(len(person))), SHARE, Benefit())


def true_slopes(history: Made, shape: str, seed: int) -> tuple[float, float]:
    """Return the slope of truth on what is stated of fresh people: overlap-weighted, and over everybody alike."""
    learned = BenefitEstimator().fit(history.features, history.treated, history.outcome)
    fresh = make(shape, FRESH, seed + 1_000_000)
    stated = learned.predict(fresh.features)
    overlap, alike = fresh.propensity * (1 - fresh.propensity), np.ones(FRESH)
    first, second = (np.polyfit(stated, fresh.benefit, 1, w=np.sqrt(weight))[0] for weight in (overlap, alike))
    return float(first), float(second)


def main() -> None:
    """Count the grades, the checks that failed, and how true the slopes are where a grade was earned."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--people", type=int, default=50_000)
    arguments.add_argument("--seeds", type=int, default=20)
    arguments.add_argument("--first", type=int, default=FIRST_SEED)
    arguments.add_argument("--shapes", nargs="+", choices=SHAPES, default=list(SHAPES))
    chosen = arguments.parse_args()
    heads = (
        "shape",
        "assumed",
        "checks that failed (seeds)",
        "said to harm",
        "true slopes where earned",
        "oracle assumed",
    )
    table = Table(*heads, title=f"{chosen.people:,} people, seeds from {chosen.first}", title_justify="left")
    for name in chosen.shapes:
        found, failed = Counter[str](), Counter[str]()
        slopes, oracle, harm = [], 0, 0
        for seed in range(chosen.first, chosen.first + chosen.seeds):
            history = make(SHAPES[name], chosen.people, seed)
            told = history.features, history.treated, history.outcome, history.placebo
            evidence = graded(BenefitEstimator(), *told, share=SHARE)
            found[evidence.grade] += 1
            failed.update(check.name for check in evidence.checks if not check.passed)
            harm += bool(evidence.harm)
            oracle += told_everything(history).grade == "assumed"
            Console(stderr=True, width=200).print(f"{name}, seed {seed}: {evidence.grade}. {evidence.sentence()}")
            if evidence.grade != "assumed":
                slopes.append("{:.2f} ({:.2f})".format(*true_slopes(history, SHAPES[name], seed)))
        said = ", ".join(f"{check} {times}" for check, times in failed.most_common())
        counted = f"{found['assumed']} of {chosen.seeds}"
        table.add_row(name, counted, said, str(harm), ", ".join(slopes), f"{oracle} of {chosen.seeds}")
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
