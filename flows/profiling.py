"""Profiling a built matrix: by itself, by group, and against what the champion learned from."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from prefect import flow, task
from rich.console import Console
from rich.markup import escape

import fairness
from casewell import doors
from casewell.errors import SourceError, TrainingError
from casewell.settings import Settings, load
from fairness.disclosure import SMALLEST_SHOWN, control, shown
from fairness.groups import GROUPING_NAMES
from features.matrix import Matrix, open_matrix
from features.profile import Profile, by_source, missing_by_group, profile
from features.profile_page import html
from features.profile_record import as_json
from features.tables import PROFILE, PROFILE_GROUPS, REFERENCE
from flows import books
from flows.progress import say
from flows.stages import build_features, link
from flows.working import working
from records.tables import PEOPLE

KEPT = "features_learned_from.json"
BY = ("imd_quintile", "ethnic_group")
PROFILE_FILES = ("profile.json", "profile.html")
"""Of the files of a profile, those that go into the books."""


def keep_reference(reference: pd.DataFrame, model: Path) -> None:
    """Write what a model learned from into its folder: `REFERENCE`, which holds nobody's data."""
    text = reference.to_json(orient="split", index=False, double_precision=8)
    (model / KEPT).write_text(text, encoding="utf-8")


def reference_of(model: Path) -> pd.DataFrame | None:
    """Return what a model learned from; None where its training kept nothing.

    Raises
    ------
    TrainingError
        It was damaged since.
    """
    path = model / KEPT
    if not path.is_file():
        return None
    try:
        return doors.check(pd.DataFrame(**json.loads(path.read_text(encoding="utf-8"))), REFERENCE)
    except (ValueError, TypeError, SourceError):
        raise TrainingError(
            f"the summary of what the model learned from ({KEPT}) was damaged", "Train a new model: casewell train."
        ) from None


def controlled(groups: pd.DataFrame) -> pd.DataFrame:
    """Put counts by group under disclosure control: `PROFILE_GROUPS`. Few people with a value are hidden as few without."""
    people, missing = control(groups["people"]), control(groups["missing"])
    having = groups["people"] - groups["missing"]
    missing = missing.mask(people.isna() | ((having > 0) & (having < SMALLEST_SHOWN)))
    # Each is rounded by itself, so that all may seem to be more than all.
    share = (missing / people).clip(upper=1).round(4)
    order = ["feature", "grouping", "group"]
    table = groups.assign(people=people, missing=missing, share=share).sort_values(order, ignore_index=True)
    return doors.check(table, PROFILE_GROUPS)


def write_profile(
    settings: Settings,
    as_of: dt.date,
    linked: Path,
    matrix: Path,
    champion: books.Registered | None,
    out: Path,
    what: str,
) -> tuple[Profile, dict[str, Any]]:
    """Profile a matrix, and write `profile.html`, `profile.json`, `profile.parquet` and `profile_groups.parquet`.

    Parameters
    ----------
    champion
        The model to compare with; its folder holds what it learned from.
    what
        Which matrix this is, in plain words.

    Returns
    -------
    What was found, and what a manifest says of it: `verdict`, `numbers` and the features that `shifted`.
    """
    opened = open_matrix(matrix)
    against = None if champion is None else reference_of(champion.folder)
    found = profile(opened, against)
    people = doors.read(linked / "people.parquet", PEOPLE)
    labels = fairness.group_table(people, as_of)[["person_id", *BY]]
    missing = missing_by_group(opened, labels)
    groups, sources = controlled(missing), controlled(by_source(missing))
    told = _about(settings, as_of, opened, champion, against is not None, bool(people["synthetic"].any()), what)
    out.mkdir(parents=True, exist_ok=True)
    doors.write(found.features, PROFILE, out / "profile.parquet")
    doors.write(groups, PROFILE_GROUPS, out / "profile_groups.parquet")
    record = as_json(found, told)
    text = json.dumps(record, indent=1, allow_nan=False) + "\n"
    (out / "profile.json").write_text(text, encoding="utf-8", newline="\n")
    (out / "profile.html").write_text(
        html(found, groups, sources, told, {name: GROUPING_NAMES[name] for name in BY}), encoding="utf-8", newline="\n"
    )
    return found, {name: record[name] for name in ("verdict", "numbers", "shifted")}


def _about(
    settings: Settings,
    as_of: dt.date,
    matrix: Matrix,
    champion: books.Registered | None,
    compared: bool,
    synthetic: bool,
    what: str,
) -> dict[str, Any]:
    because = (
        "no model is champion yet"
        if champion is None
        else "the champion's training kept nothing to compare with; train anew"
    )
    return {
        "name": settings.name,
        "as_of": str(as_of),
        "synthetic": synthetic,
        "what": what,
        "people": shown(matrix.people),
        "index_dates": matrix.dates,
        "compared_with": f"the training of {champion.trained_as_of} (model {champion.version})"
        if champion and compared
        else None,
        "not_compared_because": None if compared else because,
    }


@task
def profile_week(
    settings: Settings, as_of: dt.date, linked: Path, matrix: Path, champion: books.Registered, out: Path
) -> dict[str, Any]:
    """Profile the week's features into a run's folder; return its numbers and the features that shifted."""
    say("Comparing the features with those that the model learned from")
    return write_profile(settings, as_of, linked, matrix, champion, out, "What this week's features look like")[1]


def profile_training(
    settings: Settings, as_of: dt.date, linked: Path, matrix: Path, out: Path, model: Path, used: Sequence[str]
) -> None:
    """Profile what models learned from, against the champion until now, and keep its summary with the new model.

    Only of the features that the model `used`: what it never looked at, because that moves with the data's own length,
    cannot mislead it.
    """
    say("Profiling the features of the past")
    try:
        champion = books.champion(settings, as_of)
        if champion is not None:
            reference_of(champion.folder)
    except TrainingError as damage:
        # A damaged champion must not stand in the way of the training that replaces it.
        say(f"There is no champion to compare with: {damage}")
        champion = None
    found, _ = write_profile(settings, as_of, linked, matrix, champion, out, "What the models learned from")
    keep_reference(found.reference[found.reference["feature"].isin(used)].reset_index(drop=True), model)


@flow(name="casewell features profile", validate_parameters=False)
def profile_flow(settings_file: str, as_of: str, out: str | None) -> dict[str, Any]:
    """Build the features of a day (ISO date) and profile them; return what was found, and the page's path."""
    settings, date = load(Path(settings_file)), dt.date.fromisoformat(as_of)
    with working(settings):
        champion = books.champion(settings, date)
        linked = link(settings, date)
        matrix = build_features(settings, date, linked)
        folder = settings.data_dir / "profile" / str(date) if out is None else Path(out)
        partial = folder.with_name(f"{folder.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        say(f"Profiling the features of {date}")
        _, told = write_profile(settings, date, linked, matrix, champion, partial, "What was built for this day")
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(partial.iterdir()):
            path.replace(folder / path.name)
        partial.rmdir()
        books.record_profile(settings, date, told, [folder / name for name in PROFILE_FILES])
        return told | {"page": str(folder / "profile.html")}


def print_profile(result: dict[str, Any], console: Console) -> None:
    """Print what has moved, and where the page is."""
    console.print(f"\n[bold]{escape(result['verdict'])}[/bold]", soft_wrap=True)
    for name in result["shifted"][:10]:
        console.print(f"  - {name}")
    if len(result["shifted"]) > 10:
        console.print(f"  - and {len(result['shifted']) - 10} more")
    console.print(f"Page: [bold]{escape(result['page'])}[/bold]", soft_wrap=True)
