"""Small cells lend each other strength: shares of places against need where groups are many and small.

Places of a cell are taken to be Poisson around `theta` times what its need would bring; the cells' `theta` come from one
gamma distribution with mean 1, whose spread is that of the cells themselves (Clayton and Kaldor, Biometrics 1987; the
spread by maximum likelihood of the negative binomial). A cell with little need moves to 1, one with much stays where
it was measured. Nothing here decides the gate.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import optimize, special, stats

WIDEST, NARROWEST = -4.0, 10.0
"""Bounds of the logarithm of the gamma's shape: at the upper end all cells are alike."""

COLUMNS = ["grouping", "group", "people", "places", "high_need", "expected", "raw", "pooled", "low", "high"]


def pooled_rows(people: pd.DataFrame, grouping: str, level: float) -> pd.DataFrame:
    """Return one row for each cell of a grouping in `COLUMNS`, exact counts.

    Parameters
    ----------
    people
        One row per eligible person: the grouping's label, `listed`, `high_need`.
    level
        Confidence of `low` and `high`, the posterior interval of `pooled`, which estimates the ratio of the cell's share
        of places to its share of high need.
    """
    cells = people.groupby(grouping, sort=True).agg(
        people=("listed", "size"), places=("listed", "sum"), high_need=("high_need", "sum")
    )
    total = cells["places"].sum(), cells["high_need"].sum()
    if not all(total):
        return pd.DataFrame({name: pd.Series(dtype="float64") for name in COLUMNS})
    expected = cells["high_need"] * (total[0] / total[1])
    shape = _shape(cells["places"].to_numpy("float64"), expected.to_numpy("float64"))
    posterior = stats.gamma(cells["places"] + shape, scale=1 / (expected + shape))
    tail = (1 - level) / 2
    return (
        cells.assign(
            grouping=grouping,
            expected=expected,
            raw=cells["places"] / expected.where(expected > 0),
            pooled=posterior.mean(),
            low=posterior.ppf(tail),
            high=posterior.ppf(1 - tail),
        )
        .rename_axis("group")
        .reset_index()[COLUMNS]
    )


def _shape(places: np.ndarray, expected: np.ndarray) -> float:
    def unlikely(logarithm: float) -> float:
        a = np.exp(logarithm)
        likely = special.gammaln(places + a) - special.gammaln(a) + a * np.log(a) - (places + a) * np.log(expected + a)
        return -float(likely.sum())

    return float(np.exp(optimize.minimize_scalar(unlikely, bounds=(WIDEST, NARROWEST), method="bounded").x))
