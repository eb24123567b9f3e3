"""Who is asked for on which day, laid on the disk in the order of the matrix: memory holds a piece of it at a time.

Training asks for everybody on a dozen days. Held as a table, that would be most of what features need.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import duckdb
import numpy as np
import pandas as pd
from pyarrow import parquet, types

from casewell import doors
from casewell.errors import SourceError
from features.scratch import connect
from features.tables import POPULATION

ROWS_AT_ONCE = 1 << 18
# Narrow ranges of pseudonyms, which are spread evenly over 63 bits; those below zero are in the first.
GRID = 4096
BITS_IN_RANGE = 51


@dataclass(frozen=True)
class Population:
    """A population in a file of pseudonyms, sorted by index date and pseudonym.

    Attributes
    ----------
    dates
        Its index dates (datetime64[us]), rising.
    counts
        Rows on each date (rows) in each range of pseudonyms (columns, `GRID` of them).
    people
        Different people in it.
    """

    path: Path
    dates: np.ndarray
    counts: np.ndarray
    people: int

    @property
    def rows(self) -> int:
        """All rows."""
        return int(self.counts.sum())

    def edges(self) -> np.ndarray:
        """Return, for each date, at which row each range of pseudonyms begins, and where the last ends."""
        ends = np.cumsum(self.counts, axis=1)
        begins = np.concatenate([[0], np.cumsum(ends[:, -1])[:-1]]) if len(self.dates) else np.empty(0, dtype=np.int64)
        return np.hstack([np.zeros((len(self.dates), 1), dtype=np.int64), ends]) + begins[:, None]

    def pseudonyms(self, first: int, last: int) -> np.ndarray:
        """Read whose the rows [first, last) are."""
        return np.fromfile(self.path, np.int64, last - first, offset=first * np.dtype(np.int64).itemsize)

    def by_date(self) -> Iterator[tuple[pd.Timestamp, Iterator[np.ndarray]]]:
        """Give each index date with the pseudonyms asked for on it, some at a time."""
        for date, edge in zip(self.dates, self.edges(), strict=True):
            starts = range(int(edge[0]), int(edge[-1]), ROWS_AT_ONCE)
            some = (self.pseudonyms(first, min(first + ROWS_AT_ONCE, int(edge[-1]))) for first in starts)
            yield pd.Timestamp(date), some


def lay_out(population: pd.DataFrame | Path, folder: Path) -> Population:
    """Check a population and lay it on the disk.

    Parameters
    ----------
    population
        `features.tables.POPULATION` in any order, as a table, or better, if it is large, as a Parquet file: of that
        only index_date and person_id are read, never all at once.
    folder
        Where to work; it should be private.

    Raises
    ------
    SourceError
        The population breaks its contract.
    """
    told = population if isinstance(population, Path) else doors.write(population, POPULATION, folder / "asked.parquet")
    _check_types(told)
    path = folder / "asked"
    with connect(folder) as connection, path.open("wb") as file:
        connection.read_parquet(str(told)).create_view("told")
        _check_values(connection)
        dates = np.array(
            [date for (date,) in connection.execute("SELECT DISTINCT index_date FROM told ORDER BY 1").fetchall()],
            dtype="datetime64[us]",
        )
        laid = [_lay_out_day(connection, date, file) for date in dates]
        people = connection.execute("SELECT count(DISTINCT person_id) FROM told").fetchall()[0][0]
    if repeated := sum(again for _, again in laid):
        raise SourceError([f"table 'population': {repeated:,} row(s) ask for a person twice on one index date"])
    counts = np.array([rows for rows, _ in laid], dtype=np.int64).reshape(-1, GRID)
    return Population(path, dates, counts, people)


def _lay_out_day(connection: duckdb.DuckDBPyConnection, date: np.datetime64, file: BinaryIO) -> tuple[np.ndarray, int]:
    """Append the pseudonyms of a date; return how many lie in each range, and how many repeat the one before."""
    counts, repeated, last = np.zeros(GRID, dtype=np.int64), 0, np.empty(0, dtype=np.int64)
    for person in _on_day(connection, date):
        person.tofile(file)
        counts += np.bincount(np.maximum(person, 0) >> BITS_IN_RANGE, minlength=GRID)
        repeated += int((np.diff(np.concatenate([last, person])) == 0).sum())
        last = person[-1:]
    return counts, repeated


def _on_day(connection: duckdb.DuckDBPyConnection, date: np.datetime64) -> Iterator[np.ndarray]:
    query = "SELECT CAST(person_id AS BIGINT) AS person_id FROM told WHERE index_date = $day ORDER BY 1"
    reader = connection.sql(query, params={"day": date.astype(object)}).to_arrow_reader(ROWS_AT_ONCE)
    return (batch["person_id"].to_numpy() for batch in reader if batch.num_rows)


def _check_types(path: Path) -> None:
    schema = parquet.read_schema(path)
    problems = [f"missing column {name!r}" for name in POPULATION.columns if name not in schema.names]
    if not problems:
        date, person = schema.field("index_date").type, schema.field("person_id").type
        if not (types.is_date(date) or (types.is_timestamp(date) and date.tz is None)):
            problems.append(f"column 'index_date' is {date}, where a date is needed, without a time zone")
        if not types.is_integer(person):
            problems.append(f"column 'person_id' is {person}, where a whole number is needed")
    if problems:
        raise SourceError([f"table 'population': {problem}" for problem in problems])


def _check_values(connection: duckdb.DuckDBPyConnection) -> None:
    bad = connection.execute(
        """SELECT count(*) FILTER (index_date IS NULL), count(*) FILTER (person_id IS NULL),
        count(*) FILTER (index_date <> date_trunc('day', index_date)) FROM told"""
    ).fetchall()[0]
    said = (
        "have no index_date",
        "have no person_id",
        "have an index_date with a time of day, where a midnight is needed",
    )
    if any(bad):
        problems = [f"table 'population': {rows:,} row(s) {what}" for rows, what in zip(bad, said, strict=True) if rows]
        raise SourceError(problems)
