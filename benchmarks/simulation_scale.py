"""How simulation grows: seconds, rows and memory for ever more people, on two processes.

    python -m benchmarks.simulation_scale [--people 10000 100000 1000000] [--processes 2]

Memory is the sum over the simulation's processes of what each holds, at its highest; it is read from
/proc, so this runs on Linux only. The last column is the exponent with which time grows from the line
before: 1 is in proportion to people.
"""

from __future__ import annotations

import argparse
import math
import os
import tempfile
import threading
import time
from pathlib import Path

import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

import simulator


class Watch:
    """The highest sum of the memory of this process and its children, in GiB, while the block runs."""

    def __enter__(self) -> Watch:
        self.peak = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(0.3):
            self.peak = max(self.peak, held_by(os.getpid()))


def held_by(process: int) -> float:
    """Resident memory of a process and its children, in GiB."""
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            told = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines() if ":" in line)
        except OSError:  # it has ended meanwhile
            continue
        if process in (int(told["Pid"]), int(told["PPid"])):
            total += int(told.get("VmRSS", "0 kB").split()[0])
    return total / 2**20


def measure(people: int, processes: int) -> tuple[float, int, float]:
    """Simulate once; return seconds, rows of all sources, and peak memory in GiB."""
    with tempfile.TemporaryDirectory() as folder:
        sources = Path(folder) / "sources"
        began = time.perf_counter()
        with Watch() as watch:
            simulator.simulate(people, 1, sources, Path(folder) / "truth", processes=processes)
        seconds = time.perf_counter() - began
        rows = sum(pq.read_metadata(path).num_rows for path in sources.glob("*.parquet"))
    return seconds, rows, watch.peak


def main() -> None:
    """Print one line for each number of people."""
    parser = argparse.ArgumentParser(description="How simulation grows with people")
    parser.add_argument("--people", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--processes", type=int, default=2)
    told = parser.parse_args()
    table = Table("people", "rows", "seconds", "people a second", "peak memory, GiB", "grows as people to the power")
    before: tuple[int, float] | None = None
    for people in told.people:
        seconds, rows, peak = measure(people, told.processes)
        power = f"{math.log(seconds / before[1]) / math.log(people / before[0]):.2f}" if before else ""
        table.add_row(f"{people:,}", f"{rows:,}", f"{seconds:.0f}", f"{people / seconds:,.0f}", f"{peak:.2f}", power)
        before = (people, seconds)
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
