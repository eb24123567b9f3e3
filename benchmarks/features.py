"""How much work features are, beside what else could make them, in CPU-seconds of one run.

    python -m benchmarks.features [--people 20000 100000 1000000] [--no-peers] [--no-meds-tab] [--no-week] [--no-whole]
        [--folder FOLDER]

Each method runs in a process of its own, after the machine code has been loaded (Linux only). `floor` is DuckDB that
reads the events and counts them by group, which a query engine can hope for. MEDS-Tab is installed in an environment of
its own and runs for at most 20,000 people, with its nearest task: counts and sums in the same windows at one date. It
is stopped once it has taken 250 times the CPU of store and one date, which settles what is asked; the table says so.
pandas runs for at most 100,000, of whom it makes the same features at one date.

The week adds 2 % of events in a file of its own; an eighth of them replace an earlier one. It is measured for at most
100,000 people.

In a FOLDER the events and each figure stay as soon as they are known: a run that was stopped goes on there, and one more
size of population is set beside those that were measured. Delete it to begin anew, which a change of the code asks for.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import feature_events as made_up
from benchmarks import feature_methods as methods
from benchmarks.feature_peers import STOPPED, floor, meds_tab, meds_tab_python, with_pandas
from benchmarks.feature_targets import Found, asked_and_found, budget_of
from benchmarks.feature_weeks import add_week, periods

MOST_FOR_PANDAS, MOST_FOR_WEEK, MOST_FOR_MEDS_TAB = 100_000, 100_000, 20_000  # people: 7 GiB, and some minutes


@dataclass(frozen=True)
class Figures:
    """What was found for one size of population, kept in a file from one measurement to the next."""

    path: Path

    def all(self) -> Found:
        """Return CPU-seconds and GiB by method."""
        told = json.loads(self.path.read_text()) if self.path.exists() else {}
        return {name: (seconds, memory) for name, (seconds, memory) in told.items()}

    def find(self, name: str, method: Callable[..., None], *told: object) -> None:
        """Measure a method and keep what was found, unless it is there already."""
        if name not in self.all():
            found = self.all() | {name: methods.measured(method, *told)}
            self.path.write_text(json.dumps(found, indent=1))

    def rename(self, name: str, other: str) -> None:
        """Keep a figure under another name."""
        found = {other if key == name else key: figure for key, figure in self.all().items()}
        self.path.write_text(json.dumps(found, indent=1))


def measure(number: int, folder: Path, peers: bool, slow_peer: bool, weeks: bool, whole: bool) -> Found:
    """Measure for so many people every method that has no figure yet in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    figures, events = Figures(folder / "figures.json"), folder / "events.parquet"
    if not events.exists():
        made_up.write_events(number, folder / "events.partial").rename(events)
    figures.find(methods.FLOOR, floor, events)
    if methods.STORE not in figures.all():
        shutil.rmtree(folder / "store", ignore_errors=True)
    figures.find(methods.STORE, methods.make_store, events, folder / "store")
    for name, dates in ((methods.ONE, 1), (methods.TWELVE, 12)):
        asked = methods.write_population(number, dates, folder)
        figures.find(name, methods.matrix, events, folder / "store", asked, folder / "matrix")
    if whole:
        made_up.write_homes(number, folder)
        figures.find(methods.WHOLE, methods.whole, folder, asked)
    if weeks and number <= MOST_FOR_WEEK:
        _week(number, folder, figures)
    if peers and number <= MOST_FOR_PANDAS:
        figures.find(methods.PANDAS, with_pandas, events, number, folder / "pandas.parquet")
    if (
        slow_peer
        and number <= MOST_FOR_MEDS_TAB
        and not {methods.MEDS_TAB, methods.MEDS_TAB_STOPPED} & set(figures.all())
    ):
        python = meds_tab_python(folder.parent / "meds-tab")
        if python is None:
            Console().print("MEDS-Tab cannot be installed here; it is left out.")
        else:
            shutil.rmtree(folder / "meds", ignore_errors=True)
            figures.find(methods.MEDS_TAB, meds_tab, python, events, folder / "meds", budget_of(figures.all()))
            if (folder / "meds" / STOPPED).exists():
                figures.rename(methods.MEDS_TAB, methods.MEDS_TAB_STOPPED)
    return figures.all()


def _week(number: int, folder: Path, figures: Figures) -> None:
    """Measure a store in periods: made at once, with nothing new, and with one more week, which must give the same bytes."""
    if methods.AGAIN in figures.all():
        return
    told, kept, afresh = (folder / name for name in ("periods", "kept", "afresh"))
    for folder_of_before in (told, kept, afresh):
        shutil.rmtree(folder_of_before, ignore_errors=True)
    periods(folder / "events.parquet", told)
    figures.find(methods.MONTHS, methods.make_store, told, kept)
    methods.make_store(told, kept)  # which is there, unless a run was stopped since
    figures.find(methods.NOTHING_NEW, methods.make_store, told, kept)
    add_week(number, told)
    figures.find(methods.WEEK, methods.make_store, told, kept)
    methods.make_store(told, kept)
    figures.find(methods.AGAIN, methods.make_store, told, afresh)
    one, other = ({path.name: path.read_bytes() for path in made.iterdir()} for made in (kept, afresh))
    if one != other:
        raise RuntimeError("the store kept up to date differs from the one made at once")


def _show(console: Console, number: int, found: Found) -> None:
    table = Table("method", "CPU-seconds", "/ floor", "peak memory, GiB")
    for name, (seconds, memory) in found.items():
        table.add_row(name, f"{seconds:.2f}", f"{seconds / found[methods.FLOOR][0]:.2f}", f"{memory:.2f}")
    table.title = f"{number:,} people x 150 events, {len(made_up.features())} features"
    console.print(table)


def main() -> None:
    """Print a table of the methods for each number of people, and what is asked of the engine beside what was found."""
    parser = argparse.ArgumentParser(description="How much work features are")
    parser.add_argument("--people", type=int, nargs="+", default=[20_000, 100_000, 1_000_000])
    parser.add_argument(
        "--no-peers", action="store_true", help="leave pandas (7 GiB at 100,000 people) and MEDS-Tab out"
    )
    parser.add_argument("--no-meds-tab", action="store_true", help="leave MEDS-Tab out, which takes longest")
    parser.add_argument("--no-week", action="store_true", help="leave the weekly store out")
    parser.add_argument("--no-whole", action="store_true", help="leave people and homes out")
    parser.add_argument(
        "--folder", type=Path, help="where to work and to keep what was found; a temporary one if not given"
    )
    told = parser.parse_args()
    console = Console(width=120)
    with tempfile.TemporaryDirectory() as scratch:
        folder = told.folder or Path(scratch)
        by_number = {}
        for number in sorted(told.people):
            by_number[number] = measure(
                number,
                folder / str(number),
                peers=not told.no_peers,
                slow_peer=not (told.no_peers or told.no_meds_tab),
                weeks=not told.no_week,
                whole=not told.no_whole,
            )
            _show(console, number, by_number[number])
            if told.folder is None:
                shutil.rmtree(folder / str(number))
    table = Table("what", "asked", "found", "met", title="Targets")
    for row in asked_and_found(by_number):
        table.add_row(*row)
    console.print(table)


if __name__ == "__main__":
    main()
