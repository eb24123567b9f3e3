"""Spark gives the matrix of the embedded engine, byte for byte. Run by `make test-spark`, where PySpark is."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest

from features import CATALOGUE
from features.pieces import Pieces
from features.population import lay_out
from tests.features.coded import FEATURES
from tests.features.many import many_tables
from tests.features.test_kernel import INDEX_DATES
from tests.features.test_kernel import history as dense
from tests.features.test_no_leak import CUT, corrected, history, known
from tests.features.tiny import PERSON, bytes_of, people_table, population_table, write_and_build

pytest.importorskip("pyspark")
if shutil.which("java") is None:
    pytest.skip("Spark needs Java", allow_module_level=True)


def by_both(folder, population, events, features, monkeypatch) -> list[dict[str, bytes]]:
    """Build with each engine, in pieces so small that there are several."""
    monkeypatch.setattr("features.pieces.CELLS", 200 * len(features))
    assert len(list(Pieces(lay_out(population, folder), len(features)))) > 1
    people = people_table(
        [
            {"person_id": one, "birth_month": "1950-01-01", "sex": "female"}
            for one in sorted(set(population["person_id"]))
        ]
    )
    paths = []
    for engine in ("embedded", "spark"):
        (folder / engine).mkdir()
        paths.append(write_and_build(folder / engine, population, events, people, features, engine=engine))
    return [bytes_of(path) for path in paths]


def test_spark_gives_the_same_bytes_on_tables_made_to_break_it(tmp_path, monkeypatch):
    events, population = many_tables(100)
    embedded, spark = by_both(tmp_path, population, events, FEATURES, monkeypatch)
    assert spark == embedded


def test_spark_gives_the_same_bytes_where_nearly_every_cell_is_filled(tmp_path, monkeypatch):
    monkeypatch.setattr("features.spark_engine.ANSWERS_AT_ONCE", 100)
    people = [seed * 10**17 for seed in range(1, 60)]
    events = pd.concat([dense(300, number).assign(subject_id=one) for number, one in enumerate(people)])
    population = population_table([(day, one) for day in INDEX_DATES for one in people])
    embedded, spark = by_both(tmp_path, population, events, FEATURES, monkeypatch)
    assert spark == embedded


def test_spark_gives_the_same_bytes_for_the_whole_catalogue(tmp_path, monkeypatch):
    tables = [history(seed, 300).assign(subject_id=seed * 10**17) for seed in range(1, 40)]
    population = population_table(
        [
            (day, seed * 10**17)
            for seed in range(1, 45)
            for day in ("2026-01-01", "2026-07-01", "2026-03-01", "2026-05-01", "2026-06-01")
        ]
    )
    embedded, spark = by_both(tmp_path, population, pd.concat(tables), list(CATALOGUE), monkeypatch)
    assert spark == embedded


def test_what_becomes_known_later_changes_nothing_in_spark_either(tmp_path):
    before = history(1, 200)
    late = pd.concat([corrected(before, 0, 90), known(history(101, 200), 0, 90)])
    built = []
    for number, events in enumerate((before, late, known(late, -1, -1))):
        (tmp_path / str(number)).mkdir()
        path = write_and_build(
            tmp_path / str(number), population_table([(CUT, PERSON)]), events, people_table(), FEATURES, engine="spark"
        )
        built.append(pd.read_parquet(path).iloc[:, 2:].to_numpy())
    np.testing.assert_array_equal(built[0], built[1])
    assert not np.array_equal(built[0], built[2], equal_nan=True)
