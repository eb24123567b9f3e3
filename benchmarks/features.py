"""How much work features are, beside what else could make them, in CPU-seconds of one run.

    python -m benchmarks.features [--people 20000 100000] [--no-peers] [--no-week] [--folder FOLDER]

Each method runs in a process of its own, after the machine code has been loaded (Linux only). `floor` is DuckDB that
reads the events and counts them by group, which a query engine can hope for. MEDS-Tab is installed in an environment of
its own and runs for at most 20,000 people, with its nearest task: counts and sums in the same windows at one date.
pandas runs for at most 100,000, of whom it makes the same features at one date.

The week adds 2 % of events in a file of its own; an eighth of them replace an earlier one.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from benchmarks import feature_events as made_up
from benchmarks.feature_peers import floor, meds_tab, meds_tab_python, with_pandas
from benchmarks.feature_weeks import add_week, periods
from features import CATALOGUE, build, store
from features.feature import LIVING, STATIC
from features.from_events import describe
from features.pieces import Pieces
from features.writing import replaced, write_piece

Measured = tuple[float, float]
Found = dict[str, Measured]
FLOOR, STORE, WEEK = "floor: DuckDB reads and counts", "store, made at once", "its refresh for a week of 2 % news"
WHOLE = "whole build: store, twelve dates, people, homes"
ONE, TWELVE = "matrix from it, one date", "matrix from it, twelve dates"
PANDAS, MEDS_TAB, AGAIN = "pandas, wide, one date", "MEDS-Tab 0.2.0, its nearest task", "made at once with that week"
MOST_FOR_PANDAS, MOST_FOR_MEDS_TAB = 100_000, 20_000  # people: 7 GiB, and about eight minutes


def population(number: int, dates: int) -> pd.DataFrame:
    """Everybody on each of so many index dates, 30 days apart."""
    days = made_up.AS_OF - 30 * np.arange(dates)[::-1]
    return pd.DataFrame(
        {
            "index_date": np.repeat(days, number).astype("datetime64[us]"),
            "person_id": np.tile(made_up.people(number), dates),
        }
    )


def make_store(events: Path, folder: Path) -> None:
    """Make the store from nothing, or bring it up to date."""
    store.refresh(events, folder, made_up.code_groups())


def matrix(events: Path, folder: Path, number: int, dates: int, out: Path) -> None:
    """Make all features from a store that is there, and write them as `features.build` does."""
    coded = store.refresh(events, folder, made_up.code_groups())
    declared = made_up.features()
    pieces = Pieces(population(number, dates), len(declared))
    with replaced(out) as partial:
        for piece, values in describe(pieces, coded, declared, made_up.code_groups()):
            write_piece(partial, piece, {one.name: column for one, column in zip(declared, values, strict=True)})
    shutil.rmtree(out)


def whole(folder: Path, number: int, dates: int) -> None:
    """Make everything with `features.build` itself: the store, the features of events, of people and of their homes."""
    # The made-up codes are in no group of the catalogue's.
    sys.modules["features.build"].load_code_groups = made_up.code_groups  # type: ignore[attr-defined]
    own = [feature for feature in CATALOGUE if feature.aggregation in STATIC + LIVING]
    events, people, residences, out = (
        folder / f"{name}.parquet" for name in ("events", "people", "residences", "matrix")
    )
    build(population(number, dates), events, people, residences, out, [*made_up.features(), *own])


def measured(method: Callable[..., None], *told: object) -> Measured:
    """Run a method in a process of its own; return its CPU-seconds, children included, and peak memory in GiB."""
    receive, send = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(target=_run, args=(send, method, told))
    process.start()
    send.close()
    try:
        answer: Measured = receive.recv()
    except EOFError:
        raise RuntimeError(f"{method.__name__} failed") from None
    finally:
        process.join()
    return answer


def _run(send, method: Callable[..., None], told: tuple[object, ...]) -> None:  # type: ignore[no-untyped-def]
    with tempfile.TemporaryDirectory() as folder:  # loads the machine code, and DuckDB
        small = made_up.write_events(20, Path(folder) / "events.parquet")
        matrix(small, Path(folder) / "store", 20, 2, Path(folder) / "matrix")
    began = time.process_time()
    method(*told)
    seconds = time.process_time() - began
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    # The kernel's own count of this process; getrusage would give the parent's, if that held more.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    own = int(status["VmHWM"].split()[0]) / 2**20
    held = max(own, children.ru_maxrss / 2**20) if children.ru_utime else own
    send.send((seconds + children.ru_utime + children.ru_stime, held))


def week(number: int, events: Path, folder: Path) -> Found:
    """Measure a store in periods: made at once, with nothing new, and with one more week, which must give the same bytes."""
    told = periods(events, folder / "periods")
    found = {"store in periods, made at once": measured(make_store, told, folder / "kept")}
    found["its refresh when nothing is new"] = measured(make_store, told, folder / "kept")
    add_week(number, told)
    found[WEEK] = measured(make_store, told, folder / "kept")
    found[AGAIN] = measured(make_store, told, folder / "afresh")
    kept, afresh = ({path.name: path.read_bytes() for path in (folder / name).iterdir()} for name in ("kept", "afresh"))
    if kept != afresh:
        raise RuntimeError("the store kept up to date differs from the one made at once")
    return found


def measure(number: int, folder: Path, python: str | None, peers: bool, weeks: bool) -> Found:
    """Measure every method for so many people; MEDS-Tab if there is a Python that has it."""
    events = made_up.write_events(number, folder / "events.parquet")
    found = {FLOOR: measured(floor, events)}
    if peers and number <= MOST_FOR_PANDAS:
        found[PANDAS] = measured(with_pandas, events)
    if python:
        found[MEDS_TAB] = measured(meds_tab, python, events, folder / "meds")
    found[STORE] = measured(make_store, events, folder / "store")
    for name, dates in ((ONE, 1), (TWELVE, 12)):
        found[name] = measured(matrix, events, folder / "store", number, dates, folder / "matrix")
    shutil.rmtree(folder / "store")
    made_up.write_homes(number, folder)
    found[WHOLE] = measured(whole, folder, number, 12)
    return found | (week(number, events, folder) if weeks else {})


def ratios(by_number: dict[int, Found]) -> list[tuple[str, str, str]]:
    """Return what is asked of the engine, the limit, and what was found, as far as it was measured."""
    rows = []
    for number, found in by_number.items():
        cpu = {name: seconds for name, (seconds, _) in found.items()}
        own = cpu[STORE] + cpu[ONE]
        if MEDS_TAB in cpu:
            rows.append((f"MEDS-Tab / store and one date, {number:,}", ">= 200", f"{cpu[MEDS_TAB] / own:.0f}"))
        if PANDAS in cpu:
            rows.append((f"pandas / one date from the store, {number:,}", ">= 5", f"{cpu[PANDAS] / cpu[ONE]:.1f}"))
            rows.append((f"pandas / store and one date, {number:,}", "", f"{cpu[PANDAS] / own:.1f}"))
        rows.append((f"one date / floor, {number:,}", "<= 3", f"{cpu[ONE] / cpu[FLOOR]:.2f}"))
        rows.append((f"twelve dates / one, {number:,}", "<= 4", f"{cpu[TWELVE] / cpu[ONE]:.2f}"))
        if WEEK in cpu:
            rows.append((f"a week's refresh / whole store, {number:,}", "<= 0.1", f"{cpu[WEEK] / cpu[AGAIN]:.3f}"))
    for (fewer, before), (more, found) in zip(list(by_number.items())[:-1], list(by_number.items())[1:], strict=True):
        (less, small), (work, large) = before[WHOLE], found[WHOLE]
        power = math.log(work / less) / math.log(more / fewer)
        rows.append((f"whole build, {fewer:,} to {more:,}: grows as people to the power", "<= 1.05", f"{power:.2f}"))
        rows.append((f"its peak memory, {more:,} / {fewer:,}", "flat", f"{large / small:.2f}"))
    return rows


def main() -> None:
    """Print a table of the methods for each number of people, and what is asked of the engine beside what was found."""
    parser = argparse.ArgumentParser(description="How much work features are")
    parser.add_argument("--people", type=int, nargs="+", default=[20_000, 100_000])
    parser.add_argument(
        "--no-peers", action="store_true", help="leave pandas (7 GiB at 100,000 people) and MEDS-Tab out"
    )
    parser.add_argument("--no-week", action="store_true", help="leave the weekly store out")
    parser.add_argument("--folder", type=Path, help="where to work; the system's temporary folder if not given")
    told = parser.parse_args()
    console = Console(width=120)
    by_number: dict[int, Found] = {}
    with tempfile.TemporaryDirectory(dir=told.folder) as scratch:
        for_meds_tab = [number for number in told.people if number <= MOST_FOR_MEDS_TAB and not told.no_peers]
        python = meds_tab_python(Path(scratch) / "meds-tab") if for_meds_tab else None
        if for_meds_tab and python is None:
            console.print("MEDS-Tab cannot be installed here; it is left out.")
        for number in sorted(told.people):
            folder = Path(scratch) / str(number)
            with_meds_tab = python if number in for_meds_tab else None
            found = measure(number, folder, with_meds_tab, not told.no_peers, not told.no_week)
            shutil.rmtree(folder)
            by_number[number] = found
            table = Table("method", "CPU-seconds", "/ floor", "peak memory, GiB")
            for name, (seconds, memory) in found.items():
                table.add_row(name, f"{seconds:.2f}", f"{seconds / found[FLOOR][0]:.2f}", f"{memory:.2f}")
            table.title = f"{number:,} people x 150 events, {len(made_up.features())} features"
            console.print(table)
    table = Table("what", "asked", "found", title="Ratios of this run")
    for row in ratios(by_number):
        table.add_row(*row)
    console.print(table)


if __name__ == "__main__":
    main()
