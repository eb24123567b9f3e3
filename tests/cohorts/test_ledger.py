from __future__ import annotations

import json

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewell.settings import Teams
from cohorts import DOORS, allocate, counts, ledger, write_counts

DOORS_BEFORE_MODELS = st.sampled_from(["not eligible", "routed elsewhere", "eligible"])


def routes_of(doors: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"person_id": range(1, len(doors) + 1), "door": doors, "why": ["" for _ in doors]})


@pytest.fixture
def whole(people, scores, removed):
    """Four people and one who opted out, each with a door."""
    everybody = people({}, {"imd_decile": None}, {"ethnic_group": "not known"}, {"sex": "male", "imd_decile": 10.0})
    routes = routes_of(["not eligible", "eligible", "eligible", "routed elsewhere"])
    offered = allocate(
        scores({}, {}, {}, {}).query("person_id in (2, 3)"), everybody, Teams(default_capacity=1, reserve_share=0), b"k"
    )
    return everybody, removed({"person_id": 9}), routes, offered


def test_everybody_leaves_by_one_door(whole):
    table = ledger(*whole)
    assert table["person_id"].tolist() == [1, 2, 3, 4, 9]
    assert sorted(table["door"]) == ["listed", "not eligible", "not selected", "opted out", "routed elsewhere"]
    assert table.set_index("person_id").loc[2, "imd_decile"] == "not recorded"


@settings(max_examples=25, deadline=None)
@given(
    doors=st.lists(DOORS_BEFORE_MODELS, min_size=1, max_size=30),
    capacity=st.integers(0, 4),
    gone=st.lists(st.sampled_from(["opted_out", "quarantined"]), max_size=5),
    decile=st.lists(st.sampled_from([None, 1.0, 10.0]), min_size=30, max_size=30),
)
def test_the_doors_sum_to_the_people_who_came_in(doors, capacity, gone, decile, people, scores, removed, as_of):
    everybody = people(*[{"imd_decile": decile[number]} for number in range(len(doors))])
    routes = routes_of(doors)
    eligible = scores(*[{}] * len(doors))[(routes["door"] == "eligible").to_numpy()]
    offered = allocate(eligible, everybody, Teams(default_capacity=capacity), b"k")
    left = removed(*[{"person_id": 1000 + number, "door": door} for number, door in enumerate(gone)])
    summary = counts(ledger(everybody, left, routes, offered), as_of, synthetic=True)
    came_in = len(doors) + len(gone)
    assert summary["people"] == sum(summary["doors"].values()) == came_in
    assert sum(reason["people"] for reason in summary["reasons"]) == came_in
    for groups in summary["groups"].values():
        assert {door: sum(group[door] for group in groups.values()) for door in DOORS} == summary["doors"]


@pytest.mark.parametrize(
    ("break_it", "fault"),
    [
        (lambda people, removed, routes, offered: (people, removed, routes.iloc[1:], offered), "1 have no door"),
        (lambda people, removed, routes, offered: (people, removed, routes, offered.iloc[1:]), "1 have no door"),
        (
            lambda people, removed, routes, offered: (people, removed.assign(person_id=1), routes, offered),
            "1 came in twice, 1 left by two doors",
        ),
        (
            lambda people, removed, routes, offered: (people.iloc[1:], removed, routes, offered),
            "1 left without having come in",
        ),
    ],
)
def test_a_ledger_that_does_not_add_up_is_a_mistake_in_the_house(break_it, fault, whole):
    with pytest.raises(RuntimeError, match=fault):
        ledger(*break_it(*whole))


def test_the_counts_say_that_they_are_internal_and_are_the_same_bytes_each_time(whole, as_of, tmp_path):
    everybody, left, routes, offered = whole
    first = write_counts(counts(ledger(*whole), as_of, synthetic=True), tmp_path / "one.json")
    shuffled = ledger(everybody.sample(frac=1, random_state=2), left, routes.sample(frac=1, random_state=1), offered)
    second = write_counts(counts(shuffled, as_of, synthetic=True), tmp_path / "two.json")
    assert first.read_bytes() == second.read_bytes()
    summary = json.loads(first.read_text())
    assert summary["note"].startswith("Internal")
    assert list(summary["groups"]["imd_decile"]) == ["1", "3", "10", "not recorded"]
    assert list(summary["groups"]["ethnic_group"]) == ["Asian", "White", "not known"]
