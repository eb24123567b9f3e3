"""Who is asked for on which day: read from a file of any order and size, in the order of the matrix."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from casewell.errors import SourceError
from features import CATALOGUE, build
from features.pieces import Pieces
from features.population import lay_out
from tests.features.tiny import (
    INDEX_DATE,
    PERSON,
    bytes_of,
    event,
    events_table,
    people_table,
    population_table,
    write_and_build,
)

DAYS = ["2026-05-01", "2026-06-01", "2026-07-01"]


def written(folder, table: pd.DataFrame):
    path = folder / "told.parquet"
    table.to_parquet(path, index=False, row_group_size=1000)
    return path


def test_rows_in_any_order_are_laid_out_by_date_and_pseudonym(tmp_path, monkeypatch):
    monkeypatch.setattr("features.population.ROWS_AT_ONCE", 7_000)
    random = np.random.default_rng(1)
    people = random.integers(-(2**62), 2**63 - 1, 60_000)
    table = population_table([(day, 0) for day in DAYS]).drop(columns="person_id")
    table = table.merge(pd.DataFrame({"person_id": people, "outcome": 1.0}), how="cross")
    table = table.iloc[random.permutation(len(table))[:150_000]]
    laid = lay_out(written(tmp_path, table), tmp_path)
    wanted = table.sort_values(["index_date", "person_id"])
    np.testing.assert_array_equal(laid.pseudonyms(0, laid.rows), wanted["person_id"])
    np.testing.assert_array_equal(laid.counts.sum(axis=1), wanted.groupby("index_date").size())
    assert laid.people == table["person_id"].nunique()
    by_date = {day: np.concatenate(list(some)) for day, some in laid.by_date()}
    for day, rows in wanted.groupby("index_date"):
        np.testing.assert_array_equal(by_date[day], rows["person_id"])


def test_pieces_hold_every_row_once_with_all_dates_of_a_person_together(tmp_path, monkeypatch):
    monkeypatch.setattr("features.pieces.CELLS", 1_000)
    people = np.random.default_rng(2).integers(-(2**62), 2**63 - 1, 3_000)
    table = population_table([(day, one) for day in DAYS for one in people[: 3_000 - 500 * len(day)]])
    table = pd.concat([table, population_table([(DAYS[0], one) for one in people])]).drop_duplicates()
    pieces = list(Pieces(lay_out(table, tmp_path), 10))
    rows = np.concatenate([piece.rows for piece in pieces])
    wanted = table.sort_values(["index_date", "person_id"])
    assert len(pieces) > 10
    assert sorted(rows) == list(range(len(table)))
    np.testing.assert_array_equal(np.concatenate([p.person for p in pieces]), wanted["person_id"].to_numpy()[rows])
    np.testing.assert_array_equal(np.concatenate([p.index_date for p in pieces]), wanted["index_date"].to_numpy()[rows])
    parted = [set(piece.person.tolist()) for piece in pieces]
    assert sum(map(len, parted)) == len(set().union(*parted))


def test_a_population_in_a_file_gives_the_bytes_of_the_table(tmp_path):
    population = population_table([(day, one) for day in DAYS for one in (PERSON, 3, 2**60)])
    events = events_table([event("2026-05-15"), event("2026-04-15", person=2**60)])
    people = people_table([{"person_id": one, "birth_month": "1950-01-01", "sex": "female"} for one in (PERSON, 3)])
    from_table = bytes_of(write_and_build(tmp_path, population, events, people, list(CATALOGUE)))
    path = written(tmp_path, population.iloc[::-1].assign(label="more"))
    inputs = (tmp_path / f"{name}.parquet" for name in ("events", "people", "residences"))
    assert bytes_of(build(path, *inputs, tmp_path / "again", list(CATALOGUE))) == from_table


def test_dates_without_time_of_day_and_short_whole_numbers_will_do(tmp_path):
    table = pd.DataFrame({"index_date": [pd.Timestamp(INDEX_DATE).date()], "person_id": np.int32([PERSON])})
    laid = lay_out(written(tmp_path, table), tmp_path)
    assert laid.dates.tolist() == population_table()["index_date"].dt.to_pydatetime().tolist()
    assert laid.pseudonyms(0, 1).tolist() == [PERSON]


@pytest.mark.parametrize(
    ("table", "problems"),
    [
        ({"person_id": [1]}, ["missing column 'index_date'"]),
        (
            {"index_date": ["2026-07-01"], "person_id": [1.5]},
            ["column 'index_date' is ", "column 'person_id' is double, where a whole number is needed"],
        ),
        (
            {"index_date": [pd.Timestamp(INDEX_DATE), pd.NaT, pd.Timestamp("2026-07-01 12:00")], "person_id": pd.array([None, 1, 1], "Int64")},
            ["1 row(s) have no index_date", "1 row(s) have no person_id", "1 row(s) have an index_date with a time of day"],
        ),
        (
            {"index_date": pd.to_datetime([INDEX_DATE] * 4), "person_id": [1, 2, 1, 1]},
            ["2 row(s) ask for a person twice on one index date"],
        ),
        ({"index_date": pd.to_datetime([INDEX_DATE], utc=True), "person_id": [1]}, ["without a time zone"]),
    ],
    ids=["no date", "wrong types", "wrong values", "twice", "time zone"],
)  # fmt: skip
def test_a_file_that_breaks_the_contract_is_refused_with_all_that_is_wrong(tmp_path, table, problems):
    with pytest.raises(SourceError) as caught:
        lay_out(written(tmp_path, pd.DataFrame(table)), tmp_path)
    assert len(caught.value.problems) == len(problems)
    for problem, part in zip(caught.value.problems, problems, strict=True):
        assert part in problem
        assert problem.startswith("table 'population': ")
