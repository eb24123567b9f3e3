"""The methods that `benchmarks.features` measures, each in a process of its own."""

from __future__ import annotations

import multiprocessing
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow
from pyarrow import parquet

from benchmarks import feature_events as made_up
from features import CATALOGUE, build, store
from features.feature import LIVING, STATIC
from features.from_events import describe
from features.pieces import Pieces
from features.population import lay_out
from features.writing import replaced, write_piece

FLOOR, STORE, WEEK = "floor: DuckDB reads and counts", "store, made at once", "its refresh for a week of 2 % news"
WHOLE = "whole build: store, twelve dates, people, homes"
ONE, TWELVE = "matrix from it, one date", "matrix from it, twelve dates"
PANDAS, MEDS_TAB = "pandas, wide, one date", "MEDS-Tab 0.2.0, its nearest task"
MEDS_TAB_STOPPED = f"{MEDS_TAB}: stopped, unfinished"
MONTHS, NOTHING_NEW, AGAIN = (
    "store in periods, made at once",
    "its refresh when nothing is new",
    "made at once with that week",
)


def write_population(number: int, dates: int, folder: Path) -> Path:
    """Write everybody on each of so many index dates, 30 days apart, as a file that is read range by range."""
    days, path = made_up.AS_OF - 30 * np.arange(dates)[::-1], folder / f"population-{dates}.parquet"
    index_date = np.repeat(days, number).astype("datetime64[us]")
    table = pyarrow.table({"index_date": index_date, "person_id": np.tile(made_up.people(number), dates)})
    parquet.write_table(table, path, row_group_size=1 << 17)
    return path


def make_store(events: Path, folder: Path) -> None:
    """Make the store from nothing, or bring it up to date."""
    store.refresh(events, folder, made_up.code_groups())


def matrix(events: Path, folder: Path, population: Path, out: Path) -> None:
    """Make all features from a store that is there, and write them as `features.build` does."""
    coded = store.refresh(events, folder, made_up.code_groups())
    declared = made_up.features()
    with tempfile.TemporaryDirectory() as scratch, replaced(out) as partial:
        pieces = Pieces(lay_out(population, Path(scratch)), len(declared))
        for piece, values in describe(pieces, coded, declared, made_up.code_groups()):
            write_piece(partial, piece, {one.name: column for one, column in zip(declared, values, strict=True)})
    shutil.rmtree(out)


def whole(folder: Path, population: Path) -> None:
    """Make everything with `features.build` itself: the store, the features of events, of people and of their homes."""
    # The made-up codes are in no group of the catalogue's.
    sys.modules["features.build"].load_code_groups = made_up.code_groups  # type: ignore[attr-defined]
    own = [feature for feature in CATALOGUE if feature.aggregation in STATIC + LIVING]
    events, people, residences, out = (
        folder / f"{name}.parquet" for name in ("events", "people", "residences", "matrix")
    )
    shutil.rmtree(folder / "coded_events", ignore_errors=True)
    build(population, events, people, residences, out, [*made_up.features(), *own])
    shutil.rmtree(out)


def measured(method: Callable[..., None], *told: object) -> tuple[float, float]:
    """Run a method in a process of its own; return its CPU-seconds, children included, and peak memory in GiB."""
    receive, send = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(target=_run, args=(send, method, told))
    process.start()
    send.close()
    try:
        answer: tuple[float, float] = receive.recv()
    except EOFError:
        raise RuntimeError(f"{method.__name__} failed") from None
    finally:
        process.join()
    return answer


def _run(send, method: Callable[..., None], told: tuple[object, ...]) -> None:  # type: ignore[no-untyped-def]
    with tempfile.TemporaryDirectory() as folder:  # loads the machine code, and DuckDB
        small = made_up.write_events(20, Path(folder) / "events.parquet")
        matrix(small, Path(folder) / "store", write_population(20, 2, Path(folder)), Path(folder) / "matrix")
    began = time.process_time()
    method(*told)
    seconds = time.process_time() - began
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    # The kernel's own count of this process; getrusage would give the parent's, if that held more.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    own = int(status["VmHWM"].split()[0]) / 2**20
    held = max(own, children.ru_maxrss / 2**20) if children.ru_utime else own
    send.send((seconds + children.ru_utime + children.ru_stime, held))
