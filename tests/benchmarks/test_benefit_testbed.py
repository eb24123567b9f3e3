"""The test bed of benefit is as hard as its page says."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from benchmarks import benefit
from benchmarks.benefit_measures import captured, measures
from benchmarks.benefit_testbed import SHAPES, make


@pytest.mark.parametrize("shape", SHAPES)
def test_one_in_ten_has_the_outcome_and_one_in_twenty_five_is_treated(shape):
    made = make(shape, 20_000, 1)
    assert made.features.shape == (20_000, 70)
    assert made.risk_without.mean() == pytest.approx(0.10, abs=0.001)
    assert made.propensity.mean() == pytest.approx(0.04, abs=0.001)
    assert made.risk_without[made.treated].mean() > 2 * made.risk_without[~made.treated].mean()


def test_choosing_by_true_risk_gains_little_where_benefit_is_elsewhere_and_all_where_it_follows():
    relative, follows = make("relative", 50_000, 2), make("follows risk", 50_000, 2)
    assert captured(relative.risk_without, relative.benefit, 0.02) < 0.2
    assert captured(follows.risk_without, follows.benefit, 0.02) > 0.99
    assert (relative.benefit < 0).mean() == pytest.approx(0.016, abs=0.005)
    assert roc_auc_score(relative.treated, relative.propensity) == pytest.approx(0.86, abs=0.02)


def test_the_lottery_treats_half_of_those_drawn_whatever_is_known_of_them():
    made = make("confounded", 20_000, 3, randomised=3_000)
    assert made.randomised.sum() == 3_000
    assert made.treated[made.randomised].mean() == pytest.approx(0.5, abs=0.03)
    assert abs(np.corrcoef(made.treated[made.randomised], made.risk_without[made.randomised])[0, 1]) < 0.06


def test_the_same_seed_makes_the_same_history_and_another_another():
    first, again, other = make("additive", 1_000, 4), make("additive", 1_000, 4), make("additive", 1_000, 5)
    assert first.features.equals(again.features)
    assert np.array_equal(first.outcome, again.outcome)
    assert not first.features.equals(other.features)


def test_the_truth_itself_captures_everything():
    made = make("relative", 5_000, 6)
    told = measures(made.benefit, made.benefit, 1.0)
    assert [told[share] for share in ("1%", "2%", "5%", "10%")] == pytest.approx([1.0] * 4)
    assert told["slope"] == pytest.approx(1)
    assert told["RMSE"] == 0


def test_an_unknown_shape_is_refused_by_name():
    with pytest.raises(ValueError, match="unknown shape 'round'; known: relative"):
        make("round", 10, 1)


def test_a_history_with_nothing_to_choose_by_is_answered_with_weights_and_errors_or_a_refusal(monkeypatch):
    monkeypatch.setattr(benefit, "FRESH", 500)
    refused = benefit.without_answer("no overlap", 200, 1)
    assert refused["answer"].startswith("refused: ")
    assert "20 are needed" in refused["answer"]
    answered = benefit.without_answer("no effect", 4_000, 1)
    weights = [float(share.split()[-1]) for share in answered["answer"].split(", ")]
    assert answered["answer"].startswith("alike ")
    assert sum(weights) == pytest.approx(1, abs=0.02)
    assert weights[0] > 0.5
    assert float(answered["RMSE"]) < 0.1
