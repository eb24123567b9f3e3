"""Builders of small tables: give the columns that matter, the rest is an ordinary eligible adult."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from casewell import doors
from cohorts import Heading
from models.tables import SCORES
from records.tables import CONTACTS, DOMAINS, ENROLMENTS, EVENTS, OFFERS, PEOPLE, PRACTICES, REMOVED, RESIDENCES

AS_OF = dt.date(2026, 9, 28)

_PERSON: dict[str, Any] = {
    "birth_month": "1950-03-01",
    "sex": "female",
    "ethnic_category": "A",
    "ethnic_group": "White",
    "ethnicity_source": "demographics",
    "ethnicity_known_at": pd.NaT,
    "household_id": pd.NA,
    "lsoa": "E01000001",
    "lsoa_vintage": "2021",
    "imd_decile": 3.0,
    "imd_version": "2025",
    "practice_code": "P1",
    "team_code": "T1",
    "registered_from": "2010-01-01",
    "registered_to": None,
    "died_on": None,
    "death_known_at": None,
    "in_spine": True,
    "sources": 2,
    "synthetic": False,
}
_EVENT = {"known_until": None, "numeric_value": None, "end": None, "source": "test"}
_ENROLMENT = {
    "programme": "case_management",
    "team_code": "T1",
    "end": None,
    "route": "gp_discretion",
    "randomised_probability": None,
}
_OFFER = {
    "programme": "case_management",
    "offered": "2026-01-01",
    "outcome": "declined",
    "start": None,
    "end": None,
    "offer_again": None,
}
_RESIDENCE: dict[str, Any] = {
    "start": "2010-01-01",
    "end": None,
    "end_known_at": None,
    "household_id": pd.NA,
    "imd_decile": 3.0,
    **dict.fromkeys(DOMAINS, 3.0),
    "practice_code": "P1",
}
_SCORE = {"risk": 0.3, "need": 1.5, "benefit": 0.02, "supported": True, "evidence_grade": "compared"}
_CONTACT = {
    "nhs_number": "9990653399",
    "given_name": "Ada",
    "family_name": "Byron",
    "date_of_birth": "1950-03-04",
    "practice_code": "P1",
    "practice_name": "The Practice",
    "source_record": "r1",
}
_REMOVED = {"door": "opted_out", "why": "Type 1 opt-out", "imd_decile": 1.0, "ethnic_group": "Asian", "sex": "male"}


def _table(schema: Any, defaults: dict[str, Any], rows: list[dict[str, Any]]) -> pd.DataFrame:
    if not rows:
        return doors.empty(schema)
    columns = [name for name, column in schema.columns.items() if column.required]
    table = pd.DataFrame([defaults | row for row in rows], columns=columns)
    dates = [name for name in columns if "datetime" in str(schema.columns[name].dtype)]
    return doors.check(table.assign(**{name: pd.to_datetime(table[name]) for name in dates}), schema)


@pytest.fixture(scope="session")
def as_of() -> dt.date:
    return AS_OF


@pytest.fixture(scope="session")
def people() -> Callable[..., pd.DataFrame]:
    return lambda *rows: _table(PEOPLE, _PERSON, [{"person_id": n, **row} for n, row in enumerate(rows, 1)])


@pytest.fixture(scope="session")
def enrolments() -> Callable[..., pd.DataFrame]:
    return lambda *rows: _table(ENROLMENTS, _ENROLMENT, list(rows))


@pytest.fixture(scope="session")
def offers() -> Callable[..., pd.DataFrame]:
    return lambda *rows: _table(OFFERS, _OFFER, list(rows))


@pytest.fixture(scope="session")
def residences() -> Callable[..., pd.DataFrame]:
    return lambda *rows: _table(RESIDENCES, _RESIDENCE, [{"person_id": n, **row} for n, row in enumerate(rows, 1)])


@pytest.fixture
def events(tmp_path: Path) -> Callable[..., Path]:
    def write(*rows: dict[str, Any]) -> Path:
        known = [{"known_at": row["time"], **row} for row in rows]
        return doors.write(_table(EVENTS, _EVENT, known), EVENTS, tmp_path / "events.parquet")

    return write


@pytest.fixture(scope="session")
def scores() -> Callable[..., pd.DataFrame]:
    return lambda *rows: _table(SCORES, _SCORE, [{"person_id": n, **row} for n, row in enumerate(rows, 1)])


@pytest.fixture(scope="session")
def contacts() -> Callable[..., pd.DataFrame]:
    return lambda *rows: _table(CONTACTS, _CONTACT, [{"person_id": n, **row} for n, row in enumerate(rows, 1)])


@pytest.fixture(scope="session")
def removed() -> Callable[..., pd.DataFrame]:
    return lambda *rows: _table(REMOVED, _REMOVED, list(rows))


@pytest.fixture(scope="session")
def practices() -> pd.DataFrame:
    return _table(
        PRACTICES,
        {"practice_name": "The Practice"},
        [
            {"practice_code": "P1", "team_code": "T1", "team_name": "North team"},
            {"practice_code": "P2", "team_code": "T2", "team_name": "South team"},
        ],
    )


@pytest.fixture(scope="session")
def heading() -> Heading:
    return Heading(AS_OF, "cannot tell", "A. Director", "small pilot, reviewed by hand", dt.date(2027, 3, 31))
