"""Do the intervals of the evaluation page hold the truth as often as they say? 200 made-up tests of one model.

    python -m benchmarks.risk_coverage [--replicates 200] [--people 10000]

Each person is tested on three months and is as frail in all of them, so that rows are not alone; the model sees frailty
dimly, is too sure of itself, and too high for everybody. Truth is the same figure of 400,000 other people. The integrated calibration index
of few people lies above the truth by chance (it is a mean of distances), and so do its intervals.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.special import expit

from models.evaluation.evaluate import evaluate

SHARE, MONTHS, TRUTH_PEOPLE = 0.02, 3, 400_000


def tested(people: int, seed: int) -> pd.DataFrame:
    """Return `models.tables.TEST_PREDICTIONS` but for need, of people whom a model sees dimly."""
    random = np.random.default_rng(seed)
    frailty = np.repeat(random.normal(size=people), MONTHS)
    odds = -3.2 + frailty + random.normal(0, 0.3, people * MONTHS)
    seen = np.repeat(random.normal(0, 0.6, people), MONTHS)
    # The best guess of frailty from what is seen of it, then stretched by a tenth, and raised for everybody.
    guess = (frailty + seen) / (1 + 0.6**2)
    return pd.DataFrame(
        {
            "index_date": np.tile(pd.date_range("2025-01-01", periods=MONTHS, freq="MS"), people),
            "person_id": np.repeat(np.arange(people), MONTHS),
            "risk": np.minimum(1.05 * expit(-3.0 + 1.1 * guess), 0.999),
            "outcome": random.random(people * MONTHS) < expit(odds),
        }
    )


def main() -> None:
    """Count how often each 95 % interval holds the truth."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--replicates", type=int, default=200)
    arguments.add_argument("--people", type=int, default=10_000)
    chosen = arguments.parse_args()
    truth = evaluate(tested(TRUTH_PEOPLE, 0), SHARE, 0, draws=1).set_index("measure")["value"]
    truth = truth.drop("share_at_capacity")  # the places there are, whoever is tested
    held = []
    for seed in track(range(1, chosen.replicates + 1), "Tests"):
        made = evaluate(tested(chosen.people, seed), SHARE, seed).set_index("measure").loc[truth.index]
        held.append((made["low"] <= truth) & (truth <= made["high"]))
    table = Table("measure", "truth", "95 % intervals that hold it", title=f"{chosen.replicates} tests")
    for name, share in pd.DataFrame(held).mean().items():
        table.add_row(str(name), f"{truth[str(name)]:.4f}", f"{share:.1%}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
