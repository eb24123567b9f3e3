"""What records tell of care becomes events, services and offers, as they were known."""

from __future__ import annotations

import pandas as pd

from .building import built, person
from .conftest import NUMBERS


def test_a_later_end_of_case_management_is_not_told(plain):
    enrolments = plain["enrolments"]
    assert enrolments["start"].tolist() == [pd.Timestamp("2022-10-10")]
    assert enrolments["end"].isna().all()


def test_offers_keep_what_became_of_them_and_tell_no_later_end(plain):
    offers = plain["offers"]
    assert sorted(offers["outcome"]) == ["declined", "started"]
    assert offers["start"].count() == offers["outcome"].eq("started").sum() == 1
    assert offers["end"].isna().all()


def test_a_completed_spell_becomes_its_events(plain):
    mine = plain["events"][plain["events"]["subject_id"] == person(plain, "H1", "hospital_spells")["person_id"]]
    spell = mine[mine["code"] == "SPELL//21"].iloc[0]
    assert (spell["numeric_value"], spell["end"], spell["known_at"]) == (
        10,
        pd.Timestamp("2022-06-11"),
        pd.Timestamp("2022-07-01"),
    )
    assert mine.loc[mine["code"] == "ADMISSION//21", "end"].isna().all()
    assert {"ICD10_PRIMARY//I500", "ICD10//I500", "ICD10//E119", "ICD10//N183", "DISCHARGE//19"} <= set(mine["code"])


def test_a_service_goes_on_until_its_end_is_past_and_then_was_so_until_that_day(system, settled, tmp_path):
    service = {"record_id": ["S1", "S2", "S3"], "nhs_number": NUMBERS[:3], "event_type": "service"}
    service |= {"service_type": "home_support", "start_date": "2022-07-01", "received_date": "2022-07-20"}
    service |= {"end_date": ["2022-09-01", "2022-07-10", "2022-10-13"]}
    absent = ["given_name", "family_name", "date_of_birth", "sex", "postcode"]
    system["social_care"] = pd.DataFrame(service).assign(**dict.fromkeys(absent))
    events = built(settled(system), tmp_path / "out")["events"].query("code == 'SOCIAL_CARE_SERVICE//HOME_SUPPORT'")
    days = events[["known_at", "known_until", "end"]].apply(lambda day: day.dt.strftime("%Y-%m-%d").fillna(""))
    told = zip(days["known_at"], days["known_until"], days["end"], events["numeric_value"].fillna(-1), strict=True)
    assert sorted(told) == [
        ("2022-07-20", "", "", -1),
        ("2022-07-20", "", "2022-07-10", 9),
        ("2022-07-20", "2022-09-01", "", -1),
        ("2022-09-01", "", "2022-09-01", 62),
    ]


def services(rows, system, settled, tmp_path):
    """When each event of a person's services that began on 1 May was known, until when, and its end."""
    table = pd.DataFrame(rows, columns=["received_date", "end_date"]).assign(
        record_id=[f"S{place}" for place in range(len(rows))],
        nhs_number=NUMBERS[0],
        event_type="service",
        service_type="equipment",
        start_date="2022-05-01",
        **dict.fromkeys(["given_name", "family_name", "date_of_birth", "sex", "postcode"]),
    )
    system["social_care"] = table
    events = built(settled(system), tmp_path / "out")["events"].query("code.str.startswith('SOCIAL_CARE')")
    assert set(events["code"]) == {"SOCIAL_CARE_SERVICE//EQUIPMENT"}
    days = events[["known_at", "known_until", "end"]].apply(lambda day: day.dt.strftime("%m-%d").fillna(""))
    return sorted(zip(days["known_at"], days["known_until"], days["end"], strict=True))


def test_a_service_sent_again_when_it_has_ended_no_longer_goes_on(system, settled, tmp_path):
    rows = [("2022-05-20", None), ("2022-05-20", None), ("2022-08-20", None), ("2022-08-20", "2022-06-30")]
    assert services(rows, system, settled, tmp_path) == [
        ("05-20", "", ""),  # of two alike one has ended
        ("05-20", "08-20", ""),
        ("08-20", "", ""),
        ("08-20", "", "06-30"),
    ]


def test_a_service_sent_again_with_the_end_that_is_planned_goes_on_once(system, settled, tmp_path):
    rows = [("2022-05-20", None), ("2022-06-20", "2022-09-01")]
    assert services(rows, system, settled, tmp_path) == [
        ("05-20", "06-20", ""),
        ("06-20", "09-01", ""),
        ("09-01", "", "09-01"),
    ]


def test_a_service_sent_only_when_complete_ends_no_other(system, settled, tmp_path):
    rows = [("2022-05-20", "2022-05-10"), ("2022-06-20", None), ("2022-08-20", "2022-07-01")]
    assert services(rows, system, settled, tmp_path) == [
        ("05-20", "", "05-10"),
        ("06-20", "08-20", ""),
        ("08-20", "", "07-01"),
    ]


def test_who_was_not_drawn_has_not_started(plain, system, settled, tmp_path):
    lot = {"referral_route": "randomised_margin", "outcome": "not_drawn", "randomised_probability": 0.4}
    system["programme"] = pd.concat([system["programme"], system["programme"].iloc[[1]].assign(record_id="C2", **lot)])
    got = built(settled(system), tmp_path / "out")
    assert got["source_counts"].set_index(["source", "fate"])["rows"]["programme", "used"] == 3
    pd.testing.assert_frame_equal(
        got["enrolments"][["team_code", "start", "route"]], plain["enrolments"][["team_code", "start", "route"]]
    )
    assert plain["draws"].empty
    assert got["draws"][["chance", "drawn"]].to_dict("records") == [{"chance": 0.4, "drawn": False}]
