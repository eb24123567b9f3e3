"""Tiny tables for the specifications: one person, one index date, dates written as text."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pandas as pd

from features import Feature, build
from features.feature import DOMAINS, TRAVEL

PERSON = 7
INDEX_DATE = "2026-07-01"
PEOPLE_COLUMNS = {
    "person_id": "int64",
    "birth_month": "datetime64[us]",
    "sex": "str",
    "imd_decile": "float64",
    "died_on": "datetime64[us]",
    "death_known_at": "datetime64[us]",
}
RESIDENCE_COLUMNS = {
    "person_id": "int64",
    "start": "datetime64[us]",
    "end": "datetime64[us]",
    "end_known_at": "datetime64[us]",
    "household_id": "Int64",
    "imd_decile": "float64",
    **dict.fromkeys((*DOMAINS, *TRAVEL), "float64"),
    "practice_code": "str",
}
EVENT_COLUMNS = {
    "subject_id": "int64",
    "time": "datetime64[us]",
    "known_at": "datetime64[us]",
    "known_until": "datetime64[us]",
    "code": "str",
    "numeric_value": "float64",
    "end": "datetime64[us]",
    "source": "str",
}


def event(
    time: str | None,
    code: str = "ED//ARRIVAL",
    value: float | None = None,
    end: str | None = None,
    known_at: str | None = None,
    known_until: str | None = None,
    person: int = PERSON,
) -> dict[str, object]:
    """One event, known on the day it happened unless told otherwise."""
    return {
        "subject_id": person,
        "time": time,
        "known_at": known_at or time,
        "known_until": known_until,
        "code": code,
        "numeric_value": value,
        "end": end,
        "source": "made up",
    }


def events_table(rows: list[dict[str, object]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(EVENT_COLUMNS)).astype(EVENT_COLUMNS)


# Somebody else's, in no code group: they say that records began before every index date of the tests, and went on.
ELSEWHERE = events_table([event(day, "NOTHING//known", person=-(2**40)) for day in ("1900-01-01", "2026-12-31")])


def people_table(rows: list[dict[str, object]] | None = None) -> pd.DataFrame:
    rows = rows or [{"person_id": PERSON, "birth_month": "1946-07-01", "sex": "female", "imd_decile": 2.0}]
    return pd.DataFrame(rows, columns=list(PEOPLE_COLUMNS)).astype(PEOPLE_COLUMNS)


def residences_table(rows: list[dict[str, object]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=list(RESIDENCE_COLUMNS))
    return table.assign(practice_code=table["practice_code"].fillna("")).astype(RESIDENCE_COLUMNS)


def residences_of(people: pd.DataFrame) -> pd.DataFrame:
    """Everybody registered once and for all, at no address, in the area of their decile."""
    return residences_table(people[["person_id", "imd_decile"]].to_dict("records"))


def population_table(rows: list[tuple[str, int]] | None = None) -> pd.DataFrame:
    table = pd.DataFrame(rows or [(INDEX_DATE, PERSON)], columns=["index_date", "person_id"])
    return table.astype({"index_date": "datetime64[us]", "person_id": "int64"})


def write_and_build(
    folder: Path,
    population: pd.DataFrame,
    events: pd.DataFrame,
    people: pd.DataFrame,
    features: list[Feature],
    residences: pd.DataFrame | None = None,
    engine: Literal["embedded", "spark"] = "embedded",
) -> Path:
    tables = {"events": pd.concat([events, ELSEWHERE.reindex(columns=events.columns)]), "people": people}
    tables["residences"] = residences_of(people) if residences is None else residences
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet", index=False)
    paths = (folder / f"{name}.parquet" for name in tables)
    return build(population, *paths, folder / "matrix.parquet", features, engine=engine)


def bytes_of(matrix: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in matrix.iterdir()}


def feature(aggregation: str, window: int | None = None, group: str | None = "ed_attendance") -> Feature:
    name = f"{group}_{aggregation}_{window}"
    return Feature(name, "test", group, aggregation, window, "unit", "for a test")
