"""Who saw a person becomes an event of its own beside the coded entry; nobody is no event."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pandas as pd

from records.events import event_queries, events_queries, gather_events
from records.reading import connect

ENTRY = {"practice_code": "P1", "code_system": "SNOMED", "code": "11429006", "event_date": "2022-03-01"}


def events(*rows: dict[str, str | None]) -> pd.DataFrame:
    con = connect()
    columns = [*ENTRY, "clinician_code", "numeric_value", "received_date"]
    con.register(
        "given", pd.DataFrame([{"received_date": "2022-03-05"} | row for row in rows], columns=columns).astype("str")
    )
    con.execute(
        """CREATE TABLE rows_0 AS SELECT * REPLACE (event_date::DATE AS event_date, received_date::DATE AS received_date,
            numeric_value::DOUBLE AS numeric_value), 'a' AS who, 'used' AS fate FROM given"""
    )
    con.execute("CREATE TABLE persons AS SELECT 'a' AS who, 1 AS person_id, true AS used, false AS opted")
    extract = SimpleNamespace(name="gp_events", table="gp_events", rows="rows_0")
    gather_events(con, event_queries(extract), dt.date(2023, 1, 1))
    return pd.concat([con.sql(query).df() for query in events_queries()], ignore_index=True)


def test_a_contact_says_whom_the_person_saw_and_no_earlier_than_it_was_known():
    told = events(ENTRY | {"clinician_code": "C03"})
    assert told["code"].tolist() == ["CLINICIAN//P1/C03", "SNOMED//11429006"]
    assert set(told["known_at"]) == {pd.Timestamp("2022-03-05")}


def test_the_same_pseudonym_in_two_practices_is_two_people():
    told = events(ENTRY | {"clinician_code": "C03"}, ENTRY | {"clinician_code": "C03", "practice_code": "P2"})
    assert {"CLINICIAN//P1/C03", "CLINICIAN//P2/C03"} < set(told["code"])


def test_a_contact_without_practice_keeps_its_clinician_and_one_without_clinician_has_none():
    assert "CLINICIAN//C03" in set(events(ENTRY | {"clinician_code": "C03", "practice_code": None})["code"])
    assert events(ENTRY, ENTRY)["code"].tolist() == ["SNOMED//11429006"] * 2
