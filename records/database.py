"""The working database of a run: on the disk, so that sources may be larger than memory.

It holds people's records: it lies in a folder that only its owner can open (`records/copies.py`), on the disk that
the environment's TMPDIR names, and is gone when the run ends. Tables in it are compressed; what a sort or a join
cannot hold in memory goes to the same folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import pyarrow

from records.copies import Copy
from records.reading import OFFLINE

# What the database may hold in memory, in MiB, on a machine that has twice as much or more.
MEMORY = 3072


@contextmanager
def working_database(memory: int = MEMORY) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an empty database on the disk that lasts as long as the block.

    Parameters
    ----------
    memory
        The most it may hold in memory, in MiB; never more than half of the machine's.
    """
    folder = Copy()
    try:
        with duckdb.connect(str(folder.path / "work.duckdb"), config=_config(folder, memory)) as con:
            con.execute("SET enable_progress_bar = false")  # steps are told in words, by whoever asks for them
            yield con
    finally:
        folder.remove()


def batches(con: duckdb.DuckDBPyConnection, queries: Iterable[str]) -> Iterator[pyarrow.RecordBatch]:
    """Return the rows of queries, one query after the other, a batch at a time."""
    for query in queries:
        yield from con.sql(query).to_arrow_reader()


def _config(folder: Copy, memory: int) -> dict[str, Any]:
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    return {
        **OFFLINE,
        "memory_limit": f"{min(memory, machine // 2)}MiB",
        "temp_directory": str(folder.path / "spilled"),
    }
