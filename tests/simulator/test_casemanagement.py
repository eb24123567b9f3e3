"""Case management's past: small on average, unlike from person to person, and easily mistaken for a triumph."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from simulator import parts, places
from simulator.extract import World
from tests.simulator.conftest import YEAR_BEFORE, Simulated

CUT_OFF = pd.Timestamp("2026-10-01")


def before_and_after(world: Simulated) -> tuple[int, int]:
    """Emergency admissions of those who started, in the year before and the year after."""
    starts = world.starts[world.starts["start_date"] < YEAR_BEFORE].drop_duplicates("true_person_id")
    pairs = starts[["true_person_id", "start_date"]].merge(world.emergencies, on="true_person_id")
    days = (pairs["admission_date"] - pairs["start_date"]).dt.days
    return int(days.between(-365, -1).sum()), int(days.between(0, 364).sum())


def test_a_naive_comparison_of_before_and_after_looks_like_a_triumph(simulated: Simulated) -> None:
    before, after = before_and_after(simulated)
    assert before > 80
    assert after < 0.85 * before


def test_the_true_average_effect_on_those_chosen_in_the_past_is_small(simulated: Simulated) -> None:
    chosen = simulated.starts[simulated.starts["start_date"] >= YEAR_BEFORE]["true_person_id"]
    truth = simulated.outcomes(YEAR_BEFORE)
    truth = truth[truth.index.isin(chosen)]
    assert 0.90 < truth["admission_risk_with"].sum() / truth["admission_risk_without"].sum() < 1.05


def test_case_management_helps_some_and_harms_others(simulated: Simulated) -> None:
    people = simulated.people
    effect = np.exp(people["log_admission_effect"])
    assert effect.between(0.45, 1.30).all()
    assert (effect[people["terminal"] | people["in_care_home"]] > 1.05).all()
    assert (effect < 0.75).mean() > 0.01
    assert (people["log_death_effect"] <= 0).all()


def test_choosing_by_benefit_beats_choosing_by_risk(simulated: Simulated) -> None:
    truth = simulated.outcomes(CUT_OFF)
    benefit = truth["risk_without"] - truth["risk_with"]
    for share in (0.02, 0.05):
        places_ = round(share * len(truth))
        by_risk = benefit[truth["risk_without"].nlargest(places_).index].sum()
        assert benefit.nlargest(places_).sum() > 1.5 * by_risk


def test_attendances_rise_where_need_was_unmet(simulated: Simulated) -> None:
    truth = simulated.outcomes(CUT_OFF)
    rise = truth["attendances_with"] / truth["attendances_without"]
    away = simulated.people.set_index("true_person_id")["low_use"].loc[truth.index]
    assert rise[away > 0.4].mean() > rise[away < 0.1].mean() + 0.03
    assert rise.mean() > 1.0


def test_about_a_third_of_those_invited_take_it_up_and_deprived_people_stay_less_long(simulated: Simulated) -> None:
    referrals = simulated.with_person("programme")
    invited = referrals[referrals["outcome"] != "not_drawn"]
    assert 0.27 < (invited["outcome"] == "started").mean() < 0.45
    people = simulated.people
    stay = people["months_with_case_management"]
    assert stay[people["imd_decile"] <= 3].mean() < stay[people["imd_decile"] >= 8].mean() - 0.3


def test_the_margin_is_drawn_by_lot_in_some_teams_in_the_last_year_with_its_chances_recorded(
    simulated: Simulated,
) -> None:
    referrals = simulated.with_person("programme")
    lot = referrals[referrals["referral_route"] == "randomised_margin"]
    assert (lot["randomised_probability"] == 0.5).all()
    assert referrals.drop(lot.index)["randomised_probability"].isna().all()
    assert (lot["referral_date"] >= YEAR_BEFORE).all()
    assert 0 < lot["team_code"].nunique() < referrals["team_code"].nunique()
    drawn = (lot["outcome"] != "not_drawn").mean()
    assert abs(drawn - 0.5) < 4 * 0.5 / np.sqrt(len(lot))
    assert lot.loc[lot["outcome"] == "not_drawn", "start_date"].isna().all()


def test_the_lot_leaves_the_two_arms_alike(simulated: Simulated) -> None:
    lot = simulated.with_person("programme").query("referral_route == 'randomised_margin'")
    people = simulated.people.set_index("true_person_id")
    frailty = people["frailty"].loc[lot["true_person_id"]].to_numpy()
    drawn = (lot["outcome"] != "not_drawn").to_numpy()
    spread = frailty.std() * np.sqrt(1 / drawn.sum() + 1 / (~drawn).sum())
    assert abs(frailty[drawn].mean() - frailty[~drawn].mean()) < 3.5 * spread


def lived(*scenarios: str) -> list[World]:
    chosen = places.choose_places(6_000)
    return [parts.live(part, chosen) for part in parts.plan(chosen, 6_000, 17, frozenset(scenarios))]


@pytest.fixture(scope="module")
def usual() -> list[World]:
    return lived()


def test_before_and_after_looks_like_a_triumph_even_where_case_management_does_nothing_at_all() -> None:
    before = after = 0
    for world in lived("null_effect"):
        spells, admitted = world.lives.spells, world.lives.admission_day > 0
        assert (spells.effect.admission == 0).all()
        assert (spells.effect.death == 0).all()
        for person, month in zip(spells.person, spells.month, strict=True):
            before += admitted[person, month - 12 : month].sum() if month <= 36 else 0
            after += admitted[person, month : month + 12].sum() if month <= 36 else 0
    assert before > 60
    assert after < 0.85 * before


def test_under_harm_everybody_fares_worse(planted: Callable[..., Simulated]) -> None:
    truth = planted("harm", "leak").outcomes(CUT_OFF)
    assert (truth["admission_risk_with"] > truth["admission_risk_without"]).all()


def test_under_no_overlap_whoever_is_above_the_score_is_enrolled_and_nobody_else() -> None:
    for world in lived("no_overlap"):
        referrals = world.lives.referrals
        assert len(referrals.person) > 0
        assert (referrals.outcome == 0).all()
        assert (referrals.route == 2).all()


def test_under_a_hidden_confounder_the_frail_are_referred_though_records_look_alike(usual: list[World]) -> None:
    def frailty(worlds: list[World]) -> float:
        by_gp = [
            world.people.frailty[world.lives.referrals.person[world.lives.referrals.route == 1]] for world in worlds
        ]
        return float(np.concatenate(by_gp).mean())

    assert frailty(lived("hidden_confounder")) > frailty(usual) + 0.25
