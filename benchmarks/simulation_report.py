"""Every published figure beside what the simulator gives: one page, one table, and a verdict.

    python -m benchmarks.simulation_report [--people 60000] [--seeds 1 2 3] [--out data/simulation_report.html]
    python -m benchmarks.simulation_report --sources DIR --truth DIR

Exits with 1 when any figure's mean over the seeds is outside its tolerance, and names it.
"""

from __future__ import annotations

import argparse
import datetime as dt
import math
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from html import escape
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.simulation_measures import CUT_OFF, Measured, measure
from benchmarks.simulation_pictures import PICTURES, Results, named
from benchmarks.simulation_targets import GROUPS, SOURCES, TARGETS, Target, Unit
from casewell.page import document, html_table, inline_svg

OUT = Path("data/simulation_report.html")
TITLE = "Simulation report"


def simulate_and_measure(people: int, scratch: str, seed: int) -> Measured:
    """Simulate one population in a folder of its own inside `scratch`, measure it, and remove it."""
    import simulator

    with tempfile.TemporaryDirectory(dir=scratch, prefix=f"seed-{seed}-") as name:
        folder = Path(name)
        simulator.simulate(people, seed, folder / "sources", folder / "truth")
        return measure(folder / "sources", folder / "truth")


def measure_seeds(people: int, seeds: Sequence[int], folder: Path | None, processes: int) -> list[Measured]:
    """Measure a population for each seed, `processes` at a time; scratch lies in `folder` and is removed."""
    with tempfile.TemporaryDirectory(dir=folder, prefix="casewell-simulation-") as scratch:
        one = partial(simulate_and_measure, people, scratch)
        if processes == 1 or len(seeds) == 1:
            return [one(seed) for seed in seeds]
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            return list(pool.map(one, seeds))


def outside(results: Results) -> list[Target]:
    """Targets whose mean over the seeds is outside the tolerance or could not be measured."""
    return [target for target in TARGETS if not results.holds(target)]


def in_words(value: float, unit: Unit) -> str:
    """Write a figure as it is read; a dash where it could not be measured."""
    if math.isnan(value):
        return "-"
    if unit == "share":
        return f"{100 * value:.1f}%"
    return f"{value:.0f}" if abs(value) >= 99.95 else f"{value:.3g}"


def tolerance_in_words(target: Target) -> str:
    """Write a tolerance as it is read."""
    low, high = target.limits
    if target.kind == "at least":
        return f"at least {in_words(low, target.unit)}"
    if target.kind == "at most":
        return f"at most {in_words(high, target.unit)}"
    return f"{in_words(low, target.unit)} to {in_words(high, target.unit)}"


def published_in_words(target: Target) -> str:
    """Write what is published; a bound where only a bound or a direction is."""
    bound = target.kind in ("at least", "at most") and target.tolerance == 0
    return tolerance_in_words(target) if bound else in_words(target.value, target.unit)


def line(target: Target, results: Results) -> list[str]:
    """One target as a row of text: figure, published, tolerance, each seed, their mean, verdict."""
    return [
        target.label,
        published_in_words(target),
        tolerance_in_words(target),
        *(in_words(value, target.unit) for value in results.each(target.name)),
        in_words(results.mean(target.name), target.unit),
        "pass" if results.holds(target) else "FAIL",
    ]


def head(names: Sequence[str]) -> list[str]:
    """Heads of the columns of `line`."""
    return ["Figure", "Published", "Tolerance", *names, "Mean", "Verdict"]


def page(results: Results, names: Sequence[str], subtitle: str) -> str:
    """Return the whole report as one self-contained HTML page; `names` heads each population's column."""
    sections = [_verdict(results), *(_section(group, results, names) for group in GROUPS), _sources()]
    as_of: dt.date = CUT_OFF.astype("datetime64[D]").item()
    return document(TITLE, subtitle, as_of, True, sections)


def _verdict(results: Results) -> str:
    wrong = outside(results)
    says = f"{len(TARGETS) - len(wrong)} of {len(TARGETS)} figures are within their tolerance"
    items = "".join(
        f"<li>{escape(GROUPS[target.group])}: {escape(target.label)}, {in_words(results.mean(target.name), target.unit)}"
        f" (published {published_in_words(target)}; tolerance {tolerance_in_words(target)})</li>"
        for target in wrong
    )
    reasons = f"<h3>Outside</h3><ul>{items}</ul>" if wrong else ""
    return f'<section class="verdict {"fail" if wrong else "pass"}"><h2>{says}</h2>{reasons}</section>'


def _section(group: str, results: Results, names: Sequence[str]) -> str:
    targets = named(group)
    met = sum(results.holds(target) for target in targets)
    sentence = f"{met} of {len(targets)} figures are within their tolerance."
    title = GROUPS[group]
    rows = [[*line(target, results), f"{target.sentence} [{target.source}]"] for target in targets]
    return (
        f'<section><h2>{escape(title)}</h2><p class="says">{sentence}</p>'
        f"{inline_svg(partial(PICTURES[group], results), group, title, f'Published beside simulated. {sentence}')}"
        f"{html_table('Published and simulated', [*head(names), 'About the figure'], rows)}</section>"
    )


def _sources() -> str:
    used = {target.source for target in TARGETS}
    rows = [[tag, words] for tag, words in SOURCES.items() if tag in used]
    return (
        "<section><h2>Sources</h2><p>A figure passes when the mean over the populations lies within its tolerance, "
        "which allows for chance among the simulated people and for the place and year of the published figure.</p>"
        f"{html_table('Where each figure comes from', ['Tag', 'Source'], rows)}</section>"
    )


def print_table(results: Results, names: Sequence[str], console: Console) -> None:
    """Print every figure, and then the names of those outside their tolerance."""
    table = Table(title=TITLE, title_justify="left")
    for place, name in enumerate(head(names)):
        table.add_column(name, justify="left" if place == 0 else "right", overflow="fold")
    for group, title in GROUPS.items():
        table.add_section()
        table.add_row(f"[bold]{title}[/bold]")
        for target in named(group):
            table.add_row(*line(target, results), style=None if results.holds(target) else "red")
    console.print(table)
    wrong = outside(results)
    console.print(f"{len(TARGETS) - len(wrong)} of {len(TARGETS)} figures are within their tolerance.")
    if wrong:
        console.print("[red]Outside: " + ", ".join(target.name for target in wrong) + "[/red]")


def report(results: Results, names: Sequence[str], subtitle: str, out: Path, console: Console) -> int:
    """Write the page and print the table; return 1 when any figure is outside its tolerance, else 0."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(page(results, names, subtitle), encoding="utf-8", newline="\n")
    print_table(results, names, console)
    console.print(f"The page is {out}")
    return 1 if outside(results) else 0


def main(given: Sequence[str] | None = None) -> int:
    """Read the command line, measure, and report; return the exit status."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--people", type=int, default=60_000, help="people a seed (default 60000)")
    arguments.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    arguments.add_argument("--processes", type=int, default=2, help="populations made at a time (default 2)")
    arguments.add_argument("--folder", type=Path, help="an existing folder for scratch, which is removed at the end")
    arguments.add_argument("--out", type=Path, default=OUT, help=f"the page (default {OUT})")
    arguments.add_argument("--sources", type=Path, help="report on this population, simulated before, and its --truth")
    arguments.add_argument("--truth", type=Path)
    chosen = arguments.parse_args(given)
    if (chosen.sources is None) != (chosen.truth is None):
        arguments.error("give --sources and --truth together")
    if chosen.sources:
        measured, names = [measure(chosen.sources, chosen.truth)], ["Simulated"]
        subtitle = "Published figures beside one population simulated before"
    else:
        measured = measure_seeds(chosen.people, chosen.seeds, chosen.folder, chosen.processes)
        names = [f"Seed {seed}" for seed in chosen.seeds]
        seeds = ", ".join(str(seed) for seed in chosen.seeds)
        each = f"on seed {seeds}" if len(names) == 1 else f"on each of the seeds {seeds}"
        subtitle = f"Published figures beside {chosen.people:,} simulated people {each}"
    # Wide enough for every column even where the output is no terminal.
    console = Console(highlight=False, width=160)
    return report(Results(measured), names, subtitle, chosen.out, console)


if __name__ == "__main__":
    sys.exit(main())
