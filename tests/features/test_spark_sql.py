"""The queries that Spark is given mean what the reference says; here DuckDB runs them, which starts at once."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from casewell.errors import SettingsError
from features import load_code_groups, map_codes
from features.pieces import Pieces
from features.plan import KINDS
from features.population import lay_out
from features.spark_engine import check_covered, read_answers, wanted_table, widened, write_asked
from features.spark_sql import FAMILIES, SEEN, long_form
from tests.features.coded import CODES, FEATURES, expected
from tests.features.many import many_tables
from tests.features.test_kernel import EVERYBODY, history
from tests.features.tiny import event, events_table, feature, people_table, population_table, write_and_build


def from_queries(folder: Path, population: pd.DataFrame, events: pd.DataFrame, features=FEATURES) -> np.ndarray:
    """What the queries say: float32 (features, rows sorted by index date and person)."""
    pieces = Pieces(lay_out(population, folder), len(features))
    write_asked(pieces, folder / "pieces")
    members = map_codes(events["code"], load_code_groups()).rename(columns={"group": "code_group"})
    with duckdb.connect() as con:
        con.execute("CREATE MACRO rint(x) AS round_even(x, 0)")
        con.execute("CREATE MACRO unix_date(x) AS date_diff('day', DATE '1970-01-01', x)")
        con.register("events", events)
        con.execute("""CREATE VIEW told AS SELECT subject_id AS person, code, time AS happened, known_at, known_until,
            "end" AS ended, numeric_value AS value FROM events""")
        con.read_parquet(str(folder / "pieces" / "*.parquet")).create_view("asked")
        con.register("members", members)
        con.register("wanted", wanted_table(features))
        con.execute(f"CREATE TABLE seen AS {SEEN}")
        told = con.sql(long_form({one.aggregation for one in features})).to_arrow_table()
    answer = np.empty((len(features), len(population)), dtype=np.float32)
    for piece in pieces:
        own = told.filter(np.equal(told["piece"].to_numpy(), piece.number))
        answer[:, piece.rows] = widened(own.to_batches(), features, len(piece.rows))
    return answer


def test_the_queries_equal_the_reference_on_made_up_tables(tmp_path):
    events, population = many_tables(60)
    built, wanted = from_queries(tmp_path, population, events), expected(population, events)
    for number, declared in enumerate(FEATURES):
        np.testing.assert_array_equal(built[number], wanted[number], err_msg=declared.name)


def test_the_queries_equal_the_reference_on_many_events_of_few_people(tmp_path):
    events = history(3000)
    built, wanted = from_queries(tmp_path, EVERYBODY, events), expected(EVERYBODY, events)
    for number, declared in enumerate(FEATURES):
        np.testing.assert_array_equal(built[number], wanted[number], err_msg=declared.name)


def test_sums_of_the_largest_values_do_not_overflow(tmp_path):
    days = pd.date_range("1990-01-01", periods=12_000)
    events = events_table(
        [event(str(day), CODES[0], 999_999_999.5 - number % 7, person=0) for number, day in enumerate(days)]
    )
    asked = population_table([("2026-01-01", 0)])
    wanted = [feature(how, None, "bp_systolic") for how in ("sum", "mean", "slope")]
    np.testing.assert_array_equal(from_queries(tmp_path, asked, events, wanted), expected(asked, events, wanted))


def test_answers_are_read_a_few_at_a_time_and_all_of_them(tmp_path, monkeypatch):
    monkeypatch.setattr("features.spark_engine.ANSWERS_AT_ONCE", 2)
    told = pd.DataFrame({"place": [0, 1, 3, 4, 0], "feature": [0, 0, 1, 0, 1], "value": [1.5, None, 3.0, 4.0, 5.0]})
    for number, rows in enumerate((told[:3], told[3:])):
        rows.astype({"place": "int32"}).to_parquet(tmp_path / f"{number}.parquet", index=False)
    batches = list(read_answers(tmp_path))
    assert [batch.num_rows for batch in batches] == [2, 1, 2]
    built = widened(batches, [feature("count", 30), feature("mean", 30)], 5)
    np.testing.assert_array_equal(built, np.float32([[1.5, 0, 0, 0, 4], [5, np.nan, np.nan, 3, np.nan]]))


def test_there_is_a_query_for_every_aggregation_of_events():
    assert {name for names in FAMILIES for name in names} == set(KINDS)


def test_without_pyspark_or_java_the_refusal_comes_first_and_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr("records.engines.importlib.util.find_spec", lambda _: None)
    monkeypatch.setattr("records.engines.shutil.which", lambda _: None)
    with pytest.raises(
        SettingsError, match=r"features\.engine is 'spark', and PySpark and Java cannot be found"
    ) as caught:
        write_and_build(
            tmp_path, population_table(), events_table([]), people_table(), [feature("count", 30)], engine="spark"
        )
    assert "pip install 'casewell[spark]'" in caught.value.advice
    assert not (tmp_path / "matrix.parquet").exists()


def test_an_aggregation_without_a_query_is_refused_by_name():
    with pytest.raises(SettingsError, match="no aggregation 'variance'"):
        check_covered([feature("count", 30), feature("variance", 30)])
