"""The example on real people: what it learns from, and that nobody stands on both sides of a split."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.diabetes import NUMBERS, features, read, sides

STAYS = 400


@pytest.fixture
def stays(tmp_path):
    random = np.random.default_rng(1)
    table = pd.DataFrame({name: random.integers(0, 9, STAYS) for name in NUMBERS})
    table = table.assign(
        encounter_id=random.permutation(STAYS),
        patient_nbr=random.integers(0, 150, STAYS),
        race=random.choice(["Caucasian", "AfricanAmerican", "?"], STAYS),
        gender=random.choice(["Female", "Male", "Unknown/Invalid"], STAYS),
        age="[70-80)",
        max_glu_serum="None",
        A1Cresult=">8",
        change="Ch",
        diabetesMed="Yes",
        insulin=random.choice(["No", "Steady", "Up", "Down"], STAYS),
        diag_1=random.choice(["250.83", "V57", "428"], STAYS),
        diag_2="276",
        diag_3="?",
        admission_type_id="1",
        discharge_disposition_id=random.choice(["1", "11", "13"], STAYS),
        admission_source_id="7",
        medical_specialty="?",
        payer_code="MC",
        readmitted=random.choice(["<30", ">30", "NO"], STAYS),
    ).astype(str)
    table.to_parquet(tmp_path / "stays.parquet")
    table.to_csv(tmp_path / "stays.csv", index=False)
    return tmp_path


def test_stays_come_in_the_order_of_time_without_those_that_ended_in_death_or_a_hospice(stays):
    table = read(stays / "stays.parquet")
    assert set(table["discharge_disposition_id"]) == {"1"}
    assert table["encounter_id"].astype(int).is_monotonic_increasing
    pd.testing.assert_frame_equal(table, read(stays / "stays.csv"), check_dtype=False)


def test_features_are_numbers_and_race_is_not_among_them(stays):
    matrix = features(read(stays / "stays.parquet"))
    assert (matrix.dtypes == "float32").all()
    assert not [name for name in matrix if "race" in name.lower()]
    assert set(matrix["insulin"].unique()) == {0, 1, 2, 3}
    assert (matrix["age"] == 75).all()
    assert "readmitted" not in matrix


@pytest.mark.parametrize("split", ["by person", "by person and time"])
def test_nobody_stands_on_both_sides_of_a_split(stays, split):
    table = read(stays / "stays.parquet")
    person = table["patient_nbr"].astype("int64")
    learn, test = sides(split, table, person, 1)
    assert not set(person[learn]) & set(person[test])
    assert learn.sum() > test.sum() > 0
    if split == "by person and time":
        assert np.flatnonzero(learn).max() < np.flatnonzero(test).min()
