"""The grade of a benefit on any table, and whom the evidence resembles; on made-up people whose truth is known."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from models.benefit import BenefitEstimator
from models.benefit.graded import graded
from models.benefit.reach import Reach
from models.benefit.requirements import BenefitInputError

NUMBER = 24_000


@pytest.fixture(scope="module")
def learned():
    """Half the people gain much; the first half of the rows is learned from, the second is held out."""
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
    first = np.arange(NUMBER) < NUMBER // 2
    known = [made[name][first] for name in ("X", "treated", "outcome")]
    estimator = BenefitEstimator(folds=2, rounds=30).fit(*known)
    return estimator, {name: values[~first] for name, values in made.items()}


def test_a_benefit_that_holds_on_other_people_is_compared(learned):
    estimator, held = learned
    found = graded(estimator, held["X"], held["treated"], held["outcome"], held["placebo"], share=0.1)
    assert [check.name for check in found.checks if not check.passed] == []
    assert found.grade == "compared"


def test_a_placebo_that_seems_changed_makes_it_assumed_and_the_sentence_says_so(learned):
    estimator, held = learned
    changed = held["placebo"] | held["treated"]
    found = graded(estimator, held["X"], held["treated"], held["outcome"], changed, share=0.1)
    assert found.grade == "assumed"
    assert "should not change" in found.sentence()


def test_a_placebo_that_is_not_known_of_everybody_and_a_share_that_is_none_are_refused(learned):
    estimator, held = learned
    told = [held["X"], held["treated"], held["outcome"]]
    unknown = np.where(np.arange(len(held["placebo"])) == 3, np.nan, held["placebo"])
    with pytest.raises(BenefitInputError, match="placebo"):
        graded(estimator, *told, unknown, share=0.1)
    with pytest.raises(BenefitInputError, match="placebo"):
        graded(estimator, *told, held["placebo"][:-1], share=0.1)
    with pytest.raises(BenefitInputError, match="share"):
        graded(estimator, *told, held["placebo"], share=20)


def test_people_held_out_who_cannot_teach_make_it_assumed_and_the_sentence_says_why(learned):
    estimator, held = learned
    nobody = np.zeros(len(held["treated"]), dtype=bool)
    found = graded(estimator, held["X"], nobody, held["outcome"], held["placebo"], share=0.1)
    assert found.grade == "assumed"
    assert "nobody was treated" in found.sentence()


def test_only_a_lottery_large_enough_to_judge_by_makes_it_randomised(learned):
    estimator, held = learned
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
