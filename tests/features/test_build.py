"""The matrix: one row for each row of the population, whatever is known of the person."""

from __future__ import annotations

import importlib
import math
import os
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from casewell.errors import AsOfError, SettingsError, SourceError
from features import CATALOGUE, Feature, build, store
from features.checks import check_catalogue, check_index_dates
from features.coding import known_between
from features.compiled import is_kept
from features.tables import MATRIX
from tests.features.tiny import (
    INDEX_DATE,
    PERSON,
    bytes_of,
    event,
    events_table,
    feature,
    people_table,
    population_table,
    residences_of,
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
    before = bytes_of(path)
    with pytest.raises(SettingsError):
        write_and_build(tmp_path, population_table(), events_table([]), people_table(), [feature("count", 0)])
    assert bytes_of(path) == before


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
        feature("count", 0),
        feature("count", 30.5),
        feature("count", float("nan")),
        feature("sum", 180),
        feature("days_spent", 180, "bp_systolic"),
        replace(feature("reaches", group=None), threshold=float("inf")),
    ]
    with pytest.raises(SettingsError) as caught:
        write_and_build(tmp_path, population_table(), events_table([]), people_table(), wrong)
    problems = "\n".join(caught.value.problems)
    assert len(caught.value.problems) == 17
    assert "whole periods of 30 days, say 360" in problems
    assert "did you mean 'ed_attendance'?" in problems
    assert "did you mean 'count'?" in problems
    assert "declared more than once; leave one out" in problems
    assert "a window of 0 days; it must be a whole number from 1 to 36525, or None for all history; say 1" in problems
    assert "sum needs events with values, which those of 'ed_attendance' have not; take count, or a group" in problems
    assert "days_spent needs events with ends, which those of 'bp_systolic' have not" in problems
    assert "threshold or weight that is not a finite number" in problems
    assert "a letter first, say 'ed_attendance_count_30_5'" in problems


def test_one_feature_may_break_every_rule_and_is_told_of_each_beside_the_dates(tmp_path):
    wrong = [
        feature("sum", 0, "ed_atendance"),
        replace(feature("age", 30, None), name="Age at"),
        replace(feature("cuont", -3), name="c"),
    ]
    early = population_table([("1850-01-01", PERSON)])
    with pytest.raises(SettingsError) as caught:
        write_and_build(tmp_path, early, events_table([]), people_table(), wrong)
    told = [problem.split(": ", 1)[-1] for problem in caught.value.problems]
    assert told == [
        "a name is letters, digits and underscores, a letter first, say 'age_at'",
        "a window of 0 days; it must be a whole number from 1 to 36525, or None for all history; say 1",
        "unknown code group 'ed_atendance'; did you mean 'ed_attendance'?",
        "age takes no window; say None",
        "unknown aggregation 'cuont'; did you mean 'count'?",
        "a window of -3 days; it must be a whole number from 1 to 36525, or None for all history; say 3",
        "nothing was known by then; the first that can be used is 1900-01-02",
    ]


@pytest.mark.parametrize(
    ("days", "instead"),
    [
        (0, "; say 1"),
        (-7, "; say 7"),
        (30.5, "; say 30"),
        (math.inf, "; say None"),
        (-math.inf, "; say None"),
        (10**20, "; say None"),
        (math.nan, ""),
        (True, ""),
        ("30", ""),
    ],
)
def test_a_window_that_cannot_be_is_refused_with_the_nearest_that_can(days, instead):
    with pytest.raises(SettingsError) as caught:
        check_catalogue([replace(feature("count", 30), window_days=days)], {"ed_attendance": ()})
    assert caught.value.problems == [
        f"feature 'ed_attendance_count_30': a window of {days!r} days; it must be a whole number from 1 to 36525, "
        f"or None for all history{instead}"
    ]


def test_names_that_a_table_could_not_tell_apart_are_refused():
    names = ("falls", "Falls", "person_id", "", "a b", "twice", "twice")
    wrong = [replace(feature("count", 30 + place), name=name) for place, name in enumerate(names)]
    with pytest.raises(SettingsError) as caught:
        check_catalogue(wrong, {"ed_attendance": ()})
    assert caught.value.problems == [
        "feature 'twice' is declared more than once; say 'ed_attendance_count_35d' and 'ed_attendance_count_36d'",
        "features 'Falls' and 'falls' differ by capitals alone; rename one",
        "a feature cannot be named 'person_id', which every matrix has",
        "feature '': a name is letters, digits and underscores, a letter first",
        "feature 'a b': a name is letters, digits and underscores, a letter first, say 'a_b'",
    ]


def test_index_dates_without_data_are_refused_all_at_once_with_the_nearest_that_has_some(tmp_path):
    population = population_table([(day, PERSON) for day in ("1900-01-01", "1900-01-02", "2027-12-31", "2028-01-01")])
    with pytest.raises(AsOfError) as caught:
        write_and_build(tmp_path, population, events_table([]), people_table(), [feature("count", 30)])
    assert caught.value.problems == [
        "index date 1900-01-01: nothing was known by then; the first that can be used is 1900-01-02",
        "index date 2028-01-01: nothing became known in the 365 days before it; the last that can be used is 2027-12-31",
    ]


def test_events_of_nobody_are_refused_and_a_population_of_nobody_is_not(tmp_path):
    with pytest.raises(AsOfError, match="there is no event of anybody"):
        check_index_dates([pd.Timestamp(INDEX_DATE)], known_between(_written(tmp_path, events_table([]))))
    path = write_and_build(tmp_path, population_table().head(0), events_table([]), people_table(), list(CATALOGUE))
    matrix = MATRIX.validate(pd.read_parquet(path))
    assert matrix.empty


def _written(folder, events):
    events.to_parquet(folder / "events.parquet", index=False)
    return folder / "events.parquet"


def test_a_matrix_in_many_pieces_is_read_as_the_one_in_a_single_piece(tmp_path, monkeypatch):
    people = [n * 2**52 for n in range(50)]
    population = population_table([(day, one) for day in ("2026-03-01", "2026-07-01") for one in people])
    table = people_table(
        [{"person_id": one, "birth_month": "1950-01-01", "sex": "male", "imd_decile": 1 + one % 7} for one in people]
    )
    events = events_table([event("2026-02-01", person=one) for one in people[::3]])
    homes = residences_of(table).assign(household_id=[n // 4 for n in range(50)], start=pd.Timestamp("2026-04-01"))
    folders = []
    for cells in (1 << 25, 20 * len(CATALOGUE)):
        monkeypatch.setattr("features.pieces.CELLS", cells)
        (tmp_path / str(cells)).mkdir()
        folders.append(write_and_build(tmp_path / str(cells), population, events, table, list(CATALOGUE), homes))
    assert len(list(folders[0].iterdir())) == 2 < 10 <= len(list(folders[1].iterdir()))
    whole, cut = (pd.read_parquet(folder) for folder in folders)
    pd.testing.assert_frame_equal(whole, cut)
    assert whole["household_size"].isna().tolist() == [True] * 50 + [False] * 50
    asked = pd.read_parquet(folders[1], filters=[("person_id", "in", people[7:9])])
    pd.testing.assert_frame_equal(asked, whole[whole["person_id"].isin(people[7:9])].reset_index(drop=True))


def test_a_build_that_fails_midway_leaves_the_matrix_that_was_there_and_nothing_else(tmp_path, monkeypatch):
    told = population_table(), events_table([]), people_table(), [feature("count", 30)]
    path = write_and_build(tmp_path, *told)
    before = bytes_of(path)
    monkeypatch.setattr("features.writing._write", None)
    with pytest.raises(TypeError):
        write_and_build(tmp_path, *told)
    assert bytes_of(path) == before
    assert not list(tmp_path.glob("*.partial"))


def test_a_first_compilation_is_told_beforehand(tmp_path, monkeypatch):
    told: list[str] = []
    paths = [tmp_path / f"{name}.parquet" for name in ("events", "people", "residences", "matrix")]
    write_and_build(tmp_path, population_table(), events_table([]), people_table(), [feature("count", 30)])
    for kept in (True, False):
        monkeypatch.setattr("features.from_events.is_compiled", lambda kept=kept: kept)
        build(population_table(), *paths, [feature("count", 30)], told.append)
    assert [line.startswith("Compiling the feature kernel, once on this machine") for line in told].count(True) == 1


def test_machine_code_older_than_its_source_counts_as_none(tmp_path, monkeypatch):
    source = tmp_path / "loops.py"
    source.write_text("from features.compiled import compiled\n@compiled\ndef add(one):\n    return one + 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    add = importlib.import_module("loops").add
    assert not is_kept(add)
    assert add(1) == 2
    assert is_kept(add)
    os.utime(source, (time.time() + 60,) * 2)
    assert not is_kept(add)


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
