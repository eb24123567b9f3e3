"""Who was eligible on an index date, and what is counted as having happened after it."""

from pathlib import Path

import pandas as pd
import pytest

from casewell import doors
from casewell.settings import Eligibility, Settings
from models.outcomes import outcomes
from models.population import population
from records.tables import ENROLMENTS, EVENTS, PEOPLE

INDEX = pd.Timestamp("2025-01-01")
PERSON = {
    "person_id": 1,
    "birth_month": "1950-01-01",
    "sex": "female",
    "ethnic_category": "A",
    "ethnic_group": "White",
    "ethnicity_source": "demographics",
    "ethnicity_known_at": pd.NaT,
    "household_id": pd.NA,
    "lsoa": "",
    "lsoa_vintage": "",
    "imd_decile": 3.0,
    "imd_version": "",
    "practice_code": "P",
    "team_code": "T",
    "registered_from": "2010-01-01",
    "registered_to": None,
    "died_on": None,
    "death_known_at": None,
    "in_spine": True,
    "sources": 1,
    "synthetic": True,
}
EVENT = {
    "subject_id": 1,
    "time": "2025-02-01",
    "known_at": "2025-02-02",
    "known_until": None,
    "code": "ADMISSION//21",
    "numeric_value": None,
    "end": None,
    "source": "hospital_spells",
}
ENROLMENT = {
    "person_id": 1,
    "programme": "case_management",
    "team_code": "T",
    "start": "2025-01-10",
    "end": None,
    "known_at": "2025-01-10",
    "route": "gp_discretion",
    "randomised_probability": None,
}


def table(schema, defaults, rows):
    if not rows:
        return doors.empty(schema)
    made = pd.DataFrame([defaults | row for row in rows])
    dates = [name for name, column in schema.columns.items() if "datetime" in str(column.dtype)]
    return made.assign(**{name: pd.to_datetime(made[name]) for name in dates})


def linked(folder: Path, people=({},), events=(), enrolments=()) -> Path:
    doors.write(table(PEOPLE, PERSON, list(people)), PEOPLE, folder / "people.parquet")
    doors.write(table(EVENTS, EVENT, list(events)), EVENTS, folder / "events.parquet")
    doors.write(table(ENROLMENTS, ENROLMENT, list(enrolments)), ENROLMENTS, folder / "enrolments.parquet")
    return folder


def eligible(folder: Path) -> bool:
    found = population(folder / "people.parquet", folder / "enrolments.parquet", [INDEX], Eligibility())
    return len(found) == 1


def label(folder: Path, **outcome: str) -> pd.Series:
    settings = Settings.model_validate({"name": "test", "sources": {"demographics": {"path": "x"}}, "outcome": outcome})
    rows = pd.DataFrame({"index_date": [INDEX.as_unit("us")], "person_id": [1]})
    return outcomes(rows, folder, settings).iloc[0]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"birth_month": "2007-01-01"}, True),
        ({"birth_month": "2007-02-01"}, False),
        ({"registered_from": "2025-01-01"}, True),
        ({"registered_from": "2025-01-02"}, False),
        ({"registered_from": None}, True),
        ({"registered_to": "2025-01-01"}, False),
        ({"registered_to": "2025-01-02"}, True),
        ({"died_on": "2024-12-31"}, False),
        ({"died_on": "2025-01-01"}, True),
        ({"in_spine": False}, False),
        ({"birth_month": None}, False),
    ],
)
def test_adults_who_are_alive_and_registered_on_the_day_are_eligible(tmp_path, change, expected):
    assert eligible(linked(tmp_path, people=[change])) is expected


@pytest.mark.parametrize(
    ("spell", "expected"),
    [
        ({"start": "2024-06-01"}, False),
        ({"start": "2024-06-01", "end": "2025-01-01"}, True),
        ({"start": "2024-06-01", "end": "2025-01-02"}, False),
        ({"start": "2025-01-01"}, True),
    ],
)
def test_people_on_a_caseload_are_not_eligible(tmp_path, spell, expected):
    assert eligible(linked(tmp_path, enrolments=[spell])) is expected


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"time": "2025-01-01"}, True),
        ({"time": "2024-12-31"}, False),
        ({"time": "2025-12-31"}, True),
        ({"time": "2026-01-01"}, False),
        ({"code": "ADMISSION//11"}, False),
        ({"code": "ADMISSION//2C"}, False),
        ({"code": "ADMISSION//2A"}, True),
    ],
)
def test_an_emergency_admission_within_the_horizon_is_the_outcome(tmp_path, event, expected):
    assert bool(label(linked(tmp_path, events=[event]))["outcome"]) is expected


def test_the_outcome_is_what_finally_turned_out_and_not_what_was_first_told(tmp_path):
    first = {"known_until": "2025-03-01"}
    corrected = {"code": "ADMISSION//11", "known_at": "2025-03-01"}
    assert not label(linked(tmp_path / "planned", events=[first, corrected]))["outcome"]
    stays = [
        {"code": "SPELL//21", "end": "2025-02-11", "known_until": "2025-03-01"},
        {"code": "SPELL//21", "end": "2025-02-09", "known_at": "2025-03-01"},
    ]
    assert label(linked(tmp_path / "shorter", events=stays))["bed_days"] == 8


def test_a_death_within_the_horizon_is_the_outcome(tmp_path):
    row = label(linked(tmp_path, people=[{"died_on": "2025-06-01"}]))
    assert row["outcome"]
    assert row["died"]


@pytest.mark.parametrize(
    ("person", "events", "days"),
    [
        ({}, [{}], 31),
        ({"died_on": "2025-01-11"}, [], 10),
        ({"died_on": "2025-03-01"}, [{}], 31),
        ({}, [{"time": "2024-12-31"}], None),
        ({"died_on": "2026-01-01"}, [], None),
    ],
)
def test_the_days_to_the_outcome_are_those_to_whichever_came_first(tmp_path, person, events, days):
    found = label(linked(tmp_path, people=[person], events=events))["days_to_outcome"]
    assert pd.isna(found) if days is None else found == days


def test_the_treated_start_within_the_grace_period_and_not_before_the_index_date(tmp_path):
    for start, expected in (("2025-01-01", True), ("2025-01-30", True), ("2025-01-31", False)):
        folder = tmp_path / start
        assert bool(label(linked(folder, enrolments=[{"start": start}]))["treated"]) is expected


def test_bed_days_are_those_of_emergency_spells_inside_the_horizon(tmp_path):
    spells = [
        {"code": "SPELL//21", "time": "2025-03-01", "end": "2025-03-11"},
        {"code": "SPELL//11", "time": "2025-05-01", "end": "2025-05-03"},
        {"code": "SPELL//21", "time": "2025-12-30", "end": "2026-01-20"},
    ]
    row = label(linked(tmp_path, events=spells))
    assert row["bed_days"] == 10 + 2
    assert row["days_at_home"] == 365 - 10 - 2 - 2


def test_days_at_home_end_with_death(tmp_path):
    assert label(linked(tmp_path, people=[{"died_on": "2025-01-11"}]))["days_at_home"] == 10


def test_a_planned_admission_is_the_negative_control_and_not_the_outcome(tmp_path):
    row = label(linked(tmp_path, events=[{"code": "ADMISSION//11"}]))
    assert row["negative_control"]
    assert not row["outcome"]


@pytest.mark.parametrize(
    ("event", "early"),
    [({"time": "2025-01-30"}, True), ({"time": "2025-01-31"}, False), ({"time": "2024-12-31"}, False)],
)
def test_an_outcome_before_the_grace_period_is_over_is_early(tmp_path, event, early):
    assert bool(label(linked(tmp_path, events=[event]))["early"]) is early


@pytest.mark.parametrize(
    ("person", "stayed"),
    [
        ({}, True),
        ({"registered_to": "2025-12-31"}, False),
        ({"registered_to": "2026-01-01"}, True),
        ({"registered_to": "2025-06-01", "died_on": "2025-06-01"}, True),
        ({"registered_to": "2025-06-01", "died_on": "2025-06-20"}, True),
        ({"registered_to": "2025-03-01", "died_on": "2025-06-20"}, False),
    ],
)
def test_who_moves_away_within_the_horizon_did_not_stay(tmp_path, person, stayed):
    assert bool(label(linked(tmp_path, people=[person]))["stayed"]) is stayed


def test_people_in_hospital_on_the_day_could_not_be_offered_a_place(tmp_path):
    admitted = {"time": "2024-12-30", "known_at": "2024-12-31"}
    assert not label(linked(tmp_path / "in", events=[admitted]))["offerable"]
    home = {"code": "SPELL//21", "time": "2024-12-30", "end": "2024-12-31", "known_at": "2024-12-31"}
    assert label(linked(tmp_path / "out", events=[admitted, home]))["offerable"]


@pytest.mark.parametrize(("corrected_on", "offerable"), [("2025-01-01", False), ("2024-12-31", True)])
def test_who_was_thought_to_be_in_a_care_home_on_the_day_could_not_be_offered_a_place(
    tmp_path, corrected_on, offerable
):
    stay = {"code": "SOCIAL_CARE_SERVICE//RESIDENTIAL", "time": "2024-06-01", "known_at": "2024-06-10"}
    ended = {**stay, "known_at": corrected_on, "end": "2024-12-30"}
    row = label(linked(tmp_path, events=[{**stay, "known_until": corrected_on}, ended]))
    assert row["offerable"] == offerable


STAY = {"code": "SPELL//21", "time": "2025-03-01", "end": "2025-03-11"}


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([STAY, {"code": "ICD10_PRIMARY//L031", "time": "2025-03-11"}], True),
        ([STAY, {"code": "ICD10_PRIMARY//L031", "time": "2025-03-01"}], True),
        ([STAY, {"code": "ICD10_PRIMARY//L031", "time": "2025-03-12"}], False),
        ([STAY, {"code": "ICD10//L031", "time": "2025-03-11"}], False),
        ([STAY, {"code": "ICD10_PRIMARY//S720", "time": "2025-03-11"}], False),
        ([{**STAY, "code": "SPELL//11"}, {"code": "ICD10_PRIMARY//L031", "time": "2025-03-11"}], False),
        ([{**STAY, "time": "2024-12-31"}, {"code": "ICD10_PRIMARY//L031", "time": "2025-03-11"}], False),
        ([STAY, {"code": "ICD10_PRIMARY//L031", "time": "2025-03-11", "known_until": "2025-06-01"}], False),
    ],
)
def test_a_sensitive_admission_is_an_emergency_stay_with_such_a_primary_diagnosis(tmp_path, events, expected):
    assert bool(label(linked(tmp_path, events=events))["acs_admission"]) is expected


@pytest.mark.parametrize(
    ("ranks", "person", "events", "happened", "days"),
    [
        ("admission", {"died_on": "2025-03-01"}, [], False, None),
        ("admission", {"died_on": "2025-03-01"}, [{}], True, 31),
        ("death", {"died_on": "2025-03-01"}, [{}], True, 59),
        ("death", {}, [{}], False, None),
        ("admission_or_death", {"died_on": "2025-03-01"}, [], True, 59),
        ("acs_admission", {"died_on": "2025-03-01"}, [{}], False, None),
    ],
)
def test_whoever_dies_without_the_outcome_that_ranks_did_not_have_it(tmp_path, ranks, person, events, happened, days):
    row = label(linked(tmp_path, people=[person], events=events), ranks=ranks)
    assert bool(row["outcome"]) is happened
    found = row["days_to_outcome"]
    assert pd.isna(found) if days is None else found == days


def test_who_died_within_the_grace_period_tells_nothing_of_case_management_whatever_ranks(tmp_path):
    row = label(linked(tmp_path, people=[{"died_on": "2025-01-20"}]), ranks="admission")
    assert row["early"]
    assert not row["outcome"]


def test_every_declared_outcome_is_labelled_whichever_ranks(tmp_path):
    row = label(linked(tmp_path, people=[{"died_on": "2025-06-01"}], events=[{}]))
    assert (row["admission_or_death"], row["admission"], row["acs_admission"], row["died"]) == (True, True, False, True)


def test_another_programme_neither_keeps_anybody_from_case_management_nor_counts_as_it(tmp_path):
    before = {"start": "2024-06-01", "programme": "social_prescribing"}
    after = {"start": "2025-01-10", "programme": "social_prescribing"}
    folder = linked(tmp_path, enrolments=[before, after])
    assert eligible(folder)
    assert not label(folder)["treated"]
