"""Cut the population into pieces that fit in memory: some people each, with all their index dates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from features.population import Population

# Cells of the matrix in a piece: 256 MiB of float32, however many people, dates and features there are. In smaller ones
# the cost of each column of each file (20 microseconds) would outgrow that of its cells.
CELLS = 1 << 26


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
    """The pieces of a population for so many features; a piece is a run of the population's ranges of pseudonyms."""

    population: Population
    features: int

    @property
    def largest(self) -> int:
        """Rows of the largest piece."""
        sizes = self.population.counts.sum(axis=0)
        return max((int(sizes[begin:end].sum()) for begin, end in self._runs()), default=0)

    def _runs(self) -> Iterator[tuple[int, int]]:
        return _runs(self.population.counts.sum(axis=0), max(CELLS // max(self.features, 1), 1))

    def __iter__(self) -> Iterator[Piece]:
        """Give the pieces in order of pseudonym; none if there is nobody."""
        edges = self.population.edges()
        for number, (begin, end) in enumerate(self._runs()):
            spans = edges[:, [begin, end]].tolist()
            yield Piece(
                number,
                np.concatenate([np.arange(first, last) for first, last in spans]),
                np.repeat(self.population.dates, [last - first for first, last in spans]),
                np.concatenate([self.population.pseudonyms(first, last) for first, last in spans]),
            )


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
