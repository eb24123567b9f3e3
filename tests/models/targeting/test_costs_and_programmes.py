"""What money buys, with one programme and with several, held against truth, hand-worked sums and the best possible choice."""

import numpy as np
import pytest
from scipy.optimize import linprog

from models.benefit.doubly_robust import scores_by_programme
from models.targeting import (
    Offered,
    advantage_at_budget,
    advantage_of_programmes,
    cost_curve,
    gain_at_budget,
    gain_at_capacity,
    gain_of_programmes,
    gain_per_pound,
    net_benefit_at_budget,
)
from models.targeting.programmes import TOGETHER, steps
from models.targeting.spending import buy

PEOPLE, BUDGET, SHARE = 2_000, 60.0, 0.1


def drawn(seed: int, people: int = PEOPLE):
    """Two programmes with benefit that differs, prices that differ, dim statements of both, and noisy scores; two rows a person."""
    random = np.random.default_rng(seed)
    half = people // 2

    def twice(values: np.ndarray) -> np.ndarray:
        return np.repeat(values, 2)

    true = [twice(random.normal(mean, spread, half)) for mean, spread in ((0.02, 0.05), (0.06, 0.1))]
    cost = [twice(random.uniform(*ends, half)) for ends in ((200, 600), (700, 1500))]
    stated = [benefit + twice(random.normal(0, 0.04, half)) for benefit in true]
    scores = [benefit + twice(random.normal(0, 0.2, half)) + random.normal(0, 0.2, people) for benefit in true]
    return true, cost, stated, scores, twice(np.arange(half))


def programmes(gains, stated, cost) -> list[Offered]:
    return [Offered(*arrays) for arrays in zip(gains, stated, cost, strict=True)]


def measured(gains, stated, cost, person):
    rule, both = stated[0] / cost[0], programmes(gains, stated, cost)
    return {
        "gain at a budget": gain_at_budget(gains[0], rule, cost[0], BUDGET, person),
        "advantage at a budget": advantage_at_budget(gains[0], rule, -cost[0], cost[0], BUDGET, person),
        "gain per pound": gain_per_pound(gains[0], stated[0], cost[0], SHARE, person),
        "net benefit": net_benefit_at_budget(gains[0], rule, cost[0], BUDGET, 10_000, person),
        "several programmes": gain_of_programmes(both, BUDGET, person),
        "more than one programme": advantage_of_programmes(both, both[:1], BUDGET, person),
    }


def test_intervals_with_money_hold_the_truth_as_often_as_they_say():
    true, cost, stated, _, person = drawn(1_000, 400_000)
    truth = {name: one.value for name, one in measured(true, stated, cost, person).items()}
    inside = dict.fromkeys(truth, 0)
    for seed in range(80):
        _, cost, stated, scores, person = drawn(seed)
        for name, one in measured(scores, stated, cost, person).items():
            low, high = one.interval()
            inside[name] += low < truth[name] < high
    assert all(71 <= held <= 80 for held in inside.values()), inside


def test_errors_with_money_are_the_spread_over_populations():
    # Benefit itself for scores: beside much noise, what the cut-off adds to the error would not show.
    made = [drawn(seed) for seed in range(250)]
    found = [measured(true, stated, cost, person) for true, cost, stated, _, person in made]
    for name in found[0]:
        spread = np.std([one[name].value for one in found])
        assert np.mean([one[name].error for one in found]) == pytest.approx(spread, rel=0.15), name


def test_with_places_of_one_price_a_budget_is_a_capacity():
    _, _, stated, scores, person = drawn(1)
    by_places = gain_at_capacity(scores[0], stated[0], SHARE, person)
    by_money = gain_at_budget(scores[0], stated[0], np.full(PEOPLE, 500.0), 500 * SHARE, person)
    assert by_money.value == pytest.approx(by_places.value)
    assert by_money.error == pytest.approx(by_places.error)


def test_what_a_budget_buys_is_as_worked_by_hand():
    gains, order, cost = np.array([1.0, 2.0, 4.0, 8.0]), np.array([4.0, 3.0, 2.0, 1.0]), np.array([2.0, 2.0, 4.0, 1.0])
    # 6 pounds for four people: the first, the second, and half of the third.
    assert gain_at_budget(gains, order, cost, 1.5, np.arange(4)).value == pytest.approx((1 + 2 + 2) / 4)
    everything = net_benefit_at_budget(gains, order, cost, 100.0, 3.0, np.arange(4))
    assert everything.value == pytest.approx((3 * 15 - 9) / 4)


def test_the_order_of_rows_does_not_matter_where_some_are_tied():
    _, cost, stated, scores, person = drawn(2)
    tied, turned = np.round(stated[0], 1), np.random.default_rng(0).permutation(PEOPLE)
    one = gain_at_budget(scores[0], tied, cost[0], BUDGET, person)
    other = gain_at_budget(scores[0][turned], tied[turned], cost[0][turned], BUDGET, person[turned])
    assert one.value == pytest.approx(other.value)
    assert one.error == pytest.approx(other.error)


@pytest.mark.parametrize("budget", [20.0, 150.0, 400.0])
def test_no_choice_of_one_programme_each_does_better_with_the_money(budget):
    random = np.random.default_rng(3)
    people, offered = 60, 3
    benefit, cost = random.normal(0.05, 0.1, (people, offered)), random.uniform(100, 1000, (people, offered))
    each = np.kron(np.eye(people), np.ones(offered))
    best = linprog(
        -benefit.ravel(),
        A_ub=np.vstack([each, cost.ravel()]),
        b_ub=np.r_[np.ones(people), budget * people],
        bounds=(0, 1),
    )
    found = gain_of_programmes(programmes(benefit.T, benefit.T, cost.T), budget, np.arange(people))
    assert found.value == pytest.approx(-best.fun / people)


def test_nobody_moves_to_a_dearer_programme_before_the_cheaper_one_was_bought():
    _, cost, stated, scores, _ = drawn(5)
    walk = steps(programmes(scores, stated, cost))
    number = np.bincount(walk.row, minlength=PEOPLE)
    assert {0, 1, 2} == set(np.unique(number))
    twice = number[walk.row] == 2
    order = np.lexsort((-walk.steepness[twice], walk.row[twice]))
    first, second = (walk.scores[twice][order][turn::2] for turn in (0, 1))
    people = walk.row[twice][order][::2]
    assert first == pytest.approx(scores[0][people])
    assert first + second == pytest.approx(scores[1][people])


def test_nobody_is_offered_what_is_not_stated_to_help_and_the_money_stays():
    helped = Offered(np.array([1.0, 5.0]), np.array([0.5, -0.5]), np.array([10.0, 10.0]))
    curve = cost_curve({"help": helped}, [2.5, 100.0], np.arange(2))
    together = curve[curve["rule"] == TOGETHER]
    assert together["spent"].tolist() == [2.5, 5.0]
    assert together["gain"].tolist() == pytest.approx([0.25, 0.5])


def test_where_nothing_helps_anybody_nothing_is_bought():
    harmful = Offered(np.ones(3), -np.ones(3), np.ones(3))
    assert gain_of_programmes([harmful], 1.0, np.arange(3)).value == 0


@pytest.mark.parametrize(("cost", "budget"), [(0.0, 1.0), (-1.0, 1.0), (np.nan, 1.0), (1.0, 0.0), (1.0, np.nan)])
def test_money_that_means_nothing_is_refused(cost, budget):
    given = np.array([1.0, cost]), budget, np.arange(2)
    with pytest.raises(ValueError, match="above 0"):
        gain_at_budget(np.ones(2), np.ones(2), *given)
    with pytest.raises(ValueError, match="above 0"):
        gain_of_programmes([Offered(np.ones(2), np.ones(2), given[0])], *given[1:])


def test_rows_of_the_population_that_buy_nothing_count():
    bought = buy(np.array([3.0]), np.array([1.0]), np.array([1.0]), 1.0, np.array([2]), 4)
    assert bought.value == pytest.approx(0.75)
    assert bought.influence == pytest.approx([-0.75, -0.75, 2.25, -0.75])


def test_scores_of_each_programme_are_right_on_average_with_wrong_outcome_models():
    random = np.random.default_rng(7)
    people = 100_000
    ill = random.normal(size=people)
    shares = np.exp(np.column_stack([np.zeros(people), ill - 2, 0.5 * ill - 1.5]))
    chances = shares / shares.sum(axis=1, keepdims=True)
    given = (random.random(people)[:, None] > np.cumsum(chances, axis=1)).sum(axis=1)
    risk = 0.4 + 0.1 * np.tanh(ill)
    outcome = random.random(people) < risk - np.array([0, 0.05, 0.15])[given]
    scores = scores_by_programme(given, outcome, chances, np.full((people, 3), 0.4))
    assert scores.mean(axis=0) == pytest.approx([0.05, 0.15], abs=0.02)
