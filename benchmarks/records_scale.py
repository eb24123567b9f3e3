"""How reading, checking, linking and writing grow with people, and beside it the plainest Splink script.

    python -m benchmarks.records_scale [--people 100000 300000] [--folders FOLDER ...] [--without-peer]

A folder holds `sources/` and `truth/` of a population that was simulated before; people are simulated anew
otherwise. Each build, and each peer, has a process of its own. Memory is the sum over all processes of what each
holds, at its highest, and disk the most that lay in the working folder; both are looked at three times a second and
read from /proc, so this runs on Linux only. The exponents are those with which time, and the processors' time, grow
from the line before: 1 is in proportion to people. Where other programs run too, only the second says anything. The
second table says it for each step.

The peer (`benchmarks/plain_splink.py`) links the records that bear names, and nothing else; both are held against the
truth on these records. Its time is compared with Casewell's for linking all records. One process at a time, so that
the ratio holds on any machine.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import math
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console
from rich.table import Table

from benchmarks.plain_splink import link as plainly_linked
from benchmarks.plain_splink import records_query
from benchmarks.simulation_scale import Watch, held_by

DEMONSTRATION = Path(__file__).parents[1] / "config" / "demo.yaml"
AS_OF = dt.date(2026, 10, 1)
SEED = 1
GROWTH = "Records read, checked, linked and written"
EACH = "Each step: seconds of the processors, and most memory, GiB"
PEERS = "Linking, and the plainest Splink script beside it, on records that bear names"


class Looking(Watch):
    """Also the most bytes, in GiB, that lay in a folder, and what was held when."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.disk = folder, 0.0
        self.seen: list[tuple[float, float]] = []

    def _look(self) -> None:
        while not self._stop.wait(0.3):
            held = held_by(os.getpid())
            self.seen.append((time.perf_counter(), held))  # one clock for all processes, on Linux
            self.peak = max(self.peak, held)
            self.disk = max(self.disk, _bytes_in(self.folder) / 2**30)

    def most_between(self, start: float, end: float) -> float:
        """Return the most memory that was held from `start` to `end`, in GiB."""
        return max((held for at, held in self.seen if start <= at < end), default=0.0)


@dataclass(frozen=True)
class Step:
    """When a step began and ended, by the clock and in seconds of all processors together."""

    start: float
    end: float
    processors: float

    @property
    def seconds(self) -> float:
        """By the clock."""
        return self.end - self.start


def _bytes_in(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_blocks * 512
        except OSError:  # it is gone meanwhile
            continue
    return total


def build(sources: Path, out: Path) -> dict[str, Step]:
    """Build the linked tables of some sources; return what each step took."""
    import records
    from casewell.settings import load
    from records.linked import STEPS

    told = load(DEMONSTRATION)
    paths = {
        name: source.model_copy(update={"path": sources / source.path.name}) for name, source in told.sources.items()
    }
    began: dict[str, tuple[float, float]] = {}

    def noted(words: str) -> None:
        print(f"      {words}", file=sys.stderr, flush=True)
        if words in STEPS:
            began[words] = time.perf_counter(), time.process_time()

    records.build(told.model_copy(update={"sources": paths, "data_dir": out.parent / "data"}), AS_OF, out, noted)
    ends = [*list(began.values())[1:], (time.perf_counter(), time.process_time())]
    return {
        words: Step(start[0], end[0], end[1] - start[1])
        for (words, start), end in zip(began.items(), ends, strict=True)
    }


def alone(work: Callable[..., Any], *arguments: Any) -> tuple[Any, Looking]:
    """Do a piece of work in a new process; return its result, and what was seen of memory and disk meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        before, os.environ["TMPDIR"] = os.environ.get("TMPDIR"), folder
        watch = Looking(Path(folder))
        try:
            with watch, ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
                result = pool.submit(work, *arguments).result()
        finally:
            if before is None:
                del os.environ["TMPDIR"]
            else:
                os.environ["TMPDIR"] = before
    return result, watch


def quality(found: str, truth: Path) -> tuple[float, float]:
    """Return pairwise precision and recall of `found`, a query of `source`, `record_id` and `person`."""
    with duckdb.connect() as con:
        ((right, taken, true),) = con.execute(
            f"""WITH cells AS (
                SELECT person, true_person_id, count(*) AS rows
                FROM ({found}) AS f JOIN '{truth}/identities.parquet' AS t USING (source, record_id) GROUP BY ALL
            )
            SELECT (SELECT sum(rows * (rows - 1)) FROM cells),
                (SELECT sum(rows * (rows - 1)) FROM (SELECT sum(rows) AS rows FROM cells GROUP BY person)),
                (SELECT sum(rows * (rows - 1)) FROM (SELECT sum(rows) AS rows FROM cells GROUP BY true_person_id))"""
        ).fetchall()
    return right / taken, right / true


def measure(folder: Path, peer: bool, work: Path) -> dict[str, Any]:
    """Build from `folder`, and link the plain way; return all figures."""
    sources, truth = folder / "sources", folder / "truth"
    with duckdb.connect() as con:
        people, rows = con.execute(
            f"SELECT (SELECT count(*) FROM '{truth}/people.parquet'), (SELECT sum(num_rows) FROM "
            f"parquet_file_metadata('{sources}/*.parquet'))"
        ).fetchall()[0]
    steps, watch = alone(build, sources, work / "linked")
    told: dict[str, Any] = {"people": people, "rows": int(rows), "memory": watch.peak, "disk": watch.disk}
    told["steps"] = {
        words: {
            "seconds": step.seconds,
            "processors": step.processors,
            "memory": watch.most_between(step.start, step.end),
        }
        for words, step in steps.items()
    }
    named = records_query(sources)
    ours = f"SELECT i.source, i.source_record AS record_id, person_id AS person FROM '{work}/linked/identities.parquet' AS i"
    used = f"SELECT o.* FROM ({ours}) AS o JOIN ({named}) AS n USING (source, record_id)"
    told["quality"] = quality(used, truth)
    if peer:
        told["peer_seconds"], watch = alone(plainly_linked, sources, work / "peer.parquet")
        told["peer_memory"] = watch.peak
        theirs = f"SELECT p.* FROM '{work}/peer.parquet' AS p JOIN ({ours}) AS o USING (source, record_id)"
        told["peer_quality"] = quality(theirs, truth)
    return told


def show(found: list[dict[str, Any]], console: Console) -> None:
    """Print the tables of growth, of each step, and of the peer."""
    growth = Table("people", "rows", "read, s", "link, s", "write, s", "all, s", "exponent", title=GROWTH)
    for name in ("processors, s", "exponent", "memory, GiB", "disk, GiB"):
        growth.add_column(name)
    each = Table("people", "step", "processors, s", "exponent", "memory, GiB", title=EACH)
    peers = Table("people", "linkage", "seconds", "ratio", "memory, GiB", "precision", "recall", title=PEERS)
    for before, told in zip([None, *found], found, strict=False):
        seconds = [step["seconds"] for step in told["steps"].values()]
        totals = _totals(told)
        powers = ["", ""]
        if before:
            powers = [_power(told, before, now, then) for now, then in zip(totals, _totals(before), strict=True)]
        cells = [f"{told['people']:,}", f"{told['rows']:,}", *(f"{step:.0f}" for step in seconds)]
        cells += [f"{totals[0]:.0f}", powers[0], f"{totals[1]:.0f}", powers[1]]
        growth.add_row(*cells, f"{told['memory']:.2f}", f"{told['disk']:.2f}")
        for words, step in told["steps"].items():
            took = step["processors"]
            power = _power(told, before, took, before["steps"][words]["processors"]) if before else ""
            each.add_row(f"{told['people']:,}", words, f"{took:.0f}", power, f"{step['memory']:.2f}")
        if "peer_seconds" in told:
            linking = seconds[1]
            precision, recall = told["quality"]
            peers.add_row(cells[0], "Casewell", f"{linking:.0f}", "", "", f"{precision:.5f}", f"{recall:.5f}")
            precision, recall = told["peer_quality"]
            ratio = f"{told['peer_seconds'] / linking:.2f}"
            peers.add_row(
                "",
                "plain Splink",
                f"{told['peer_seconds']:.0f}",
                ratio,
                f"{told['peer_memory']:.2f}",
                f"{precision:.5f}",
                f"{recall:.5f}",
            )
    console.print(growth)
    console.print(each)
    if peers.row_count:
        console.print(peers)


def _totals(told: dict[str, Any]) -> tuple[float, float]:
    steps = told["steps"].values()
    return sum(step["seconds"] for step in steps), sum(step["processors"] for step in steps)


def _power(told: dict[str, Any], before: dict[str, Any], now: float, then: float) -> str:
    """With which exponent something grows with people from one population to the other."""
    return f"{math.log(now / then) / math.log(told['people'] / before['people']):.2f}"


def main() -> None:
    """Measure one population after the other, the smallest first."""
    parser = argparse.ArgumentParser(description="How the records room grows with people")
    parser.add_argument("--people", type=int, nargs="*", default=[100_000, 300_000])
    parser.add_argument("--folders", type=Path, nargs="*", default=[], help="populations simulated before")
    parser.add_argument("--without-peer", action="store_true")
    parser.add_argument("--json", type=Path, help="also write the figures there")
    told = parser.parse_args()
    console = Console(width=150)
    found = []
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        folders = list(told.folders)
        for people in [] if told.folders else sorted(told.people):
            import simulator

            folders.append(work / f"people_{people}")
            simulator.simulate(people, SEED, folders[-1] / "sources", folders[-1] / "truth")
        for place, folder in enumerate(folders):
            found.append(measure(folder, not told.without_peer, work / f"made_{place}"))
            show(found, console)
    if told.json:
        told.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
