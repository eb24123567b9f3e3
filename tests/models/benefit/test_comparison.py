"""How far apart the arms are, feature by feature."""

import tracemalloc

import numpy as np
import pandas as pd

from models.benefit.comparison import imbalance


def test_what_is_missing_counts_as_average_and_what_never_varies_as_alike():
    treated = np.array([True, True, False, False])
    matrix = pd.DataFrame(
        {
            "apart": [3.0, 1.0, 1.0, 1.0],
            "gappy": [2.0, np.nan, 2.0, 2.0],
            "nothing": [np.nan] * 4,
            "constant": [7.0] * 4,
        }
    )

    apart = imbalance(matrix, treated, np.array([0.5, 0.75, 0.5, 0.5]))

    # Overlap weights 0.5 and 0.25 put the treated at 7/3; half the treated arm's variance of 1 is the squared spread.
    assert np.isclose(apart["apart"], (7 / 3 - 1) / np.sqrt(0.5))
    assert (apart[["gappy", "nothing", "constant"]] == 0).all()


def test_a_table_of_many_features_is_not_copied_to_compare_the_arms():
    random = np.random.default_rng(5)
    matrix = pd.DataFrame(random.random((20_000, 60), dtype="float32"))
    treated = random.random(20_000) < 0.1

    tracemalloc.start()
    imbalance(matrix, treated, np.full(20_000, 0.1))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < matrix.memory_usage().sum() / 2
