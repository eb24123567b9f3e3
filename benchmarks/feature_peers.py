"""What else could make the features of `benchmarks.features`: what it is measured against."""

from __future__ import annotations

import math
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from benchmarks import feature_events as made_up

MEDS_TAB = "meds-tab==0.2.0"
STOPPED = "stopped"  # a file beside what MEDS-Tab wrote, where it did not come to its end


def connect() -> duckdb.DuckDBPyConnection:
    """Open a database in memory, on two threads."""
    connection = duckdb.connect(config={"threads": 2, "memory_limit": "3GB"})
    connection.execute("SET enable_progress_bar = false")
    return connection


def floor(events: Path) -> None:
    """Read the events and count them by person and group."""
    with connect() as connection:
        connection.register("groups", made_up.code_groups())
        query = "SELECT subject_id, g.group, count(*) FROM read_parquet($path) e JOIN groups g ON g.code_prefix = e.code GROUP BY ALL"
        for _ in connection.sql(query, params={"path": str(events)}).to_arrow_reader(1_000_000):
            pass


def with_pandas(events: Path, number: int, out: Path) -> None:
    """Make and write the counts, latest days and sums in pandas at one date, one pivot a window: the same matrix."""
    table = pd.read_parquet(events, columns=["subject_id", "time", "known_at", "known_until", "code", "numeric_value"])
    table = table[(table["known_at"] < made_up.AS_OF) & ~(table["known_until"] < made_up.AS_OF)]
    age = (pd.Timestamp(made_up.AS_OF) - table["time"]).dt.days
    everybody, valued = made_up.people(number), table["code"].isin(made_up.CODES[: made_up.VALUED])

    def wide(told: pd.Series, codes: np.ndarray, name: str, empty: float) -> pd.DataFrame:
        pivot = told.unstack().reindex(index=everybody, columns=codes).fillna(empty).astype("float32")
        return pivot.add_suffix(name)

    parts = []
    for window in made_up.WINDOWS:
        inside = table[age <= window].groupby(["subject_id", "code"])
        parts.append(wide(inside.size(), made_up.CODES, f"_count_{window}", 0))
    latest = table.assign(age=age).groupby(["subject_id", "code"])["age"].min()
    parts.append(wide(latest, made_up.CODES, "_days_since_last_None", np.nan))
    for window in made_up.WINDOWS[1:]:
        sums = table[valued & (age <= window)].groupby(["subject_id", "code"])["numeric_value"].sum()
        parts.append(wide(sums, made_up.CODES[: made_up.VALUED], f"_sum_{window}", np.nan))
    pd.concat(parts, axis=1).to_parquet(out)


def meds_tab_python(folder: Path) -> str | None:
    """Install MEDS-Tab in an environment of its own, a folder; return its Python, or None when it cannot be installed."""
    python = folder / "bin" / "python"
    uv = Path(sys.executable).with_name("uv")
    steps = [
        [sys.executable, "-m", "venv", str(folder)],
        [str(uv), "pip", "install", "-q", "--python", str(python), MEDS_TAB]
        if uv.exists()
        else [str(python), "-m", "pip", "install", "-q", MEDS_TAB],
    ]
    installed = all(subprocess.run(step, capture_output=True, check=False).returncode == 0 for step in steps)
    return str(python) if installed and python.with_name("meds-tab-describe").exists() else None


def meds_tab(python: str, events: Path, folder: Path, budget: float) -> None:
    """Run MEDS-Tab's description and time-series tabulation over the same events, for about so many CPU-seconds at most.

    The system counts by the tick, so that it stops a process some hundredths too early or too late.
    """
    began, data, out = _taken(), folder / "MEDS" / "data", folder / "out"
    data.joinpath("train").mkdir(parents=True)
    with connect() as connection:
        connection.execute(
            f"""COPY (SELECT subject_id, time, code, CAST(numeric_value AS FLOAT) AS numeric_value FROM '{events}'
            ORDER BY subject_id, time) TO '{data}/train/0.parquet' (FORMAT parquet)"""
        )
    windows = "[" + ",".join(f"{days}d" for days in made_up.WINDOWS) + "]"
    tabulation = [f"tabularization.window_sizes={windows}", "tabularization.aggs=[code/count,value/sum]"]
    tabulation += ["tabularization.min_code_inclusion_count=1"]
    common = [f"input_dir={data}", f"output_dir={out}", "do_overwrite=True"]
    for step, more in (("meds-tab-describe", []), ("meds-tab-tabularize-time-series", tabulation)):
        left = began + budget - _taken()
        if left <= 0 or not _ended(left, [str(Path(python).with_name(step)), *common, *more]):
            (folder / STOPPED).touch()
            return


def _taken() -> float:
    """Return the CPU-seconds of this process and of those it has waited for."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def _ended(seconds: float, command: list[str]) -> bool:
    """Run a command; say whether it ended before it had taken so many CPU-seconds, after which the system stops it.

    Raises
    ------
    CalledProcessError
        It failed.
    """
    limit = math.ceil(seconds)

    def stop_after() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))

    done = subprocess.run(command, check=False, capture_output=True, preexec_fn=stop_after)
    if done.returncode == -signal.SIGXCPU:
        return False
    done.check_returncode()
    return True
