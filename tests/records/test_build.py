"""From tables to people: cut, opted out, linked and accounted for."""

from __future__ import annotations

import datetime as dt
import json
import stat

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as tuned
from hypothesis import strategies as st

import records
from casewell import doors
from casewell.errors import SettingsError
from records import tables

from .conftest import NUMBERS, settle, whole_system

AS_OF = dt.date(2022, 10, 13)
# Of 2011, and split or merged since.
OLD_AREA = "E01000010"


@pytest.fixture(scope="module")
def plain_files(tmp_path_factory):
    """The system as it is, built once for the tests that only look."""
    root = tmp_path_factory.mktemp("plain")
    return records.build(settle(root, whole_system()), AS_OF, root / "out")


@pytest.fixture(scope="module")
def plain(plain_files):
    return tables_of(plain_files)


def built(settings, out, as_of=AS_OF):
    return tables_of(records.build(settings, as_of, out))


def tables_of(linked):
    names = (
        "people",
        "residences",
        "events",
        "enrolments",
        "offers",
        "draws",
        "identities",
        "contacts",
        "practices",
        "removed",
        "source_counts",
    )
    return {name: doors.read(getattr(linked, name), getattr(tables, name.upper())) for name in names}


def person(got, record, source="demographics"):
    rows = got["identities"]
    return rows[(rows["source"] == source) & (rows["source_record"] == record)].iloc[0]


def test_new_referrals_alone_do_not_make_the_data_look_fresh(system, settled):
    before = records.inspect(settled(system)).cut_off
    system["programme"]["received_date"] = "2022-12-01"
    assert records.inspect(settled(system)).cut_off == before


def test_the_span_runs_from_the_first_receipt_to_the_day_after_the_last(system, settled):
    assert records.inspect(settled(system)) == records.Span(dt.date(2022, 3, 5), dt.date(2022, 10, 13), False)


def test_everybody_who_came_in_is_a_person_or_was_removed(plain):
    # The national opt-out of person 5 does not apply to direct care.
    assert len(plain["people"]) == 39
    assert plain["removed"]["door"].tolist() == ["opted_out"]
    assert plain["removed"]["imd_decile"].notna().all()
    assert not set(plain["people"]["person_id"]) & set(plain["removed"]["person_id"])


def test_an_opted_out_person_has_no_event_and_no_name_from_any_source(plain):
    gone = set(plain["removed"]["person_id"])
    assert not gone & set(plain["events"]["subject_id"])
    assert NUMBERS[4] not in set(plain["contacts"]["nhs_number"])
    assert "U4" not in set(plain["identities"]["source_record"]), "the record without a number was not recognised"
    counts = plain["source_counts"].set_index(["source", "fate"])["rows"]
    assert counts["housing", "opted_out"] == 1
    assert counts["gp_events", "opted_out"] == 1


def test_an_opt_out_of_the_other_type_holds_for_planning(system, settled, tmp_path):
    got = built(settled(system, purpose="planning"), tmp_path / "out")
    assert len(got["removed"]) == 2


def test_an_opt_out_with_unreadable_type_still_holds(system, settled, tmp_path):
    system["opt_outs"].loc[1, "opt_out_type"] = "nationl"
    got = built(settled(system, quality={"max_bad_share": 0.5}), tmp_path / "out")
    assert len(got["removed"]) == 2


def test_an_opt_out_in_hand_holds_whatever_day_the_run_stands_on(system, settled, tmp_path):
    system["opt_outs"].loc[0, ["start_date", "received_date"]] = "2023-01-01"
    assert built(settled(system), tmp_path / "out")["removed"]["door"].tolist() == ["opted_out"]


def test_nothing_known_on_the_day_or_later_gets_out(system, settled, tmp_path):
    got = built(settled(system), tmp_path / "out", dt.date(2022, 6, 10))
    assert (got["events"]["known_at"] < "2022-06-10").all()
    codes = set(got["events"]["code"])
    assert "ADMISSION//21" in codes, "the admission was known while the person was in hospital"
    assert not codes & {"SPELL//21", "DISCHARGE//19", "ICD10//I500", "HOUSING//ARREARS", "DEATH"}
    assert got["enrolments"].empty
    assert got["people"]["died_on"].isna().all()
    counts = got["source_counts"].set_index(["source", "fate"])["rows"]
    assert counts["housing", "not_yet_known"] == 40


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


@pytest.mark.parametrize(("by", "teams"), [("network", {"N1"}), ("practice", {"P1", "P2"}), ("all", {"all"})])
def test_teams_follow_the_settings(system, settled, tmp_path, by, teams):
    people = built(settled(system, teams={"by": by}), tmp_path / "out")["people"]
    assert set(people["team_code"]) == teams


def test_private_tables_are_readable_by_their_owner_only(plain_files):
    assert {stat.S_IMODE(path.stat().st_mode) for path in (plain_files.identities, plain_files.contacts)} == {0o600}
    assert stat.S_IMODE((plain_files.people.parents[1] / "key").stat().st_mode) == 0o600


def test_no_number_and_no_name_leaves_the_private_tables(plain_files):
    for path in (
        plain_files.people,
        plain_files.residences,
        plain_files.events,
        plain_files.removed,
        plain_files.enrolments,
    ):
        text = pd.read_parquet(path).to_csv()
        assert not any(number in text for number in NUMBERS)
        assert "Ashdown" not in text


def test_a_key_that_others_can_read_is_refused(system, settled, tmp_path):
    (tmp_path / "key").write_text("0" * 64)
    (tmp_path / "key").chmod(0o644)
    with pytest.raises(SettingsError, match="can be read by others"):
        records.build(settled(system), AS_OF, tmp_path / "out")


def test_another_key_gives_other_pseudonyms(plain, system, settled, tmp_path, monkeypatch):
    monkeypatch.setenv("CASEWELL_PSEUDONYM_KEY", "k" * 40)
    assert not set(plain["people"]["person_id"]) & set(built(settled(system), tmp_path / "out")["people"]["person_id"])


def test_simulated_people_are_marked(system, settled, tmp_path):
    settings = settled(system)
    (settings.sources["gp_events"].path.parent / "SYNTHETIC").write_text("")
    assert built(settings, tmp_path / "out")["people"]["synthetic"].all()
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["synthetic"] is True


@pytest.mark.parametrize("ending", ["parquet", "csv.gz"])
def test_parquet_and_gzipped_csv_with_other_names_read_the_same(plain, plain_files, system, settled, tmp_path, ending):
    settings = settled(system, pseudonym_key_file=plain_files.people.parents[1] / "key")
    path = tmp_path / f"gp.{ending}"
    other = system["gp_events"].rename(columns={"event_date": "EFFECTIVE"}).rename(columns=str.upper)
    if ending == "parquet":
        dates = {name: pd.to_datetime(other[name]) for name in ("EFFECTIVE", "RECORDED_DATE", "RECEIVED_DATE")}
        other.assign(**dates).to_parquet(path)
    else:
        other.to_csv(path, index=False)
    source = settings.sources["gp_events"].model_copy(update={"path": path, "columns": {"event_date": "Effective"}})
    again = settings.model_copy(update={"sources": {**settings.sources, "gp_events": source}})
    pd.testing.assert_frame_equal(built(again, tmp_path / "out")["events"], plain["events"])


def test_a_lag_stands_in_for_a_missing_day_of_receipt(system, settled, tmp_path):
    system["gp_events"] = system["gp_events"].drop(columns="received_date")
    settings = settled(system)
    source = settings.sources["gp_events"].model_copy(update={"known_lag_days": 7})
    settings = settings.model_copy(update={"sources": {**settings.sources, "gp_events": source}})
    events = built(settings, tmp_path / "out")["events"]
    assert set(events.loc[events["source"] == "gp_events", "known_at"]) == {pd.Timestamp("2022-03-08")}


@tuned(
    max_examples=2, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 10_000), copies=st.integers(0, 3))
def test_order_and_copies_of_rows_change_nothing_and_every_row_has_a_fate(
    plain, plain_files, settled, tmp_path, seed, copies
):
    system, key = whole_system(), plain_files.people.parents[1] / "key"
    chance = np.random.default_rng(seed)
    shuffled = {
        name: pd.concat([table, table.head(copies)]).iloc[chance.permutation(len(table) + min(copies, len(table)))]
        for name, table in system.items()
    }
    got = built(settled(shuffled, pseudonym_key_file=key), tmp_path / "shuffled")
    for name in ("people", "residences", "events", "enrolments", "identities", "contacts", "removed"):
        pd.testing.assert_frame_equal(got[name], plain[name])
    rows = got["source_counts"].groupby("source")["rows"].sum()
    assert rows.to_dict() == {name: len(table) for name, table in shuffled.items()}


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
