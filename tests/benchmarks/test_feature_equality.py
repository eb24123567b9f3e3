"""The comparison of feature engines finds a cell that differs, and the leak measurement the rows it should take away."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from benchmarks.feature_equality import compare, held_against
from benchmarks.feature_leaks import ADDED, CUT, changed
from features.reference_engine import build_in_memory
from tests.features.tiny import (
    event,
    events_table,
    feature,
    people_table,
    population_table,
    residences_of,
    residences_table,
    write_and_build,
)

FEATURES = [feature("count", 30), feature("days_since_last", 90), feature("age", group=None)]
EVERYBODY = population_table([("2026-07-01", person) for person in (1, 5, 9)])
EVENTS = events_table([event("2026-06-20", person=1), event("2026-06-25", person=9), event("2026-05-01", person=9)])
PEOPLE = people_table([{"person_id": person, "birth_month": "1950-01-01"} for person in (1, 5, 9)])


def test_cells_differ_by_value_and_by_what_is_missing():
    nan = np.nan
    one, other = np.float32([1, nan, 0, 2, nan]), np.float32([1, nan, 0, 2.5, nan])
    assert held_against(one, other) == (5, 2, 1, 0.5)
    assert held_against(np.float32([nan, 1]), np.float32([3, 1])) == (2, 2, 1, np.inf)


@pytest.fixture
def engines(tmp_path):
    """The matrix, and what the reference says, in two files of people in an order of their own."""
    matrix = write_and_build(tmp_path, EVERYBODY, EVENTS, PEOPLE, FEATURES)
    wanted = tmp_path / "reference"
    wanted.mkdir()
    for number, rows in enumerate((EVERYBODY[1:], EVERYBODY[:1])):
        told = build_in_memory(rows, EVENTS, PEOPLE, residences_of(PEOPLE), FEATURES)
        told.to_parquet(wanted / f"{number}.parquet", index=False)
    return matrix, wanted


def test_equal_engines_differ_in_no_cell_and_the_filled_ones_are_counted(engines):
    found = compare(*engines, FEATURES)
    assert found["cells"].tolist() == [3, 3, 3]
    assert found["filled"].tolist() == [2, 2, 3]
    assert not found["differ"].any()


def test_one_other_cell_is_found_where_it_is(engines):
    matrix, wanted = engines
    path = wanted / "0.parquet"
    told = pd.read_parquet(path)
    told.loc[0, FEATURES[0].name] += 2
    told.to_parquet(path, index=False)
    found = compare(matrix, wanted, FEATURES)
    assert found["differ"].tolist() == [1, 0, 0]
    assert found["largest"].tolist() == [2, 0, 0]


def test_engines_that_describe_other_people_cannot_be_compared(engines):
    matrix, wanted = engines
    (wanted / "1.parquet").unlink()
    with pytest.raises(RuntimeError, match="same people"):
        compare(matrix, wanted, FEATURES)


def test_records_cut_at_a_day_hold_nothing_known_later_and_added_rows_are_all_known_later(tmp_path):
    many = [event(f"2026-0{month}-10", person=month, known_at=f"2026-0{month}-20") for month in range(1, 10)]
    events = events_table([*many, event("2026-01-02", known_at="2026-01-03", known_until="2026-08-01")])
    homes = residences_table(
        [{"person_id": 1, "start": "2020-01-01", "end": "2026-05-01", "end_known_at": "2026-07-02"}]
    )
    for name, table in {"events": events, "people": PEOPLE, "residences": homes}.items():
        table.to_parquet(tmp_path / f"{name}.parquet", index=False)
    day = dt.date(2026, 7, 1)
    cut = changed(tmp_path, CUT, day, tmp_path / "cut")
    told = pd.read_parquet(cut / "events.parquet")
    assert len(told) == 7
    assert (told["known_at"] < pd.Timestamp(day)).all()
    assert told["known_until"].isna().all()
    assert pd.read_parquet(cut / "residences.parquet")[["end", "end_known_at"]].isna().all(axis=None)
    more = pd.read_parquet(changed(tmp_path, ADDED, day, tmp_path / "added") / "events.parquet")
    new = more[more["numeric_value"] == 1.0]
    assert len(more) == len(events) + len(new)
    assert len(new) > 0
    assert (new["known_at"] >= pd.Timestamp(day)).all()
    assert (new["time"] < pd.Timestamp(day)).all()
    assert list(more.columns) == list(events.columns)
