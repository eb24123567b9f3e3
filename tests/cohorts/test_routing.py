from __future__ import annotations

import pandas as pd
import pytest

from casewell import doors
from casewell.errors import SettingsError
from casewell.settings import Routing, Settings
from cohorts import route
from features.code_groups import load_code_groups
from records.tables import OFFERS, RESIDENCES

NO_OFFERS, NO_HOMES = doors.empty(OFFERS), doors.empty(RESIDENCES)
SETTINGS = Settings.model_validate({"name": "test", "sources": {"demographics": {"path": "nowhere"}}})


def routed(people, events, enrolments, as_of, settings, groups=None, offers=NO_OFFERS, residences=NO_HOMES):
    return route(people, events, enrolments, offers, residences, as_of, settings, groups)


# Every fact below holds of one person; removing them from the top down shows the order of precedence.
PRECEDENCE = [
    ("person", {"died_on": "2026-09-01"}, "not eligible", "died"),
    ("person", {"registered_to": "2026-09-28"}, "not eligible", "moved away"),
    ("person", {"in_spine": False}, "not eligible", "not registered here"),
    ("person", {"birth_month": None}, "not eligible", "birth date not known"),
    ("person", {"birth_month": "2008-10-01"}, "not eligible", "under the minimum age of 18"),
    ("person", {"team_code": ""}, "not eligible", "no team serves them"),
    (
        "enrolment",
        {"start": "2026-08-01", "known_at": "2026-08-01"},
        "routed elsewhere",
        "already on a caseload",
    ),
    (
        "event",
        {"time": "2026-08-01", "code": "SNOMED//414937009"},
        "routed elsewhere",
        "end of life: palliative care team",
    ),
    (
        "event",
        {"time": "2026-07-01", "code": "SOCIAL_CARE_SERVICE//NURSING"},
        "routed elsewhere",
        "care home: enhanced health in care homes",
    ),
    ("event", {"time": "2026-09-20", "code": "ADMISSION//21"}, "routed elsewhere", "in hospital: discharge team"),
]


@pytest.mark.parametrize("first", range(len(PRECEDENCE)), ids=[why for *_, why in PRECEDENCE])
def test_a_person_leaves_by_the_first_rule_that_applies(first, people, events, enrolments, as_of):
    facts = PRECEDENCE[first:]
    person = {}
    for kind, fact, _, _ in reversed(facts):
        person |= fact if kind == "person" else {}
    routes = routed(
        people(person),
        events(*[{"subject_id": 1, **fact} for kind, fact, _, _ in facts if kind == "event"]),
        enrolments(*[{"person_id": 1, **fact} for kind, fact, _, _ in facts if kind == "enrolment"]),
        as_of,
        SETTINGS,
    )
    assert routes[["door", "why"]].values.tolist() == [list(PRECEDENCE[first][2:])]


BOUNDARIES = [
    ("registration ends on the day", {"registered_to": "2026-09-28"}, "moved away"),
    ("registration ends the day after", {"registered_to": "2026-09-29"}, ""),
    ("eighteen in this month", {"birth_month": "2008-09-01"}, ""),
    ("eighteen next month", {"birth_month": "2008-10-01"}, "under the minimum age of 18"),
    ("only the year of birth known, kept as January", {"birth_month": "1990-01-01"}, ""),
    ("an open data set without registrations", {"registered_from": None, "practice_code": "", "team_code": "all"}, ""),
]


@pytest.mark.parametrize(("person", "why"), [row[1:] for row in BOUNDARIES], ids=[row[0] for row in BOUNDARIES])
def test_people_are_eligible_on_half_open_days(person, why, people, events, enrolments, as_of):
    routes = routed(people(person), events(), enrolments(), as_of, SETTINGS)
    assert routes["why"].tolist() == [why]
    assert routes["door"].tolist() == ["not eligible" if why else "eligible"]


HOSPITAL, HOME, DYING, CASELOAD = (why for *_, why in reversed(PRECEDENCE[-4:]))
EVENT_BOUNDARIES = [
    ("admission known on the day itself", [("ADMISSION//21", "2026-09-27", "2026-09-28", None)], ""),
    ("admission known the day before", [("ADMISSION//21", "2026-09-27", "2026-09-27", None)], HOSPITAL),
    ("admitted 180 days ago", [("ADMISSION//21", "2026-04-01", "2026-04-01", None)], HOSPITAL),
    ("admitted 181 days ago: the record was lost", [("ADMISSION//21", "2026-03-31", "2026-03-31", None)], ""),
    (
        "completed spell of the same day",
        [("ADMISSION//21", "2026-09-01", "2026-09-01", None), ("SPELL//21", "2026-09-01", "2026-09-20", "2026-09-10")],
        "",
    ),
    (
        "completed spell known too late",
        [("ADMISSION//21", "2026-09-01", "2026-09-01", None), ("SPELL//21", "2026-09-01", "2026-09-28", "2026-09-10")],
        HOSPITAL,
    ),
    (
        "completed spell of an earlier admission",
        [("ADMISSION//21", "2026-09-01", "2026-09-01", None), ("SPELL//21", "2026-08-01", "2026-09-20", "2026-08-10")],
        HOSPITAL,
    ),
    (
        "care home stay that ended on the day",
        [("SOCIAL_CARE_SERVICE//RESIDENTIAL", "2026-01-01", "2026-01-01", "2026-09-28")],
        "",
    ),
    (
        "care home stay that ends the day after",
        [("SOCIAL_CARE_SERVICE//RESIDENTIAL", "2026-01-01", "2026-01-01", "2026-09-29")],
        HOME,
    ),
    ("discharged to a care home", [("DISCHARGE//54", "2026-05-01", "2026-05-20", None)], HOME),
    (
        "discharged home since",
        [("DISCHARGE//54", "2026-05-01", "2026-05-20", None), ("DISCHARGE//19", "2026-07-01", "2026-07-20", None)],
        "",
    ),
    ("palliative team two years ago", [("COMMUNITY//PALLIATIVE", "2024-09-28", "2024-09-28", None)], DYING),
    ("palliative team longer ago", [("COMMUNITY//PALLIATIVE", "2024-09-27", "2024-09-27", None)], ""),
]


@pytest.mark.parametrize(
    ("happened", "why"), [row[1:] for row in EVENT_BOUNDARIES], ids=[row[0] for row in EVENT_BOUNDARIES]
)
def test_circumstances_hold_on_half_open_days(happened, why, people, events, enrolments, as_of):
    rows = [
        {"subject_id": 1, "code": code, "time": time, "known_at": known_at, "end": end}
        for code, time, known_at, end in happened
    ]
    assert routed(people({}), events(*rows), enrolments(), as_of, SETTINGS)["why"].tolist() == [why]


@pytest.mark.parametrize(("known_until", "why"), [("2026-09-27", ""), (None, HOSPITAL)])
def test_an_admission_that_a_later_version_denies_keeps_nobody_in_hospital(
    known_until, why, people, events, enrolments, as_of
):
    admission = {"subject_id": 1, "code": "ADMISSION//21", "time": "2026-09-20", "known_until": known_until}
    assert routed(people({}), events(admission), enrolments(), as_of, SETTINGS)["why"].tolist() == [why]


@pytest.mark.parametrize(
    ("start", "end", "known_at", "why"),
    [
        ("2026-09-28", None, "2026-09-20", CASELOAD),
        ("2026-09-29", None, "2026-09-20", ""),
        ("2026-01-01", "2026-09-28", "2026-01-01", ""),
        ("2026-01-01", "2026-09-29", "2026-01-01", CASELOAD),
        ("2026-01-01", None, "2026-09-28", ""),
    ],
)
def test_a_caseload_holds_from_its_start_up_to_its_end(start, end, known_at, why, people, events, enrolments, as_of):
    spell = {"person_id": 1, "start": start, "end": end, "known_at": known_at}
    assert routed(people({}), events(), enrolments(spell), as_of, SETTINGS)["why"].tolist() == [why]


def test_what_happened_to_one_person_routes_nobody_else(people, events, enrolments, as_of):
    admission = {"subject_id": 2, "time": "2026-09-20", "code": "ADMISSION//21"}
    routes = routed(people({}, {}, {}), events(admission), enrolments(), as_of, SETTINGS)
    assert routes.set_index("person_id")["door"].to_dict() == {1: "eligible", 2: "routed elsewhere", 3: "eligible"}


def test_the_order_of_rows_changes_no_routed(people, events, enrolments, as_of):
    everybody = people(*[fact for kind, fact, _, _ in PRECEDENCE if kind == "person"], {}, {})
    file = events({"subject_id": 8, "time": "2026-09-20", "code": "ADMISSION//21"})
    one = routed(everybody, file, enrolments(), as_of, SETTINGS)
    other = routed(everybody.sample(frac=1, random_state=3), file, enrolments(), as_of, SETTINGS)
    pd.testing.assert_frame_equal(one, other)


def test_a_code_group_without_codes_is_refused_rather_than_routing_nobody(people, events, enrolments, as_of):
    groups = load_code_groups()
    with pytest.raises(SettingsError, match="'care_home' has no code"):
        routed(people({}), events(), enrolments(), as_of, SETTINGS, groups[groups["group"] != "care_home"])


LATER = "declined: offer again later"


@pytest.mark.parametrize(
    ("known_at", "offer_again", "why"),
    [
        ("2026-09-01", "2026-09-29", LATER),
        ("2026-09-01", "2026-09-28", ""),
        ("2026-09-01", None, LATER),
        ("2026-03-31", None, LATER),
        ("2026-03-30", None, ""),
    ],
)
def test_somebody_who_declined_is_left_in_peace_until_the_day(
    known_at, offer_again, why, people, events, enrolments, offers, as_of
):
    no = offers({"person_id": 1, "known_at": known_at, "offer_again": offer_again})
    routes = routed(people({}, {}), events(), enrolments(), as_of, SETTINGS, offers=no)
    assert routes["why"].tolist() == [why, ""]


def test_the_newest_no_counts_and_a_start_answers_it(people, events, enrolments, offers, as_of):
    nos = offers(
        {"person_id": 1, "known_at": "2026-05-01", "offer_again": "2027-05-01"},
        {"person_id": 1, "known_at": "2026-06-01", "offer_again": "2026-07-01"},
        {"person_id": 2, "known_at": "2026-06-01"},
    )
    ended = {"person_id": 2, "start": "2026-06-20", "end": "2026-08-01", "known_at": "2026-06-20"}
    for order in (nos, nos.iloc[::-1]):
        routes = routed(people({}, {}), events(), enrolments(ended), as_of, SETTINGS, offers=order)
        assert routes["why"].tolist() == ["", ""]


GRIEF = "recent death in the household: offer later"
DEAD = {"died_on": "2026-09-01", "death_known_at": "2026-09-02"}


@pytest.mark.parametrize(
    ("death", "home", "why"),
    [
        ({}, {}, GRIEF),
        ({"died_on": "2026-08-03"}, {}, GRIEF),
        ({"died_on": "2026-08-02"}, {}, ""),
        ({"death_known_at": "2026-09-28"}, {}, ""),
        ({}, {"household_id": 8}, ""),
        ({}, {"start": "2026-09-02"}, ""),
    ],
    ids=["in it", "eight weeks ago", "longer ago", "not known yet", "lives elsewhere", "moved in since"],
)
def test_a_household_is_left_in_peace_after_a_death(death, home, why, people, events, enrolments, residences, as_of):
    homes = residences({"household_id": 7, "end": "2026-09-01"}, {"household_id": 7} | home)
    everybody = people(DEAD | death, {}, {})
    routes = routed(everybody, events(), enrolments(), as_of, SETTINGS, residences=homes)
    assert routes["why"].tolist() == ["died", why, ""]


def test_a_death_in_a_care_home_or_hostel_is_not_one_in_the_household(people, events, enrolments, residences, as_of):
    homes = residences(*[{"household_id": 7}] * 13)
    routes = routed(people(DEAD, *[{}] * 12), events(), enrolments(), as_of, SETTINGS, residences=homes)
    assert set(routes["why"][1:]) == {""}


UNSUITABLE, SUPPORTED = "found not suitable: look again later", "already supported by another service: look again later"


@pytest.mark.parametrize(
    ("outcome", "known_at", "why"),
    [
        ("not_suitable", "2026-09-01", UNSUITABLE),
        ("not_suitable", "2026-03-31", UNSUITABLE),
        ("not_suitable", "2026-03-30", ""),
        ("already_supported", "2026-09-01", SUPPORTED),
        ("not_reached", "2026-09-01", ""),
        ("not_drawn", "2026-09-01", ""),
    ],
)
def test_whoever_a_team_found_it_not_to_be_for_is_not_offered_it_at_once(
    outcome, known_at, why, people, events, enrolments, offers, as_of
):
    said = offers({"person_id": 1, "known_at": known_at, "outcome": outcome})
    assert routed(people({}, {}), events(), enrolments(), as_of, SETTINGS, offers=said)["why"].tolist() == [why, ""]


def test_each_answer_stands_for_its_own_days_and_the_newest_counts(people, events, enrolments, offers, as_of):
    settings = SETTINGS.model_copy(update={"routing": Routing(declined_days=400, not_suitable_days=10)})
    said = offers(
        {"person_id": 1, "known_at": "2026-09-10", "outcome": "not_suitable"},
        {"person_id": 2, "known_at": "2026-09-20", "outcome": "not_suitable"},
        {"person_id": 3, "known_at": "2025-12-01", "outcome": "declined"},
        {"person_id": 4, "known_at": "2025-12-01", "outcome": "declined"},
        {"person_id": 4, "known_at": "2026-09-01", "outcome": "not_suitable"},
    )
    found = routed(people({}, {}, {}, {}), events(), enrolments(), as_of, settings, offers=said)
    assert found["why"].tolist() == ["", UNSUITABLE, LATER, ""]


def test_an_answer_to_case_management_routes_nobody_whom_another_programme_is_open_to(
    people, events, enrolments, offers, as_of
):
    said = offers(*[{"person_id": person, "known_at": "2026-09-01"} for person in (1, 2, 3)])
    on_it = enrolments({"person_id": 3, "start": "2026-09-02", "known_at": "2026-09-02"})
    found = route(people({}, {}, {}), events(), on_it, said, NO_HOMES, as_of, SETTINGS, open_elsewhere=[1, 3])
    assert found["why"].tolist() == ["", LATER, "already on a caseload"]
