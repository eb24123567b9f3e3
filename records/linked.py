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
from records import descriptions, ledger, linkage_report, own_ids, pseudonyms, register, tables
from records.areas import load_areas
from records.checking import read_rows
from records.database import batches, working_database
from records.doubtful import doubtful_pairs
from records.events import (
    enrolment_query,
    event_queries,
    events_queries,
    gather_events,
    hospital_queries,
    lot_query,
    offer_query,
    service_queries,
)
from records.extracts import Extract
from records.households import find_households
from records.identity import carry
from records.keyed import keyed, pads
from records.lawful import check_lawful_basis
from records.linkage import Linkage, link, no_links
from records.opt_outs import find_opted_out, no_opt_outs
from records.own_ids import OwnIds
from records.people import contacts_table, frame, people_table, practice_table, removed_table, residences_table
from records.services import find_services
from records.span import ADVICE, Span, check_as_of, open_sources, span_of
from records.spine import find_ethnicity, reconcile, spine_rows
from records.staleness import stale, stale_own_ids
from records.stays import find_stays, settle_rows
from records.summary import summarise
from records.travel import find_travel

Progress = Callable[[str], None]
# The words with which each of the three steps is announced.
STEPS = ("reading and checking the sources", "linking records to people", "writing people and events")


@dataclass(frozen=True)
class Linked:
    """Where the tables of `records/tables.py` were written; `summary` is JSON, without a person's value."""

    people: Path
    residences: Path
    events: Path
    enrolments: Path
    offers: Path
    draws: Path
    identities: Path
    contacts: Path
    practices: Path
    removed: Path
    source_counts: Path
    summary: Path


@dataclass(frozen=True)
class Identified:
    """Who everybody is: what was linked, what the register keeps of it, from which entry it started, and the figures."""

    linkage: Linkage
    draft: register.Draft
    start: register.Entry | None
    key: bytes
    figures: dict[str, object]


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
    with working_database() as con:
        extracts, cdms, problems = open_sources(con, settings)
        if not problems:
            span = span_of(con, extracts, cdms, today)
            check_as_of(span, as_of)
        say(STEPS[0])
        problems += _read(con, extracts, cdms, settings, as_of, today, say)
        if problems:
            raise SourceError(problems, ADVICE)
        say(STEPS[1])
        identified = _link(con, extracts, cdms, settings, as_of)
        say(STEPS[2])
        linked = _write(con, extracts, cdms, settings, as_of, span, identified, out)
    if extracts:
        register.write(settings, identified.key, as_of, identified.start, identified.draft)
    return linked


def _read(
    con: duckdb.DuckDBPyConnection,
    extracts: list[Extract],
    cdms: list[OwnIds],
    settings: Settings,
    as_of: dt.date,
    today: dt.date,
    say: Progress,
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
            if not problems:
                say(f"read {ledger.row_count(con, extract.rows):,} rows of {extract.name}")
            if settings.quality.when_stale == "stop":
                problems += stale(con, [extract], as_of)
    for cdm in cdms:
        problems += own_ids.read(con, cdm, as_of, today, maximum)
        if settings.quality.when_stale == "stop":
            problems += stale_own_ids(con, [cdm], as_of)
    return problems


def _link(
    con: duckdb.DuckDBPyConnection, extracts: list[Extract], cdms: list[OwnIds], settings: Settings, as_of: dt.date
) -> Identified:
    """Make the table `persons` (`handled` with the pseudonym)."""
    for extract in _of_kind(extracts, "hospital_spells"):
        settle_rows(con, extract, as_of)
    key = _key(extracts, cdms, settings)
    start = register.before(settings, key, as_of) if extracts else None
    linkage = link(con, extracts, settings, as_of, start, key) if extracts else no_links(con)
    carried = carry(con, key, as_of, start, linkage)
    for cdm in cdms:
        own_ids.add_people(con, cdm)
    own = keyed("'person|' || anchor")
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE persons AS
        SELECT handled.* EXCLUDE (record, rows), person_id FROM handled JOIN named_people USING (anchor)
        UNION ALL SELECT * EXCLUDE (record, rows), {own} FROM handled
        WHERE anchor NOT IN (SELECT anchor FROM named_people) ORDER BY who""",
        pads(key),
    )
    figures = {**linkage.figures, **carried.figures, "pseudonym_key": pseudonyms.fingerprint_of(key)}
    return Identified(linkage, carried.draft, start, key, figures)


def _key(extracts: list[Extract], cdms: list[OwnIds], settings: Settings) -> bytes:
    return pseudonyms.key_of(settings, synthetic=all([*(e.synthetic for e in extracts), *(c.synthetic for c in cdms)]))


def _write(
    con: duckdb.DuckDBPyConnection,
    extracts: list[Extract],
    cdms: list[OwnIds],
    settings: Settings,
    as_of: dt.date,
    span: Span,
    identified: Identified,
    out: Path,
) -> Linked:
    figures = identified.figures
    personal = [extract for extract in extracts if extract.contract.personal and extract.table != "opt_outs"]
    spines = [spine_rows(extract, as_of) for extract in extracts if extract.table == "demographics"]
    reconcile(con, [*spines, *(own_ids.spine_rows(cdm) for cdm in cdms)])
    find_ethnicity(con, personal, as_of)
    find_households(con, _key(extracts, cdms, settings))
    load_areas(con)
    find_travel(con, _of_kind(extracts, "travel_times"))
    presence = [ledger.presence_query(extract) for extract in personal] + [own_ids.presence_query(cdm) for cdm in cdms]
    con.execute(
        "CREATE OR REPLACE TABLE presence AS SELECT person_id, count(DISTINCT source) AS sources, "
        f"bool_or(synthetic) AS synthetic FROM ({' UNION ALL '.join(presence)}) GROUP BY 1"
    )
    practices = practice_table(con, extracts, settings)
    people = people_table(con)
    counts = _counts(con, extracts, cdms)
    day = f"DATE '{as_of}'"
    happenings = [query for extract in personal for query in event_queries(extract)]
    if hospitals := _of_kind(extracts, "hospital_spells"):
        find_stays(con, hospitals, as_of)
        happenings += hospital_queries()
    if carers := _of_kind(extracts, "social_care"):
        find_services(con, carers)
        happenings += service_queries()
    happenings += [query for cdm in cdms for query in own_ids.event_queries(con, cdm)]
    linked = Linked(**{name: out / f"{name}.parquet" for name in _TABLES}, summary=out / "summary.json")
    out.mkdir(parents=True, exist_ok=True)
    doors.write(people, tables.PEOPLE, linked.people)
    doors.write(residences_table(con), tables.RESIDENCES, linked.residences)
    gather_events(con, happenings, as_of)
    doors.write_batches(batches(con, events_queries()), tables.EVENTS, linked.events)
    doors.write(_enrolments(con, extracts, settings, day), tables.ENROLMENTS, linked.enrolments)
    doors.write(_offers(con, extracts, day), tables.OFFERS, linked.offers)
    doors.write(_draws(con, extracts, day), tables.DRAWS, linked.draws)
    doors.write_batches(batches(con, _identities(personal, cdms)), tables.IDENTITIES, ledger.private(linked.identities))
    doors.write(contacts_table(con), tables.CONTACTS, ledger.private(linked.contacts))
    doors.write(practices, tables.PRACTICES, linked.practices)
    removed = removed_table(con)
    doors.write(removed, tables.REMOVED, linked.removed)
    doors.write(counts, tables.SOURCE_COUNTS, linked.source_counts)
    for extract in extracts:
        ledger.write_quarantine(con, extract, out / "quarantine")
    for cdm in cdms:
        own_ids.write_quarantine(con, cdm, out / "quarantine")
    ledger.must_add_up(con, extracts, out)
    doubtful = doubtful_pairs(con, identified.linkage)
    doors.write(doubtful, tables.DOUBTFUL, ledger.private(out / "doubtful.parquet"))
    descriptions.write(con, doubtful, settings, as_of, out)
    doors.write(identified.draft.changes, tables.CHANGES, ledger.private(out / register.CHANGES))
    linkage_report.write(con, extracts, people, removed, figures, as_of, out)
    told = {name: value for name, value in figures.items() if name not in ("model", "blocks")}
    summary = summarise(con, extracts, cdms, people, span, as_of, told)
    linked.summary.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    return linked


def _of_kind(extracts: list[Extract], table: str) -> list[Extract]:
    return [extract for extract in extracts if extract.table == table]


_TABLES = (
    "people",
    "residences",
    "events",
    "enrolments",
    "offers",
    "draws",
    "identities",
    "contacts",
    "practices",
    "removed",
    "source_counts",
)


def _identities(extracts: list[Extract], cdms: list[OwnIds]) -> list[str]:
    """Return a query a source, in order of their names: together they are in order without being sorted together."""
    queries = {extract.name: ledger.identities_query(extract) for extract in extracts}
    queries |= {cdm.name: own_ids.identities_query(cdm) for cdm in cdms}
    return [f"{query} ORDER BY source_record" for _, query in sorted(queries.items())]


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
        f'({" UNION ALL ".join(parts)}) ORDER BY person_id, start, known_at, "end", team_code, programme, record',
    )


def _offers(con: duckdb.DuckDBPyConnection, extracts: list[Extract], day: str) -> pd.DataFrame:
    parts = [offer_query(extract, day) for extract in extracts if extract.table == "programme"]
    if not parts:
        return doors.empty(tables.OFFERS)
    columns = 'person_id, offered, outcome, start, "end", known_at, offer_again, programme'
    return frame(con, f"SELECT {columns} FROM ({' UNION ALL '.join(parts)}) ORDER BY {columns}")


def _draws(con: duckdb.DuckDBPyConnection, extracts: list[Extract], day: str) -> pd.DataFrame:
    parts = [lot_query(extract, day) for extract in extracts if extract.table == "programme"]
    if not parts:
        return doors.empty(tables.DRAWS)
    columns = "person_id, drawn_on, team_code, chance, drawn, programme"
    return frame(con, f"SELECT {columns} FROM ({' UNION ALL '.join(parts)}) ORDER BY {columns}")
