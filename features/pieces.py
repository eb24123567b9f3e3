"""Cut the population into pieces that fit in memory: some people each, with all their index dates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

# Cells of the matrix in a piece: 256 MiB of float32, however many people, dates and features there are. In smaller ones
# the cost of each column of each file (20 microseconds) would outgrow that of its cells.
CELLS = 1 << 26
# Narrow ranges of pseudonyms, which are spread evenly over 63 bits; those below zero are in the first. A piece is a
# run of them: it is never cut finer.
GRID = 4096
BOUNDS = np.append(np.iinfo(np.int64).min, np.arange(1, GRID, dtype=np.int64) << 51)


@dataclass(frozen=True)
class Piece:
    """The people of a range of pseudonyms: `rows`, of the population, are those of each date one after the other."""

    number: int
    rows: np.ndarray
    index_date: np.ndarray
    person: np.ndarray

    @property
    def day(self) -> np.ndarray:
        """Days from 1970 to the index date of each row."""
        return self.index_date.astype("datetime64[D]").astype(np.int64)

    def by_date(self) -> Iterator[tuple[np.datetime64, slice]]:
        """Give each index date with the places of its rows in the piece."""
        for date in np.unique(self.index_date):
            yield date, slice(*np.searchsorted(self.index_date, [date, date + 1]))


@dataclass(frozen=True)
class Pieces:
    """The pieces of a population sorted by index_date and person_id, for so many features; equal ones are cut alike."""

    rows: pd.DataFrame
    features: int

    def __iter__(self) -> Iterator[Piece]:
        """Give the pieces in order of pseudonym; none if there is nobody."""
        if self.rows.empty:
            return
        index_date, person = self.rows["index_date"].to_numpy(), self.rows["person_id"].to_numpy()
        starts = np.searchsorted(index_date, np.unique(index_date))
        edges = np.array(
            [
                np.append(first + np.searchsorted(person[first:last], BOUNDS), last)
                for first, last in zip(starts, [*starts[1:], len(person)], strict=True)
            ]
        )
        runs = _runs(np.diff(edges, axis=1).sum(axis=0), max(CELLS // max(self.features, 1), 1))
        for number, (begin, end) in enumerate(runs):
            rows = np.concatenate([np.arange(edge[begin], edge[end]) for edge in edges])
            yield Piece(number, rows, index_date[rows], person[rows])


def _runs(sizes: np.ndarray, limit: int) -> Iterator[tuple[int, int]]:
    """Join neighbours as long as they stay within the limit; leave out a run without anything."""
    begin, total = 0, 0
    for place, size in enumerate(sizes.tolist()):
        if total and total + size > limit:
            yield begin, place
            begin, total = place, 0
        total += size
    if total:
        yield begin, len(sizes)
