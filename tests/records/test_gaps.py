"""The difference between the best and the worst of several groups, and how sure it is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from records.gaps import best_and_worst, gap, wilson


def shares(groups, grouping="ethnic_group", measure="no_person_found"):
    rows = [(grouping, name, measure, float(base), float(count)) for name, (count, base) in groups.items()]
    return pd.DataFrame(rows, columns=["grouping", "group", "measure", "base", "count"])


@pytest.mark.parametrize(("count", "base"), [(0, 12), (3, 400), (400, 400), (61, 97)])
def test_an_interval_is_the_one_that_scipy_finds(count, base):
    low, high = wilson(np.array([float(count)]), np.array([float(base)]), 0.9)
    theirs = stats.binomtest(count, base).proportion_ci(0.9, "wilson")
    assert (low[0], high[0]) == pytest.approx((theirs.low, theirs.high))


@pytest.mark.parametrize("true", [[0.02] * 5, [0.02, 0.02, 0.02, 0.02, 0.08], [0.01, 0.03, 0.05, 0.02, 0.02]])
def test_the_interval_holds_the_true_difference_although_the_groups_were_picked(true):
    random = np.random.default_rng(8)
    base = np.array([15_000.0, 1_700, 700, 750, 430])
    drawn = random.binomial(base.astype(int), true, size=(1_000, 5)).astype(float)
    limits = np.array([gap(count, base, 0.95)[1:] for count in drawn])
    held = (limits[:, 0] <= max(true) - min(true)) & (max(true) - min(true) <= limits[:, 1])
    assert held.mean() >= 0.95


def test_groups_that_are_alike_are_seldom_told_apart_where_the_naive_interval_often_does():
    random = np.random.default_rng(9)
    base = np.full(6, 500.0)
    drawn = random.binomial(500, 0.05, size=(1_000, 6)).astype(float)
    assert np.mean([gap(count, base, 0.95)[1] > 0 for count in drawn]) <= 0.05
    ends = [np.array([count.min(), count.max()]) for count in drawn]
    assert np.mean([gap(count, base[:2], 0.95)[1] > 0 for count in ends]) > 0.15


def test_the_best_and_the_worst_group_are_named_whatever_the_order_of_rows():
    table = shares({"White": (20, 1_000), "Asian": (90, 1_000), "Black": (50, 1_000)})
    for rows in (table, table.iloc[::-1]):
        (found,) = best_and_worst(rows, 0.95, 100).to_dict("records")
        assert (found["best"], found["worst"], found["groups"]) == ("White", "Asian", 3)
        assert found["value"] == pytest.approx(0.07)
        assert 0 < found["low"] < 0.07 < found["high"]


def test_a_small_group_is_not_compared():
    (found,) = best_and_worst(shares({"White": (20, 1_000), "Other": (9, 20)}), 0.95, 100).to_dict("records")
    assert (found["groups"], found["best"], found["worst"]) == (1, "", "")
    assert np.isnan([found["value"], found["low"], found["high"]]).all()


@pytest.mark.parametrize("lost", [0.0, 20.0])
def test_where_all_groups_are_alike_none_is_best_and_none_worst(lost):
    table = pd.DataFrame(
        {"grouping": "sex", "group": ["Asian", "White"], "measure": "lost", "base": 1_000.0, "count": lost}
    )
    found = best_and_worst(table, 0.95, 100).iloc[0]
    assert (found["best"], found["worst"], found["value"]) == ("", "", 0)
    assert found["high"] > 0
