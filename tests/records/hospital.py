"""Rows of hospital spells as trusts send them, and the events that come of them."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pandas as pd

from records.events import events_queries, gather_events, hospital_queries
from records.reading import connect
from records.stays import find_stays, settle_rows

TYPES = {
    "record_id": "VARCHAR",
    "person": "VARCHAR",
    "number": "VARCHAR",
    "provider_code": "VARCHAR",
    "spell_id": "VARCHAR",
    "episode_order": "BIGINT",
    "admission_date": "DATE",
    "admission_method": "VARCHAR",
    "admission_received_date": "DATE",
    "discharge_date": "DATE",
    "discharge_destination": "VARCHAR",
    "primary_diagnosis": "VARCHAR",
    "secondary_diagnoses": "VARCHAR",
    "procedures": "VARCHAR",
    "received_date": "DATE",
}
EPISODE = {
    "person": "a",
    "provider_code": "RAA",
    "spell_id": "S1",
    "episode_order": 1,
    "admission_date": "2022-06-01",
    "admission_method": "21",
    "admission_received_date": "2022-06-02",
    "discharge_date": "2022-06-11",
    "discharge_destination": "19",
    "primary_diagnosis": "I500",
    "secondary_diagnoses": "E119",
    "received_date": "2022-07-01",
}
SECOND = EPISODE | {"episode_order": 2, "primary_diagnosis": "J440", "secondary_diagnoses": "E119;N183"}
AGAIN = EPISODE | {"primary_diagnosis": "J440", "received_date": "2022-08-01"}
MOVED = EPISODE | {"discharge_destination": "51"}
ELSEWHERE = EPISODE | {
    "provider_code": "RBB",
    "admission_date": "2022-06-11",
    "admission_method": "81",
    "admission_received_date": "2022-06-13",
    "discharge_date": "2022-06-20",
    "primary_diagnosis": "J180",
    "secondary_diagnoses": None,
    "received_date": "2022-07-10",
}
LATER = dt.date(2023, 1, 1)


def events(*rows: dict, as_of: dt.date = LATER) -> pd.DataFrame:
    """The hospital's events that hold, as known before a day."""
    return visible(versions(*rows, as_of=as_of), as_of)


def visible(table: pd.DataFrame, day: dt.date) -> pd.DataFrame:
    """The events that could be seen on a day, as the door says."""
    day = pd.Timestamp(day)
    until = table["known_until"].isna() | (table["known_until"] >= day)
    seen = table[(table["time"] < day) & (table["known_at"] < day) & until].drop(columns="known_until")
    return seen.astype({"code": "str", "source": "str"}).sort_values(list(seen.columns), ignore_index=True)


def versions(*rows: dict, as_of: dt.date = LATER) -> pd.DataFrame:
    """The hospital's events as known before a day, those too that hold no longer; `person` stands for linkage."""
    con = connect()
    numbered = [{"record_id": f"H{place}"} | row for place, row in enumerate(rows)]
    con.register("given", pd.DataFrame(numbered, columns=list(TYPES)).astype("str"))
    columns = ", ".join(f"CAST({name} AS {kind}) AS {name}" for name, kind in TYPES.items())
    con.execute(
        f"""CREATE TABLE rows_0 AS SELECT *, person AS who, '' AS why,
            if(admission_received_date < DATE '{as_of}', 'used', 'not_yet_known') AS fate
        FROM (SELECT {columns} FROM given)"""
    )
    con.execute(
        "CREATE TABLE persons AS SELECT DISTINCT who, ascii(who) AS person_id, true AS used, false AS opted FROM rows_0"
    )
    extract = SimpleNamespace(name="hospital_spells", table="hospital_spells", rows="rows_0")
    settle_rows(con, extract, as_of)
    find_stays(con, [extract], as_of)
    gather_events(con, hospital_queries(), as_of)
    return pd.concat([con.sql(query).df() for query in events_queries()], ignore_index=True)


def told(table: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """Each code with the day it happened and the day it was known."""
    days = table[["time", "known_at"]].apply(lambda column: column.dt.strftime("%Y-%m-%d"))
    assert table["code"].is_unique
    return dict(zip(table["code"], zip(days["time"], days["known_at"], strict=True), strict=True))


def codes(table: pd.DataFrame) -> set[str]:
    """The codes of a table."""
    return set(told(table))
