"""How many people in a lot tell an effect, held against lots that are drawn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from casewell.errors import PlanError
from models.programme.power import Design, detectable, detectable_by_week, plan, risk_at_the_margin


def told_apart(people: int, chance: float, risk: float, fall: float, level: float, draws: int = 4000) -> float:
    """Draw lots and return how often the two arms are told apart (two proportions, pooled, two-sided)."""
    random = np.random.default_rng(11)
    given = round(people * chance)
    with_place = random.binomial(given, risk - fall, draws) / given
    without = random.binomial(people - given, risk, draws) / (people - given)
    pooled = (given * with_place + (people - given) * without) / people
    error = np.sqrt(pooled * (1 - pooled) * (1 / given + 1 / (people - given)))
    return float((np.abs(with_place - without) > norm.ppf((1 + level) / 2) * error).mean())


@pytest.mark.parametrize(
    ("width", "risk", "effect", "uptake", "power"),
    [(2, 0.35, 0.06, 1, 0.8), (4, 0.30, 0.05, 1, 0.9), (3, 0.15, 0.05, 0.6, 0.8), (1.5, 0.4, -0.08, 1, 0.8)],
)
def test_as_many_people_as_planned_give_the_power_that_was_asked_for(
    width: float, risk: float, effect: float, uptake: float, power: float
) -> None:
    design = Design((1000,), 0.3, width, risk, uptake, power)
    people = plan(design, effect).people
    assert told_apart(people, design.chance, risk, effect * uptake, 0.95) == pytest.approx(power, abs=0.025)


def test_the_people_needed_are_those_of_the_published_table() -> None:
    # Fleiss, Levin and Paik, Statistical Methods for Rates and Proportions, table A.4: 0.60 against 0.75, 80 %, 5 %
    # two-sided: 152 in each arm without the correction for continuity.
    assert plan(Design((100,), 1, 2, 0.75), 0.15).people == pytest.approx(304, abs=2)


def test_what_weeks_can_tell_is_the_other_way_round() -> None:
    design = Design((160,), 0.2, 2, 0.35, 0.5)
    told = detectable(design, 52)
    assert plan(design, told).weeks in (52, 53)
    table = detectable_by_week(design)
    assert table["told"].is_monotonic_decreasing
    assert (table["people"] == 64 * table["weeks"]).all()


def test_places_to_draw_are_rounded_down_in_each_team_as_margins_are() -> None:
    assert Design((9, 9, 9, 4), 0.2, 2, 0.3).drawn == 3
    with pytest.raises(PlanError, match="the 4 of each team"):
        Design((4, 4, 4), 0.2, 2, 0.3)


def test_a_lot_too_small_to_tell_anything_says_so() -> None:
    assert np.isnan(detectable(Design((5,), 0.2, 2, 0.02), 13))


def test_everything_wrong_with_a_design_is_said_at_once() -> None:
    with pytest.raises(PlanError) as refused:
        Design((100,), 0, 1, 1.2, 0)
    assert len(refused.value.problems) == 4
    with pytest.raises(PlanError, match="less than one place"):
        Design((4,), 0.2, 2, 0.3)
    with pytest.raises(PlanError, match="raise width, share or capacity"):
        Design((5,), 0.2, 1.4, 0.35)
    with pytest.raises(PlanError, match="1,000,000,000 people or more"):
        plan(Design((160,), 0.2, 2, 0.35), 1e-6)
    with pytest.raises(PlanError, match="cannot be had"):
        plan(Design((100,), 0.2, 2, 0.02), 0.05)
    with pytest.raises(PlanError, match="is no change in a chance"):
        plan(Design((100,), 0.2, 2, 0.02), 0)


def test_the_risk_at_the_margin_is_that_of_the_people_who_rank_there() -> None:
    rank = np.arange(1000)
    predicted = pd.DataFrame(
        {
            "index_date": pd.Timestamp("2025-01-01"),
            "risk": 1 - rank / 1000,
            # 100 places, 20 of them by lot among 40: ranks 80 to 119, of whom half had the outcome, and nobody else.
            "outcome": (rank >= 80) & (rank < 120) & (rank % 2 == 0),
        }
    )
    assert risk_at_the_margin(predicted, 0.1, 0.2, 2) == (0.5, 40)
