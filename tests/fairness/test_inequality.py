import numpy as np
import pandas as pd
import pytest

from fairness.disclosure import control_parts
from fairness.inequality import by_fifth, concentration_index, slope

ALIKE = np.full(5, 200.0)


def test_a_straight_gradient_gives_back_its_own_ends():
    ends = slope(ALIKE, ALIKE * (0.5 - 0.4 * np.array([0.1, 0.3, 0.5, 0.7, 0.9])))
    assert ends.slope_index == pytest.approx(0.4)
    assert (ends.most_deprived, ends.least_deprived) == pytest.approx((0.5, 0.1))
    assert ends.relative_index == pytest.approx(5)


def test_the_slope_is_the_weighted_regression_over_people():
    people, amount = np.array([100.0, 300, 50, 250, 300]), np.array([30.0, 70, 9, 40, 45])
    middle = (np.cumsum(people) - people / 2) / people.sum()
    line = np.polyfit(middle, amount / people, 1, w=np.sqrt(people))
    assert slope(people, amount).slope_index == pytest.approx(-line[0])


def test_the_concentration_index_is_twice_the_covariance_with_rank_over_the_mean():
    people, amount = np.array([100, 300, 50, 250, 300]), np.array([30, 70, 9, 40, 45])
    each = np.repeat(amount / people, people)
    rank = np.repeat((np.cumsum(people) - people / 2) / people.sum(), people)
    expected = 2 * np.cov(each, rank, bias=True)[0, 1] / each.mean()
    assert concentration_index(people, amount) == pytest.approx(expected)


def test_what_lies_with_the_most_deprived_is_below_nil():
    assert concentration_index(ALIKE, np.array([10.0, 0, 0, 0, 0])) == pytest.approx(-0.8)
    assert concentration_index(ALIKE, ALIKE) == pytest.approx(0)


@pytest.mark.parametrize(
    ("people", "amount"), [(np.zeros(5), np.zeros(5)), (ALIKE, np.zeros(5)), (np.array([9.0, 0, 0, 0, 0]), np.ones(5))]
)
def test_where_there_is_nothing_to_compare_nothing_is_said(people, amount):
    assert np.isnan(slope(people, amount).relative_index)
    assert np.isnan(concentration_index(people, np.zeros(5)))


def test_many_draws_at_once_are_each_alone():
    people, amount = (
        np.array([[100.0, 300, 50, 250, 300], [1, 2, 3, 4, 5]]),
        np.array([[30.0, 70, 9, 40, 45], [5, 9, 12, 14, 16]]),
    )
    both = slope(people, amount)
    for n in (0, 1):
        assert slope(people[n], amount[n]).relative_index == pytest.approx(both.relative_index[n])
        assert concentration_index(people, amount)[n] == pytest.approx(concentration_index(people[n], amount[n]))


def test_people_without_a_fifth_are_left_out():
    table = by_fifth(pd.Series(["1 most deprived", "not recorded", "3"]), pd.Series([1, 1, 0]))
    assert table["people"].tolist() == [1, 0, 1, 0, 0]
    assert table[0].tolist() == [1, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("parts", "shown"),
    [
        ([3, 40, 22], [-1, 40, -1]),
        ([3, 4, 22], [-1, -1, 20]),
        ([0, 40, 22], [0, 40, 20]),
        ([3, 0, 0], [-1, 0, 0]),
    ],
)
def test_one_hidden_part_of_a_whole_hides_the_next_smallest(parts, shown):
    assert control_parts(pd.Series(parts)).fillna(-1).tolist() == shown
