"""Sources that bring their own person ids, OMOP and MEDS, behind one set of verbs."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb

from casewell.settings import Settings
from records import meds, omop, omop_events
from records.meds import Meds
from records.omop import Cdm

OwnIds = Cdm | Meds


def open_own_ids(con: duckdb.DuckDBPyConnection, settings: Settings) -> tuple[list[OwnIds], list[str]]:
    """Open every enabled OMOP folder and MEDS data set, and list what is wrong with files and columns."""
    cdms, problems = omop.open_cdms(con, settings)
    sets, more = meds.open_meds(con, settings)
    return [*cdms, *sets], [*problems, *more]


def read(
    con: duckdb.DuckDBPyConnection, source: OwnIds, as_of: dt.date, today: dt.date, maximum_bad_share: float
) -> list[str]:
    """Read it and give every row its fate; return what stops the run."""
    if isinstance(source, Meds):
        return meds.read_meds(con, source, as_of, today, maximum_bad_share)
    return omop.read_cdm(con, source, as_of, today, maximum_bad_share)


def add_people(con: duckdb.DuckDBPyConnection, source: OwnIds) -> None:
    """Add its people to `handled`."""
    if isinstance(source, Meds):
        meds.add_people(con, source)
    else:
        omop_events.add_people(con, source)


def known_queries(source: OwnIds) -> list[str]:
    """Return queries of the days on which its records became known."""
    return meds.known_queries(source) if isinstance(source, Meds) else omop.known_queries(source)


def spine_rows(source: OwnIds) -> str:
    """Return the query of its people in the form of `records.spine.spine_rows`."""
    return meds.spine_rows(source) if isinstance(source, Meds) else omop_events.spine_rows(source)


def event_queries(con: duckdb.DuckDBPyConnection, source: OwnIds) -> list[str]:
    """Return the queries of its events."""
    return meds.event_queries(con, source) if isinstance(source, Meds) else omop_events.event_queries(con, source)


def fates_queries(source: OwnIds) -> list[str]:
    """Return the queries that count its rows by fate."""
    return meds.fates_queries(source) if isinstance(source, Meds) else omop_events.fates_queries(source)


def identities_query(source: OwnIds) -> str:
    """Return the query of which pseudonym each of its own ids got."""
    return meds.identities_query(source) if isinstance(source, Meds) else omop_events.identities_query(source)


def presence_query(source: OwnIds) -> str:
    """Return the query of the people it knows."""
    return meds.presence_query(source) if isinstance(source, Meds) else omop_events.presence_query(source)


def write_quarantine(con: duckdb.DuckDBPyConnection, source: OwnIds, folder: Path) -> None:
    """Keep its rows that were set aside."""
    if isinstance(source, Meds):
        meds.write_quarantine(con, source, folder)
    else:
        omop_events.write_quarantine(con, source, folder)
