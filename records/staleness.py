"""Sources that are older than the settings expect, as a run sees them once it has read them."""

from __future__ import annotations

import datetime as dt

import duckdb

from records.extracts import Extract
from records.own_ids import OwnIds, known_queries
from records.reading import literal

ADVICE = (
    "Fetch the opt-outs anew. If so few people opt out that the newest is older with reason, raise "
    "`expected_every_days` of the source."
)


def stale(con: duckdb.DuckDBPyConnection, extracts: list[Extract], as_of: dt.date) -> list[str]:
    """Say which extracts, read already, are older at `as_of` than the settings expect.

    Age goes by the newest day of receipt in the rows: a file's own date is new again after any copy.
    A source for which the settings expect nothing is not judged. An opt-out that came after `as_of` is in
    hand and counts; a record that did is not known yet.
    """
    problems = []
    for extract in extracts:
        every = extract.source.expected_every_days
        if every is None or not extract.contract.known:
            continue
        opted = extract.table == "opt_outs"
        counts = "true" if opted else f"known < DATE {literal(as_of)}"
        (newest,) = con.execute(f"SELECT max(known) FROM {extract.rows} WHERE {counts}").fetchone() or (None,)
        problems += [
            f"{extract.label}: {words}" + ("; who opted out since is not known" if opted else "")
            for words in _too_old(newest, every, as_of)
        ]
    return problems


def stale_own_ids(con: duckdb.DuckDBPyConnection, sources: list[OwnIds], as_of: dt.date) -> list[str]:
    """Say the same of OMOP folders and MEDS data sets, whose records are known a stated lag after they happened."""
    problems = []
    for source in sources:
        if source.source.expected_every_days is None:
            continue
        days = " UNION ALL ".join(known_queries(source))
        query = f"SELECT max(known) FROM ({days}) WHERE known < DATE {literal(as_of)}"
        (newest,) = con.execute(query).fetchone() or (None,)
        found = _too_old(newest, source.source.expected_every_days, as_of)
        problems += [f"source {source.name!r}: {words}" for words in found]
    return problems


def _too_old(newest: dt.date | None, every: int, as_of: dt.date) -> list[str]:
    if newest is not None and (as_of - newest).days <= every:
        return []
    age = "has no date of receipt" if newest is None else f"is {(as_of - newest).days} days old on {as_of}"
    return [f"the newest row {age}, and one is expected every {every} days"]
