"""Spark scores pairs as DuckDB does. Run by `make test-spark`, in an environment that has PySpark."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest

from records.comparing import COLUMNS
from records.probabilistic import Memory, same_person_pairs
from tests.records.descriptions import everybody_twice, scored

pytest.importorskip("pyspark")
if shutil.which("java") is None:
    pytest.skip("Spark needs Java", allow_module_level=True)


@pytest.fixture(scope="module")
def nodes():
    return everybody_twice()[[*COLUMNS]]


@pytest.fixture(scope="module")
def by_duckdb(nodes):
    return same_person_pairs(nodes, 0.99, 1)


def test_with_the_same_parameters_spark_and_duckdb_score_every_pair_alike(nodes, by_duckdb):
    nothing_known = Memory(by_duckdb.fitted, np.zeros(len(nodes), dtype=bool), scored(by_duckdb).head(0))
    by_spark = same_person_pairs(nodes, 0.99, 1, memory=nothing_known, engine="spark")
    pd.testing.assert_frame_equal(scored(by_spark), scored(by_duckdb), rtol=0, atol=1e-5)


def test_with_parameters_of_its_own_spark_finds_the_same_people(nodes, by_duckdb):
    by_spark = same_person_pairs(nodes, 0.99, 1, engine="spark")
    assert by_spark.fitted.specification == by_duckdb.fitted.specification
    assert len(joined(by_spark) ^ joined(by_duckdb)) <= 0.01 * len(by_duckdb.pairs)


def joined(found):
    return set(zip(found.pairs["left"], found.pairs["right"], strict=True))
