"""What is said of people: ethnicity with its source and day, and the deprivation of their area."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from .building import OLD_AREA, built, person


def test_ethnicity_is_the_latest_that_was_stated(system, settled, tmp_path):
    earlier = (
        system["demographics"]
        .iloc[[3]]
        .assign(record_id="D99", ethnic_category="R", registration_start_date="2005-01-01")
    )
    system["demographics"] = pd.concat([system["demographics"], earlier])
    got = built(settled(system), tmp_path / "out")
    row = got["people"].set_index("person_id").loc[person(got, "D3")["person_id"]]
    assert (row["ethnic_category"], row["ethnic_group"]) == ("R", "Asian")
    assert row["registered_from"] == pd.Timestamp("2005-01-01")


def test_ethnicity_not_stated_is_kept_apart_from_not_known(plain):
    people = plain["people"]
    assert set(people.loc[people["ethnic_category"] == "Z", "ethnic_group"]) == {"not stated"}


def test_deprivation_carries_its_edition_and_is_missing_for_an_unknown_area(system, settled, tmp_path):
    areas = {"D0": "E01000001", "D1": "W01000001", "D2": None, "D3": OLD_AREA}
    system["demographics"].loc[:3, "lsoa"] = list(areas.values())
    got = built(settled(system), tmp_path / "out")
    people = got["people"].set_index("person_id")
    versions = [people.loc[person(got, record)["person_id"], "imd_version"] for record in areas]
    assert versions == ["IMD 2025, LSOA 2021", "", "", "IMD 2025, LSOA 2011 converted to 2021"]
    assert (people["imd_decile"].notna() == (people["imd_version"] != "")).all()
    assert (people.loc[people["lsoa"] == "", "imd_version"] == "").all()


@pytest.mark.parametrize(
    ("gp", "hospital", "emergency", "expected"),
    [
        ("B", "N", "N", ("B", "White", "demographics")),
        (None, "N", None, ("N", "Black", "hospital_spells")),
        ("99", "N", "H", ("H", "Asian", "emergency_care")),
        ("Z", "99", "H", ("H", "Asian", "emergency_care")),
        ("Z", "Z", "99", ("Z", "not stated", "demographics")),
        ("99", "Z", None, ("Z", "not stated", "hospital_spells")),
        ("99", "99", None, ("99", "not known", "")),
    ],
)
def test_an_ethnicity_known_only_to_hospital_is_used_with_its_source(
    system, settled, tmp_path, gp, hospital, emergency, expected
):
    system["demographics"]["ethnic_category"] = gp
    system["hospital_spells"]["ethnic_category"] = hospital
    about = ["nhs_number", "date_of_birth", "sex", "postcode"]
    system["emergency_care"] = system["hospital_spells"][about].assign(
        record_id=[f"E{n}" for n in range(40)],
        arrival_date="2022-08-01",
        arrival_mode="walk_in",
        acuity="3",
        chief_complaint=None,
        discharge_destination="home",
        ethnic_category=emergency,
        received_date="2022-08-03",
    )
    people = built(settled(system), tmp_path / "out")["people"]
    found = people[["ethnic_category", "ethnic_group", "ethnicity_source"]].drop_duplicates()
    assert [tuple(row) for row in found.to_numpy()] == [expected]


@pytest.mark.parametrize(("as_of", "source"), [(dt.date(2022, 7, 1), ""), (dt.date(2022, 7, 2), "hospital_spells")])
def test_an_ethnicity_is_known_from_the_receipt_of_its_record_on(system, settled, tmp_path, as_of, source):
    system["demographics"]["ethnic_category"] = None
    system["hospital_spells"]["ethnic_category"] = "N"
    assert set(built(settled(system), tmp_path / "out", as_of)["people"]["ethnicity_source"]) == {source}
