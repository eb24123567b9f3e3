"""Building the tiny system of `conftest`, and reading back what was built."""

from __future__ import annotations

import datetime as dt

import records
from casewell import doors
from records import tables

AS_OF = dt.date(2022, 10, 13)
OLD_AREA = "E01000010"
"""Of 2011, and split or merged since."""


def built(settings, out, as_of=AS_OF):
    return tables_of(records.build(settings, as_of, out))


def tables_of(linked):
    names = (
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
    return {name: doors.read(getattr(linked, name), getattr(tables, name.upper())) for name in names}


def person(got, record, source="demographics"):
    rows = got["identities"]
    return rows[(rows["source"] == source) & (rows["source_record"] == record)].iloc[0]
