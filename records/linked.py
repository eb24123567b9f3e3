"""The room from end to end: read, check, set opt-outs apart, link, write the tables at the door."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd

from casewell import doors
from casewell.errors import SourceError
from casewell.settings import Settings
from records import ledger, linkage_report, own_ids, pseudonyms, tables
from records.areas import load_areas
from records.checking import Extract, read_rows
from records.events import enrolment_query, event_queries, events_query, hospital_queries
from records.lawful import check_lawful_basis
from records.linkage import link, no_links
from records.opt_outs import find_opted_out, no_opt_outs
from records.own_ids import OwnIds
from records.people import contacts_table, frame, people_table, practice_table, removed_table
from records.reading import connect
from records.span import ADVICE, Span, check_as_of, open_sources, span_of
from records.spine import find_ethnicity, reconcile, spine_rows
from records.staleness import stale
from records.stays import find_stays, settle_rows
from records.summary import summarise

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Linked:
    """Where the tables of `records/tables.py` were written; `summary` is JSON, without a person's value."""

    people: Path
    events: Path
    enrolments: Path
    identities: Path
    contacts: Path
    practices: Path
    removed: Path
    source_counts: Path
    summary: Path


def build(settings: Settings, as_of: dt.date, out: Path, progress: Progress | None = None) -> Linked:
    """Read every source as it was known before `as_of`, link it, and write the tables into `out`.

    Parameters
    ----------
    settings
        Names the sources, the purpose, and the rules.
    as_of
        Nothing known on this day or later is used.
    out
        Folder for the tables; nothing is written before every check has passed.
    progress
        Called with a few plain words at each step.

    Raises
    ------
    LawfulBasisError, SourceError, AsOfError, SettingsError
        See `records.inspect`; SourceError also for rows that break their contract.
    """
    say = progress or (lambda words: None)
    today = dt.date.today()
    check_lawful_basis(settings, today)
    con = connect()
    try:
        extracts, cdms, problems = open_sources(con, settings)
        if not problems:
            span = span_of(con, extracts, cdms, today)
            check_as_of(span, as_of)
        say("reading and checking the sources")
        problems += _read(con, extracts, cdms, settings, as_of, today)
        if problems:
            raise SourceError(problems, ADVICE)
        say("linking records to people")
        figures = _link(con, extracts, cdms, settings, as_of)
        say("writing people and events")
        return _write(con, extracts, cdms, settings, as_of, span, figures, out)
    finally:
        con.close()


def _read(
    con: duckdb.DuckDBPyConnection,
    extracts: list[Extract],
    cdms: list[OwnIds],
    settings: Settings,
    as_of: dt.date,
    today: dt.date,
) -> list[str]:
    """Opt-outs first, so that nothing else of an opted-out person is looked at."""
    maximum = settings.quality.max_bad_share
    opt_outs = [extract for extract in extracts if extract.table == "opt_outs"]
    problems = []
    no_opt_outs(con)
    for extract in opt_outs:
        problems += read_rows(con, extract, as_of, today, maximum)
    problems += stale(con, opt_outs, as_of)
    if problems:
        return problems
    find_opted_out(con, opt_outs, settings)
    for extract in extracts:
        if extract.table != "opt_outs":
            problems += read_rows(con, extract, as_of, today, maximum)
            if settings.quality.when_stale == "stop":
                problems += stale(con, [extract], as_of)
    for cdm in cdms:
        problems += own_ids.read(con, cdm, as_of, today, maximum)
    return problems


def _link(
    con: duckdb.DuckDBPyConnection, extracts: list[Extract], cdms: list[OwnIds], settings: Settings, as_of: dt.date
) -> dict[str, object]:
    """Make the table `persons` (`handled` with the pseudonym) and return the figures of linkage."""
    for extract in _hospitals(extracts):
        settle_rows(con, extract, as_of)
    figures = link(con, extracts, settings, as_of) if extracts else no_links(con)
    for cdm in cdms:
        own_ids.add_people(con, cdm)
    key = pseudonyms.key_of(settings, synthetic=all([*(e.synthetic for e in extracts), *(c.synthetic for c in cdms)]))
    handled = frame(con, "SELECT * FROM handled ORDER BY who")
    con.register("persons_found", handled.assign(person_id=pseudonyms.person_ids(key, handled["anchor"])))
    con.execute("CREATE OR REPLACE TEMP TABLE persons AS SELECT * FROM persons_found")
    con.unregister("persons_found")
    return figures


def _write(
    con: duckdb.DuckDBPyConnection,
    extracts: list[Extract],
    cdms: list[OwnIds],
    settings: Settings,
    as_of: dt.date,
    span: Span,
    figures: dict[str, object],
    out: Path,
) -> Linked:
    personal = [extract for extract in extracts if extract.contract.personal and extract.table != "opt_outs"]
    spines = [spine_rows(extract, as_of) for extract in extracts if extract.table == "demographics"]
    reconcile(con, [*spines, *(own_ids.spine_rows(cdm) for cdm in cdms)])
    find_ethnicity(con, personal, as_of)
    load_areas(con)
    presence = [ledger.presence_query(extract) for extract in personal] + [own_ids.presence_query(cdm) for cdm in cdms]
    con.execute(
        "CREATE OR REPLACE TEMP TABLE presence AS SELECT person_id, count(DISTINCT source) AS sources, "
        f"bool_or(synthetic) AS synthetic FROM ({' UNION ALL '.join(presence)}) GROUP BY 1"
    )
    practices = practice_table(con, extracts, settings)
    people = people_table(con)
    counts = _counts(con, extracts, cdms)
    identities = [ledger.identities_query(extract) for extract in personal] + [
        own_ids.identities_query(cdm) for cdm in cdms
    ]
    day = f"DATE '{as_of}'"
    happenings = [query for extract in personal for query in event_queries(extract)]
    if hospitals := _hospitals(extracts):
        find_stays(con, hospitals, as_of)
        happenings += hospital_queries()
    happenings += [query for cdm in cdms for query in own_ids.event_queries(con, cdm)]
    linked = Linked(**{name: out / f"{name}.parquet" for name in _TABLES}, summary=out / "summary.json")
    out.mkdir(parents=True, exist_ok=True)
    doors.write(people, tables.PEOPLE, linked.people)
    doors.write(frame(con, events_query(happenings, day)), tables.EVENTS, linked.events)
    doors.write(_enrolments(con, extracts, settings, day), tables.ENROLMENTS, linked.enrolments)
    doors.write(
        frame(con, f"SELECT * FROM ({' UNION ALL '.join(identities)}) ORDER BY source, source_record"),
        tables.IDENTITIES,
        ledger.private(linked.identities),
    )
    doors.write(contacts_table(con), tables.CONTACTS, ledger.private(linked.contacts))
    doors.write(practices, tables.PRACTICES, linked.practices)
    doors.write(removed_table(con), tables.REMOVED, linked.removed)
    doors.write(counts, tables.SOURCE_COUNTS, linked.source_counts)
    for extract in extracts:
        ledger.write_quarantine(con, extract, out / "quarantine")
    for cdm in cdms:
        own_ids.write_quarantine(con, cdm, out / "quarantine")
    linkage_report.write(con, extracts, people, figures, as_of, out)
    told = {name: value for name, value in figures.items() if name not in ("model", "blocks")}
    summary = summarise(con, extracts, cdms, people, span, as_of, told)
    linked.summary.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    return linked


def _hospitals(extracts: list[Extract]) -> list[Extract]:
    return [extract for extract in extracts if extract.table == "hospital_spells"]


_TABLES = ("people", "events", "enrolments", "identities", "contacts", "practices", "removed", "source_counts")


def _counts(con: duckdb.DuckDBPyConnection, extracts: list[Extract], cdms: list[OwnIds]) -> pd.DataFrame:
    parts = [ledger.fates_query(extract) for extract in extracts]
    parts += [query for cdm in cdms for query in own_ids.fates_queries(cdm)]
    return frame(con, f"SELECT * FROM ({' UNION ALL '.join(parts)}) ORDER BY source, fate, why")


def _enrolments(con: duckdb.DuckDBPyConnection, extracts: list[Extract], settings: Settings, day: str) -> pd.DataFrame:
    parts = [enrolment_query(extract, settings, day) for extract in extracts if extract.table == "programme"]
    if not parts:
        return doors.empty(tables.ENROLMENTS)
    return frame(
        con,
        "SELECT * EXCLUDE (record) FROM "
        f'({" UNION ALL ".join(parts)}) ORDER BY person_id, start, known_at, "end", team_code, record',
    )
