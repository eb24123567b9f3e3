"""Weights, floors, and that the choice under them is the best there is."""

from __future__ import annotations

import datetime as dt
import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.optimize import Bounds, LinearConstraint, milp

from casewell.errors import SettingsError
from casewell.settings import Policy, Teams
from cohorts import allocate, refuse_outdated
from cohorts.contest import Problem
from cohorts.policy import Floor, deprivation_weights, weights
from cohorts.solver import best, feasible
from fairness import group_table

KEY = b"a key for tests"
OWNED = {"owner": "A. Director", "review_date": dt.date(2027, 4, 1)}
AS_OF = dt.date(2026, 9, 28)


def listed(people, scores, teams, policy, need_share=0.5):
    table = allocate(scores, people, teams, KEY, policy, group_table(people, AS_OF), need_share)
    return set(table.loc[table["status"] == "listed", "person_id"]), table


@pytest.fixture
def unequal(people, scores):
    """Ten people of the most deprived fifth who gain a little less than ten of the least deprived."""
    rows = [{"imd_decile": 1.0, "practice_code": "P1"}] * 10 + [{"imd_decile": 10.0, "practice_code": "P2"}] * 10
    gains = [{"benefit": 0.02 + n / 1000, "need": float(n)} for n in range(10)]
    gains += [{"benefit": 0.025 + n / 1000, "need": float(n)} for n in range(10)]
    return people(*rows), scores(*gains)


def test_without_inequality_aversion_everybodys_benefit_counts_alike():
    assert set(deprivation_weights(Policy()).values()) == {1.0}


def test_weights_are_marginal_values_of_atkinsons_welfare():
    policy = Policy(inequality_aversion=2, baseline_health=[0.5, 0.6, 0.7, 0.8, 1.0], **OWNED)
    found = deprivation_weights(policy)
    assert found["1 most deprived"] == pytest.approx(4)
    assert found["5 least deprived"] == 1

    def equivalent(health):
        return np.mean(np.array(health) ** (1 - 2)) ** (1 / (1 - 2))

    base, little = [0.5, 0.6, 0.7, 0.8, 1.0], 1e-6
    rise = [equivalent([h + little * (n == group) for n, h in enumerate(base)]) - equivalent(base) for group in (0, 4)]
    assert rise[0] / rise[1] == pytest.approx(found["1 most deprived"], rel=1e-3)


def test_kolm_looks_at_differences_of_health_and_atkinson_at_ratios():
    given = {"inequality_aversion": 2, "welfare": "kolm", **OWNED}
    health = [0.5, 0.6, 0.7, 0.8, 0.9]
    found = list(deprivation_weights(Policy(**given, baseline_health=health)).values())
    assert found == pytest.approx(np.exp([0.8, 0.6, 0.4, 0.2, 0.0]))
    doubled = list(deprivation_weights(Policy(**given, baseline_health=[2 * h for h in health])).values())
    assert doubled == pytest.approx(np.array(found) ** 2)


def test_somebody_whose_area_is_not_known_has_the_mean_weight(people):
    groups = group_table(people({"imd_decile": 1.0}, {"imd_decile": 10.0}, {"imd_decile": None}), AS_OF)
    found = weights(groups, Policy(inequality_aversion=5, **OWNED))
    assert found[2] == pytest.approx((found[0] + found[1]) / 2)
    assert found[0] > found[2] > found[1]


def test_a_weight_for_a_group_that_does_not_exist_names_the_nearest(people):
    policy = Policy(group_weights={"imd_quintile": {"1 most derived": 2}}, **OWNED)
    with pytest.raises(SettingsError, match=r"did you mean '1 most deprived'\?"):
        weights(group_table(people({}), AS_OF), policy)


@pytest.mark.parametrize(
    "rules",
    [{"group_weights": {"ethnic_group": {"Black": 1.5}}}, {"floors": {"share_of_need": {"sex": 0.8}}}],
)
def test_protected_characteristics_need_a_legal_basis(rules):
    with pytest.raises(ValidationError, match="protected characteristic: give `legal_basis`"):
        Policy(**rules, **OWNED)
    assert Policy(**rules, **OWNED, legal_basis="Counsel's opinion of 3 May 2026").chosen


@pytest.mark.parametrize("missing", ["owner", "review_date"])
def test_a_policy_that_moves_places_needs_an_owner_and_a_date(missing):
    told = {name: value for name, value in OWNED.items() if name != missing}
    with pytest.raises(ValidationError, match="needs `owner` and `review_date`"):
        Policy(inequality_aversion=1, **told)


def test_a_policy_whose_review_is_overdue_is_refused():
    policy = Policy(inequality_aversion=1, **OWNED)
    refuse_outdated(policy, dt.date(2027, 4, 1))
    with pytest.raises(SettingsError, match="has not been reviewed since"):
        refuse_outdated(policy, dt.date(2027, 4, 2))


def test_places_follow_from_coordinators_caseload_and_slots():
    teams = Teams(
        default_capacity=7,
        caseload_each=50,
        capacity={
            "A": 3,
            "B": {"coordinators": 0.6, "open_caseload": 12},
            "C": {"coordinators": 4, "open_caseload": 120, "slots": 25},
            "D": {"coordinators": 1, "open_caseload": 90},
        },
    )
    assert [teams.places(code) for code in "ABCDE"] == [3, 18, 25, 0, 7]


def test_weights_move_places_to_the_most_deprived_and_say_so(unequal):
    teams = Teams(default_capacity=4, reserve_share=0)
    plain, _ = listed(*unequal, teams, Policy())
    weighed, table = listed(*unequal, teams, Policy(inequality_aversion=10.95, **OWNED))
    assert plain == {18, 19, 20, 17}
    assert weighed == {7, 8, 9, 10}
    why = table.set_index("person_id")["why"]
    assert set(why[list(weighed)]) == {"by the policy on places"}
    assert set(why[list(plain)]) == {"the policy on places gave the place to somebody else"}
    assert table.loc[table["status"] == "listed", "person_id"].tolist() == [10, 9, 8, 7]


def test_a_floor_for_core20_costs_the_least_benefit(unequal):
    teams = Teams(default_capacity=4, reserve_share=0.5)
    chosen, table = listed(*unequal, teams, Policy(floors={"core20": 0.5}, **OWNED))
    assert chosen == {20, 19, 10, 9}
    ranks = table.dropna(subset="rank").set_index("person_id")["rank"].to_dict()
    assert ranks == {20: 1, 19: 2, 10: 3, 9: 4, 18: 5, 17: 6}


def test_a_floor_for_practices_is_in_proportion_to_their_people(unequal):
    chosen, _ = listed(*unequal, Teams(default_capacity=8), Policy(floors={"practice": 1}, **OWNED))
    assert len([person for person in chosen if person <= 10]) == 4


def test_a_floor_by_share_of_need_holds_for_every_group(unequal):
    policy = Policy(floors={"share_of_need": {"imd_quintile": 1}}, **OWNED)
    chosen, _ = listed(*unequal, Teams(default_capacity=6), policy)
    assert len([person for person in chosen if person <= 10]) == 3


def test_floors_that_cannot_be_met_say_the_nearest_that_can(people, scores):
    rows = [{"imd_decile": 1.0, "team_code": "T1"}] + [{"imd_decile": 10.0, "team_code": "T2"}] * 9
    policy = Policy(floors={"core20": 0.9}, **OWNED)
    with pytest.raises(SettingsError, match=r"core20 is 0.9: 0\.\d+ is the nearest") as refused:
        listed(people(*rows), scores(*[{}] * 10), Teams(default_capacity=4), policy)
    nearest = float(str(refused.value).split("core20 is 0.9: ")[1].split(" is the nearest")[0])
    listed(people(*rows), scores(*[{}] * 10), Teams(default_capacity=4), Policy(floors={"core20": nearest}, **OWNED))
    assert nearest > 0.15


@pytest.mark.parametrize("floors", [{"core20": 0.5}, {"practice": 1}, {"share_of_need": {"imd_quintile": 1}}])
@pytest.mark.parametrize(("capacity", "benefit"), [(0, 0.01), (2, -0.01)])
def test_where_no_place_can_be_filled_a_floor_lists_nobody(people, scores, floors, capacity, benefit):
    rows = [{"imd_decile": 1.0}] * 3 + [{"imd_decile": 10.0}] * 3
    gains = [{"benefit": benefit, "need": float(n)} for n in range(6)]
    chosen, table = listed(
        people(*rows), scores(*gains), Teams(default_capacity=capacity), Policy(floors=floors, **OWNED)
    )
    assert chosen == set()
    assert len(table) == 6


def test_nobody_without_a_gain_is_listed_to_meet_a_floor(people, scores):
    rows = [{"imd_decile": 1.0}] * 3 + [{"imd_decile": 10.0}] * 3
    gains = [{"benefit": -0.01}] * 3 + [{"benefit": 0.01}] * 3
    with pytest.raises(SettingsError, match=r"core20 is 0\.5: 0 is the nearest"):
        listed(people(*rows), scores(*gains), Teams(default_capacity=2), Policy(floors={"core20": 0.5}, **OWNED))


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**16))
def test_shuffling_people_changes_nothing_under_floors_even_among_ties(seed, people, scores):
    rng = np.random.default_rng(seed)
    rows = [
        {"team_code": f"T{n % 3}", "practice_code": f"P{n % 6}", "imd_decile": float(rng.integers(1, 11))}
        for n in range(40)
    ]
    everybody = people(*rows)
    scored = scores(*[{"benefit": rng.choice([0.01, 0.02, 0.02]), "need": float(rng.integers(0, 4))} for _ in rows])
    policy = Policy(inequality_aversion=1, floors={"core20": 0.1, "practice": 0.5}, **OWNED)
    first = listed(everybody, scored, Teams(default_capacity=4), policy)[1]
    other = listed(
        everybody.sample(frac=1, random_state=seed),
        scored.sample(frac=1, random_state=seed),
        Teams(default_capacity=4),
        policy,
    )[1]
    pd.testing.assert_frame_equal(first, other)


def test_a_tie_across_groups_under_a_floor_is_broken_by_the_key(people, scores):
    rows = [{"imd_decile": 1.0}] * 2 + [
        {"imd_decile": 10.0, "sex": sex} for sex in ("male", "female") for _ in range(15)
    ]
    everybody, scored = people(*rows), scores(*[{"benefit": 0.01}] * 32)
    policy = Policy(floors={"share_of_need": {"sex": 0.01}, "core20": 0.2}, legal_basis="An opinion", **OWNED)
    chosen = set()
    for key in range(6):
        table = allocate(
            scored, everybody, Teams(default_capacity=5), bytes([key]), policy, group_table(everybody, AS_OF), 0.5
        )
        chosen |= set(table.loc[table["status"] == "listed", "person_id"])
    assert len(chosen) > 8


def problem(rng, people, teams, groupings):
    """A small random contest: places by team, practices within teams, groups across them."""
    team = rng.integers(0, teams, people)
    floors = []
    for _ in range(groupings):
        group = rng.integers(-1, 3, people)
        floors.append(Floor("a", 1.0, group, rng.integers(0, 3, 3)))
    practice = team * 2 + rng.integers(0, 2, people)
    floors.append(Floor("practice", 1.0, practice, rng.integers(0, 2, teams * 2)))
    return Problem(
        np.round(rng.gamma(2, 0.01, people) + 1e-4, 3), rng.random(people), team, rng.integers(1, 5, teams), floors
    )


def meets(made: Problem, chosen: np.ndarray) -> bool:
    enough = all(
        (np.bincount(floor.group[chosen & (floor.group >= 0)], minlength=len(floor.least)) >= floor.least).all()
        for floor in made.floors
    )
    return enough and bool((np.bincount(made.team[chosen], minlength=len(made.places)) <= made.places).all())


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), groupings=st.integers(1, 3))
def test_the_choice_is_the_best_of_all_choices(seed, groupings):
    made = problem(np.random.default_rng(seed), 10, 2, groupings)
    options = np.array(list(itertools.product([False, True], repeat=10)))
    worth = [float(made.gain @ option) for option in options if meets(made, option)]
    found = best(made)
    assert (found is None) == (not worth) == (not feasible(made))
    if found is not None:
        assert meets(made, found)
        assert made.gain @ found == pytest.approx(max(worth), abs=1e-8)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_reduced_problem_has_the_optimum_of_the_whole_one(seed):
    made = problem(np.random.default_rng(seed), 300, 6, 3)
    found = best(made)
    rows, low, high = [], [], []
    for team, places in enumerate(made.places):
        rows.append(made.team == team), low.append(-np.inf), high.append(places)
    for floor in made.floors:
        for group, least in enumerate(floor.least):
            rows.append(floor.group == group), low.append(least), high.append(np.inf)
    whole = milp(
        -made.gain,
        constraints=LinearConstraint(np.array(rows, dtype=float), low, high),
        bounds=Bounds(0, 1),
        integrality=np.ones(300),
        options={"mip_rel_gap": 0.0},
    )
    assert (found is None) == (whole.x is None)
    if found is not None:
        assert meets(made, found)
        assert made.gain @ found == pytest.approx(-whole.fun, abs=1e-7)
