"""Is a grade above `assumed` kept from histories that do not deserve it? Seed by seed, on shapes of the test bed.

    python -m benchmarks.benefit_grades [--people 50000] [--seeds 20] [--shapes "no effect" ...]

Half the people are learned from, the other half judge. `hidden cause` is `confounded` with nobody drawn by lot.
"""

from __future__ import annotations

import argparse
from collections import Counter

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.benefit_testbed import make
from models.benefit.estimator import BenefitEstimator
from models.benefit.evidence import Evidence, not_learnable
from models.benefit.graded import graded
from models.benefit.requirements import BenefitInputError

SHAPES = {"no effect": "no effect", "no overlap": "no overlap", "hidden cause": "confounded", "relative": "relative"}
SHARE, FIRST_SEED = 0.02, 201


def grade(shape: str, people: int, seed: int) -> Evidence:
    """Learn from the first half of a history, and return what the second half says of it."""
    history = make(shape, people, seed)
    first = np.arange(people) < people // 2
    try:
        learned = BenefitEstimator().fit(history.features[first], history.treated[first], history.outcome[first])
    except BenefitInputError as refusal:
        return not_learnable(str(refusal))
    told = history.features[~first], history.treated[~first], history.outcome[~first], history.placebo[~first]
    return graded(learned, *told, share=SHARE)


def main() -> None:
    """Count the grades and the checks that failed."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--people", type=int, default=50_000)
    arguments.add_argument("--seeds", type=int, default=20)
    arguments.add_argument("--shapes", nargs="+", choices=SHAPES, default=list(SHAPES))
    chosen = arguments.parse_args()
    table = Table("shape", "assumed", "checks that failed (seeds)", title=f"{chosen.people:,} people, half to judge by")
    for name in chosen.shapes:
        found = [grade(SHAPES[name], chosen.people, FIRST_SEED + seed) for seed in range(chosen.seeds)]
        failed = Counter(check.name for one in found for check in one.checks if not check.passed)
        assumed = sum(one.grade == "assumed" for one in found)
        said = ", ".join(f"{check} {times}" for check, times in failed.most_common())
        table.add_row(name, f"{assumed} of {len(found)}", said)
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
