"""The code group file is checked whole, and codes find their groups."""

from __future__ import annotations

import pytest

from casewell.errors import SettingsError
from features import load_code_groups, map_codes
from features.code_groups import CODE_GROUPS_FILE, require_groups
from records.contracts import ADMISSION_METHODS

HEAD = "group,code_prefix,match,label,note\n"


def groups_of(code: str) -> set[str]:
    return set(map_codes([code])["group"])


def test_the_committed_file_is_sound():
    assert len(load_code_groups()) > 500
    assert CODE_GROUPS_FILE.with_suffix(".md").exists()


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
    ],
)
def test_a_code_finds_its_group(code, group):
    assert group in groups_of(code)


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


def test_every_problem_of_a_file_is_reported_at_once(tmp_path):
    path = tmp_path / "groups.csv"
    path.write_text(HEAD + "a,ED//X,exact,A,\na,ED//X,exact,A,\nb,,exact,B,\nc,ED//Y,fuzzy,C,\nd,plain,exact,D,\n")
    with pytest.raises(SettingsError) as caught:
        load_code_groups(path)
    problems = "\n".join(caught.value.problems)
    assert len(caught.value.problems) == 4
    for found in ("twice", "'b'", "'fuzzy'", "'plain'"):
        assert found in problems


@pytest.mark.parametrize("text", ["", "group,label\na,A\n", HEAD], ids=["empty", "missing columns", "no group"])
def test_a_file_without_groups_is_refused(tmp_path, text):
    path = tmp_path / "groups.csv"
    path.write_text(text)
    with pytest.raises(SettingsError):
        load_code_groups(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(SettingsError):
        load_code_groups(tmp_path / "none.csv")


def test_an_unknown_group_is_refused_with_the_nearest():
    with pytest.raises(SettingsError, match=r"emergency_admision.*did you mean 'emergency_admission'"):
        require_groups(["emergency_admision"])
