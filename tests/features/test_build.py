"""The matrix: one row for each row of the population, whatever is known of the person."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from casewell.errors import SettingsError, SourceError
from features import CATALOGUE, Feature, build, store
from features.tables import MATRIX
from tests.features.tiny import (
    INDEX_DATE,
    PERSON,
    event,
    events_table,
    feature,
    people_table,
    population_table,
    write_and_build,
)


def test_people_without_events_are_rows_of_zeros_and_missing_values(tmp_path):
    people = people_table([{"person_id": 1, "birth_month": None, "sex": "other", "imd_decile": None}])
    path = write_and_build(tmp_path, population_table([(INDEX_DATE, 1)]), events_table([]), people, list(CATALOGUE))
    row = pd.read_parquet(path).iloc[0]
    assert row["emergency_admission_count_365d"] == 0
    assert row["emergency_spell_days_spent_365d"] == 0
    assert row["cms_score"] == 0
    assert np.isnan(row["emergency_admission_days_since_last_ever"])
    assert np.isnan(row["bp_systolic_last_1095d"])
    assert np.isnan(row[["age", "sex_female", "imd_decile"]].astype(float)).all()


def test_events_that_lack_a_column_are_refused_by_name(tmp_path):
    older = events_table([event("2026-06-15")]).drop(columns="known_until")
    with pytest.raises(SourceError, match="table 'events': missing column 'known_until'"):
        write_and_build(tmp_path, population_table(), older, people_table(), list(CATALOGUE))


def test_rows_are_sorted_and_columns_are_float32_in_the_order_declared(tmp_path):
    population = population_table([("2026-07-01", 9), ("2026-06-01", PERSON), ("2026-07-01", PERSON)])
    path = write_and_build(tmp_path, population, events_table([event("2026-06-15")]), people_table(), list(CATALOGUE))
    table = parquet.read_table(path)
    assert table.column_names == ["index_date", "person_id", *[declared.name for declared in CATALOGUE]]
    assert table.schema.field("index_date").type == pa.timestamp("us")
    assert table.schema.field("person_id").type == pa.int64()
    assert {field.type for field in list(table.schema)[2:]} == {pa.float32()}
    matrix = MATRIX.validate(table.to_pandas())
    assert matrix["person_id"].tolist() == [PERSON, PERSON, 9]
    assert matrix["ed_attendance_count_30d"].tolist() == [0, 1, 0]


def test_several_index_dates_at_once_give_what_each_gives_alone(tmp_path):
    events = events_table(
        [event(f"2026-{month:02d}-10", code) for month in range(1, 8) for code in ("ED//ARRIVAL", "BNF//0202A")]
    )
    dates = ["2026-03-01", "2026-05-01", "2026-08-01"]
    together = pd.read_parquet(
        write_and_build(
            tmp_path, population_table([(d, PERSON) for d in dates]), events, people_table(), list(CATALOGUE)
        )
    )
    alone = [
        pd.read_parquet(
            write_and_build(tmp_path, population_table([(d, PERSON)]), events, people_table(), list(CATALOGUE))
        )
        for d in dates
    ]
    pd.testing.assert_frame_equal(together, pd.concat(alone, ignore_index=True))


def test_a_later_build_reads_the_store_that_the_first_one_left(tmp_path, monkeypatch):
    inputs = events_table([event("2026-06-15"), event("2026-07-15")]), people_table(), list(CATALOGUE)
    write_and_build(tmp_path, population_table(), *inputs)
    monkeypatch.setattr(store, "_write_part", None)
    later = pd.read_parquet(write_and_build(tmp_path, population_table([("2026-08-01", PERSON)]), *inputs))
    assert later["ed_attendance_count_90d"].tolist() == [2]


def test_events_of_other_bytes_are_never_read_from_an_old_store(tmp_path):
    build_of = [population_table(), people_table(), [feature("count", 30)]]
    for number in (1, 3, 2):
        events = events_table([event("2026-06-15")] * number)
        matrix = pd.read_parquet(write_and_build(tmp_path, build_of[0], events, *build_of[1:]))
        assert matrix[build_of[2][0].name].tolist() == [number]


def test_need_is_the_published_weights_of_the_conditions_present(tmp_path):
    rows = [
        event("2020-01-01", "SNOMED//84114007"),
        event("2021-01-01", "ICD10//I500"),
        event("2024-01-01", "SNOMED//13645005"),
    ]
    old_cancer = event("2019-01-01", "SNOMED//363346000")
    matrix = pd.read_parquet(
        write_and_build(
            tmp_path, population_table(), events_table([*rows, old_cancer]), people_table(), list(CATALOGUE)
        )
    )
    assert matrix["cms_score"].tolist() == pytest.approx([1.18 + 1.46])
    assert matrix["cms_conditions"].tolist() == [2]


def test_a_derived_feature_alone_still_finds_its_conditions(tmp_path):
    score = next(declared for declared in CATALOGUE if declared.name == "cms_score")
    path = write_and_build(
        tmp_path, population_table(), events_table([event("2020-01-01", "SNOMED//84114007")]), people_table(), [score]
    )
    matrix = pd.read_parquet(path)
    assert matrix.columns.tolist() == ["index_date", "person_id", "cms_score"]
    assert matrix["cms_score"].tolist() == pytest.approx([1.18])


def test_a_change_alone_still_looks_back_two_windows(tmp_path):
    events = events_table([event("2026-05-20"), event("2026-06-20")])
    change = feature("change", 30)
    matrix = pd.read_parquet(write_and_build(tmp_path, population_table(), events, people_table(), [change]))
    assert matrix[change.name].tolist() == [0]


def test_age_and_sex_come_from_the_people_table_and_deprivation_from_the_residence(tmp_path):
    matrix = pd.read_parquet(
        write_and_build(tmp_path, population_table(), events_table([]), people_table(), list(CATALOGUE))
    )
    assert matrix["age"][0] == pytest.approx(80, abs=0.01)
    assert matrix["sex_female"].tolist() == [1]
    assert matrix["imd_decile"].tolist() == [2]


@pytest.mark.parametrize(
    "rows",
    [[("2026-07-01 12:00", PERSON)], [(INDEX_DATE, PERSON), (INDEX_DATE, PERSON)]],
    ids=["not midnight", "twice"],
)
def test_a_population_that_breaks_its_contract_is_refused(tmp_path, rows):
    with pytest.raises(SourceError):
        write_and_build(tmp_path, population_table(rows), events_table([]), people_table(), [feature("count", 30)])


def test_a_refused_build_leaves_the_matrix_that_was_there(tmp_path):
    path = write_and_build(tmp_path, population_table(), events_table([]), people_table(), [feature("count", 30)])
    before = path.read_bytes()
    with pytest.raises(SettingsError):
        write_and_build(tmp_path, population_table(), events_table([]), people_table(), [feature("count", 0)])
    assert path.read_bytes() == before


def test_every_problem_of_a_catalogue_is_reported_at_once(tmp_path):
    wrong: list[Feature] = [
        feature("count", -30),
        feature("count", 30, "ed_atendance"),
        feature("cuont", 30),
        feature("change"),
        feature("count", 90),
        feature("count", 90),
        feature("age", None),
        feature("periods_with", 365),
        feature("periods_with"),
    ]
    with pytest.raises(SettingsError) as caught:
        write_and_build(tmp_path, population_table(), events_table([]), people_table(), wrong)
    problems = "\n".join(caught.value.problems)
    assert len(caught.value.problems) == 8
    assert "whole periods of 30 days, say 360" in problems
    assert "did you mean 'ed_attendance'?" in problems
    assert "did you mean 'count'?" in problems
    assert "declared more than once" in problems


def test_progress_is_told_in_words_without_a_persons_number(tmp_path):
    said: list[str] = []
    write_and_build(tmp_path, population_table(), events_table([]), people_table(), [feature("count", 30)])
    build(
        population_table([(INDEX_DATE, 123456789)]),
        tmp_path / "events.parquet",
        tmp_path / "people.parquet",
        tmp_path / "residences.parquet",
        tmp_path / "matrix.parquet",
        [feature("count", 30)],
        said.append,
    )
    assert said
    assert not any("123456789" in line for line in said)
