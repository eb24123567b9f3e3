"""`casewell features`: read the catalogue, see why a value is what it is, and profile what was built."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from casewell.options import DEMONSTRATION, AsOf, SettingsFile, console

features_app = typer.Typer(no_args_is_help=True, help="Read the catalogue of features, and look at what was built.")


@features_app.command("list")
def list_features(
    source: Annotated[str | None, typer.Option(help="Only features of this source, such as `hospital`.")] = None,
    shown: Annotated[bool, typer.Option("--shown", help="Only those that a coordinator may be shown.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """Print the catalogue: each feature's name, code group, aggregation, window, unit, meaning, and how it is shown.

    Example: `casewell features list --source hospital --shown`
    """
    from flows.features_explained import print_catalogue

    print_catalogue(source, shown, as_json, console)


@features_app.command("explain")
def explain(
    person_id: Annotated[int, typer.Argument(help="A person id, as the tables hold it.", show_default=False)],
    feature: Annotated[str, typer.Argument(help="The feature's name.", show_default=False)],
    settings: SettingsFile = DEMONSTRATION,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of",
            metavar="DATE",
            help="As known before this day (YYYY-MM-DD), not later than the newest linked week. Default: that week.",
        ),
    ] = None,
) -> None:
    """Say why a feature has the value it has for one person: which events made it, which were left out, and why.

    This is a look at a person's record: only on a machine that holds the pseudonym key, and every look is noted in a
    private file. The value is the reference engine's, held against the matrix of that day.
    Example: `casewell features explain 5021963371812345678 emergency_admission_count_365d --as-of 2026-10-01`
    """
    from flows.features_explained import explain_feature
    from flows.workspace import disk

    with disk():
        explain_feature(settings, person_id, feature, as_of, console)


@features_app.command("profile")
def profile(
    settings: SettingsFile = DEMONSTRATION,
    as_of: AsOf = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the page and the tables. Default: `profile/DATE` in the data folder."),
    ] = None,
) -> None:
    """Profile the built features: missing values, ranges, and how far they have moved since the champion was trained.

    Writes a page with pictures, `profile.html`, the same as `profile.json`, and tables as Parquet. Counts of people
    are under disclosure control. docs/how-to/features.md says how to read it.
    Example: `casewell features profile --as-of 2026-10-01`
    """
    from casewell.settings import load
    from flows.dates import date_within_the_data
    from flows.profiling import print_profile, profile_flow
    from flows.workspace import disk

    with disk():
        date = str(date_within_the_data(load(settings), as_of))
    print_profile(profile_flow(str(settings), date, None if out is None else str(out)), console)
