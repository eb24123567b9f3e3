"""Which person a record is of, and what becomes of a record that is nobody's."""

from __future__ import annotations

import datetime as dt
import stat

import pandas as pd
import pytest

from .building import built, person
from .conftest import NUMBERS


def test_birth_date_sex_and_postcode_find_a_person_only_if_they_fit_one(plain, system, settled, tmp_path):
    twin = system["demographics"].iloc[[0]].assign(record_id="D99", nhs_number=None, given_name="Zoe")
    assert person(plain, "H0", "hospital_spells")["person_id"] == person(plain, "D0")["person_id"]
    assert person(plain, "H0", "hospital_spells")["method"] == "demographics"
    system["demographics"] = pd.concat([system["demographics"], twin])
    both = built(settled(system), tmp_path / "out")
    assert person(both, "H0", "hospital_spells")["method"] == "alone"


def test_one_number_on_two_different_people_is_not_believed(system, settled, tmp_path):
    system["hospital_spells"].loc[1, ["nhs_number", "sex"]] = [NUMBERS[2], "2"]
    got = built(settled(system), tmp_path / "out")
    assert person(got, "H1", "hospital_spells")["person_id"] == person(got, "D1")["person_id"]
    assert person(got, "H1", "hospital_spells")["method"] == "demographics"


def test_a_number_that_fails_its_check_is_nobody_known_but_is_not_lost(system, settled, tmp_path):
    system["gp_events"].loc[[1, 2], "nhs_number"] = ["9999999999", "9990000010"]
    got = built(settled(system, quality={"max_bad_share": 0.1}), tmp_path / "out")
    assert person(got, "G1", "gp_events")["method"] == "alone"
    assert len(got["people"]) == 41
    assert got["people"]["in_spine"].sum() == 39


def test_faulty_rows_below_the_limit_are_kept_aside_with_the_reason(system, settled, tmp_path):
    system["gp_events"].loc[0, "code_system"] = "READ"
    got = built(settled(system), tmp_path / "out")
    kept = tmp_path / "out" / "quarantine" / "gp_events.parquet"
    assert pd.read_parquet(kept)["reason"].tolist() == ["column code_system holds a value that is not allowed"]
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    counts = got["source_counts"].set_index(["source", "fate"])["rows"]
    assert counts["gp_events", "quarantined"] == 1


def test_a_person_whose_every_row_is_faulty_is_counted_as_removed(system, settled, tmp_path):
    system["demographics"].loc[3, "sex"] = "x"
    for name in ("gp_events", "hospital_spells", "housing"):
        system[name] = system[name].drop(index=3)
    removed = built(settled(system), tmp_path / "out")["removed"]
    assert sorted(removed["door"]) == ["opted_out", "quarantined"]


@pytest.mark.parametrize(("gap", "since"), [("2020-06-01", "2010-01-01"), ("2020-09-01", "2020-09-01")])
def test_a_change_of_practice_is_one_registration_unless_there_was_a_gap(system, settled, tmp_path, gap, since):
    moved = system["demographics"].iloc[[7]].assign(record_id="D7b", practice_code="P1", registration_start_date=gap)
    system["demographics"].loc[7, ["registration_end_date", "registration_end_received_date"]] = "2020-06-01"
    system["demographics"] = pd.concat([system["demographics"], moved], ignore_index=True)
    got = built(settled(system), tmp_path / "out")
    contact = got["contacts"].set_index("nhs_number").loc[NUMBERS[7], "person_id"]
    person = got["people"].set_index("person_id").loc[contact]
    assert person["registered_from"] == pd.Timestamp(since)
    assert person["practice_code"] == "P1"
    assert pd.isna(person["registered_to"])


def test_a_call_to_999_without_a_number_finds_its_person_by_name(system, settled, tmp_path):
    who = ["nhs_number", "given_name", "family_name", "date_of_birth", "sex", "postcode"]
    system["urgent_care"] = system["demographics"][who].assign(
        record_id=[f"V{n}" for n in range(40)],
        nhs_number=[None, *NUMBERS[1:]],
        call_date="2022-08-01",
        service=["999", *["111"] * 39],
        disposition=["ambulance", None, *["primary_care"] * 38],
        received_date="2022-08-02",
    )
    got = built(settled(system), tmp_path / "out")
    assert person(got, "V0", "urgent_care")["person_id"] == person(got, "D0")["person_id"]
    calls = got["events"][got["events"]["source"] == "urgent_care"]
    # One of the forty is opted out.
    assert calls["code"].value_counts().to_dict() == {
        "URGENT//111": 38,
        "URGENT_DISPOSITION//PRIMARY_CARE": 37,
        "URGENT//999": 1,
        "URGENT_DISPOSITION//AMBULANCE": 1,
    }


@pytest.mark.parametrize(("as_of", "practice"), [(dt.date(2022, 9, 1), "P2"), (dt.date(2022, 9, 5), "P1")])
def test_who_changes_practice_is_one_person_at_the_practice_of_the_day(system, settled, tmp_path, as_of, practice):
    moved = (
        system["demographics"]
        .iloc[[7]]
        .assign(record_id="D7b", practice_code="P1", postcode="ZZ9 9ZZ", registration_start_date="2022-09-03")
    )
    system["demographics"].loc[7, ["registration_end_date", "registration_end_received_date"]] = [
        "2022-09-01",
        "2022-09-04",
    ]
    system["demographics"] = pd.concat([system["demographics"], moved], ignore_index=True)
    got = built(settled(system), tmp_path / "out", as_of)
    assert len(got["people"]) == 39
    found = got["people"].set_index("person_id").loc[person(got, "D7")["person_id"]]
    assert (found["practice_code"], found["registered_from"]) == (practice, pd.Timestamp("2010-01-01"))
    assert pd.isna(found["registered_to"])
