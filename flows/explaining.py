"""Printing what makes a person up, and who was merged or split."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from casewell.settings import Settings, load
from flows.linking import day_of, linked_week, weigher
from records import decisions, looking, register, rotation
from records.explain import Explanation, explain, person_of
from records.review import SEX

TIMES = "Weights are in bits: +1 doubles the odds that two records are one person's, -1 halves them."
KINDS = {
    "merged": "{person_id} took in {other_person_id}",
    "split": "records left {person_id} and are {other_person_id} now",
    "moved": "records went from {person_id} to {other_person_id}",
}


def explain_person(
    settings_file: Path,
    as_of: str | None,
    person_id: int | None,
    source: str | None,
    record: str | None,
    show_names: bool,
    console: Console,
) -> None:
    """Print which records make a person up and why; the look is noted before anything is shown.

    Parameters
    ----------
    person_id
        The person; if None, that of `record` in `source`.
    show_names
        Also print what the records say.

    Raises
    ------
    SettingsError
        This machine, or this user, may not look.
    AsOfError
        No such person or record, or no such linked week.
    """
    settings = load(settings_file)
    week, linked = linked_week(settings_file, as_of)
    looking.check_allowed(settings, linked)
    if person_id is None:
        person_id = person_of(linked, str(source), str(record))
    looking.note(settings, "explain, with names" if show_names else "explain", person_id)
    kept = settings.linkage.decisions
    decided = decisions.read(settings, week) if kept is not None and kept.exists() else decisions.nothing()
    found = explain(linked, person_id, decided, weigher(settings, linked, week))
    changes = _changes(settings)
    mine = changes[(changes["person_id"] == person_id) | (changes["other_person_id"] == person_id)]
    console.print(f"\n[bold]Person {person_id}[/bold], as linked for {week}")
    _print_sources(found, console)
    _print_links(found, console)
    _print_decided(found, console)
    _print_history(mine, person_id, console)
    if show_names:
        _print_said(found, console)


def _changes(settings: Settings) -> pd.DataFrame:
    """Return the changes of every week, by the ids that hold now."""
    found = register.changes(settings)
    return found.assign(**{name: rotation.present(settings, found[name]) for name in ("person_id", "other_person_id")})


def _print_sources(found: Explanation, console: Console) -> None:
    table = Table("source", "records", "linked by", box=None)
    table.columns[1].justify = "right"
    for row in found.sources.itertuples():
        table.add_row(escape(str(row.source)), f"{row.records:,}", row.method)
    console.print(table)


def _print_links(found: Explanation, console: Console) -> None:
    if len(found.links):
        console.print(f"\n[bold]Linked by what they say[/bold]  [dim]{TIMES}[/dim]", soft_wrap=True)
    for row in found.links.itertuples():
        console.print(f"  {escape(f'{row.source}, record {row.record}')}", soft_wrap=True)
        if pd.isna(row.weight):
            console.print("    The weights of this week are not kept.")
            continue
        console.print(
            f"    resembles {escape(f'{row.against_source}, record {row.against_record}')}: "
            f"{row.weight:+.1f} bits in all, probability {row.probability:.4f}",
            soft_wrap=True,
        )
        console.print(f"    any two records ({row.prior_bits:+.1f}); {escape(str(row.why))}", soft_wrap=True)
    if len(found.others):
        console.print("\n[bold]Records without a usable NHS number, linked otherwise[/bold]")
    for row in found.others.itertuples():
        console.print(f"  {escape(f'{row.source}, record {row.record}')}: by {row.method}", soft_wrap=True)


def _print_decided(found: Explanation, console: Console) -> None:
    if len(found.decided):
        console.print("\n[bold]Decided by people[/bold]")
    words = {decisions.SAME: "the same person as", decisions.DIFFERENT: "not the person of"}
    for row in found.decided.itertuples():
        one, other = f"{row.source_1}, record {row.record_1}", f"{row.source_2}, record {row.record_2}"
        first, second = (one, other) if row.decision == decisions.SAME else (other, one)
        console.print(
            f"  {escape(first)} is {words[row.decision]} {escape(second)} "
            f"(decided on {row.decided_on:%Y-%m-%d}, line {row.line})",
            soft_wrap=True,
        )


def _print_history(changes: pd.DataFrame, person_id: int, console: Console) -> None:
    if len(changes):
        console.print("\n[bold]History[/bold]")
    for row in changes.itertuples():
        console.print(f"  {_change(row)}", soft_wrap=True)


def _change(row: object) -> str:
    told = row._asdict()  # type: ignore[attr-defined]
    return escape(
        f"{told['as_of']:%Y-%m-%d}: {KINDS[told['kind']].format(**told)}, {told['records']} record(s): {told['reason']}"
    )


def _print_said(found: Explanation, console: Console) -> None:
    table = Table("source", "record", "given name", "family name", "birth date", "sex", "postcode", "address", box=None)
    for column in table.columns:
        column.overflow = "fold"
    for row in found.said.itertuples():
        born = "" if pd.isna(row.date_of_birth) else f"{row.date_of_birth:%Y-%m-%d}"
        cells = (row.source, row.record, row.given_name, row.family_name, born, SEX.get(row.sex, ""), row.postcode)
        table.add_row(*(escape(str(cell)) for cell in (*cells, row.address)))
    console.print("\n[bold]What the records say[/bold] (as compared; one line where several say the same)")
    console.print(table)


def print_changes(settings: Settings, since: str | None, as_json: bool, console: Console) -> None:
    """Print the merges and splits that the register holds: pseudonyms, counts and reasons.

    Raises
    ------
    AsOfError
        `since` is not a date.
    """
    day = day_of(since, "--since")
    changes = _changes(settings)
    if day is not None:
        changes = changes[changes["as_of"] >= pd.Timestamp(day)]
    if as_json:
        text = changes.assign(as_of=changes["as_of"].dt.strftime("%Y-%m-%d")).to_json(orient="records")
        console.print_json(json.dumps(json.loads(text)))
        return
    if changes.empty:
        console.print("No merge or split is recorded")
        return
    counts = changes.groupby(["as_of", "kind"])["records"].agg(["size", "sum"])
    summary = Table("week", "kind", "people", "records", box=None)
    for (week, kind), row in counts.iterrows():
        summary.add_row(f"{week:%Y-%m-%d}", str(kind), f"{row['size']:,}", f"{row['sum']:,}")
    console.print(summary)
    for row in changes.itertuples():
        console.print(f"  {_change(row)}", soft_wrap=True)
