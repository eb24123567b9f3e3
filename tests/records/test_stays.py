"""Notices, episodes, resubmissions and transfers become stays in hospital, as they were known on each day."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from features import map_codes
from tests.records.hospital import (
    AGAIN,
    ELSEWHERE,
    EPISODE,
    MOVED,
    SECOND,
    codes,
    events,
    told,
)


@pytest.mark.parametrize(
    ("as_of", "said", "not_said"),
    [
        (dt.date(2022, 7, 1), set(), {"ICD10//I500", "ICD10//J440", "SPELL//21"}),
        (dt.date(2022, 8, 1), {"ICD10_PRIMARY//I500", "ICD10//I500", "SPELL//21"}, {"ICD10//J440"}),
        (dt.date(2022, 8, 2), {"ICD10_PRIMARY//J440", "ICD10//J440", "SPELL//21"}, {"ICD10//I500"}),
    ],
)
def test_a_resubmitted_diagnosis_replaces_the_first_from_its_receipt_on_and_not_before(as_of, said, not_said):
    seen = codes(events(EPISODE, AGAIN, as_of=as_of))
    assert "ADMISSION//21" in seen
    assert said <= seen
    assert not not_said & seen


def test_procedures_are_known_with_their_episode_and_a_resubmission_replaces_them():
    done = EPISODE | {"procedures": "W371; Z942;"}
    again = AGAIN | {"procedures": "W381;Z942"}
    seen = told(events(done, again, as_of=dt.date(2022, 7, 2)))
    assert seen["OPCS4//W371"] == seen["OPCS4//Z942"] == ("2022-06-11", "2022-07-01")
    seen = told(events(done, again))
    assert seen["OPCS4//W381"] == ("2022-06-11", "2022-08-01")
    assert seen["OPCS4//Z942"] == ("2022-06-11", "2022-07-01")
    assert "OPCS4//W371" not in seen
    assert not any(code.startswith("OPCS4//") for code in codes(events(EPISODE, SECOND)))


def test_a_resubmission_changes_only_when_that_was_known_which_it_changed():
    seen = told(events(EPISODE, AGAIN))
    assert seen["ADMISSION//21"] == ("2022-06-01", "2022-06-02")
    assert seen["SPELL//21"] == ("2022-06-01", "2022-07-01")
    assert seen["ICD10//E119"] == ("2022-06-11", "2022-07-01")
    assert seen["ICD10//J440"] == seen["ICD10_PRIMARY//J440"] == ("2022-06-11", "2022-08-01")


def test_a_corrected_method_is_known_from_its_receipt():
    corrected = EPISODE | {"admission_method": "11", "received_date": "2022-08-01"}
    assert told(events(EPISODE, corrected, as_of=dt.date(2022, 8, 1)))["ADMISSION//21"][1] == "2022-06-02"
    seen = told(events(EPISODE, corrected))
    assert (seen["ADMISSION//11"][1], seen["SPELL//11"][1]) == ("2022-08-01", "2022-08-01")
    assert not {"ADMISSION//21", "SPELL//21"} & set(seen)


@pytest.mark.parametrize("episode", [EPISODE, SECOND], ids=["first", "second"])
def test_a_corrected_discharge_moves_the_end_of_the_stay_whichever_episode_tells_it(episode):
    corrected = episode | {"discharge_date": "2022-06-09", "received_date": "2022-08-01"}
    table = events(corrected, SECOND, EPISODE)
    assert table.loc[table["code"] == "SPELL//21", ["numeric_value", "end"]].values.tolist() == [
        [8, pd.Timestamp("2022-06-09")]
    ]
    assert told(table)["DISCHARGE//19"] == ("2022-06-09", "2022-08-01")


def test_two_episodes_are_one_admission_and_have_the_diagnoses_of_both():
    table = events(SECOND, EPISODE)
    assert told(table).keys() == {
        "ADMISSION//21",
        "SPELL//21",
        "DISCHARGE//19",
        "ICD10_PRIMARY//I500",
        "ICD10//I500",
        "ICD10//E119",
        "ICD10//J440",
        "ICD10//N183",
    }


def test_a_resubmission_with_the_right_number_gives_the_stay_to_the_right_person():
    table = events(EPISODE | {"person": "b"}, AGAIN)
    assert set(table["subject_id"]) == {ord("a")}
    assert "ADMISSION//21" in codes(table)


def test_the_same_version_twice_counts_once():
    pd.testing.assert_frame_equal(events(EPISODE, EPISODE, SECOND, SECOND), events(EPISODE, SECOND))


def test_one_spell_number_of_two_trusts_is_two_spells():
    other = EPISODE | {"provider_code": "RBB", "admission_date": "2022-06-15", "discharge_date": "2022-06-20"}
    assert (events(EPISODE, other)["code"] == "ADMISSION//21").sum() == 2


def test_an_admission_is_known_from_its_notice_until_the_episodes_come():
    notice = EPISODE | dict.fromkeys(["discharge_date", "discharge_destination", "primary_diagnosis", "received_date"])
    for rows in ([notice], [notice, EPISODE], [EPISODE, SECOND]):
        assert told(events(*rows, as_of=dt.date(2022, 6, 20))) == {"ADMISSION//21": ("2022-06-01", "2022-06-02")}
    assert events(notice, EPISODE)["code"].tolist() == events(EPISODE)["code"].tolist()


@pytest.mark.parametrize("method", ["81", "2B"])
@pytest.mark.parametrize("day", ["2022-06-11", "2022-06-12"])
@pytest.mark.parametrize("destination", ["51", "52", "84", "87"])
def test_a_transfer_is_one_stay(method, day, destination):
    table = events(
        MOVED | {"discharge_destination": destination},
        ELSEWHERE | {"admission_method": method, "admission_date": day},
    )
    seen = told(table)
    assert {code for code in seen if not code.startswith("ICD10")} == {"ADMISSION//21", "SPELL//21", "DISCHARGE//19"}
    assert table.set_index("code").loc["SPELL//21", "end"] == pd.Timestamp("2022-06-20")
    assert seen["SPELL//21"] == ("2022-06-01", "2022-07-10")
    assert seen["DISCHARGE//19"] == ("2022-06-20", "2022-07-10")
    assert {code for code in seen if code.startswith("ICD10_PRIMARY")} == {"ICD10_PRIMARY//I500"}
    assert seen["ICD10//J180"] == ("2022-06-20", "2022-07-10")


def test_a_stay_goes_on_while_the_second_hospital_has_not_discharged():
    seen = told(events(MOVED, ELSEWHERE, as_of=dt.date(2022, 7, 5)))
    assert "ADMISSION//21" in seen
    assert "ICD10//I500" in seen
    assert not {"SPELL//21", "DISCHARGE//51", "ADMISSION//81"} & set(seen)


def test_a_transfer_is_joined_once_the_discharge_before_it_is_known():
    assert told(events(MOVED, ELSEWHERE, as_of=dt.date(2022, 6, 20))) == {
        "ADMISSION//21": ("2022-06-01", "2022-06-02"),
        "ADMISSION//81": ("2022-06-11", "2022-06-13"),
    }


def test_a_hospital_left_on_the_day_it_was_reached_belongs_to_the_stay():
    passing = ELSEWHERE | {"provider_code": "RZZ", "discharge_date": "2022-06-11", "discharge_destination": "51"}
    table = events(MOVED, ELSEWHERE, passing)
    assert table["code"].str.startswith("ADMISSION").sum() == 1
    assert table.set_index("code").loc["SPELL//21", "end"] == pd.Timestamp("2022-06-20")


def test_a_third_hospital_belongs_to_the_stay_too():
    on = ELSEWHERE | {"discharge_destination": "51"}
    back = ELSEWHERE | {"provider_code": "RAA", "spell_id": "S2", "admission_date": "2022-06-20"}
    table = events(MOVED, on, back | {"admission_method": "2B", "discharge_date": "2022-06-30"})
    assert table.set_index("code").loc["SPELL//21", "numeric_value"] == 29
    assert table["code"].str.startswith("ADMISSION").sum() == 1


@pytest.mark.parametrize(
    "second",
    [
        {"person": "b"},
        {"admission_date": "2022-06-13"},
        {"admission_method": "21"},
    ],
    ids=["another person", "two days later", "an emergency of its own"],
)
def test_other_admissions_after_a_transfer_are_stays_of_their_own(second):
    table = events(MOVED, ELSEWHERE | second)
    assert table["code"].str.startswith("ADMISSION").sum() == 2
    assert "DISCHARGE//51" in set(table["code"])


@pytest.mark.parametrize("method", ["81", "2B", "2C", "83"])
def test_a_transfer_that_follows_no_stay_and_a_birth_are_admissions_but_no_emergencies(method):
    alone = codes(events(ELSEWHERE | {"admission_method": method}))
    assert {f"ADMISSION//{method}", f"SPELL//{method}", "ICD10_PRIMARY//J180"} <= alone
    assert "any_admission" in set(map_codes([f"ADMISSION//{method}"])["group"])
    assert "emergency_admission" not in set(map_codes([f"ADMISSION//{method}", f"SPELL//{method}"])["group"])
