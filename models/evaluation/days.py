"""How good expected days are, on months that came after everything they were learned from."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from models.evaluation.by_group import quantiles
from models.evaluation.figures import at_capacity

MEASURES = ("observed_over_expected", "mean_absolute_error", "explained", "rank_correlation", "days_at_capacity")


def evaluate_days(test: pd.DataFrame, share: float, seed: int, draws: int = 200) -> pd.DataFrame:
    """Measure expected days against those that were, everybody together.

    Parameters
    ----------
    test : DataFrame
        `person_id`, `days` (expected), `outcome` (those that were).
    share : places as a share of people
    draws : bootstrap draws, of people rather than rows

    Returns
    -------
    DataFrame
        `measure`, `value`, `low`, `high` (95 %, over people): `observed_over_expected`, `mean_absolute_error` (days),
        `explained` (share of the variance), `rank_correlation` (Spearman), `days_at_capacity` (mean days that were, among
        the `share` of people with the most expected).
    """
    expected, seen = test["days"].to_numpy("float64"), test["outcome"].to_numpy("float64")
    chosen = at_capacity(expected, share)
    ranks = rankdata(expected), rankdata(seen)
    people, whose = np.unique(test["person_id"].to_numpy(), return_inverse=True)
    random = np.random.default_rng(seed)
    weights = [np.ones(len(test)), *(random.poisson(1.0, len(people))[whose].astype("float64") for _ in range(draws))]
    drawn = np.array([_figures(expected, seen, chosen, ranks, weight) for weight in weights])
    low, high = quantiles(drawn[1:])
    return pd.DataFrame({"measure": MEASURES, "value": drawn[0], "low": low, "high": high})


def _figures(
    expected: np.ndarray,
    seen: np.ndarray,
    chosen: np.ndarray,
    ranks: tuple[np.ndarray, np.ndarray],
    weight: np.ndarray,
) -> tuple[float, ...]:
    def mean(values: np.ndarray, of: np.ndarray = weight) -> float:
        return float(np.average(values, weights=of))

    # Of few people a draw may hold nobody within capacity.
    places = weight * chosen
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = mean((seen - mean(seen)) ** 2)
        one, other = (rank - mean(rank) for rank in ranks)
        return (
            mean(seen) / mean(expected),
            mean(np.abs(seen - expected)),
            1 - mean((seen - expected) ** 2) / spread,
            mean(one * other) / np.sqrt(mean(one**2) * mean(other**2)),
            mean(seen, places) if places.any() else np.nan,
        )
