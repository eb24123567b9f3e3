"""What a benefit costs on many people: seconds, CPU seconds and memory of `fit` and of predicting everybody.

    python -m benchmarks.benefit_scale [--people 1000000] [--features 100]

The relative shape of the test bed, with columns of pure noise added up to the number asked for.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
import pandas as pd

from benchmarks.benefit_measures import captured
from benchmarks.benefit_testbed import make
from models.benefit.estimator import BenefitEstimator


def main() -> None:
    """Fit, predict and print."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--people", type=int, default=1_000_000)
    arguments.add_argument("--features", type=int, default=100)
    chosen = arguments.parse_args()
    history = make("relative", chosen.people, 1)
    more = max(0, chosen.features - history.features.shape[1])
    noise = np.random.default_rng(1).normal(size=(chosen.people, more)).astype("float32")
    features = pd.concat([history.features, pd.DataFrame(noise, columns=[f"more_{i}" for i in range(more)])], axis=1)
    began, cpu = time.perf_counter(), time.process_time()
    estimator = BenefitEstimator().fit(features, history.treated, history.outcome)
    stated = estimator.predict(features)
    spent = time.perf_counter() - began, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(
        f"{chosen.people:,} people x {features.shape[1]} features: {spent[0]:.0f} s ({spent[1]:.0f} CPU s), peak memory of the "
        f"whole run {peak:.1f} GiB, captured at 2 % of those it learned from {captured(stated, history.benefit, 0.02):.2f}"
    )


if __name__ == "__main__":
    main()
