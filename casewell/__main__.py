"""The front door: `casewell` on the command line."""

from __future__ import annotations

import datetime as dt
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from casewell import __version__
from casewell.environment import prepare
from casewell.errors import AsOfError, CasewellError, SettingsError, SourceError, WithheldError
from casewell.feature_commands import features_app
from casewell.link_commands import link_app
from casewell.options import DEMONSTRATION, AsOf, SettingsFile, console
from casewell.programme_commands import evaluate_app, plan_app
from casewell.settings import load

app = typer.Typer(
    name="casewell",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    add_completion=False,
    help="""Who would gain most from case management, and is the list fair?

Start with `casewell simulate`, then `casewell run`. Everything else a run needs stands in its
settings file: where the sources are, how many places each team has, what counts as fair.

**Exit codes**: 0 done; 2 the command was mistyped; 3 settings; 4 sources; 5 no lawful basis;
6 no such date in the data; 7 no model; 8 lists withheld by the fairness gate; 9 disk;
130 or 143 stopped from outside.
""",
)
errors = Console(stderr=True, highlight=False)

sources_app = typer.Typer(no_args_is_help=True, help="Look at the sources before a run does.")
app.add_typer(sources_app, name="sources")
app.add_typer(link_app, name="link")
app.add_typer(features_app, name="features")
app.add_typer(evaluate_app, name="evaluate")
app.add_typer(plan_app, name="plan")

# What a command line exits with after Ctrl-C (Typer sees to it) and after a request to end.
STOPPED = (128 + signal.SIGINT, 128 + signal.SIGTERM)


def _list_scenarios(wanted: bool) -> None:
    if not wanted:
        return
    import simulator

    table = Table("scenario", "what is planted", box=None, show_edge=False)
    for name, words in simulator.SCENARIOS.items():
        table.add_row(name, words)
    console.print(table)
    raise typer.Exit


@app.command()
def simulate(
    people: Annotated[int, typer.Option(min=100, help="People registered with the practices.")] = 20_000,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same bytes.")] = 1,
    out: Annotated[Path, typer.Option(help="Folder for the sources. The truth goes beside it, into `truth`.")] = Path(
        "data/sources"
    ),
    scenario: Annotated[list[str] | None, typer.Option(help="A wrong to plant; give it again for more.")] = None,
    processes: Annotated[
        int, typer.Option(min=1, help="Networks simulated at once. The bytes are the same whatever it is.")
    ] = 1,
    list_scenarios: Annotated[
        bool,
        typer.Option("--list-scenarios", callback=_list_scenarios, is_eager=True, help="Print the scenarios and stop."),
    ] = False,
) -> None:
    """Make an English population to rehearse on: 13 source tables with four years of history, and the truth apart.

    Examples: `casewell simulate --people 5000 --seed 7 --out /tmp/rehearsal/sources`,
    `casewell simulate --scenario feed_outage --scenario label_bias`
    """
    import simulator
    from flows.progress import say
    from flows.workspace import disk

    with disk():
        try:
            simulator.simulate(
                people, seed, out, out.parent / "truth", scenario=scenario or (), processes=processes, progress=say
            )
        except ValueError as error:
            raise SettingsError(str(error)) from None
    planted = f" with {', '.join(sorted(set(scenario)))}" if scenario else ""
    console.print(
        f"[green]{people:,} simulated people[/green]{planted} in {out} (stamped SYNTHETIC); the truth about them in {out.parent / 'truth'}"
    )


@app.command()
def truth(
    as_of: Annotated[str, typer.Option("--as-of", metavar="DATE", help="A day of the simulated history.")],
    folder: Annotated[Path, typer.Option("--truth", help="Folder of the truth that `simulate` wrote.")] = Path(
        "data/truth"
    ),
    out: Annotated[
        Path | None, typer.Option(help="File to write, .parquet or .csv. Default: outcomes-DATE.parquet in the folder.")
    ] = None,
) -> None:
    """Work out what is true of simulated people at any day: risks, bed days and days at home, with and without help.

    Example: `casewell truth --as-of 2025-03-17`
    """
    import simulator
    from flows.workspace import disk

    try:
        date = dt.date.fromisoformat(as_of)
    except ValueError:
        raise AsOfError(f"{as_of!r} is not a date; write YYYY-MM-DD") from None
    path = out or folder / f"outcomes-{date}.parquet"
    with disk():
        try:
            table = simulator.outcomes(folder, date)
        except ValueError as error:
            raise AsOfError(str(error)) from None
        if path.suffix == ".csv":
            table.to_csv(path, index=False)
        else:
            table.to_parquet(path, index=False)
    console.print(f"{len(table):,} simulated people alive and registered on {date}: {path}")


@app.command()
def run(settings: SettingsFile = DEMONSTRATION, as_of: AsOf = None) -> None:
    """Make this week's lists: read, link, score, choose, audit, publish.

    Trains first when no model is champion yet. The lists appear in `data/cohorts/DATE/`, whole or
    not at all. Example: `casewell run --settings config/omop.yaml`
    """
    from flows.summary import print_week

    date = _date(settings, as_of)
    from flows.weekly import weekly_flow

    manifest = weekly_flow(str(settings), date)
    print_week(manifest, console)
    if not manifest["fairness"]["released"]:
        raise WithheldError(
            f"the fairness gate says {manifest['fairness']['verdict']!r}; lists published before still stand",
            manifest["fairness"]["override_lapsed"]
            or f"Read {manifest['folder']}/fairness.html. A named owner can take responsibility: fairness.override in the settings,"
            f" with `covers: {manifest['fairness']['verdict'].replace(' ', '_')}`.",
        )


@app.command()
def train(
    settings: SettingsFile = DEMONSTRATION,
    as_of: AsOf = None,
    show_splits: Annotated[
        bool,
        typer.Option("--show-splits", help="Only print which months would be learned from and tested on, and stop."),
    ] = False,
) -> None:
    """Train and test models; the challenger becomes champion only by the stated rule (docs/how-to/models.md).

    Example: `casewell train --show-splits`
    """
    from flows.summary import print_training

    date = _date(settings, as_of)
    if show_splits:
        from flows.splits import print_splits, splits

        return print_splits(splits(load(settings), dt.date.fromisoformat(date)), console)
    from flows.training import train_flow

    print_training(train_flow(str(settings), date), console)


@app.command()
def schedule(settings: SettingsFile = DEMONSTRATION) -> None:
    """Run every week, at the time that the settings give, until stopped (Ctrl-C)."""
    load(settings)
    from flows.scheduling import serve

    serve(settings)


@app.command()
def worklist(
    settings: SettingsFile = DEMONSTRATION,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1, this machine's own address.")] = 8000,
    export: Annotated[
        bool, typer.Option("--export", help="Only write the outcomes to worklist/programme.csv in the data folder.")
    ] = False,
) -> None:
    """Show the newest lists to care coordinators in a browser, and record what became of each person.

    This first form has **no log-in**: it answers on 127.0.0.1 only, for one person at one machine. After each
    record the outcomes stand in `data/worklist/programme.csv`, a source for the next run (docs/how-to/worklist.md).
    """
    from worklist import serving

    if not export:
        return serving.serve(load(settings), port, console.print)
    path, rows, left_out = serving.export(load(settings))
    console.print(
        f"{rows} outcome(s) in {path}" if rows else "No outcome is recorded that can be given back; no file written"
    )
    if left_out:
        console.print(
            f"{left_out} outcome(s) left out: no NHS number is recorded, so the next run could not tell whose"
        )


@app.command()
def outcomes(
    files: Annotated[list[Path], typer.Argument(help="Workbooks (.xlsx) or CSVs that teams gave back.")],
    settings: SettingsFile = DEMONSTRATION,
) -> None:
    """Read back what teams wrote into their lists: outcomes for the next run to use, owner and progress for the next list.

    Each row is held against the published list by its reference and version. What can be recorded is; every other row is
    refused by its number and a reason, and the exit code is then 4 (docs/how-to/worklist.md).
    Example: `casewell outcomes U50165.xlsx U09521.csv`
    """
    from worklist import serving

    taken = serving.take_back(load(settings), files)
    console.print(
        f"{taken.recorded} row(s) recorded, {taken.known_already} known already, "
        f"{taken.untouched} untouched, {len(taken.refused)} refused"
    )
    if taken.refused:
        raise SourceError(
            taken.refused, "All other rows are recorded. Mend these and give the file again: nothing counts twice."
        )


@sources_app.command("check")
def check_sources(
    settings: SettingsFile = DEMONSTRATION,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the page and the JSON. Default: `quality` in the data folder.")
    ] = None,
    as_of: AsOf = None,
) -> None:
    """Report every problem of every source at once: as text, as `sources.json`, and as a page with pictures, `sources.html`.

    Contract, duplicates, coverage by practice and month, feeds that stopped, sudden shifts in volume, codes and
    missing values, lawful basis, opt-outs. Exits with 4 if anything would stop a run. docs/how-to/sources.md says more.
    Example: `casewell sources check --settings config/demo.yaml --out /tmp/check`
    """
    from flows.sources import check
    from flows.workspace import disk

    with disk():
        report = check(load(settings), as_of, out, console)
    if report.stops:
        raise typer.Exit(SourceError.exit_code)


@app.command()
def version() -> None:
    """Print the version."""
    console.print(__version__)


def _date(settings: Path, as_of: str | None) -> str:
    from flows.dates import date_within_the_data
    from flows.workspace import disk

    with disk():
        return str(date_within_the_data(load(settings), as_of))


def main() -> None:
    """Run the command line; show a user's mistake without a traceback and exit with its code."""
    prepare(Path.cwd())
    signal.signal(signal.SIGTERM, _end)
    try:
        app()
    except CasewellError as error:
        _explain(error)
        _let_go(error)
        code: str | int | None = error.exit_code
    except SystemExit as end:
        if end.code in STOPPED:
            errors.print("\nStopped. Lists published before still stand.")
        _let_go(end)
        code = end.code
    if "prefect" in sys.modules and code not in STOPPED:
        from flows.working import end_background_work

        end_background_work()
    # Outside the handlers: raised within one, the exit would carry the error along.
    sys.exit(code)


def _end(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


def _explain(error: CasewellError) -> None:
    errors.print(f"\n[bold red]{error.heading}[/bold red]")
    for problem in error.problems:
        errors.print(f"  [red]-[/red] {escape(problem)}", soft_wrap=True)
    if error.advice:
        errors.print(f"  [bold]{escape(error.advice)}[/bold]", soft_wrap=True)


def _let_go(error: BaseException | None) -> None:
    # Prefect keeps the error until the process ends, and with its traceback every open DuckDB connection,
    # which then complains at length below the message.
    while error is not None:
        error.__traceback__ = None
        error = error.__context__


if __name__ == "__main__":
    main()
