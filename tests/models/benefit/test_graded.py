"""The grade of a benefit on any table, and whom the evidence resembles; on made-up people whose truth is known."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from models.benefit import BenefitEstimator
from models.benefit.graded import graded
from models.benefit.reach import Reach
from models.benefit.requirements import BenefitInputError

NUMBER = 16_000


@pytest.fixture(scope="module")
def made():
    """An estimator that has seen nothing, and people half of whom gain much."""
    random = np.random.default_rng(41)
    illness, gains = random.normal(size=NUMBER), random.random(NUMBER) < 0.5
    without = expit(-0.6 + illness)
    treated = random.random(NUMBER) < expit(-1.5 + 0.5 * illness)
    outcome = random.random(NUMBER) < np.where(treated & gains, 0.3, 1.0) * without
    made = {
        "X": pd.DataFrame({"illness": illness, "gains": gains, "noise": random.normal(size=NUMBER)}).astype("float64"),
        "treated": treated,
        "outcome": outcome,
        "placebo": random.random(NUMBER) < 0.3 * expit(illness),
    }
    return BenefitEstimator(folds=2, rounds=30), made


def test_a_benefit_that_holds_on_other_people_is_compared(made):
    estimator, held = made
    found = graded(estimator, held["X"], held["treated"], held["outcome"], held["placebo"], share=0.1)
    assert [check.name for check in found.checks if not check.passed] == []
    assert found.grade == "compared"


def test_nobody_judges_what_was_learned_from_them(made):
    """A benefit that is learned by heart, here noise with no effect, must not look like one that holds."""
    estimator, told = made
    noise = pd.DataFrame(np.random.default_rng(44).normal(size=(NUMBER, 30))).add_prefix("noise_")
    outcome = np.random.default_rng(45).random(NUMBER) < expit(-0.6 + told["X"]["illness"].to_numpy())
    X = pd.concat([told["X"], noise], axis=1)
    found = graded(estimator, X, told["treated"], outcome, told["placebo"], share=0.1)
    assert found.grade == "assumed"
    assert not hasattr(estimator, "effect_"), "copies are fitted, not what was given"


def test_tables_and_arrays_are_graded_alike(made):
    estimator, told = made
    few = {name: values[:6_000] for name, values in told.items()}
    both = [
        graded(estimator, X, few["treated"], few["outcome"], few["placebo"], share=0.1, folds=2)
        for X in (few["X"], few["X"].to_numpy())
    ]
    assert [check.passed for check in both[0].checks] == [check.passed for check in both[1].checks]
    assert both[0].average_benefit == both[1].average_benefit


def test_a_placebo_that_seems_changed_makes_it_assumed_and_the_sentence_says_so(made):
    estimator, held = made
    changed = held["placebo"] | held["treated"]
    found = graded(estimator, held["X"], held["treated"], held["outcome"], changed, share=0.1)
    assert found.grade == "assumed"
    assert "should not change" in found.sentence()


def test_a_placebo_that_is_not_known_of_everybody_and_a_share_that_is_none_are_refused(made):
    estimator, held = made
    told = [held["X"], held["treated"], held["outcome"]]
    unknown = np.where(np.arange(len(held["placebo"])) == 3, np.nan, held["placebo"])
    with pytest.raises(BenefitInputError, match="placebo"):
        graded(estimator, *told, unknown, share=0.1)
    with pytest.raises(BenefitInputError, match="placebo"):
        graded(estimator, *told, held["placebo"][:-1], share=0.1)
    with pytest.raises(BenefitInputError, match="share"):
        graded(estimator, *told, held["placebo"], share=20)


def test_people_held_out_who_cannot_teach_make_it_assumed_and_the_sentence_says_why(made):
    estimator, held = made
    nobody = np.zeros(len(held["treated"]), dtype=bool)
    found = graded(estimator, held["X"], nobody, held["outcome"], held["placebo"], share=0.1)
    assert found.grade == "assumed"
    assert "nobody was treated" in found.sentence()


def test_only_a_lottery_large_enough_to_judge_by_makes_it_randomised(made):
    estimator, held = made
    random = np.random.default_rng(42)
    drawn = random.random(len(held["treated"])) < 0.9
    told = held["X"], np.where(drawn, random.random(len(drawn)) < 0.5, held["treated"])
    without = expit(-0.6 + held["X"]["illness"].to_numpy())
    share = np.where(told[1] & (held["X"]["gains"].to_numpy() == 1), 0.3, 1.0)
    outcome = random.random(len(drawn)) < share * without
    chance = np.where(drawn, 0.5, np.nan)
    found = graded(estimator, *told, outcome, held["placebo"], share=0.1, randomised=drawn, propensity=chance)
    assert found.grade == "randomised"
    few = np.flatnonzero(drawn)[:200]
    some = np.isin(np.arange(len(drawn)), few)
    fewer = graded(
        estimator,
        *told,
        outcome,
        held["placebo"],
        share=0.1,
        randomised=some,
        propensity=np.where(some, 0.5, np.nan),
    )
    assert fewer.grade != "randomised"


def test_whoever_is_unlike_all_the_treated_is_out_of_reach():
    random = np.random.default_rng(43)
    design = random.normal(size=(2_000, 5))
    design[:, 4] = 0.0
    reach = Reach.of(design, np.full(2_000, -1.0), np.ones(2_000))
    assert reach.holds(design).mean() == pytest.approx(0.99, abs=0.002)
    apart = design.copy()
    apart[:, 4] = 4.0
    assert not reach.holds(apart).any()
