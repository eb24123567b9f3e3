"""How much work features are, beside what else could make them, in CPU-seconds of one run.

    python -m benchmarks.features [--people 20000 100000] [--pandas] [--meds-tab PYTHON] [--folder FOLDER]

Each method runs in a process of its own; the machine code is there before (Linux only). `floor` is DuckDB that reads the events
and counts them by group, which a query engine can hope for. Of MEDS-Tab, give the Python of an environment in which
it is installed (`pip install meds-tab==0.2.0`); it runs for the smallest population, with its nearest task: counts
and sums in the same windows at one date.

The week adds 2 % of events in a file of its own; an eighth of them replace an earlier one.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow
from pyarrow import ipc
from rich.console import Console
from rich.table import Table

from benchmarks import feature_events as made_up
from features import store
from features.from_events import blocks

DATES = {"one date": 1, "twelve dates": 12}
Measured = tuple[float, float]


def population(number: int, dates: int) -> pd.DataFrame:
    """Everybody on each of so many index dates, 30 days apart."""
    days = made_up.AS_OF - 30 * np.arange(dates)[::-1]
    return pd.DataFrame(
        {
            "index_date": np.repeat(days, number).astype("datetime64[us]"),
            "person_id": np.tile(made_up.people(number), dates),
        }
    )


def _connect() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 2, "memory_limit": "3GB"})
    connection.execute("SET enable_progress_bar = false")
    return connection


def floor(events: Path) -> None:
    """Read the events and count them by person and group."""
    with _connect() as connection:
        connection.register("groups", made_up.code_groups())
        query = "SELECT subject_id, g.group, count(*) FROM read_parquet($path) e JOIN groups g ON g.code_prefix = e.code GROUP BY ALL"
        for _ in connection.sql(query, params={"path": str(events)}).to_arrow_reader(1_000_000):
            pass


def with_pandas(events: Path) -> None:
    """Make the counts, latest days and sums in pandas at one date, one pivot a window."""
    table = pd.read_parquet(events)
    table = table[(table["known_at"] < made_up.AS_OF) & ~(table["known_until"] < made_up.AS_OF)]
    age = (pd.Timestamp(made_up.AS_OF) - table["time"]).dt.days
    for window in made_up.WINDOWS:
        inside = table[age <= window].groupby(["subject_id", "code"])
        inside.size().unstack(fill_value=0)
        inside["numeric_value"].sum().unstack()
    table.assign(age=age).groupby(["subject_id", "code"])["age"].min().unstack()


def make_store(events: Path, folder: Path) -> None:
    """Make the store from nothing, or bring it up to date."""
    store.refresh(events, folder, made_up.code_groups())


def kernel(events: Path, folder: Path, number: int, dates: int, out: Path | None = None) -> None:
    """Make all features from a store that is there; write them as Arrow (lz4) if told where."""
    coded = store.refresh(events, folder, made_up.code_groups())
    declared = made_up.features()
    rows = population(number, dates)
    schema = pyarrow.schema([(feature.name, pyarrow.float32()) for feature in declared])
    options = ipc.IpcWriteOptions(compression="lz4", use_threads=False)
    with ipc.new_file(str(out) if out else pyarrow.BufferOutputStream(), schema, options=options) as writer:
        for block in blocks(rows, coded, declared, made_up.code_groups()):
            if out:
                writer.write_batch(pyarrow.record_batch([pyarrow.array(values) for values in block.values], schema))


def meds_tab(python: str, events: Path, folder: Path) -> None:
    """Run MEDS-Tab's description and time-series tabulation over the same events."""
    data, out = folder / "MEDS" / "data", folder / "out"
    data.joinpath("train").mkdir(parents=True)
    with _connect() as connection:
        connection.execute(
            f"""COPY (SELECT subject_id, time, code, CAST(numeric_value AS FLOAT) AS numeric_value FROM '{events}'
            ORDER BY subject_id, time) TO '{data}/train/0.parquet' (FORMAT parquet)"""
        )
    program = str(Path(python).parent)
    windows = "[" + ",".join(f"{days}d" for days in made_up.WINDOWS) + "]"
    common = [f"input_dir={data}", f"output_dir={out}", "do_overwrite=True"]
    subprocess.run([f"{program}/meds-tab-describe", *common], check=True, capture_output=True)
    counted = "[code/count,value/sum]"
    subprocess.run(
        [
            f"{program}/meds-tab-tabularize-time-series",
            *common,
            f"tabularization.window_sizes={windows}",
            f"tabularization.aggs={counted}",
            "tabularization.min_code_inclusion_count=1",
        ],
        check=True,
        capture_output=True,
    )


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
    began = time.process_time()
    method(*told)
    seconds = time.process_time() - began
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    # The kernel's own count of this process; getrusage would give the parent's, if that held more.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    own = int(status["VmHWM"].split()[0]) / 2**20
    held = max(own, children.ru_maxrss / 2**20) if children.ru_utime else own
    send.send((seconds + children.ru_utime + children.ru_stime, held))


def periods(events: Path, folder: Path) -> Path:
    """Write the events as `records` might: a file for each past year of knowledge, one a month for the last year."""
    folder.mkdir()
    last = (made_up.AS_OF - 365).astype("datetime64[M]")
    first_days = [
        *np.arange("2021", str(last.astype("datetime64[Y]") + 1), dtype="datetime64[Y]").astype("datetime64[M]")
    ]
    edges = [day for day in first_days if day < last] + list(np.arange(last, made_up.AS_OF.astype("datetime64[M]")))
    with _connect() as connection:
        for edge, end in zip(edges, [*edges[1:], made_up.AS_OF.astype("datetime64[M]") + 1], strict=True):
            begin = "1900-01-01" if edge == edges[0] else f"{edge}-01"
            connection.execute(
                f"""COPY (
                    SELECT * REPLACE (CASE WHEN known_until < DATE '{end}-01' THEN known_until END AS known_until)
                    FROM '{events}' WHERE known_at >= DATE '{begin}' AND known_at < DATE '{end}-01'
                    UNION ALL SELECT * FROM '{events}' WHERE known_at < DATE '{begin}'
                        AND known_until >= DATE '{begin}' AND known_until < DATE '{end}-01'
                    ORDER BY subject_id, time, known_at, code, numeric_value, "end"
                ) TO '{folder}/{edge}.parquet' (FORMAT parquet, COMPRESSION zstd)"""
            )
    return folder


def add_week(number: int, folder: Path) -> None:
    """Write the file of one more week: 2 % of events, an eighth of them versions of events told in the last month."""
    first = int(made_up.AS_OF.astype(np.int64))
    news = made_up.write_events(number, folder / "news.tmp", 3, first, seed=2)
    before = max(path for path in folder.glob("*.parquet"))
    with _connect() as connection:
        connection.execute(
            f"""COPY (
                SELECT * FROM read_parquet('{news}')
                UNION ALL SELECT * REPLACE (TIMESTAMP '{made_up.AS_OF + 2}' AS known_until)
                FROM (SELECT * FROM '{before}' WHERE known_until IS NULL LIMIT {number * 3 // 8})
                ORDER BY subject_id, time, known_at, code, numeric_value, "end"
            ) TO '{folder}/{made_up.AS_OF}.parquet' (FORMAT parquet, COMPRESSION zstd)"""
        )
    news.unlink()


def week(number: int, events: Path, folder: Path) -> dict[str, Measured]:
    """Measure a store in periods: made at once, with nothing new, with one more week, and the reading of it."""
    told = periods(events, folder / "periods")
    found = {"store in periods, made at once": measured(make_store, told, folder / "kept")}
    found["its refresh when nothing is new"] = measured(make_store, told, folder / "kept")
    add_week(number, told)
    found["its refresh for a week of 2 % news"] = measured(make_store, told, folder / "kept")
    found["made at once with that week"] = measured(make_store, told, folder / "afresh")
    kept, afresh = ({path.name: path.read_bytes() for path in (folder / name).iterdir()} for name in ("kept", "afresh"))
    if kept != afresh:
        raise RuntimeError("the store kept up to date differs from the one made at once")
    for name, dates in DATES.items():
        found[f"kernel from it, {name}"] = measured(kernel, told, folder / "kept", number, dates)
    return found


def measure(number: int, folder: Path, told: argparse.Namespace) -> dict[str, Measured]:
    """Measure every method for so many people."""
    events = made_up.write_events(number, folder / "events.parquet")
    found = {"floor: DuckDB reads and counts": measured(floor, events)}
    if told.pandas:
        found["pandas, wide, one date"] = measured(with_pandas, events)
    if told.meds_tab and number == min(told.people):
        found["MEDS-Tab 0.2.0, its nearest task"] = measured(meds_tab, told.meds_tab, events, folder / "meds")
    found["store, made at once"] = measured(make_store, events, folder / "store")
    for name, dates in DATES.items():
        found[f"kernel, {name}"] = measured(kernel, events, folder / "store", number, dates)
    found["kernel, twelve dates, written as Arrow"] = measured(
        kernel, events, folder / "store", number, 12, folder / "out"
    )
    return found | ({} if told.no_week else week(number, events, folder))


def main() -> None:
    """Print a table of the methods for each number of people."""
    parser = argparse.ArgumentParser(description="How much work features are")
    parser.add_argument("--people", type=int, nargs="+", default=[20_000, 100_000])
    parser.add_argument("--pandas", action="store_true", help="measure pandas too (7 GiB at 100,000 people)")
    parser.add_argument("--meds-tab", metavar="PYTHON", help="the Python of an environment that has MEDS-Tab")
    parser.add_argument("--no-week", action="store_true", help="leave the weekly store out")
    parser.add_argument("--folder", type=Path, help="where to work; the system's temporary folder if not given")
    told = parser.parse_args()
    console = Console(width=120)
    warm = Path(tempfile.mkdtemp(dir=told.folder))
    measure(200, warm, argparse.Namespace(people=[], pandas=False, meds_tab=None, no_week=False))
    shutil.rmtree(warm)
    before: tuple[int, dict[str, Measured]] | None = None
    for number in told.people:
        folder = Path(tempfile.mkdtemp(dir=told.folder))
        try:
            found = measure(number, folder, told)
        finally:
            shutil.rmtree(folder)
        table = Table("method", "CPU-seconds", "/ floor", "peak memory, GiB", "grows as people to the power")
        base = next(iter(found.values()))[0]
        for name, (seconds, memory) in found.items():
            power = ""
            if before and name in before[1]:
                power = f"{math.log(seconds / before[1][name][0]) / math.log(number / before[0]):.2f}"
            table.add_row(name, f"{seconds:.2f}", f"{seconds / base:.2f}", f"{memory:.2f}", power)
        table.title = f"{number:,} people x 150 events, {len(made_up.features())} features"
        console.print(table)
        before = (number, found)


if __name__ == "__main__":
    main()
