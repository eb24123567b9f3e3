"""Judging a way of choosing people, on made-up people whose true benefit is known."""

import numpy as np
import pytest

from models.targeting import (
    advantage,
    area_under_toc,
    calibration_of_benefit,
    gain_at_capacity,
    people_needed,
    qini,
    targeting_operator,
)

PEOPLE, SHARE = 3_000, 0.1


def drawn(seed: int):
    """Benefit, a rule that sees it dimly, one that sees nothing of it, and noisy unbiased scores; two rows a person."""
    random = np.random.default_rng(seed)
    benefit = np.repeat(random.gamma(1.0, 0.05, PEOPLE // 2), 2)
    person = np.repeat(np.arange(PEOPLE // 2), 2)
    scores = benefit + np.repeat(random.normal(0, 0.3, PEOPLE // 2), 2) + random.normal(0, 0.3, PEOPLE)
    dim = np.repeat(np.log(benefit[::2]) + random.normal(0, 1, PEOPLE // 2), 2) + random.normal(0, 0.01, PEOPLE)
    return benefit, dim, random.normal(size=PEOPLE), scores, person


@pytest.fixture(scope="module")
def truth():
    """What the measures would be with everybody in the world at hand."""
    many = [drawn(1_000 + seed) for seed in range(200)]
    benefit, dim, blind = (np.concatenate([made[i] for made in many]) for i in range(3))
    person = np.arange(len(benefit))
    return {
        "gain": gain_at_capacity(benefit, dim, SHARE, person).value,
        "advantage": advantage(benefit, dim, blind, SHARE, person).value,
        "area": np.mean([area_of(made[0], made[1]) for made in many]),
    }


def area_of(benefit: np.ndarray, rule: np.ndarray) -> float:
    rank = (np.argsort(np.argsort(-rule)) + 0.5) / len(rule)
    weights = -np.log(rank)
    return float(((weights - weights.mean()) * benefit).mean())


def test_intervals_hold_the_truth_as_often_as_they_say(truth):
    inside = dict.fromkeys(truth, 0)
    for seed in range(60):
        _, dim, blind, scores, person = drawn(seed)
        estimates = {
            "gain": gain_at_capacity(scores, dim, SHARE, person),
            "advantage": advantage(scores, dim, blind, SHARE, person),
            "area": area_under_toc(scores, dim, person),
        }
        for name, estimate in estimates.items():
            low, high = estimate.interval()
            inside[name] += low < truth[name] < high
    assert all(52 <= held <= 60 for held in inside.values()), inside


def test_errors_that_took_rows_for_people_would_be_too_small():
    _, dim, _, scores, person = drawn(1)
    honest = gain_at_capacity(scores, dim, SHARE, person).error
    assert honest > 1.15 * gain_at_capacity(scores, dim, SHARE, np.arange(PEOPLE)).error


def test_a_rule_has_no_advantage_over_itself():
    _, dim, _, scores, person = drawn(2)
    nothing = advantage(scores, dim, 3 * dim + 1, SHARE, person)
    assert nothing.value == pytest.approx(0, abs=1e-12)
    assert nothing.error == pytest.approx(0, abs=1e-12)


def test_a_rule_that_ties_everybody_gains_what_chance_gains():
    benefit, _, _, _, person = drawn(3)
    tied = np.zeros(PEOPLE)
    assert gain_at_capacity(benefit, tied, SHARE, person).value == pytest.approx(SHARE * benefit.mean())
    assert area_under_toc(benefit, tied, person).value == pytest.approx(0, abs=1e-12)
    assert qini(benefit, tied, person).value == pytest.approx(0, abs=1e-12)


def test_the_areas_of_four_people_are_those_worked_by_hand():
    area = qini(np.array([0.0, 4.0, 0.0, 0.0]), np.array([2.0, 9.0, 3.0, 1.0]), np.arange(4))
    assert area.value == pytest.approx(0.375)


def test_the_error_of_an_area_is_its_spread_over_populations():
    made = [drawn(seed) for seed in range(300)]
    for measure in (area_under_toc, qini):
        # Benefit itself for scores: beside much noise, what people's ranks add to the error would not show.
        found = [measure(benefit, np.round(dim, 1), person) for benefit, dim, _, _, person in made]
        spread = np.std([one.value for one in found])
        assert np.mean([one.error for one in found]) == pytest.approx(spread, rel=0.12)


def test_one_by_one_the_chosen_gain_more_than_people_at_large_by_the_targeting_operator():
    benefit, dim, _, scores, person = drawn(4)
    operator = targeting_operator(scores, dim, SHARE, person)
    gain = gain_at_capacity(scores, dim, SHARE, person)
    assert operator.value == pytest.approx(gain.value / SHARE - scores.mean())
    assert targeting_operator(benefit, np.zeros(PEOPLE), SHARE, person).value == pytest.approx(0, abs=1e-12)


def test_a_benefit_stated_twice_too_large_has_a_slope_of_a_half():
    random = np.random.default_rng(5)
    benefit = random.normal(0.05, 0.05, 20_000)
    scores = benefit + random.normal(0, 0.3, 20_000)
    chance = random.uniform(0.05, 0.5, 20_000)
    slope = calibration_of_benefit(scores, 2 * benefit, chance, np.arange(20_000))
    low, high = slope.interval(3)
    assert low < 0.5 < high
    assert high - low < 0.3
    assert np.isnan(calibration_of_benefit(scores, np.full(20_000, 0.1), chance, np.arange(20_000)).value)


def test_half_the_effect_takes_four_times_the_people():
    assert people_needed(0.01, 0.01, 1_000) == 6183
    assert people_needed(0.005, 0.01, 1_000) == pytest.approx(4 * 6183, rel=0.001)
