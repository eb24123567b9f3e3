"""Who is at home with whom, on the day asked: addresses and deaths in, three numbers out, on both engines."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casewell.errors import SourceError
from features import CATALOGUE
from features.feature import DOMAINS, LIVING
from features.households import LARGEST_HOUSEHOLD
from features.reference_engine import build_in_memory
from tests.features.tiny import (
    INDEX_DATE,
    PERSON,
    events_table,
    people_table,
    population_table,
    residences_table,
    write_and_build,
)

# The deciles are all of one kind; two of them are enough.
FEATURES = [f for f in CATALOGUE if f.aggregation in LIVING and f.aggregation not in DOMAINS[1:]]
NAN = math.nan
HOME, OTHER = 10, 11


def lives(
    person: int = PERSON, home: int | None = HOME, start: str | None = "2010-01-01", **end: str
) -> dict[str, object]:
    """A registration; `end` and `end_known_at` where it ended."""
    known = {"end_known_at": end["end"]} if "end" in end else {}
    return {"person_id": person, "household_id": home, "start": start, "imd_decile": 3.0} | known | end


def died(person: int, day: str, known: str | None = None) -> dict[str, object]:
    return {"person_id": person, "died_on": day, "death_known_at": known or day}


ALONE, PAIR = (1, 1, 0), (2, 0, 0)
UNKNOWN = (NAN, NAN, NAN)
SPECIFICATIONS = {
    "one person at an address lives alone": ([lives()], [], ALONE),
    "another registered there makes two": ([lives(), lives(8)], [], PAIR),
    "another elsewhere does not": ([lives(), lives(8, OTHER)], [], ALONE),
    "without an address nothing is known": ([lives(home=None), lives(8, None)], [], UNKNOWN),
    "without a registration nothing is known": ([lives(8)], [], UNKNOWN),
    "who registered on the index date is not known yet": ([lives(), lives(8, start=INDEX_DATE)], [], ALONE),
    "who registered the day before is": ([lives(), lives(8, start="2026-06-30")], [], PAIR),
    "a registration without a start was always there": ([lives(start=None), lives(8, start=None)], [], PAIR),
    "who has left is gone": ([lives(), lives(8, end="2026-06-01")], [], ALONE),
    "a last day that is the index date is over": (
        [lives(), lives(8, end=INDEX_DATE, end_known_at="2026-06-30")],
        [],
        ALONE,
    ),
    "who has left, and nobody knows, seems to be there": (
        [lives(), lives(8, end="2026-06-01", end_known_at=INDEX_DATE)],
        [],
        PAIR,
    ),
    "who moved within the system counts at the new address": (
        [lives(), lives(8), lives(8, OTHER, "2026-01-01")],
        [],
        ALONE,
    ),
    "so does the person": ([lives(), lives(8), lives(start="2026-01-01", home=OTHER), lives(9, OTHER)], [], PAIR),
    "as many as a household may have": (
        [lives(n) for n in [PERSON, *range(100, 99 + LARGEST_HOUSEHOLD)]],
        [],
        (10, 0, 0),
    ),
    "one more is a home, a hostel or a hall": (
        [lives(n) for n in [PERSON, *range(100, 100 + LARGEST_HOUSEHOLD)]],
        [],
        UNKNOWN,
    ),
    "a death at the address is a bereavement": ([lives(), lives(8)], [died(8, "2026-06-01")], (1, 1, 1)),
    "also when the registration ended with it": (
        [lives(), lives(8, end="2026-06-01")],
        [died(8, "2026-06-01")],
        (1, 1, 1),
    ),
    "a year ago to the day still counts": ([lives(), lives(8)], [died(8, "2025-07-01")], (1, 1, 1)),
    "before that no more": ([lives(), lives(8)], [died(8, "2025-06-30")], ALONE),
    "a death not yet known is none": ([lives(), lives(8)], [died(8, "2026-06-01", INDEX_DATE)], PAIR),
    "known the day before it is one": ([lives(), lives(8)], [died(8, "2026-06-01", "2026-06-30")], (1, 1, 1)),
    "a death elsewhere is none": ([lives(), lives(8, OTHER)], [died(8, "2026-06-01")], ALONE),
    "nor is one before the person came": ([lives(start="2026-06-02"), lives(8)], [died(8, "2026-06-01")], ALONE),
    "changing practice at one address is not coming": (
        [lives(end="2026-06-10"), lives(start="2026-06-10"), lives(8)],
        [died(8, "2026-06-01")],
        (1, 1, 1),
    ),
    "nor does a death count of somebody who had left": (
        [lives(), lives(8, end="2026-05-01")],
        [died(8, "2026-06-01")],
        ALONE,
    ),
    "who died is not told of a household": ([lives(), lives(8)], [died(PERSON, "2026-06-01")], UNKNOWN),
}


def both(folder, population, people, residences):
    path = write_and_build(folder, population, events_table([]), people, FEATURES, residences)
    return pd.read_parquet(path), build_in_memory(population, events_table([]), people, residences, FEATURES)


def everybody(residences: list[dict[str, object]], deaths: list[dict[str, object]]) -> pd.DataFrame:
    found = {row["person_id"]: {"person_id": row["person_id"]} for row in residences} | {PERSON: {"person_id": PERSON}}
    return people_table(list((found | {row["person_id"]: row for row in deaths}).values()))


@pytest.mark.parametrize(("residences", "deaths", "expected"), SPECIFICATIONS.values(), ids=SPECIFICATIONS)
def test_both_engines_follow_the_specification(tmp_path, residences, deaths, expected):
    matrices = both(tmp_path, population_table(), everybody(residences, deaths), residences_table(residences))
    for matrix in matrices:
        found = matrix[["household_size", "lives_alone", "household_bereavement"]].iloc[0]
        assert found.tolist() == pytest.approx(list(expected), nan_ok=True)


def test_deprivation_is_that_of_the_area_the_person_lived_in_then(tmp_path):
    homes = residences_table([lives(), lives(start="2026-03-01") | {"imd_decile": 8.0}])
    days = [("2009-01-01", PERSON), ("2026-03-01", PERSON), ("2026-03-02", PERSON)]
    for matrix in both(tmp_path, population_table(days), people_table([{"person_id": PERSON}]), homes):
        assert matrix["imd_decile"].tolist() == pytest.approx([NAN, 3, 8], nan_ok=True)


def test_minutes_are_those_of_the_area_lived_in_then_and_missing_where_no_table_tells(tmp_path):
    far, near = {"minutes_to_gp": 21.5, "minutes_to_hospital": 48.0}, {"minutes_to_gp": 3.0}
    homes = residences_table([lives() | far, lives(start="2026-03-01") | near])
    days = [("2009-01-01", PERSON), ("2026-03-01", PERSON), ("2026-03-02", PERSON)]
    for matrix in both(tmp_path, population_table(days), people_table([{"person_id": PERSON}]), homes):
        assert matrix["minutes_to_gp"].tolist() == pytest.approx([NAN, 21.5, 3], nan_ok=True)
        assert matrix["minutes_to_hospital"].tolist() == pytest.approx([NAN, 48, NAN], nan_ok=True)
        assert matrix["minutes_to_pharmacy"].isna().all()


PEOPLE = [1, 2, 3, 4, 5]
DAYS = ["2024-12-31", "2025-01-01", "2025-07-01", "2025-12-31", "2026-01-01", "2026-01-02", "2026-03-01"]
days = st.sampled_from(DAYS)
registrations = st.lists(
    st.builds(
        lambda person, home, start, end, lag: {
            "person_id": person,
            "household_id": home,
            "start": start,
            "end": end,
            "end_known_at": end and pd.Timestamp(end) + pd.Timedelta(days=lag),
            "imd_decile": 5.0,
            "income_decile": float(home or 3),
            "practice_code": f"P{lag % 3}" if lag else "",
        },
        st.sampled_from(PEOPLE),
        st.sampled_from([HOME, HOME, OTHER, None]),
        st.one_of(st.none(), days),
        st.one_of(st.none(), days),
        st.integers(0, 40),
    ),
    unique_by=lambda row: (row["person_id"], row["start"]),
    max_size=12,
)
deaths = st.lists(
    st.builds(lambda person, day, lag: died(person, day, pd.Timestamp(day) + pd.Timedelta(days=lag)),
              st.sampled_from(PEOPLE), days, st.integers(0, 40)),
    unique_by=lambda row: row["person_id"],
    max_size=3,
)  # fmt: skip


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(registrations=registrations, deaths=deaths, largest=st.integers(1, 4))
def test_the_query_equals_the_reference_cell_by_cell(tmp_path_factory, registrations, deaths, largest):
    with pytest.MonkeyPatch.context() as changed:
        # Few people, so that homes too large to be households occur.
        changed.setattr("features.reference_households.LARGEST_HOUSEHOLD", largest)
        from features import households

        changed.setattr(households, "QUERY", households.QUERY.replace(f"<= {LARGEST_HOUSEHOLD}", f"<= {largest}"))
        population = population_table([(day, person) for day in DAYS[2::2] for person in PEOPLE])
        # By the last of the days, one is 18 and one 75 to the month, and one a month short of each.
        born = dict(zip(PEOPLE, ["2008-03-01", "2008-04-01", "1951-03-01", "1951-04-01", None], strict=True))
        dead = {row["person_id"]: row for row in deaths}
        people = people_table(
            [{"person_id": person, "birth_month": born[person]} | dead.get(person, {}) for person in PEOPLE]
        )
        built, expected = both(tmp_path_factory.mktemp("homes"), population, people, residences_table(registrations))
    for declared in FEATURES:
        np.testing.assert_array_equal(built[declared.name], expected[declared.name], err_msg=declared.name)


def test_living_alone_is_said_plainly_and_a_death_is_not_said():
    by_name = {declared.name: declared for declared in FEATURES}
    assert by_name["lives_alone"].words(1.0) == "Nobody else is registered at the same address"
    assert by_name["lives_alone"].words(0.0) is None
    assert by_name["household_bereavement"].words(1.0) is None
    assert "opted out" in by_name["lives_alone"].description


def described(folder, residences, people, names):
    homes = residences_table(residences)
    return [matrix[list(names)].iloc[0].tolist() for matrix in both(folder, population_table(), people, homes)]


def test_children_and_old_people_at_home_are_others(tmp_path):
    born = {PERSON: "1940-01-01", 8: "2008-07-01", 9: "2008-08-01", 10: "1951-07-01", 11: "1951-08-01"}
    people = people_table([{"person_id": person, "birth_month": month} for person, month in born.items()])
    homes = [lives(person) for person in born]
    for found in described(tmp_path, homes, people, ["household_children", "household_old", "large_address"]):
        assert found == [1, 1, 0]  # of 8 and 9 the one not yet 18, of 10 and 11 the one who is 75


def test_an_address_of_many_is_told_apart_from_one_not_known(tmp_path):
    many = [lives(n) for n in [PERSON, *range(100, 100 + LARGEST_HOUSEHOLD)]]
    names = ["large_address", "household_children"]
    for found in described(tmp_path, many, everybody(many, []), names):
        assert found == pytest.approx([1, NAN], nan_ok=True)
    for found in described(tmp_path, [lives(home=None)], everybody([], []), names):
        assert found == pytest.approx([NAN, NAN], nan_ok=True)


REGISTERED = ["registered_days", "registrations_begun_1095d", "practices_1095d"]


@pytest.mark.parametrize(
    ("homes", "expected"),
    [
        ([lives(start="2026-06-01") | {"practice_code": "A"}], [30, 1, 1]),
        ([lives(start="2023-07-02") | {"practice_code": "A"}], [1095, 1, 1]),
        ([lives(start="2023-07-01") | {"practice_code": "A"}], [1096, 0, 1]),
        ([lives(start=None)], [NAN, 0, 0]),
        ([lives(8)], [NAN, NAN, NAN]),
        (
            [lives(start="2024-01-01", end="2026-06-01") | {"practice_code": "A"}, lives(start="2026-06-01") | {"practice_code": "B"}],
            [30, 2, 2],
        ),
        ([lives(end="2023-07-01") | {"practice_code": "A"}, lives(start="2024-01-01") | {"practice_code": "A"}], [912, 1, 1]),
        ([lives(end="2026-06-01") | {"practice_code": "A"}], [NAN, 0, 1]),
        ([lives(start=INDEX_DATE)], [NAN, NAN, NAN]),
    ],
    ids=["one", "begun in the window", "begun before it", "without a start", "never", "two practices", "one twice", "left", "not yet"],
)  # fmt: skip
def test_how_long_and_with_how_many_practices(tmp_path, homes, expected):
    for found in described(tmp_path, homes, everybody(homes, []), REGISTERED):
        assert found == pytest.approx(expected, nan_ok=True)


def test_residences_of_before_the_domains_are_refused_with_what_to_do(tmp_path):
    old = residences_table([lives()]).drop(columns=["income_decile", "crime_decile"])
    with pytest.raises(SourceError) as caught:
        write_and_build(tmp_path, population_table(), events_table([]), people_table(), FEATURES, old)
    assert len(caught.value.problems) == 2
