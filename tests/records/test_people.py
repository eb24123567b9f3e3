"""What is said of each person: ethnicity, area and household, by rules that are written down (decision 15)."""

from __future__ import annotations

import datetime as dt
import json
import shutil

import duckdb
import pandas as pd
import pytest

import records
from casewell import doors
from casewell.errors import SourceError
from records import tables
from records.households import normal_line, normal_postcode
from records.quality import check_sources
from records.quality.findings import INFORM, LOOK, STOP

AS_OF = dt.date(2022, 10, 13)
SPLIT, MERGED, SUCCESSOR, WELSH, SCOTTISH = "E01000010", "E01000852", "E01035711", "W01000003", "S01006506"


@pytest.fixture
def people_of(settled, tmp_path):
    """Build a system; give the people (by demographics record), the residences and the summary."""

    def built(system, as_of=AS_OF, **changes):
        linked = records.build(settled(system, **changes), as_of, tmp_path / "out")
        identities = doors.read(linked.identities, tables.IDENTITIES)
        spine = identities[identities["source"] == "demographics"].set_index("source_record")["person_id"]
        people = doors.read(linked.people, tables.PEOPLE).set_index("person_id")
        residences = doors.read(linked.residences, tables.RESIDENCES)
        return people.loc[spine].set_index(spine.index), residences, json.loads(linked.summary.read_text())

    return built


def again(system, row, **changes):
    """Register somebody a second time."""
    new = system["demographics"].iloc[[row]].assign(record_id=f"D{row}b", **changes)
    system["demographics"] = pd.concat([system["demographics"], new], ignore_index=True)


def test_ethnicity_that_is_no_code_is_not_known_and_the_person_stays(system, people_of):
    system["demographics"].loc[0, "ethnic_category"] = "X9"
    people, _, summary = people_of(system)
    assert tuple(people.loc["D0", ["ethnic_category", "ethnic_group", "ethnicity_source"]]) == ("99", "not known", "")
    assert summary["rows_without_an_ethnic_code"] == {"demographics": 1}


def test_a_hospital_code_that_is_none_never_takes_a_hospital_code_s_place(system, people_of):
    system["demographics"]["ethnic_category"] = "99"
    spells = system["hospital_spells"].assign(ethnic_category="N")
    later = spells.assign(record_id=spells["record_id"] + "b", ethnic_category="X", received_date="2022-09-01")
    later = later.assign(admission_date="2022-08-01", discharge_date="2022-08-02").head(1)
    system["hospital_spells"] = pd.concat([spells, later], ignore_index=True)
    people, _, _ = people_of(system)
    assert set(people["ethnic_group"]) == {"Black"}


def test_too_many_ethnicities_that_are_no_code_stop_a_run(system, settled, tmp_path):
    system["demographics"].loc[0:9, "ethnic_category"] = "X"
    with pytest.raises(SourceError, match="ethnic_category holds a value that is not allowed in 9 of 39 row"):
        records.build(settled(system), AS_OF, tmp_path / "out")


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("B", "R", "R"),
        ("B", "Z", "B"),
        ("B", "99", "B"),
        ("B", None, "B"),
        ("B", "X", "B"),
        ("Z", "99", "Z"),
        ("99", "Z", "Z"),
        ("Z", None, "Z"),
    ],
)
def test_of_two_registrations_the_latest_valid_ethnicity_holds(system, people_of, first, second, expected):
    system["demographics"].loc[3, "ethnic_category"] = first
    again(system, 3, ethnic_category=second, registration_start_date="2020-01-01")
    people, _, _ = people_of(system)
    assert people.loc["D3b", "ethnic_category"] == people.loc["D3", "ethnic_category"] == expected


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_valid_ethnicities_of_one_day_the_first_letter_holds_whatever_the_order(system, people_of, turned):
    system["demographics"].loc[3, "ethnic_category"] = "R"
    again(system, 3, ethnic_category="B")
    if turned:
        system["demographics"] = system["demographics"].iloc[::-1]
    people, _, _ = people_of(system)
    assert people.loc["D3", "ethnic_category"] == "B"


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_services_that_sent_on_one_day_the_first_by_name_holds_whatever_the_order(system, people_of, turned):
    system["demographics"]["ethnic_category"] = None
    system["hospital_spells"] = system["hospital_spells"].assign(ethnic_category="N", received_date="2022-07-01")
    about = ["nhs_number", "date_of_birth", "sex", "postcode"]
    system["emergency_care"] = system["hospital_spells"][about].assign(
        record_id=[f"E{n}" for n in range(40)],
        arrival_date="2022-06-30",
        arrival_mode="walk_in",
        acuity="3",
        chief_complaint=None,
        discharge_destination="home",
        ethnic_category="H",
        received_date="2022-07-01",
    )
    order = list(system)[::-1] if turned else list(system)
    people, _, _ = people_of({name: system[name] for name in order})
    assert set(people["ethnicity_source"]) == {"emergency_care"}


def test_a_registration_that_was_set_aside_says_nothing_of_ethnicity(system, people_of):
    system["demographics"].loc[3, "ethnic_category"] = "Z"
    again(system, 3, ethnic_category="R", registration_start_date="2020-01-01", sex="x")
    people, _, _ = people_of(system)
    assert people.loc["D3", "ethnic_group"] == "not stated"


def test_an_area_of_2011_becomes_its_successor_and_one_that_was_split_stays(system, people_of):
    sent = ["E01000001", MERGED, SPLIT, WELSH, "E99999999", SCOTTISH, None]
    # The fifth person opted out.
    records_of = ["D0", "D1", "D2", "D3", "D6", "D7", "D8"]
    system["demographics"].loc[[0, 1, 2, 3, 6, 7, 8], "lsoa"] = sent
    people, _, summary = people_of(system)
    said = people.loc[records_of, ["lsoa", "lsoa_vintage", "imd_version"]]
    converted = "IMD 2025, LSOA 2011 converted to 2021"
    assert [tuple(row) for row in said.to_numpy()] == [
        ("E01000001", "2021", "IMD 2025, LSOA 2021"),
        (SUCCESSOR, "2021", converted),
        (SPLIT, "2011", converted),
        (WELSH, "2021", ""),
        ("E99999999", "", ""),
        (SCOTTISH, "", ""),
        ("", "", ""),
    ]
    assert people.loc[records_of, "imd_decile"].notna().tolist() == [True, True, True, False, False, False, False]
    assert summary["areas"] == {
        "no_area_sent": 1,
        "code_not_known": 2,
        "without_deprivation": 1,
        "converted_from_2011": 1,
        "split_since_2011": 1,
    }


def test_the_check_of_sources_tells_what_is_wrong_with_areas_and_ethnic_codes(system, settled):
    system["demographics"].loc[10:19, "lsoa"] = SCOTTISH
    system["demographics"].loc[20:29, "lsoa"] = "LE11 1AA"
    system["demographics"].loc[30:31, "lsoa"] = MERGED
    system["demographics"].loc[0, "ethnic_category"] = "X"
    found = check_sources(settled(system), AS_OF, dt.date(2026, 1, 1)).findings
    areas = found[found["check"] == "areas"].set_index("severity")["sentence"]
    assert "10 of 39 registrations (25.6%) have an area of Scotland" in " ".join(areas[LOOK])
    assert "10 of 39 registrations (25.6%) have an area that is no 2021 or 2011 LSOA" in " ".join(areas[LOOK])
    assert "fewer than 8 of 39 registrations (very few) have a 2011 area" in areas[INFORM]
    codes = found[found["column"] == "ethnic_category"]
    assert codes["severity"].tolist() == [LOOK]
    assert (
        "holds a value that is not allowed in fewer than 8 of 39 rows; it counts as not known there"
        in codes["sentence"].item()
    )
    system["demographics"].loc[0:9, "ethnic_category"] = "X"
    found = check_sources(settled(system), AS_OF, dt.date(2026, 1, 1)).findings
    assert STOP in set(found.loc[found["column"] == "ethnic_category", "severity"])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("12 High Street", "12, HIGH ST."),
        ("Flat 2, 10 A St. Mary's Road", "apartment 2  10a Saint Marys Rd"),
        ("No 4 The Close", "4 the cl"),
        ("7 Élm Avenue", "7 Elm Ave"),
    ],
)
def test_an_address_written_in_two_ways_is_one(one, other):
    query = f"SELECT {normal_line('line')} FROM (VALUES (?), (?)) AS lines (line)"
    assert len(set(duckdb.execute(query, [one, other]).fetchall())) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [("1 High Street", "11 High Street"), ("Flat 1, 2 Elm Rd", "2 Elm Rd"), ("1 Elm Rd", "1 Elm Close")],
)
def test_two_addresses_stay_two(one, other):
    query = f"SELECT {normal_line('line')} FROM (VALUES (?), (?)) AS lines (line)"
    assert len(set(duckdb.execute(query, [one, other]).fetchall())) == 2


@pytest.mark.parametrize(
    ("postcode", "expected"), [("le1 1aa", "LE11AA"), ("LE1", None), ("ZZ99 3VZ", None), (None, None)]
)
def test_a_postcode_counts_when_it_is_whole_and_of_a_place(postcode, expected):
    query = f"SELECT {normal_postcode('said')} FROM (SELECT ?::VARCHAR AS said)"
    assert duckdb.execute(query, [postcode]).fetchone() == (expected,)


def at_home(system, *rows, **said):
    for name, value in {"address_line": "1 High Street", "postcode": "LE1 1AA", **said}.items():
        system["demographics"].loc[list(rows), name] = value


def test_people_at_one_address_are_one_household_and_others_are_not(system, people_of):
    at_home(system, 0, 1)
    at_home(system, 1, address_line="1, HIGH ST")
    at_home(system, 2, address_line="2 High Street")
    at_home(system, 3, postcode="LE1 1AB")
    people, _, _ = people_of(system)
    households = people["household_id"]
    assert households["D0"] == households["D1"]
    assert households[["D0", "D2", "D3"]].nunique() == 3


@pytest.mark.parametrize(
    "said", [{"address_line": None}, {"postcode": None}, {"postcode": "ZZ99 3VZ"}, {"address_line": "NFA"}]
)
def test_without_a_whole_address_there_is_no_household(system, people_of, said):
    at_home(system, 0, 1, **said)
    people, residences, _ = people_of(system)
    assert people.loc[["D0", "D1"], "household_id"].isna().all()
    assert residences["household_id"].isna().sum() == 2


def test_a_property_s_number_tells_more_than_its_spelling(system, people_of):
    system["demographics"]["uprn"] = None
    at_home(system, 0, address_line="The Elms", uprn="100012345678")
    at_home(system, 1, address_line="3 Elm Lane", uprn="0100012345678".lstrip("0"))
    at_home(system, 2, address_line="The Elms", uprn=None)  # as the only number of that address says
    at_home(system, 3, address_line="3 Elm Lane", uprn="7")
    people, _, _ = people_of(system)
    households = people["household_id"]
    assert households["D0"] == households["D1"] == households["D2"]
    assert households["D3"] != households["D0"]


def test_a_household_is_known_by_a_keyed_hash_and_nothing_else(system, people_of, tmp_path, monkeypatch):
    at_home(system, 0)
    people, _, _ = people_of(system)
    for name in ("people", "residences", "events"):
        assert "High St" not in pd.read_parquet(tmp_path / "out" / f"{name}.parquet").to_csv().title()
    # Without a register of the first key: with one, a lost key would be refused.
    shutil.rmtree(tmp_path / "data" / "links")
    monkeypatch.setenv("CASEWELL_PSEUDONYM_KEY", "k" * 40)
    other, _, _ = people_of(system)
    assert not set(people["household_id"]) & set(other["household_id"])


def test_every_registration_is_a_residence_with_what_was_known_of_its_end(system, people_of):
    at_home(
        system, 7, registration_end_date="2020-06-01", registration_end_received_date="2020-06-09", lsoa="E01000002"
    )
    again(
        system,
        7,
        address_line="9 Elm Road",
        postcode="LE2 2BB",
        lsoa="E01000003",
        practice_code="P1",
        registration_start_date="2020-06-01",
        registration_end_date=None,
        registration_end_received_date=None,
    )
    people, residences, _ = people_of(system)
    homes = residences[residences["person_id"] == _id_of(residences, people, "D7b")]
    assert homes["start"].tolist() == [pd.Timestamp("2010-01-01"), pd.Timestamp("2020-06-01")]
    assert homes["end_known_at"].tolist()[0] == pd.Timestamp("2020-06-09")
    assert homes["end"].isna().tolist() == [False, True]
    assert homes["imd_decile"].tolist() == [10.0, 8.0]
    assert homes["health_decile"].tolist() == [10.0, 7.0]
    assert homes["environment_decile"].tolist() == [2.0, 2.0]
    assert homes["practice_code"].tolist() == ["P2", "P1"]
    assert homes["household_id"].nunique() == 2
    assert homes["household_id"].iloc[1] == people.loc["D7b", "household_id"]


def _id_of(residences, people, record):
    return residences.loc[residences["household_id"] == people.loc[record, "household_id"], "person_id"].item()


def test_an_end_or_a_death_not_known_yet_is_not_told(system, people_of):
    system["demographics"].loc[3, "registration_end_date"] = "2022-10-01"
    system["demographics"].loc[3, "registration_end_received_date"] = "2022-10-13"
    people, residences, _ = people_of(system)
    home = residences[residences["household_id"] == people.loc["D3", "household_id"]]
    assert home[["end", "end_known_at"]].isna().all(axis=None)
    assert people["death_known_at"].isna().all()


def test_a_death_carries_the_day_on_which_it_was_known(system, people_of):
    system["gp_events"].loc[0, "received_date"] = "2023-06-01"
    people, _, _ = people_of(system, dt.date(2023, 5, 25))
    assert people.loc["D39", ["died_on", "death_known_at"]].tolist() == [
        pd.Timestamp("2023-05-01"),
        pd.Timestamp("2023-05-20"),
    ]
