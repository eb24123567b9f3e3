"""Several programmes at once: that the choice is the best there is, by every choice there is."""

from __future__ import annotations

import ctypes
import itertools
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from casewell.errors import SettingsError
from cohorts import solver, whole_places
from cohorts.budgets import corners
from cohorts.contest import Problem
from cohorts.policy import Floor
from cohorts.solver import best, ceiling, feasible

PROGRAMMES = 3
COSTS = np.array([1500.0, 150.0, 0.0])


class Contest(NamedTuple):
    """A random contest: the problem as the solver has it, and what a brute force needs besides."""

    made: Problem
    gain: np.ndarray  # by person and programme; nothing where it is not open
    group: list[np.ndarray]  # by floor, each person's
    team: np.ndarray
    budget: np.ndarray


def contest(rng: np.random.Generator, people: int, teams: int, most: int = 4) -> Contest:
    """Make people in teams with some programmes open to each, budgets in some teams, and floors that cross."""
    team = rng.integers(0, teams, people)
    open_to = rng.random((people, PROGRAMMES)) < [0.9, 0.6, 0.4]
    gain = np.where(open_to, np.round(rng.gamma(2, 0.01, (people, PROGRAMMES)) + 1e-3, 3), 0.0)
    places = rng.integers(0, most, (teams, PROGRAMMES))
    budget = np.where(rng.random(teams) < 0.7, rng.integers(0, 1 + most, teams) * 1000.0 + 200, np.inf)
    cost = COSTS if rng.random() < 0.5 else np.array([1000.0, 700.0, 300.5])
    groups = [rng.integers(-1, 3, people) for _ in range(rng.integers(0, 3))] + [team * 2 + rng.integers(0, 2, people)]
    least = [rng.integers(0, 2, max(2 * teams, 3)) * (rng.random() < 0.7) for _ in groups]
    person, programme = np.nonzero(open_to)
    made = Problem(
        gain[person, programme],
        rng.random(len(person)),
        team[person],
        places,
        [Floor("a", 1.0, group[person], few) for group, few in zip(groups, least, strict=True)],
        person,
        programme,
        corners(places, cost, budget),
    )
    return Contest(made, gain, groups, team, np.column_stack([budget, np.tile(cost, (teams, 1))]))


def affordable(one: Contest, counts: np.ndarray) -> np.ndarray:
    """Say of numbers of places by choice, team and programme whether places and budgets allow them."""
    pence = np.round(one.budget[:, 1:] * 100)
    paid = (counts * pence).sum(axis=-1) <= one.budget[:, 0] * 100
    return (paid & (counts <= one.made.places).all(axis=-1)).all(axis=-1)


def everything(one: Contest) -> np.ndarray:
    """Return the value of every allowed choice: nobody is given what is not open to them."""
    people = len(one.team)
    open_to = [[0, *(1 + np.flatnonzero(row > 0))] for row in one.gain]
    choices = np.array(list(itertools.product(*open_to)))
    gains = np.column_stack([np.zeros(people), one.gain])
    counts = np.stack(
        [
            [((choices == programme + 1) & (one.team == team)).sum(axis=1) for programme in range(PROGRAMMES)]
            for team in range(len(one.made.places))
        ]
    ).transpose(2, 0, 1)
    allowed = affordable(one, counts)
    for floor, group in zip(one.made.floors, one.group, strict=True):
        for number, least in enumerate(floor.least):
            allowed &= ((choices > 0) & (group == number)).sum(axis=1) >= least
    return gains[np.arange(people), choices].sum(axis=1)[allowed]


def holds(one: Contest, taken: np.ndarray) -> bool:
    """Say whether a choice breaks no rule."""
    made = one.made
    counts = np.zeros((1, *made.places.shape), dtype=int)
    np.add.at(counts[0], (made.team[taken], made.programme[taken]), 1)
    once = (np.bincount(made.person[taken], minlength=1) <= 1).all()
    floors = all(
        (np.bincount(floor.group[taken & (floor.group >= 0)], minlength=len(floor.least)) >= floor.least).all()
        for floor in made.floors
    )
    return bool(once and floors and affordable(one, counts)[0])


@pytest.mark.parametrize("hundred", range(3))
def test_the_choice_among_programmes_is_the_best_of_all_choices(hundred):
    met = 0
    for seed in range(100 * hundred, 100 * hundred + 100):
        one = contest(np.random.default_rng(seed), 6, 2)
        values, found = everything(one), best(one.made)
        assert (found is None) == (len(values) == 0) == (not feasible(one.made)), seed
        if found is not None:
            met += 1
            assert holds(one, found), seed
            assert one.made.gain @ found == pytest.approx(values.max(), abs=1e-8), seed
    assert 25 < met < 100


@pytest.mark.parametrize("seed", range(4))
def test_ten_people_and_three_programmes(seed):
    one = contest(np.random.default_rng(1000 + seed), 10, 2)
    one = one._replace(made=one.made._replace(floors=one.made.floors[:1]), group=one.group[:1])
    values, found = everything(one), best(one.made)
    assert (found is None) == (len(values) == 0)
    if found is not None:
        assert holds(one, found)
        assert one.made.gain @ found == pytest.approx(values.max(), abs=1e-8)


@pytest.mark.parametrize("seed", range(8))
def test_the_reduced_problem_of_several_programmes_has_the_optimum_of_the_whole_one(seed):
    one = contest(np.random.default_rng(2000 + seed), 300, 5, 9)
    made, found = one.made, best(one.made)
    rows, high = [], []
    for person in range(300):
        rows.append(made.person == person), high.append(1)
    for team in range(5):
        here = made.team == team
        for programme in range(PROGRAMMES):
            rows.append(here & (made.programme == programme)), high.append(made.places[team, programme])
        if np.isfinite(one.budget[team, 0]):
            rows.append(here * one.budget[team, 1:][made.programme]), high.append(one.budget[team, 0])
    for floor in made.floors:
        for group, least in enumerate(floor.least):
            rows.append(-(floor.group == group).astype(float)), high.append(-least)
    whole = milp(
        -made.gain,
        constraints=LinearConstraint(np.array(rows, dtype=float), -np.inf, high),
        bounds=Bounds(0, 1),
        integrality=np.ones(len(made.gain)),
        options={"mip_rel_gap": 0.0},
    )
    assert (found is None) == (whole.x is None)
    if found is not None:
        assert holds(one, found)
        assert made.gain @ found == pytest.approx(-whole.fun, abs=1e-7)


def test_corners_are_all_that_a_budget_can_pay_for_and_no_more():
    rng = np.random.default_rng(5)
    for _ in range(25):
        places = rng.integers(0, 7, (1, 3))
        cost = rng.choice([0.0, 150.25, 300.0, 700.0, 1000.0], 3)
        budget = np.array([float(rng.integers(0, 5000))])
        found = corners(places, cost, budget)
        every = np.array(list(itertools.product(*(range(n + 1) for n in places[0]))))
        paid = every @ np.round(cost * 100) <= budget[0] * 100
        if not len(found.team):
            assert paid.all()
            continue
        assert ((found.places @ np.round(cost * 100)) <= budget[0] * 100).all()
        for vector, payable in zip(every, paid, strict=True):
            # A vector can be paid for if and only if some mean of corners lies at or above it.
            above = milp(
                np.zeros(len(found.places)),
                constraints=[
                    LinearConstraint(found.places.T.astype(float), vector - 1e-9, np.inf),
                    LinearConstraint(np.ones((1, len(found.places))), -np.inf, 1),
                ],
                bounds=Bounds(0, 1),
            )
            assert (above.x is not None) == payable


def test_a_budget_with_more_combinations_than_can_be_looked_at_is_refused():
    with pytest.raises(SettingsError, match="combinations of places of its 5 programmes"):
        corners(np.full((1, 5), 40), np.full(5, 100.0), np.array([5000.0]))


def test_shuffling_candidates_changes_nothing_even_among_ties():
    rng = np.random.default_rng(7)
    one = contest(rng, 120, 3, 9)
    made = one.made._replace(gain=np.round(one.made.gain, 2) + 0.01, floors=one.made.floors[-1:])
    first = best(made)
    order = rng.permutation(len(made.gain))
    floors = [floor._replace(group=floor.group[order]) for floor in made.floors]
    cells = ("gain", "lot", "team", "person", "programme")
    other = best(made._replace(floors=floors, **{name: getattr(made, name)[order] for name in cells}))
    assert first is not None
    assert first.any()
    assert (first[order] == other).all()


def test_what_the_solver_prints_by_itself_does_not_reach_the_terminal_and_what_we_print_does(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def talkative(*_: object, **__: object) -> str:
        ctypes.CDLL(None).puts(b"HighsMipSolverData")
        return "found"

    monkeypatch.setattr(whole_places, "milp", talkative)
    print("before")
    assert whole_places.whole_numbers(np.zeros(1)) == "found"
    print("after")
    assert capfd.readouterr().out == "before\nafter\n"


def test_a_forfeit_that_is_too_small_lists_nobody_else_and_refuses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a forfeit of almost nothing every floor is left unmet at first: what is chosen, and what is refused, must be the same."""
    contests = [contest(np.random.default_rng(seed), 6, 2) for seed in range(40)]
    before = [best(one.made) for one in contests]
    asked: list[float | None] = []
    priced = solver._priced

    def watched(*told: Any) -> Any:
        asked.append(told[-1])
        return priced(*told)

    monkeypatch.setattr(solver, "_priced", watched)
    monkeypatch.setattr(solver, "_FORFEIT", 1e-6)
    for one, chosen in zip(contests, before, strict=True):
        again = best(one.made)
        assert (again is None) == (chosen is None)
        if chosen is not None and again is not None:
            assert one.made.gain @ again == pytest.approx(one.made.gain @ chosen, abs=1e-8)
    assert asked.count(None) >= 3


def hard(people: int = 400) -> Contest:
    """Return a contest whose linear programme cuts people in parts, so that whole places must be searched for."""
    return next(
        one
        for one in (contest(np.random.default_rng(seed), people, 5, 9) for seed in range(3000, 3100))
        if (prices := solver._prices(one.made)) is not None
        and (np.abs(prices.part - np.round(prices.part)) > 1e-3).any()
    )


def test_where_too_many_would_have_to_be_looked_at_a_choice_near_the_bound_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = hard()
    exact = best(one.made)
    monkeypatch.setattr(whole_places, "MANY", 0)
    monkeypatch.setattr(whole_places, "CLOSE", 0.05)
    near = best(one.made)
    assert exact is not None
    assert near is not None
    assert holds(one, near)
    bound = ceiling(one.made)
    assert one.made.gain @ near >= 0.95 * bound - 1e-9
    assert bound >= one.made.gain @ exact - 1e-9


def test_a_search_that_is_broken_off_without_a_choice_among_everybody_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    one = hard()
    monkeypatch.setattr(whole_places, "whole_numbers", lambda *_, **__: SimpleNamespace(x=None, status=1))
    with pytest.raises(RuntimeError, match="no whole places were found in 5,000 branches"):
        best(one.made)


def test_a_search_that_is_broken_off_goes_on_with_more_people_until_it_is_near_the_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = hard()
    exact, given, sizes = best(one.made), whole_places.whole_numbers, []

    def first_ones_broken_off(gain: np.ndarray, **told: Any) -> Any:
        sizes.append(len(gain))
        found = given(gain, **told)
        return SimpleNamespace(x=None, status=1) if len(sizes) < 3 else found

    monkeypatch.setattr(whole_places, "whole_numbers", first_ones_broken_off)
    again = best(one.made)
    assert exact is not None
    assert again is not None
    assert one.made.gain @ again == pytest.approx(one.made.gain @ exact, abs=1e-8)
    assert sizes == sorted(sizes)
