"""The code group file is checked whole, and codes find their groups."""

from __future__ import annotations

import pandas as pd
import pytest

from casewell.errors import SettingsError
from features import CATALOGUE, load_code_groups, map_codes
from features.code_groups import CODE_GROUPS, events_have, load_lists, require_groups
from features.not_events import needed_for
from features.sensitive import SENSITIVE_GROUPS
from records.contracts import ADMISSION_METHODS

GROUPS = load_code_groups()
HEAD = "group,code_prefix,match,label,note\n"


def groups_of(code: str) -> set[str]:
    return set(map_codes([code], GROUPS)["group"])


def test_the_committed_file_is_sound():
    assert len(GROUPS) > 1500
    assert set(GROUPS["list"]) == set(load_lists()["list"])
    assert CODE_GROUPS.with_suffix(".md").exists()


def test_the_groups_of_the_published_scores_hold_the_published_codes():
    def held(name):
        codes = GROUPS.query("group == @name")["code_prefix"]
        return set(codes.str.removeprefix("ICD10//"))

    assert held("hfrs_f00") == {"F00"}
    assert held("charlson_myocardial_infarction") == {"I21", "I22", "I252"}
    assert held("charlson_paralysis") == {
        "G041",
        "G114",
        "G801",
        "G802",
        "G81",
        "G82",
        "G830",
        "G831",
        "G832",
        "G833",
        "G834",
        "G839",
    }
    assert {"C26", "C30", "C58", "C60", "C85", "C88", "C97"} <= held("charlson_cancer")
    assert not {"C27", "C35", "C42", "C44", "C59", "C77", "C86", "C89"} & held("charlson_cancer")


@pytest.mark.parametrize(
    ("code", "group"),
    [
        ("ADMISSION//21", "emergency_admission"),
        ("ADMISSION//2A", "emergency_admission"),
        ("SPELL//28", "emergency_spell"),
        ("SPELL//OMOP_INPATIENT", "inpatient_spell"),
        ("ADMISSION//OMOP_INPATIENT", "inpatient_admission"),
        ("ICD10_PRIMARY//J440", "acsc_admission"),
        ("ICD10//I500", "cms_heart_failure"),
        ("SNOMED//84114007", "cms_heart_failure"),
        ("SNOMED//195967001", "cms_asthma"),
        ("SNOMED//233678006", "cms_asthma"),
        ("SNOMED//26929004", "cms_dementia"),
        ("BNF//0106", "cms_constipation_treated"),
        ("RxNorm//313782", "any_prescription"),
        ("SOCIAL_CARE_SERVICE//NURSING", "care_home"),
        ("DISCHARGE//55", "care_home"),
        ("URGENT//111", "urgent_111"),
        ("URGENT//999", "urgent_call"),
        ("URGENT_DISPOSITION//AMBULANCE", "urgent_ambulance"),
        ("OPCS4//W371", "hip_replacement"),
        ("OPCS4//W37.1", "hip_replacement"),  # as OMOP's vocabulary writes it
        ("OPCS4//K751", "any_procedure"),
        ("OPCS4//Q111", "private_reproduction"),
        ("OPCS4//X151", "private_gender"),
        ("CLINICIAN//P1/C03", "gp_clinician"),
    ],
)
def test_a_code_finds_its_group(code, group):
    assert group in groups_of(code)


@pytest.mark.parametrize("code", ["OPCS4//Z942", "OPCS4//Y752", "OPCS4//U212"])
def test_neither_the_side_nor_the_method_nor_a_picture_is_a_procedure(code):
    assert groups_of(code) == set()


@pytest.mark.parametrize("method", ["11", "31", "81", "2C", "2B", "OMOP_INPATIENT"])
def test_other_admissions_are_no_emergencies(method):
    assert "emergency_admission" not in groups_of(f"ADMISSION//{method}")
    assert "any_admission" in groups_of(f"ADMISSION//{method}")


def test_an_emergency_is_what_the_data_dictionary_says_without_transfers_and_births():
    counted = {method for method in ADMISSION_METHODS if "emergency_admission" in groups_of(f"ADMISSION//{method}")}
    assert counted == {"21", "22", "23", "24", "25", "2A", "2D", "28"}
    assert counted == {method for method in ADMISSION_METHODS if "emergency_spell" in groups_of(f"SPELL//{method}")}


def test_how_a_call_ended_is_not_a_second_call():
    assert "urgent_call" not in groups_of("URGENT_DISPOSITION//AMBULANCE")


def test_an_exact_code_does_not_match_a_longer_one():
    assert "cms_heart_failure" not in groups_of("SNOMED//841140071")


def test_a_primary_diagnosis_is_not_counted_as_a_second_record_of_the_illness():
    assert "cms_heart_failure" not in groups_of("ICD10_PRIMARY//I500")


def test_a_code_of_no_group_has_no_row():
    assert map_codes(["NOWHERE//1"]).empty
    assert map_codes([]).columns.tolist() == ["code", "group"]


LISTS = "list,name,version,date,code_systems,source,licence\n"
GOOD_LIST = "mine,My list,1,2026-11-22,ED SNOMED,me,own\n"
SYSTEMS = "code_system,name,edition,events_have\nED,emergency,1,\nSNOMED,SNOMED CT,2026,values\nICD10,ICD-10,5,\n"


@pytest.fixture
def folder(tmp_path):
    """A folder of one list without a fault."""
    (tmp_path / "code_systems.csv").write_text(SYSTEMS)
    (tmp_path / "lists.csv").write_text(LISTS + GOOD_LIST)
    (tmp_path / "mine.csv").write_text(HEAD + "a,ED//X,exact,A,\n")
    return tmp_path


def problems_of(folder) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load_code_groups(folder)
    return caught.value.problems


def test_a_folder_without_a_fault_is_read(folder):
    assert load_code_groups(folder)[["group", "list"]].to_numpy().tolist() == [["a", "mine"]]


def test_every_problem_of_every_file_is_reported_at_once(folder):
    (folder / "mine.csv").write_text(
        HEAD + "a,ED//X,exact,A,\na,ED//X,exact,A,\nb,,exact,B,\nc,ED//Y,fuzzy,C,\nd,plain,exact,D,\n,ED//Z,exact,E,\n"
    )
    (folder / "yours.csv").write_text(HEAD + "a,ED//Z,exact,Another,\n")
    said = problems_of(folder)
    assert len(said) == 7
    for found in (
        "twice",
        "'b' has an entry",
        "'fuzzy'",
        "'plain' lacks",
        "names no group",
        "yours.csv is not",
        "label",
    ):
        assert any(found in problem for problem in said), found


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        ("mine,My list,1,2026-11-22,ED SNOMD,me,own\n", ["unknown code system 'SNOMD'; did you mean 'SNOMED'?"]),
        ("mine,My list,1,2026-11-22,SNOMED,me,own\n", ["does not give the code system of 'ED//X'"]),
        ("mine,My list,,2026-11-22,ED,,own\n", ["has no version", "has no source"]),
        ("mine,My list,1,22/11/2026,ED,me,own\n", ["'22/11/2026' is not of the form"]),
        (GOOD_LIST + GOOD_LIST, ["names 'mine' twice"]),
        (GOOD_LIST + "other,O,1,2026-11-22,ED,me,own\n", ["there is no file other.csv"]),
        ("mien,My list,1,2026-11-22,ED,me,own\n", ["there is no file mien.csv", "did you mean 'mien'?"]),
    ],
    ids=["unknown system", "another system", "no source", "date", "twice", "no file", "misspelled"],
)
def test_a_list_says_version_date_source_and_code_systems(folder, lists, expected):
    (folder / "lists.csv").write_text(LISTS + lists)
    said = problems_of(folder)
    assert len(said) == len(expected)
    for problem, words in zip(said, expected, strict=True):
        assert words in problem


def test_a_group_s_events_have_what_any_of_its_code_systems_has(folder):
    (folder / "mine.csv").write_text(
        HEAD + "a,ED//X,exact,A,\nb,ED//X,exact,B,\nb,SNOMED//1,exact,B,\nc,OWN//1,exact,C,\n"
    )
    groups = pd.read_csv(folder / "mine.csv")
    assert events_have(groups, folder) == {"a": set(), "b": {"values"}, "c": {"values", "ends"}}


def test_what_events_of_a_system_cannot_have_is_refused(folder):
    (folder / "code_systems.csv").write_text(SYSTEMS.replace("CT,2026,values", "CT,2026,values ende"))
    assert problems_of(folder) == [
        "code_systems.csv: events of 'SNOMED' have 'ende', of which nothing is known; did you mean 'ends'?"
    ]


def test_the_committed_systems_say_what_the_simulated_events_have():
    have = events_have(GROUPS)
    assert {name for name, words in have.items() if "ends" in words} >= {"any_spell", "home_support", "care_home_stay"}
    assert "values" in have["bp_systolic"]
    assert not have["ed_attendance"] | have["any_diagnosis"] | have["prescription_regular"]


@pytest.mark.parametrize("text", ["", "group,label\na,A\n", HEAD], ids=["empty", "missing columns", "no group"])
def test_a_folder_without_groups_is_refused(folder, text):
    (folder / "mine.csv").write_text(text)
    assert problems_of(folder)


def test_a_missing_folder_is_refused(tmp_path):
    assert problems_of(tmp_path / "none")


def test_an_unknown_group_is_refused_with_the_nearest():
    with pytest.raises(SettingsError, match=r"emergency_admision.*did you mean 'emergency_admission'"):
        require_groups(["emergency_admision"])


def test_every_group_feeds_a_feature_or_says_what_is_sensitive():
    rested = {group for declared in needed_for(CATALOGUE) for group in declared.groups()}
    assert set(GROUPS["group"]) - rested <= set(SENSITIVE_GROUPS)


def test_no_two_groups_hold_the_same_codes_but_those_of_published_tables():
    codes = GROUPS.sort_values(["code_prefix", "match"]).groupby("group")[["code_prefix", "match"]]
    same = pd.Series({name: tuple(rows.itertuples(index=False, name=None)) for name, rows in codes})
    own = same[~same.index.str.startswith(("hfrs_", "charlson_"))]
    assert own[own.duplicated(keep=False)].index.tolist() == []
