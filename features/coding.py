"""Events as whole numbers: what the feature kernel needs of an event, and nothing else.

Days are counted from 1970. `known` is the day on which an event became known and `until` the day on which a
later version replaced it: it is visible at an index date D when day < D, known < D and until >= D. That a moment
lies before a midnight is the same as that its day does, so nothing is lost by keeping days.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import pandas as pd
import pyarrow
from pyarrow import parquet

from casewell.errors import SourceError
from features.code_groups import map_codes
from features.compiled import compiled
from features.feature import LARGEST_USABLE_VALUE

NEVER = np.iinfo(np.int32).max  # as `until`: not replaced; as `end`: not ended
NO_VALUE = np.iinfo(np.int64).max
MILLIONTHS = 1_000_000
DAY_US = 86_400_000_000
BATCH_ROWS = 1 << 19
COLUMNS = ("subject_id", "time", "known_at", "known_until", "code", "numeric_value", "end")


class Events(NamedTuple):
    """Coded events, one element a row: int64 person and value, int32 for the rest."""

    person: np.ndarray
    code: np.ndarray
    day: np.ndarray
    known: np.ndarray
    until: np.ndarray
    end: np.ndarray
    value: np.ndarray


class NotSortedError(Exception):
    """The events are not in the order (person, time), in which `records` writes them."""


def files_of(events: Path) -> list[Path]:
    """Return the files of a table of events: itself, or those of a folder of months `YYYY-MM.parquet`.

    Raises
    ------
    SourceError
        The folder holds no month, or a file lacks a column; events without `known_until`, say, would be seen after
        they were replaced.
    """
    paths = sorted(events.glob("*.parquet")) if events.is_dir() else [events]
    if not paths:
        raise SourceError(["events: the folder holds no month"], "Build records anew.")
    present = set.intersection(*(set(parquet.read_schema(path).names) for path in paths))
    absent = [name for name in COLUMNS if name not in present]
    if absent:
        raise SourceError(
            [f"table 'events': missing column {name!r}" for name in absent],
            "docs/reference/tables.md says what each column holds; link the records anew.",
        )
    return paths


def known_between(events: Path) -> tuple[pd.Timestamp, pd.Timestamp] | None:
    """Return the first and the last moment at which an event became known; None without any event."""
    with _connect() as connection:
        query = "SELECT min(known_at), max(known_at) FROM read_parquet($paths)"
        told = connection.execute(query, {"paths": [str(path) for path in files_of(events)]}).fetchone()
    return (pd.Timestamp(told[0]), pd.Timestamp(told[1])) if told and told[0] else None


def used_codes(path: Path, code_groups: pd.DataFrame) -> list[str]:
    """Return the codes of a file of events that belong to any of the groups, sorted: a code's number is its place."""
    with _connect() as connection:
        query = "SELECT DISTINCT code FROM read_parquet($path) WHERE code IS NOT NULL"
        told = connection.sql(query, params={"path": str(path)}).fetchall()
    return sorted(set(map_codes([code for (code,) in told], code_groups)["code"]))


def read_coded(path: Path, codes: list[str]) -> Iterator[Events]:
    """Read the events of these codes, batch by batch, in the file's order.

    Raises
    ------
    NotSortedError
        The file is not sorted; `read_sorted` reads it.
    """
    yield from _coded(_batches(path), codes)


def read_sorted(path: Path, codes: list[str]) -> Iterator[Events]:
    """Read events of a file in any order, sorted: the same as `read_coded` if it had been sorted."""
    chosen = ", ".join(f'"{name}"' for name in COLUMNS)
    # Every column has its turn, so that the order of the rows cannot tell.
    query = f'SELECT {chosen} FROM read_parquet($path) ORDER BY "subject_id", "time", {chosen}'
    with (
        tempfile.TemporaryDirectory(prefix="casewell-features-") as folder,
        _connect(memory_limit="1500MB", temp_directory=folder) as connection,
    ):
        rows = connection.sql(query, params={"path": str(path)})
        yield from _coded(rows.to_arrow_reader(BATCH_ROWS), codes)


def _connect(**more: str) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 2, **more})
    connection.execute("SET enable_progress_bar = false")  # steps are told in words, by whoever asks for them
    return connection


def _batches(path: Path) -> Iterator[pyarrow.RecordBatch]:
    # What is buffered ahead is held until the file is closed, so that memory would grow with the file.
    with parquet.ParquetFile(path, read_dictionary=["code"], pre_buffer=False) as file:
        yield from file.iter_batches(BATCH_ROWS, columns=list(COLUMNS), use_threads=False)


def _coded(batches: Iterator[pyarrow.RecordBatch], codes: list[str]) -> Iterator[Events]:
    numbers = {code: number for number, code in enumerate(codes)}
    before = (np.iinfo(np.int64).min,) * 2
    for batch in batches:
        out = _room(batch.num_rows)
        person, time = batch["subject_id"].to_numpy(), _moments(batch, "time")
        sorted_so_far, *before = _in_order(person, time, *before, NO_VALUE)
        if not sorted_so_far:
            raise NotSortedError
        rows = _encode(
            person,
            time,
            _moments(batch, "known_at"),
            _moments(batch, "known_until"),
            _moments(batch, "end"),
            batch["numeric_value"].fill_null(float("nan")).to_numpy(),
            *_numbered(batch["code"], numbers),
            LARGEST_USABLE_VALUE,
            out,
        )
        yield Events(*(column[:rows] for column in out))


def _room(rows: int) -> Events:
    wide = ("person", "value")
    return Events(**{name: np.empty(rows, np.int64 if name in wide else np.int32) for name in Events._fields})


def _moments(batch: pyarrow.RecordBatch, name: str) -> np.ndarray:
    """Microseconds since 1970, NO_VALUE where missing."""
    return batch[name].cast(pyarrow.timestamp("us")).view(pyarrow.int64()).fill_null(NO_VALUE).to_numpy()


def _numbered(codes: pyarrow.Array, numbers: dict[str, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return each row's place in a list of numbers, in which -1 is an unused code, as is the last, for no code."""
    if not pyarrow.types.is_dictionary(codes.type):
        codes = codes.dictionary_encode()
    listed = [numbers.get(code, -1) for code in codes.dictionary.to_pylist()]
    return codes.indices.fill_null(len(listed)).to_numpy(), np.array([*listed, -1], dtype=np.int32)


@compiled
def _in_order(person, time, last_person, last_time, missing):  # type: ignore[no-untyped-def]
    """Say whether rows with a time go on from the last in order, and which is the last now."""
    for row in range(len(person)):
        if time[row] == missing:
            continue
        if person[row] < last_person or (person[row] == last_person and time[row] < last_time):
            return False, last_person, last_time
        last_person, last_time = person[row], time[row]
    return True, last_person, last_time


@compiled
def _encode(person, time, known, until, end, value, place, numbers, limit, out):  # type: ignore[no-untyped-def]
    people, codes, days, knowns, untils, ends, values = out
    rows = 0
    for row in range(len(person)):
        code = numbers[place[row]]
        if code < 0 or time[row] == NO_VALUE or known[row] == NO_VALUE:
            continue
        people[rows] = person[row]
        codes[rows] = code
        days[rows] = time[row] // DAY_US
        knowns[rows] = known[row] // DAY_US
        untils[rows] = NEVER if until[row] == NO_VALUE else until[row] // DAY_US
        ends[rows] = NEVER if end[row] == NO_VALUE else end[row] // DAY_US
        usable = abs(value[row]) < limit  # which a missing value is not
        values[rows] = np.int64(np.rint(value[row] * MILLIONTHS)) if usable else NO_VALUE
        rows += 1
    return rows
