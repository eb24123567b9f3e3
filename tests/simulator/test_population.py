"""Who the simulated people are, and what surrounds them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from simulator import identity, parts, places
from simulator.places import GROUPS
from tests.simulator.conftest import Simulated

CUT_OFF = pd.Timestamp("2026-10-01")


@pytest.fixture(scope="module")
def living(simulated: Simulated) -> pd.DataFrame:
    people = simulated.registered
    people = people[people["died"].isna()]
    return people.assign(age=(CUT_OFF - people["date_of_birth"]).dt.days / 365.25)


def test_deprivation_and_ethnicity_are_jointly_as_in_england() -> None:
    chosen = places.choose_places(100_000)
    decile = chosen.areas["imd_decile"].to_numpy()
    weight = np.array([chosen.residents[decile == one].sum(axis=0) for one in range(1, 11)])
    england = places._england().to_numpy()
    assert weight / weight.sum() == pytest.approx(england / england.sum(), abs=1e-9)


def test_ages_keep_englands_margins_and_minority_groups_are_younger() -> None:
    chosen = places.choose_places(10_000)
    mean = (chosen.ages * np.arange(chosen.ages.shape[2])).sum(axis=2) / chosen.ages.sum(axis=2)
    by_group = mean.mean(axis=0)
    assert by_group[0] > by_group[1:].max() + 5
    assert by_group[GROUPS.index("mixed")] == by_group.min()


def test_everybody_asked_for_is_shared_out_among_the_networks() -> None:
    for people in (100, 4_321, 250_000):
        chosen = places.choose_places(people)
        planned = parts.plan(chosen, people, 1, frozenset())
        assert sum(part.people for part in planned) == people
        assert planned[-1].first < planned[-1].everybody


def test_a_million_and_more_people_have_numbers_of_their_own() -> None:
    numbers = identity.nhs_numbers(1, 1_050_000)
    assert len(np.unique(numbers)) == 1_050_000
    assert (identity.check_digit(numbers // 10) == numbers % 10).all()
    assert set(np.unique(numbers // 10_000_000)) == {998, 999}
    assert set(np.unique(identity.nhs_numbers(1, 900_000) // 10_000_000)) == {999}


def test_pakistani_and_bangladeshi_people_live_in_the_most_deprived_places_most(living: pd.DataFrame) -> None:
    poorest = living.groupby("ethnic_category")["imd_decile"].agg(lambda decile: (decile <= 2).mean())
    assert poorest["J"] > 2 * poorest["A"]
    assert poorest["J"] > poorest["H"] + 0.1


def test_households_are_of_one_area_and_those_who_live_alone_have_one_of_their_own(simulated: Simulated) -> None:
    people = simulated.people
    homes = people.groupby("household")
    assert (homes["imd_decile"].nunique() == 1).all()
    size = people["household"].map(homes.size())
    assert (size[people["lives_alone"]] == 1).all()
    assert 1.9 < size.mean() < 4.0
    assert len(people) / homes.ngroups == pytest.approx(2.3, abs=0.3)


def test_old_people_live_alone_most_and_children_never(living: pd.DataFrame) -> None:
    alone = living.groupby(pd.cut(living["age"], [-1, 17, 60, 75, 110]))["lives_alone"].mean().to_numpy()
    assert alone[0] == 0
    assert alone[1] < alone[2] < alone[3]
    assert 0.35 < alone[3] < 0.75


def test_members_of_a_household_share_an_address_and_mostly_a_name(simulated: Simulated) -> None:
    spine = simulated.with_person("demographics").drop_duplicates("true_person_id", keep="last")
    spine = spine.merge(simulated.people[["true_person_id", "household", "moved_home"]], on="true_person_id")
    settled = spine[spine["moved_home"].isna()]
    homes = settled.groupby("household").filter(lambda home: len(home) > 1).groupby("household")
    assert (homes["address_line"].nunique() == 1).mean() > 0.9
    shared = (homes["family_name"].nunique() == 1).mean()
    assert 0.3 < shared < 0.95


def test_conditions_come_earlier_and_deaths_oftener_in_deprived_places(living: pd.DataFrame) -> None:
    middle = living[living["age"].between(45, 64)]
    poor, rich = middle[middle["imd_decile"] <= 3], middle[middle["imd_decile"] >= 8]
    assert poor["conditions"].mean() > 1.25 * rich["conditions"].mean()


def test_inclusion_groups_learning_disability_and_autism_are_few_and_where_expected(living: pd.DataFrame) -> None:
    excluded = living["inclusion_group"] != "none"
    assert 0.004 < excluded.mean() < 0.03
    assert excluded[living["imd_decile"] <= 3].mean() > excluded[living["imd_decile"] >= 8].mean()
    assert 0.005 < living["learning_disability"].mean() < 0.02
    assert 0.004 < living["autism"].mean() < 0.02
    assert living.loc[excluded, "access"].mean() < living.loc[~excluded, "access"].mean() - 0.3


def test_whether_a_condition_is_written_down_depends_on_the_condition_and_on_keeping_away(
    living: pd.DataFrame,
) -> None:
    def found(people: pd.DataFrame, name: str) -> float:
        return float(people.loc[people[f"has_{name}"] == 1, f"diagnosed_{name}"].mean())

    assert found(living, "hypertension") < found(living, "coronary_heart_disease") - 0.05
    away, seen = living[living["low_use"] > 0.4], living[living["low_use"] < 0.15]
    for name in ("hypertension", "anxiety_depression"):
        assert found(away, name) < found(seen, name) - 0.08


def test_people_are_born_into_the_list_move_in_and_move_away(simulated: Simulated) -> None:
    people = simulated.registered
    history = people["moved_in"] >= pd.Timestamp("2022-10-01")
    born = history & (people["moved_in"] == people["date_of_birth"])
    assert 0.02 < born.mean() < 0.07
    assert 0.04 < (history & ~born).mean() < 0.12
    assert 0.02 < people["moved_away"].notna().mean() < 0.10
    assert 0.05 < people["moved_home"].notna().mean() < 0.25
