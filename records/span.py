"""Which days the sources speak about."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import duckdb

from casewell.errors import AsOfError, SourceError
from casewell.settings import Settings
from records import own_ids
from records.extracts import Extract, open_extracts
from records.lawful import check_lawful_basis
from records.meds import Meds
from records.own_ids import OwnIds, open_own_ids
from records.reading import DAMAGED, connect, is_damage, typed

# What teams and people decide arrives by itself; it does not show that the services' own feeds have come.
NOT_ACTIVITY = ("opt_outs", "programme")
ADVICE = "See docs/reference/sources.md for what each source must hold."


@dataclass(frozen=True)
class Span:
    """The days the sources cover.

    Attributes
    ----------
    begin
        The first day on which any service is known to have recorded anything.
    cut_off
        The day after the last; a list can be made for any day up to and including it.
    synthetic
        Any source is stamped SYNTHETIC.
    """

    begin: dt.date
    cut_off: dt.date
    synthetic: bool


def inspect(settings: Settings) -> Span:
    """Check that the sources may be read and can be, and say which days they cover.

    Raises
    ------
    LawfulBasisError
        A source may not be read for the settings' purpose; nothing was read.
    SourceError
        Every source that is missing, unreadable, empty or short of columns.
    """
    today = dt.date.today()
    check_lawful_basis(settings, today)
    con = connect()
    extracts, cdms, problems = open_sources(con, settings)
    if problems:
        raise SourceError(problems, ADVICE)
    return span_of(con, extracts, cdms, today)


def open_sources(con: duckdb.DuckDBPyConnection, settings: Settings) -> tuple[list[Extract], list[OwnIds], list[str]]:
    """Open every enabled source and list everything that is wrong with their files and columns."""
    extracts, problems = open_extracts(con, settings)
    cdms, more = open_own_ids(con, settings)
    problems = sorted([*problems, *more])
    if cdms and any(extract.table == "opt_outs" for extract in extracts):
        problems += [
            f"source {cdm.name!r}: opt-outs go by NHS number, which {'MEDS data sets' if isinstance(cdm, Meds) else 'OMOP tables'} do not hold; "
            "take opted-out people out of them, and run them without an opt-out source"
            for cdm in cdms
        ]
    if not problems and not cdms and not any(extract.table == "demographics" for extract in extracts):
        problems = [
            "no source says who the people are: a demographics extract, an OMOP folder or a MEDS data set is needed"
        ]
    return extracts, cdms, problems


def span_of(con: duckdb.DuckDBPyConnection, extracts: list[Extract], cdms: list[OwnIds], today: dt.date) -> Span:
    """Return the span of opened sources; days after `today` are faults and do not count."""
    passed = f"known <= DATE '{today}'"
    told = [(extract.label, _known_days(extract), passed) for extract in extracts if _is_activity(extract)]
    told += [
        (f"source {cdm.name!r}", own_ids.known_queries(cdm), "true" if cdm.source.shifted_dates else passed)
        for cdm in cdms
    ]
    if not any(queries for _, queries, _ in told):
        raise SourceError("the sources hold no events, only people", ADVICE)
    days, damaged = [], []
    for label, queries, counts in told:
        if not queries:
            continue
        try:
            days += con.execute(
                f"SELECT min(known), max(known) FROM ({' UNION ALL '.join(queries)}) WHERE {counts}"
            ).fetchall()
        except duckdb.Error as error:
            if not is_damage(error):
                raise
            damaged.append(f"{label}: {DAMAGED}")
    if damaged:
        raise SourceError(damaged, "Fetch the files again.")
    known = [day for ends in days for day in ends if day is not None]
    if not known:
        raise SourceError("no source holds an event with a date that has passed", ADVICE)
    synthetic = any([*(e.synthetic for e in extracts), *(c.synthetic for c in cdms)])
    return Span(min(known), max(known) + dt.timedelta(days=1), synthetic)


def _is_activity(extract: Extract) -> bool:
    """Whether an extract's days of receipt show that a service's own feed has come."""
    dated = extract.contract.known == "received_date" or extract.table == "hospital_spells"
    return dated and extract.table not in NOT_ACTIVITY


def _known_days(extract: Extract) -> list[str]:
    columns = [extract.contract.known, *(["received_date"] if extract.table == "hospital_spells" else [])]
    return [f"SELECT {_date(extract, column)} AS known FROM {extract.file.relation}" for column in columns]


def check_as_of(span: Span, as_of: dt.date) -> None:
    """Refuse a day the sources do not cover.

    Raises
    ------
    AsOfError
        Before they begin or after their cut-off.
    """
    if not span.begin <= as_of <= span.cut_off:
        side = "before the records begin" if as_of < span.begin else "after the records end"
        raise AsOfError(
            f"{as_of} is {side}: the sources cover {span.begin} to {span.cut_off}",
            f"Give a date from {span.begin} to {span.cut_off} with --as-of.",
        )


def _date(extract: Extract, name: str) -> str:
    lag = 0
    if name not in extract.columns:
        lag = extract.source.known_lag_days
        name = (
            "discharge_date"
            if name == "received_date" and extract.table == "hospital_spells"
            else extract.contract.happened
        )
    original, sql_type = extract.columns[name]
    return f"CAST({typed(original, sql_type, 'datetime64[us]')} + INTERVAL {lag} DAY AS DATE)"
