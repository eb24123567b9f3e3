import numpy as np
import pytest

from fairness import intervals


def coverage(limits, truth):
    low, high = limits
    return float(np.mean((low <= truth) & (truth <= high)))


@pytest.mark.parametrize("listed", [40, 400])
def test_the_interval_of_a_share_ratio_covers_the_truth_as_often_as_it_says(listed):
    rng = np.random.default_rng(5)
    people, group = 20_000, 0.08
    p = np.array([0.6, 0.4, 0.0]) * listed / people
    p[2] = 0.1 - p[0]
    share = np.array([0.7, 1.3, 1.2])
    inside = group * p * share
    truth = (inside[:2].sum() / p[:2].sum()) / (inside[::2].sum() / p[::2].sum())
    draws = rng.multinomial(people, [*inside, *(p - inside), 1 - p.sum()], size=1000)
    hits = []
    for counts in draws:
        cells = counts[:3].astype(float)
        ratio = intervals.share_ratio_draws(cells, cells + counts[3:6], 400, rng)
        low, high = np.quantile(ratio, [0.025, 0.975])
        hits.append(low <= truth <= high)
    assert 0.92 <= np.mean(hits) <= 0.985


def test_a_group_without_a_place_is_not_certain_to_be_short_of_places():
    ratio = intervals.share_ratio_draws(
        np.array([0.0, 0.0, 3.0]), np.array([50.0, 50.0, 900.0]), 4000, np.random.default_rng(1)
    )
    assert np.quantile(ratio, 0.975) > 1


def test_observed_over_expected_covers_when_people_count_three_times():
    rng = np.random.default_rng(6)
    hits = []
    for _ in range(400):
        risk = rng.beta(1, 9, size=600)
        observed = 3.0 * (rng.random(600) < risk)
        expected = 3 * risk
        ratio = observed.sum() / expected.sum()
        effect = ((observed - ratio * expected) ** 2).sum() / observed.sum()
        arrays = (np.array([x]) for x in (observed.sum(), expected.sum(), effect))
        hits.append(coverage(intervals.observed_over_expected(*arrays, 0.95), 1.0))
    assert 0.92 <= np.mean(hits) <= 0.98


@pytest.mark.parametrize("truth", [0.01, 0.3, 0.97])
def test_the_interval_of_a_proportion_covers_on_average(truth):
    successes = np.random.default_rng(7).binomial(200, truth, size=4000).astype(float)
    assert 0.92 <= coverage(intervals.proportion(successes, np.full(4000, 200.0), 0.95), truth) <= 0.99


def test_nobody_at_all_gives_no_interval():
    none = np.array([0.0])
    assert np.isnan(intervals.proportion(none, none, 0.95)).all()
    assert np.isnan(intervals.observed_over_expected(none, none, np.array([1.0]), 0.95)).all()
    assert np.isnan(intervals.mean(np.array([1.0]), np.array([0.0]), np.array([1.0]), 0.95)).all()


def test_wider_confidence_takes_more_draws():
    assert intervals.draws_needed(1000, 0.95) == 1000
    assert intervals.draws_needed(1000, 0.998) >= 20_000
