"""Who is at home with whom, on the day asked: addresses and deaths in, three numbers out, on both engines."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features import CATALOGUE
from features.feature import LIVING
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

FEATURES = [declared for declared in CATALOGUE if declared.aggregation in LIVING]
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


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(registrations=registrations, deaths=deaths, largest=st.integers(1, 4))
def test_the_query_equals_the_reference_cell_by_cell(tmp_path_factory, registrations, deaths, largest):
    with pytest.MonkeyPatch.context() as changed:
        # Few people, so that homes too large to be households occur.
        changed.setattr("features.reference_households.LARGEST_HOUSEHOLD", largest)
        from features import households

        changed.setattr(households, "QUERY", households.QUERY.replace(f"<= {LARGEST_HOUSEHOLD}", f"<= {largest}"))
        population = population_table([(day, person) for day in DAYS[1:] for person in PEOPLE])
        people = everybody([{"person_id": person} for person in PEOPLE], deaths)
        built, expected = both(tmp_path_factory.mktemp("homes"), population, people, residences_table(registrations))
    for declared in FEATURES:
        np.testing.assert_array_equal(built[declared.name], expected[declared.name], err_msg=declared.name)


def test_living_alone_is_said_plainly_and_a_death_is_not_said():
    by_name = {declared.name: declared for declared in FEATURES}
    assert by_name["lives_alone"].words(1.0) == "Nobody else is registered at the same address"
    assert by_name["lives_alone"].words(0.0) is None
    assert by_name["household_bereavement"].words(1.0) is None
    assert "opted out" in by_name["lives_alone"].description
