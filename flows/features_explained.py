"""Printing the catalogue of features, and why one of them has the value it has for one person."""

from __future__ import annotations

import datetime as dt
import difflib
import json
import re
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from casewell.errors import AsOfError, SettingsError
from casewell.settings import Settings, load
from features import CATALOGUE, Feature, load_code_groups
from features.checks import check_catalogue
from features.code_groups import events_have
from features.explain import DECIDES, LEFT_OUT, Explained, explain, same
from features.explain_parts import number
from features.feature import DERIVED
from flows.linking import day_of, linked_week
from records import looking, rotation

MOST_EVENTS = 40


def feature_named(name: str, features: Sequence[Feature] = CATALOGUE) -> Feature:
    """Return a feature of the catalogue.

    Raises
    ------
    SettingsError
        There is none of that name; the nearest are named.
    """
    known = {feature.name: feature for feature in features}
    if name not in known:
        near = difflib.get_close_matches(name, known, 3, cutoff=0.5)
        raise SettingsError(
            f"unknown feature {name!r}" + (f"; did you mean {' or '.join(map(repr, near))}?" if near else ""),
            "`casewell features list` prints them all.",
        )
    return known[name]


def print_catalogue(source: str | None, shown: bool, as_json: bool, console: Console) -> None:
    """Print the features, of one source or of all; `shown` keeps those that a coordinator may be shown.

    Raises
    ------
    SettingsError
        The catalogue breaks a rule, as `features.build` would say too; or no feature comes from such a source.
    """
    check_catalogue(CATALOGUE, events_have(load_code_groups()))
    sources = sorted({feature.source for feature in CATALOGUE})
    if source is not None and source not in sources:
        near = difflib.get_close_matches(source, sources, 1, cutoff=0.4)
        raise SettingsError(
            f"no feature comes from source {source!r}" + (f"; did you mean {near[0]!r}?" if near else ""),
            f"Sources: {', '.join(sources)}.",
        )
    chosen = [f for f in CATALOGUE if (source is None or f.source == source) and (f.showable or not shown)]
    if as_json:
        console.print_json(json.dumps([_told(feature) for feature in chosen]))
        return
    for name, members in groupby(
        sorted(chosen, key=lambda feature: feature.source), key=lambda feature: feature.source
    ):
        _print_source(name, list(members), console)
    console.print(f"\n{len(chosen)} features, {sum(f.showable for f in chosen)} that a coordinator may be shown")


def _told(feature: Feature) -> dict[str, object]:
    return {
        "name": feature.name,
        "source": feature.source,
        "group": feature.group,
        "aggregation": feature.aggregation,
        "window_days": feature.window_days,
        "unit": feature.unit,
        "meaning": feature.description,
        "in_model": feature.in_model,
        "shown_as": feature.template if feature.showable else None,
    }


def _print_source(name: str, members: list[Feature], console: Console) -> None:
    console.print(f"\n[bold]{escape(name.capitalize())}[/bold] ({len(members)})")
    for feature in members:
        days = "all history" if feature.window_days is None else f"{feature.window_days} days"
        group = f" of {feature.group}, {days}" if feature.group else ""
        kind = f"{feature.aggregation}{group}, in {feature.unit}{'' if feature.in_model else ', not for models'}"
        console.print(f"  [bold]{feature.name}[/bold]  [dim]{escape(kind)}[/dim]", soft_wrap=True)
        console.print(f"      {escape(feature.description)}", soft_wrap=True)
        if feature.showable:
            said = re.sub(r"\{value.*?\}", "N", feature.template)
            console.print(f'      shown as "{escape(said)}"', soft_wrap=True)


def explain_feature(settings_file: Path, person_id: int, name: str, as_of: str | None, console: Console) -> None:
    """Print a feature's value for a person on a day, and what made it; the look is noted before anything is shown.

    Raises
    ------
    SettingsError
        No such feature; this machine, or this user, may not look.
    AsOfError
        No such person, no such day, or nothing linked for it.
    """
    feature = feature_named(name)
    settings = load(settings_file)
    day, linked = linked_by(settings, settings_file, as_of)
    looking.check_allowed(settings, linked)
    looking.note(settings, f"feature {feature.name}", person_id)
    try:
        found = explain(person_id, feature, pd.Timestamp(day), linked)
    except AsOfError as unknown:
        raise _with_newer_id(unknown, settings, person_id) from None
    console.print(f"\n[bold]{feature.name}[/bold] of person {person_id}, as known before {day}", soft_wrap=True)
    console.print(f"{escape(feature.description)} ({escape(feature.unit)})", soft_wrap=True)
    console.print(f"Value: [bold]{number(found.value)}[/bold]{_words(feature, found.value)}", soft_wrap=True)
    console.print(in_matrix(settings, day, person_id, feature, found.value), soft_wrap=True)
    _print_parts(found, feature, console)
    if feature.group is not None:
        _print_events(found, feature, console)


def linked_by(settings: Settings, settings_file: Path, as_of: str | None) -> tuple[dt.date, Path]:
    """Return the day asked for, or the newest linked week's, and the linked tables that tell of it.

    What was known before a day stands in the tables of every later week too, so that any day up to a linked week can
    be looked at; the week nearest to it is taken.
    """
    day = day_of(as_of)
    weeks = sorted(
        (path for path in (settings.data_dir / "linked").glob("*-*") if path.is_dir() and path.suffix != ".partial"),
        key=lambda path: (path.name[:10], -path.stat().st_mtime),
    )
    later = [path for path in weeks if day is not None and path.name[:10] >= str(day)]
    if day is not None and later:
        return _after_the_beginning(day, later[0]), later[0]
    return linked_week(settings_file, as_of)


def _after_the_beginning(day: dt.date, linked: Path) -> dt.date:
    """Return the day, if there are records before it: a count of nothing is no nought."""
    begin = dt.date.fromisoformat(json.loads((linked / "summary.json").read_text(encoding="utf-8"))["begin"])
    if day <= begin:
        raise AsOfError(
            f"{day} lies outside the data, which begin on {begin}", "Choose a later date: nothing was known before."
        )
    return day


def _with_newer_id(unknown: AsOfError, settings: Settings, person_id: int) -> AsOfError:
    """Name the id that took the place of one made with an earlier key."""
    now = int(rotation.present(settings, pd.Series([person_id])).iloc[0])
    if now == person_id:
        return unknown
    return AsOfError(unknown.problems, f"The key of the pseudonyms has changed since: the person is {now} now.")


def in_matrix(settings: Settings, day: dt.date, person_id: int, feature: Feature, value: float) -> str:
    """Say whether the newest matrix of a day that is kept holds this value."""
    folder = settings.data_dir / "features"
    built = [*folder.glob(f"{day}-*/matrix*"), *folder.glob("*-history-*/matrix*")]
    for path in sorted(built, key=lambda path: (path.parent.name.startswith(str(day)), path.stat().st_mtime))[::-1]:
        held = _held(path, day, person_id, feature)
        if held is None:
            continue
        if same(float(np.float32(value)), held):
            return f"The matrix of that day holds the same ({path.parent.name})."
        return (
            f"[bold red]The matrix of that day holds {number(held)}[/bold red] ({path.parent.name}). It was built from "
            "other sources, settings or code, or an engine is wrong: build it anew, and report the difference if it stays."
        )
    return (
        "No matrix that is kept holds this person on that day: it has only people who could be offered case management, "
        "and the newest few are kept."
    )


def _held(path: Path, day: dt.date, person_id: int, feature: Feature) -> float | None:
    files = [str(file) for file in sorted(path.glob("*.parquet"))] if path.is_dir() else [str(path)]
    with duckdb.connect(config={"autoinstall_known_extensions": "false", "threads": 2}) as con:
        table = con.read_parquet(files)
        if feature.name not in table.columns:
            return None
        query = f'SELECT "{feature.name}" FROM matrix WHERE person_id = $person AND index_date = $day'
        table.create_view("matrix")
        row = con.execute(query, {"person": person_id, "day": day}).fetchone()
    return None if row is None else float("nan") if row[0] is None else float(row[0])


def _words(feature: Feature, value: float) -> str:
    said = feature.words(value)
    return f'; shown to coordinators as "{escape(said)}"' if said else ""


def _print_parts(found: Explained, feature: Feature, console: Console) -> None:
    if found.parts.empty:
        return
    derived = feature.aggregation in DERIVED
    told = found.parts[~found.parts["adds"].isin(("0", "missing"))] if derived else found.parts
    table = Table("made of", "value", *(["adds"] if derived else []), box=None)
    for row in told.itertuples():
        table.add_row(escape(row.part), escape(row.value), *([row.adds] if derived else []))
    console.print(table)
    if derived:
        console.print(f"{len(found.parts) - len(told)} other part(s) add nothing. Explain a part by its own name.")
    if feature.threshold is not None:
        console.print(f"It is 1 where the sum reaches {feature.threshold:.10g}.")


def _print_events(found: Explained, feature: Feature, console: Console) -> None:
    out = found.events["role"] == LEFT_OUT
    console.print(
        f"\n{len(found.events)} event(s) of code group {feature.group}: {(~out).sum()} count, {out.sum()} left out.",
        soft_wrap=True,
    )
    if not found.holds:
        console.print("[bold red]The events that count do not give this value by themselves: please report it.[/]")
    _print_table("Count", found.events[~out], console)
    for why, events in found.events[out].groupby("why", sort=False):
        _print_table(f"Left out: {why}", events, console)
    if (found.events["role"] == DECIDES).any():
        console.print("[dim]An event marked * decides: the value is its own.[/dim]")


def _print_table(title: str, events: pd.DataFrame, console: Console) -> None:
    if events.empty:
        return
    shown = pd.DataFrame(
        {
            "time": [_date(row.time) + ("*" if row.role == DECIDES else "") for row in events.itertuples()],
            "known at": events["known_at"].map(_date).to_numpy(),
            "known until": events["known_until"].map(_date).to_numpy(),
            "code": events["code"].astype(str).to_numpy(),
            "value": [number(value) if pd.notna(value) else "" for value in events["numeric_value"]],
            "end": events["end"].map(_date).to_numpy(),
            "source": events["source"].astype(str).to_numpy(),
        }
    )
    # A column in which nothing stands leaves its room to the others.
    shown = shown.loc[:, (shown != "").any()]
    table = Table(*shown.columns, box=None, title=f"{title} ({len(events)})", title_justify="left")
    for column in table.columns:
        column.no_wrap, column.overflow = column.header in ("time", "known at", "known until", "end"), "fold"
    for row in shown.head(MOST_EVENTS).itertuples(index=False):
        table.add_row(*map(escape, row))
    console.print(table)
    if len(events) > MOST_EVENTS:
        console.print(f"and {len(events) - MOST_EVENTS} older")


def _date(value: pd.Timestamp) -> str:
    return "" if pd.isna(value) else f"{value:%Y-%m-%d}"
