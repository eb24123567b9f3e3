"""What a programme did for those who started it, on made-up histories whose truth is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from models.benefit.comparison import Estimate
from models.programme.checks import before_after
from models.programme.effect import Arms, Nuisances, arms, effect, expected_without, imbalance
from models.targeting import e_value


def history(people: int, harm: float, seed: int, *, leaving: float = 0.0) -> dict[str, np.ndarray | pd.DataFrame]:
    """Draw a history in which people at a bad moment start, and fare better a year on whatever is done.

    `harm` is what starting adds to the log odds of the outcome. Those at higher risk move away more often.
    """
    random = np.random.default_rng(seed)
    frailty, moment = random.normal(size=people), random.normal(size=people)
    noise = random.normal(size=(people, 3))
    before = random.poisson(np.exp(-1.2 + 0.8 * frailty + 1.0 * moment)).clip(max=6)
    start = expit(-3.6 + 0.6 * frailty + 0.35 * before)
    treated = random.random(people) < start
    without = expit(-2.0 + 0.9 * frailty + 0.05 * before)
    with_programme = expit(-2.0 + 0.9 * frailty + 0.05 * before + harm)
    happened = random.random(people) < np.where(treated, with_programme, without)
    stayed = random.random(people) >= leaving * expit(frailty + treated)
    return {
        "X": pd.DataFrame(np.column_stack([frailty, before, noise]), columns=["frailty", "before", *"abc"]).astype(
            "float32"
        ),
        "treated": treated,
        "happened": happened,
        "before": before > 0,
        "stayed": stayed,
        "truth": float((with_programme - without)[treated].mean()),
    }


def estimate(told: dict, seed: int = 0) -> tuple[Arms, float, float, float]:
    person = np.arange(len(told["treated"]))
    nuisances = Nuisances(told["X"], person, seed)
    both = arms(nuisances, person, told["treated"], told["stayed"])
    happened = told["happened"].astype("float64")
    found = effect(both, happened, expected_without(nuisances, happened, both)).difference
    return both, found.value, *found.interval()


@pytest.fixture(scope="module")
def helpful() -> dict:
    return history(20_000, -0.7, 5)


@pytest.fixture(scope="module")
def estimated(helpful: dict) -> tuple[Arms, float, float, float]:
    return estimate(helpful)


@pytest.fixture(scope="module")
def both(estimated: tuple[Arms, float, float, float]) -> Arms:
    return estimated[0]


def test_the_effect_is_within_its_interval_and_the_naive_account_is_not(
    helpful: dict, estimated: tuple[Arms, float, float, float]
) -> None:
    _, value, low, high = estimated
    assert low < helpful["truth"] < high
    assert high < 0
    treated = helpful["treated"]
    naive = before_after(helpful["before"][treated], helpful["happened"][treated], np.flatnonzero(treated))
    assert not naive.interval()[0] < helpful["truth"] < naive.interval()[1]
    assert naive.value < 2 * value, "regression to the mean is taken for a success"


def test_nothing_is_seen_where_nothing_was_done_though_the_naive_account_sees_success() -> None:
    told = history(20_000, 0.0, 6)
    _, _, low, high = estimate(told)
    assert low < 0 < high
    treated = told["treated"]
    assert before_after(told["before"][treated], told["happened"][treated], np.flatnonzero(treated)).interval()[1] < 0


def test_harm_is_seen() -> None:
    told = history(20_000, 0.7, 7)
    _, _, low, high = estimate(told)
    assert low > 0
    assert low < told["truth"] < high


def test_people_who_moved_away_are_stood_for_by_those_who_stayed() -> None:
    told = history(20_000, -0.7, 8, leaving=0.6)
    both, _, low, high = estimate(told)
    assert low < told["truth"] < high
    assert (both.seen[~told["stayed"]] == 0).all()
    assert (both.seen[told["stayed"]] >= 1).all()


def test_weighting_makes_the_arms_alike(helpful: dict, both: Arms) -> None:
    evenly = Arms(both.person, both.treated, np.ones(len(both.odds)), both.seen)
    assert imbalance(helpful["X"], evenly).abs().max() > 0.5
    assert imbalance(helpful["X"], both).abs().max() < 0.1


def test_rows_of_one_person_are_not_taken_for_independent_ones(helpful: dict, both: Arms) -> None:
    happened = helpful["happened"].astype("float64")
    nothing = np.zeros(len(happened))
    once = effect(both, happened, nothing).difference
    twice = Arms(*(np.tile(values, 2) for values in vars(both).values()))
    again = effect(twice, np.tile(happened, 2), np.tile(nothing, 2)).difference
    assert again.value == pytest.approx(once.value)
    assert again.error == pytest.approx(once.error)


def test_the_order_of_rows_does_not_matter_to_the_effect(helpful: dict, both: Arms) -> None:
    happened, expected = helpful["happened"].astype("float64"), helpful["X"]["frailty"].to_numpy() * 0.1 + 0.2
    turned = np.random.default_rng(0).permutation(len(happened))
    one = effect(both, happened, expected).difference
    other = effect(
        Arms(*(values[turned] for values in vars(both).values())), happened[turned], expected[turned]
    ).difference
    assert other.value == pytest.approx(one.value)
    assert other.error == pytest.approx(one.error)


def test_an_empty_arm_gives_no_number() -> None:
    nobody = Arms(np.arange(4), np.zeros(4, dtype=bool), np.ones(4), np.ones(4))
    assert np.isnan(effect(nobody, np.ones(4), np.zeros(4)).difference.value)


def test_nothing_is_a_share_of_nothing() -> None:
    some = Arms(np.arange(4), np.array([True, True, False, False]), np.ones(4), np.ones(4))
    for expected in (np.zeros(4), np.full(4, 1e-6)):
        ratio = effect(some, np.zeros(4), expected).ratio(some, np.zeros(4))
        assert np.isnan(ratio.value)
        assert np.isnan(e_value(ratio)).all()
    below = effect(some, np.array([0.0, 0.0, 0.0, 0.0]), np.array([-1.0, -1.0, 0.0, 0.0]))
    assert below.without < 0
    assert np.isnan(below.ratio(some, np.zeros(4)).value)


def test_many_rows_of_one_comparator_tell_no_more_than_one_person() -> None:
    treated = np.arange(1000) < 10
    people = np.where(treated, np.arange(1000), 5000 + np.arange(1000) % 3)
    assert Arms(people, treated, np.ones(1000), np.ones(1000)).comparable() == pytest.approx(3, rel=1e-3)


def test_what_is_missing_counts_as_the_average_and_a_column_that_says_nothing_as_alike() -> None:
    some = Arms(np.arange(4), np.array([True, True, False, False]), np.ones(4), np.ones(4))
    table = pd.DataFrame({"a": [3.0, np.nan, 1.0, 2.0], "empty": np.nan, "even": 1.0})
    found = imbalance(table, some)
    # a: 3 and the average 2 against 1 and 2; each arm varies by a quarter.
    assert found.tolist() == pytest.approx([2.0, 0.0, 0.0])


def test_the_ratio_has_the_interval_that_draws_of_people_give(helpful: dict, both: Arms) -> None:
    happened = helpful["happened"].astype("float64")
    expected = np.full(len(happened), happened.mean())
    told = effect(both, happened, expected).ratio(both, happened)
    random, draws = np.random.default_rng(3), []
    for _ in range(200):
        rows = random.integers(0, len(happened), len(happened))
        part = Arms(np.arange(len(rows)), *(values[rows] for name, values in vars(both).items() if name != "person"))
        draws.append(effect(part, happened[rows], expected[rows]).ratio(part, happened[rows]).value)
    assert told.error == pytest.approx(np.std(draws), rel=0.2)


def test_the_e_value_is_that_of_the_paper() -> None:
    # VanderWeele and Ding 2017: a risk ratio of 3.9 (1.8 to 8.7) has the E-value 7.26, its interval 3.0.
    point, _ = e_value(Estimate(3.9, 0.1))
    assert point == pytest.approx(7.26, abs=0.01)
    assert e_value(Estimate(1 / 3.9, 0.001))[0] == pytest.approx(7.26, abs=0.01)
    assert e_value(Estimate(0.9, 0.2))[1] == 1
