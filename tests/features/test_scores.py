"""Published scores, worked by hand from the published tables, and the rules by which features are made of others."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from casewell.errors import SettingsError
from features import CATALOGUE, load_code_groups
from features.code_groups import map_codes
from features.feature import Feature, Part
from features.not_events import derived_column, needed_for
from features.reference_engine import build_in_memory
from features.scores import SCORES, read_score
from tests.features.tiny import event, events_table, people_table, population_table, residences_of

GROUPS = load_code_groups()
BY_NAME = {feature.name: feature for feature in CATALOGUE}
PUBLISHED = pd.read_csv(SCORES / "scores.csv")


def value(name: str, *codes: str) -> float:
    """The score of somebody with these codes, all of them in every window."""
    held = set(map_codes(codes, GROUPS)["group"])
    medicines = len({code for code in codes if "prescription_regular" in set(map_codes([code], GROUPS)["group"])})
    columns = {
        part.name: np.float32([part.group in held if part.aggregation == "any" else medicines])
        for part in needed_for([BY_NAME[name]])
        if part.group is not None
    }
    return float(derived_column(BY_NAME[name], columns)[0])


def value_on(name: str, day: str, *codes: str) -> float:
    """The score, by the reference engine, of somebody whose codes are all of one day."""
    events, people = events_table([event(day, code) for code in codes]), people_table()
    matrix = build_in_memory(population_table(), events, people, residences_of(people), [BY_NAME[name]])
    return float(matrix[name].iloc[0])


def diagnoses(text: str) -> list[str]:
    return [f"ICD10//{code}" for code in text.split()]


@pytest.mark.parametrize(
    ("codes", "points"),
    [
        ("F03X N390 R296 I10X", 2.1 + 3.2 + 3.6),
        ("N390 N394", 3.2),  # one code of three characters counts once
        ("W190 S720 F059", 3.2 + 1.4 + 3.2),
        ("I10X E119", 0.0),
    ],
)
def test_the_hospital_frailty_risk_score_is_the_sum_of_the_published_points(codes, points):
    assert value("hfrs_score", *diagnoses(codes)) == pytest.approx(points)


def test_the_bands_of_hospital_frailty_are_the_published_ones():
    assert value("hfrs_high", *diagnoses("F00 G81 I67 R63")) == 0  # 15.0, which is not more
    assert value("hfrs_high", *diagnoses("F00 G81 I67 J69")) == 1  # 15.1
    assert value("hfrs_intermediate", *diagnoses("G30 J69")) == 1  # 5.0
    assert value("hfrs_intermediate", *diagnoses("G30 R63")) == 0  # 4.9


def test_scores_look_as_far_back_as_they_say():
    assert value_on("charlson_score", "2023-07-01", "ICD10//F03X") == 0
    assert value_on("charlson_score", "2023-07-02", "ICD10//F03X") == 1
    assert BY_NAME["hfrs_score"].window_days == 730
    assert {part.feature.window_days for part in BY_NAME["hfrs_score"].parts} == {730}


@pytest.mark.parametrize(
    ("codes", "original", "updated"),
    [
        ("I21", 1, 0),
        ("I500", 1, 2),
        ("E119", 1, 0),
        ("E112", 2, 1),
        ("E119 E112", 2, 1),  # complicated diabetes stands for the other
        ("K703 K721", 3, 4),  # severe liver disease for the mild
        ("C509 C787", 6, 6),  # a metastasis for the tumour
        ("C509", 2, 2),
        ("B20", 6, 4),
        ("F03X J440 N189 G819", 1 + 1 + 2 + 2, 2 + 1 + 1 + 2),
        ("I10X", 0, 0),
    ],
)
def test_the_charlson_index_has_its_original_and_its_updated_weights(codes, original, updated):
    assert value("charlson_score", *diagnoses(codes)) == original
    assert value("charlson_updated", *diagnoses(codes)) == updated


def test_frailty_is_a_share_of_36_deficits_and_polypharmacy_is_one_of_them():
    five = [f"BNF//02{n}0000" for n in range(5)]
    assert value("efi_index", "SNOMED//84114007") == pytest.approx(1 / 36, abs=1e-6)
    assert value("efi_index", *five) == pytest.approx(1 / 36, abs=1e-6)
    assert value("efi_index", *five[:4]) == 0
    four = ["SNOMED//84114007", "SNOMED//13645005", "SNOMED//38341003", "SNOMED//160689007"]
    assert value("efi_mild", *four) == 0
    assert value("efi_mild", *four, "SNOMED//161898004") == 1
    assert len(BY_NAME["efi_deficits"].parts) == 36


def test_major_illness_begins_above_one_and_a_half_points():
    assert value("major_illness", "SNOMED//13645005") == 0  # 1.46
    assert value("major_illness", "SNOMED//13645005", "SNOMED//38341003") == 1  # and 0.08


@pytest.mark.parametrize(
    ("name", "measured", "under"),
    [
        ("bmi_low", "bmi", 18.5),
        ("egfr_low", "egfr", 30.0),
        ("haemoglobin_low", "haemoglobin", 110.0),
    ],
)
def test_under_a_limit_is_all_that_is_less_and_not_the_limit(name, measured, under):
    told = np.float32([under - 0.6, under - 0.05, np.nextafter(np.float32(under), np.float32(0)), under, np.nan])
    low = derived_column(BY_NAME[name], {f"{measured}_last_1095d": told})
    assert low.tolist() == [1, 1, 1, 0, 0]


def test_polypharmacy_counts_medicines_taken_regularly_and_not_prescriptions():
    four = [f"BNF//02{n}0000" for n in range(4)] * 3
    assert value("polypharmacy_5_90d", *four, "BNF//0501013", "BNF//1310012") == 0
    assert value("polypharmacy_5_90d", *four, "BNF//0601022") == 1
    assert value_on("polypharmacy_5_90d", "2026-03-01", *four, "BNF//0601022") == 0
    assert value_on("polypharmacy_5_365d", "2026-03-01", *four, "BNF//0601022") == 1


def test_stomach_protection_rules_a_hazard_out():
    both = ["BNF//0208020", "BNF//0209000"]
    name = "anticoagulant_with_antiplatelet_unprotected"
    assert value(name, *both) == 1
    assert value(name, *both, "BNF//0103050") == 0
    assert value(name, both[0]) == 0


def flag(name: str) -> Feature:
    return Feature(name, "test", "falls", "any", None, "yes/no", "")


def made(aggregation, *parts: Part, threshold: float | None = None) -> Feature:
    return Feature("made", "test", None, aggregation, None, "", "", parts=parts, threshold=threshold)


COLUMNS = {"a": np.float32([0, 1, 1, np.nan]), "b": np.float32([0, 0, 3, 1])}
A, B = Part(flag("a")), Part(flag("b"))


@pytest.mark.parametrize(
    ("feature", "expected"),
    [
        (made("weighted_sum", A, Part(B.feature, 2.0)), [0, 1, 7, math.nan]),
        (made("weighted_sum", Part(B.feature, unless=A.feature)), [0, 0, 0, 0]),
        (made("reaches", A, B, threshold=1.0), [0, 1, 1, 0]),
        (made("share", A, B), [math.nan, 1, 0.25, math.nan]),
    ],
    ids=["sum", "unless", "reaches", "share"],
)
def test_what_each_rule_makes_of_its_parts(feature, expected):
    assert derived_column(feature, COLUMNS).tolist() == pytest.approx(expected, nan_ok=True)
    assert derived_column(feature, COLUMNS).dtype == np.float32


def test_tenths_that_add_up_to_a_threshold_reach_it():
    parts = [Part(flag("a"), 0.7), Part(flag("b"), 0.1)]
    ones = {name: np.float32([1]) for name in "ab"}
    assert 0.7 + 0.1 < 0.8
    assert derived_column(made("reaches", *parts, threshold=0.8), ones).tolist() == [1]


def test_every_score_is_described_and_rests_on_groups_that_exist():
    assert sorted(PUBLISHED["score"]) == sorted(path.stem for path in SCORES.glob("*.csv") if path.stem != "scores")
    assert PUBLISHED.notna().all(axis=None)
    groups = set(GROUPS["group"])
    for name in PUBLISHED["score"]:
        assert {row.group for row in read_score(name)} <= groups


def test_no_code_gives_a_frailty_point_twice():
    """Whatever the code: the 109 categories do not overlap."""
    groups = [row.group for row in read_score("hospital_frailty")]
    assert len(groups) == 109
    codes = [f"ICD10//{group.removeprefix('hfrs_').upper()}9" for group in groups]
    found = map_codes(codes, GROUPS)
    assert found[found["group"].str.startswith("hfrs_")].groupby("code").size().eq(1).all()


def test_a_broken_score_is_refused_with_every_problem(tmp_path):
    (tmp_path / "mine.csv").write_text("group,points,unless\na,1,\na,2,\nb,many,\nc,1,d\n")
    with pytest.raises(SettingsError) as caught:
        read_score("mine", tmp_path)
    assert len(caught.value.problems) == 3
    with pytest.raises(SettingsError):
        read_score("none", tmp_path)
    (tmp_path / "other.csv").write_text("group\na\n")
    with pytest.raises(SettingsError, match="missing column 'points'"):
        read_score("other", tmp_path)
