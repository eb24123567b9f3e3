"""Whoever and whatever came in went out by one door: asserted after every build and every ledger of every test.

`tests/conftest.py` puts these in front of `records.build` and `cohorts.ledger` before any test can import them,
so that no test can forget. What the rows are is read from the sources anew, not taken from the build.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from casewell import doors
from casewell.settings import Settings
from records import opt_outs, tables
from records.checking import read_rows
from records.extracts import Extract
from records.linked import Linked
from records.meds import Meds
from records.own_ids import OwnIds
from records.reading import connect
from records.span import open_sources

GROUPS = ("imd_decile", "ethnic_group", "sex")


def after_each_build(build: Callable[..., Linked]) -> Callable[..., Linked]:
    """Return `records.build` with its accounts checked afterwards."""

    @functools.wraps(build)
    def checked(settings: Settings, as_of: dt.date, out: Path, *args: Any, **kwargs: Any) -> Linked:
        linked = build(settings, as_of, out, *args, **kwargs)
        check_build(settings, linked, as_of)
        return linked

    return checked


def after_each_ledger(ledger: Callable[..., pd.DataFrame]) -> Callable[..., pd.DataFrame]:
    """Return `cohorts.ledger` with its sums checked afterwards."""

    @functools.wraps(ledger)
    def checked(
        people: pd.DataFrame, removed: pd.DataFrame, routes: pd.DataFrame, allocation: pd.DataFrame
    ) -> pd.DataFrame:
        table = ledger(people, removed, routes, allocation)
        check_ledger(people, removed, table)
        return table

    return checked


def check_build(settings: Settings, linked: Linked, as_of: dt.date) -> None:
    """Hold the tables of a build against its sources, by source and by group."""
    counts = doors.read(linked.source_counts, tables.SOURCE_COUNTS)
    identities = doors.read(linked.identities, tables.IDENTITIES)
    people = doors.read(linked.people, tables.PEOPLE)
    removed = doors.read(linked.removed, tables.REMOVED)
    con = connect()
    try:
        extracts, own, problems = open_sources(con, settings)
        assert not problems, problems
        assert _sums(counts, "source") == rows_read(con, extracts, own)
        registered = registered_numbers(con, settings, extracts, as_of)
    finally:
        con.close()
    used = counts[counts["fate"] == "used"].groupby("source")["rows"].sum().to_dict()
    about_people = [one.name for one in extracts if one.contract.personal and one.table != "opt_outs"]
    assert not identities.duplicated(["source", "source_record"]).any(), "a record is two people"
    recorded = identities.groupby("source").size().to_dict()
    for name in about_people:
        assert recorded.get(name, 0) == used.get(name, 0), f"{name}: a used row is nobody's"
    for one in own:
        if not isinstance(one, Meds):  # a row of MEDS has no name of its own: a subject has
            assert recorded.get(one.name, 0) == used.get(f"{one.name}/person", 0)
    assert set(identities["person_id"]) == set(people["person_id"]), "people and their records differ"
    _check_quarantine(counts, linked.people.parent / "quarantine")
    _check_people(people, removed, linked)
    if settings.linkage.decisions is None:  # Two registered numbers are never joined but by a person's decision.
        assert len(people) + len(removed) >= len(registered), "somebody registered is in no table"
        opted = int((removed["door"] == "opted_out").sum())
        assert opted >= int((registered["fate"] == "opted_out").sum()), "somebody opted out is in no table"


def registered_numbers(
    con: duckdb.DuckDBPyConnection, settings: Settings, extracts: list[Extract], as_of: dt.date
) -> pd.DataFrame:
    """Read every NHS number that a registration known by the day holds, and whether its rows are opted out."""
    opt_outs.no_opt_outs(con)
    choices = [one for one in extracts if one.table == "opt_outs"]
    registers = [one for one in extracts if one.table == "demographics"]
    for one in choices:
        read_rows(con, one, as_of, dt.date.today(), 1)
    opt_outs.find_opted_out(con, choices, settings)
    parts = ["SELECT NULL::VARCHAR AS number, NULL::VARCHAR AS fate WHERE false"]
    for one in registers:
        read_rows(con, one, as_of, dt.date.today(), 1)
        parts.append(
            f"SELECT number, min(if(fate = 'opted_out', fate, 'in')) AS fate FROM {one.rows} WHERE number IS NOT NULL "
            f"AND fate <> 'duplicate' AND known < DATE '{as_of}' GROUP BY 1"
        )
    return con.execute(f"SELECT number, max(fate) AS fate FROM ({' UNION ALL '.join(parts)}) GROUP BY 1").df()


def rows_read(con: duckdb.DuckDBPyConnection, extracts: list[Extract], own: list[OwnIds]) -> dict[str, int]:
    """Count the rows of every source as it lies there, lines that are no rows included."""
    relations = {one.name: [one.file.relation, *filter(None, [one.file.broken])] for one in extracts}
    for one in own:
        if isinstance(one, Meds):
            relations[one.name] = [one.relation]
        else:
            relations |= {f"{one.name}/{table}": [file.relation] for table, file in one.files.items()}
            relations.pop(f"{one.name}/concept", None)
    rows = {
        # Every column is looked at: a line that is no row shows only then.
        name: sum(
            con.execute(f"SELECT count(md5(CAST(r AS VARCHAR))) FROM {relation} AS r").fetchall()[0][0]
            for relation in parts
        )
        for name, parts in relations.items()
    }
    return {name: count for name, count in rows.items() if count}


def _check_quarantine(counts: pd.DataFrame, folder: Path) -> None:
    """Every row set aside is kept, privately, with the reason that the counts give."""
    aside = counts[counts["fate"] == "quarantined"]
    told = {(source.replace("/", "."), why): rows for source, why, rows in aside[["source", "why", "rows"]].to_numpy()}
    kept: dict[tuple[str, str], int] = {}
    for path in sorted(folder.glob("*")) if folder.is_dir() else []:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        reasons = pd.read_parquet(path, columns=["reason"])["reason"]
        assert reasons.notna().all()
        assert (reasons != "").all()
        kept |= {(path.stem, why): rows for why, rows in reasons.value_counts().items()}
    assert kept == told, "the quarantine does not hold the rows that were set aside"


def _check_people(people: pd.DataFrame, removed: pd.DataFrame, linked: Linked) -> None:
    """Nobody is in two tables, everybody has one group, and the report of linkage loses no row by source or group."""
    assert not set(people["person_id"]) & set(removed["person_id"]), "somebody stayed and left"
    for table in (people, removed):
        for group in ("ethnic_group", "sex"):
            assert table[group].notna().all()
    report = json.loads((linked.people.parent / "linkage.json").read_text())
    counts = doors.read(linked.source_counts, tables.SOURCE_COUNTS)
    used = counts[counts["fate"] == "used"].groupby("source")["rows"].sum()
    for source, figures in report["by_source"].items():
        assert figures["rows"] == used[source], f"the linkage report loses rows of {source}"
    for grouping in report["by_group"].values():
        assert sum(figures["rows"] for figures in grouping.values()) == report["rows"]["rows"]


def check_ledger(people: pd.DataFrame, removed: pd.DataFrame, table: pd.DataFrame) -> None:
    """The doors sum to the people who came in, in every group."""
    came_in = pd.concat([people[["person_id", *GROUPS]], removed[["person_id", *GROUPS]]], ignore_index=True)
    assert len(table) == len(came_in)
    assert set(table["person_id"]) == set(came_in["person_id"])
    for group in ("ethnic_group", "sex"):
        assert _sizes(table, group) == _sizes(came_in, group), f"the doors do not add up by {group}"
    known = came_in["imd_decile"].dropna().astype(int).astype(str).value_counts().to_dict()
    told = _sizes(table, "imd_decile")
    assert {decile: rows for decile, rows in told.items() if decile.isdigit()} == known


def _sums(counts: pd.DataFrame, key: str) -> dict[str, int]:
    return {str(name): int(rows) for name, rows in counts.groupby(key)["rows"].sum().items()}


def _sizes(table: pd.DataFrame, group: str) -> dict[str, int]:
    return {str(name): int(rows) for name, rows in table[group].value_counts().items()}
