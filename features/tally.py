"""How often each value of a feature occurs, and what follows from it: quantiles, and bins to compare by.

Counting the distinct values once answers everything a profile asks, whatever the number of rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow
from pyarrow import compute

TENTHS = 10


@dataclass(frozen=True)
class Tally:
    """Distinct finite values, sorted, the rows that have each, and the rows that have none.

    A value that is not finite counts as missing: `features.build` writes a missing value as NaN.
    """

    values: np.ndarray
    counts: np.ndarray
    missing: int

    @property
    def present(self) -> int:
        """Rows with a value."""
        return int(self.counts.sum())

    @property
    def rows(self) -> int:
        """All rows."""
        return self.present + self.missing

    @property
    def zeros(self) -> int:
        """Rows whose value is exactly 0."""
        return int(self.counts[self.values == 0].sum())

    def ranked(self, rank: int) -> float:
        """Return the value of a rank: 1 is the smallest of all rows with a value, `present` the largest."""
        return float(self.values[np.searchsorted(np.cumsum(self.counts), rank, side="left")])


def tally(column: pyarrow.ChunkedArray) -> Tally:
    """Count the distinct values of a column."""
    counted = compute.value_counts(column)
    values = counted.field("values").cast(pyarrow.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False)
    counts = counted.field("counts").to_numpy(zero_copy_only=False)
    finite = np.isfinite(values)
    # Once more: 0 and -0 are one value.
    distinct, place = np.unique(values[finite], return_inverse=True)
    rows = np.bincount(place, weights=counts[finite], minlength=len(distinct)).astype(np.int64)
    return Tally(distinct, rows, int(counts[~finite].sum()))


def edges(found: Tally, fewest: float) -> np.ndarray:
    """Return the inner edges of bins for a feature, rising: about a tenth of the rows each, and at least `fewest` rows.

    A value goes into the tenth in which the middle of its rows lies, so that a value that most people share (none,
    as a rule) has a bin of its own and the rest are told apart. An edge lies halfway between two values: it is
    nobody's own. A bin with fewer rows than `fewest` joins the smaller of its neighbours.
    """
    if not found.present:
        return np.empty(0)
    middle = (np.cumsum(found.counts) - found.counts / 2) / found.present
    tenth = np.minimum((middle * TENTHS).astype(int), TENTHS - 1)
    begins = np.flatnonzero(np.diff(tenth, prepend=-1))
    sizes = np.add.reduceat(found.counts, begins).tolist()
    kept = begins.tolist()
    while len(sizes) > 1 and min(sizes) < fewest:
        small = sizes.index(min(sizes))
        is_last = small == len(sizes) - 1
        joins = small if is_last or (small and sizes[small - 1] <= sizes[small + 1]) else small + 1
        sizes[joins - 1] += sizes.pop(joins)
        del kept[joins]
    inner = np.array(kept[1:], dtype=int)
    return (found.values[inner - 1] + found.values[inner]) / 2 if len(inner) else np.empty(0)


def in_bins(found: Tally, inner: np.ndarray) -> np.ndarray:
    """Return the rows without a value, then the rows of each bin that these inner edges bound."""
    place = np.searchsorted(inner, found.values, side="left")
    rows = np.bincount(place, weights=found.counts, minlength=len(inner) + 1)
    return np.concatenate([[found.missing], rows])


def coarse(rows: int, of: int, fewest: float) -> float:
    """Return rows as a share of all; 0 or 1 where fewer than `fewest` would make the difference."""
    if not of or rows < fewest:
        return 0.0
    return 1.0 if of - rows < fewest else rows / of
