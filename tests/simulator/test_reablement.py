"""A second programme: with an effect of its own, beside lives that are otherwise what they would have been."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

from simulator import health, parts, places
from simulator.clock import MONTHS, month_of, month_start
from simulator.expectation import Start, expect
from simulator.reablement import KEPT, KEPT_ALONE, LASTS, kept_by_month, last_start, live
from simulator.truth import outcomes_of


def lived(*planted: str):
    chosen = places.choose_places(4_000)
    part = parts.plan(chosen, 4_000, 3, frozenset(planted))[0]
    return parts.live(part, chosen)


@pytest.fixture(scope="module")
def both():
    return lived(), lived("second_programme")


def test_without_being_asked_for_there_is_none(both):
    assert both[0].lives.reablement is None


def test_all_else_is_what_it_would_have_been(both):
    plain, beside = both
    for of in ("people", "lives"):
        one, other = getattr(plain, of), getattr(beside, of)
        for name in (field.name for field in fields(one)):
            if isinstance(getattr(one, name), np.ndarray) and name != "admission_day":
                np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    for name in vars(plain.lives.referrals):
        np.testing.assert_array_equal(getattr(plain.lives.referrals, name), getattr(beside.lives.referrals, name))


def test_of_the_admissions_of_people_on_it_the_said_share_does_not_happen_and_of_no_others(both):
    world = both[1]
    assert not ((world.lives.admission_day > 0) & (both[0].lives.admission_day == 0)).any()
    every_month = np.full(world.lives.admission_day.shape, 15, dtype=np.int8)
    second, left = live(world.streams, world.people, world.people.diagnosed_from, every_month, world.lives.death)
    begun = np.array([last_start(second, month + 1, len(world.people)) for month in range(MONTHS)]).T
    since = np.arange(MONTHS) - begun
    on_it = (since >= 0) & (since < LASTS)
    assert (left[~on_it] == 15).all()
    home = on_it & ~(world.people.care_home_from[:, None] <= np.arange(MONTHS))
    for alone, share in ((True, KEPT_ALONE), (False, KEPT)):
        who = home & (world.people.lives_alone == alone)[:, None]
        assert who.sum() > 500
        assert (left[who] == 0).mean() == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / who.sum()))


def test_its_truth_is_a_smaller_risk_most_of_all_for_those_who_live_alone_and_case_management_keeps_its_own(both):
    plain, beside = both
    when = np.datetime64("2024-10-01")
    told, usual = outcomes_of(beside, when), outcomes_of(plain, when)
    fall = told["risk_without"] - told["risk_with_reablement"]
    alone = told["true_person_id"].isin(beside.cards.true_id[beside.people.lives_alone])
    assert (fall > -1e-12).all()
    on_risk = fall[told["risk_without"] > 0.1] / told["risk_without"][told["risk_without"] > 0.1]
    assert on_risk[alone].mean() > 2 * on_risk[~alone].mean() > 0
    never = ~told["true_person_id"].isin(beside.cards.true_id[beside.lives.reablement.person])
    assert never.sum() > 1_000
    pd.testing.assert_frame_equal(told.loc[never, usual.columns], usual.loc[never])
    np.testing.assert_allclose(told.loc[never, "death_risk_with_reablement"], told.loc[never, "death_risk_without"])


def test_an_admission_that_does_not_happen_lowers_the_chance_by_just_that(both):
    people = both[1].people
    total = len(people)
    start = Start(24, 0.0, np.zeros(total, dtype=int), np.zeros(total, bool), np.zeros(total, bool))
    none = health.no_effect((total, 13))
    kept = kept_by_month(people, np.full(total, 24), 24 + np.arange(13)[None, :])
    one, other = expect(people, start, none), expect(people, start, none, kept)
    np.testing.assert_allclose(other.death, one.death)
    home = people.care_home_from > 40
    share = np.where(people.lives_alone, KEPT_ALONE, KEPT)
    rare = home & (one.admission < 0.02)
    np.testing.assert_allclose(other.admission[rare], (one.admission * (1 - share))[rare], rtol=0.03)
    assert (kept[home & people.lives_alone][:, [0, LASTS - 1, LASTS]] == [KEPT_ALONE, KEPT_ALONE, 0.0]).all()


def test_its_referrals_stand_in_the_programmes_records_under_its_code_and_case_managements_as_they_were(planted):
    plain, beside = planted(), planted("second_programme")
    rows = beside.with_person("programme")
    assert set(rows["programme"]) == {"case_management", "reablement"}
    assert "programme" not in plain.source("programme")
    keys = ["nhs_number", "referral_date", "start_date", "outcome", "received_date", "referral_route"]
    ours = rows.loc[rows["programme"] == "case_management", keys].sort_values(keys, ignore_index=True)
    pd.testing.assert_frame_equal(ours, plain.source("programme")[keys].sort_values(keys, ignore_index=True))
    second = rows[rows["programme"] == "reablement"]
    assert (second["start_date"].notna() == (second["outcome"] == "started")).all()
    assert (second["start_date"] >= second["referral_date"])[second["start_date"].notna()].all()
    assert not (second["end_date"] < second["start_date"]).any()
    truth = pd.read_parquet(beside.truth / "reablement.parquet")
    told = second[second["outcome"] == "started"]
    assert set(told["true_person_id"]) <= set(truth["true_person_id"])
    assert len(told) > 0.9 * (month_start(truth["month"].to_numpy()) < np.datetime64("2026-09-01")).sum()
    assert month_of(told["start_date"].to_numpy().astype("datetime64[D]")).min() >= 12
