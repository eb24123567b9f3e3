"""The effect learner, on made-up people whose true benefit is known."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from casewell.settings import Benefit
from models.benefit.amenability import OTHER_HELP, RESPONSIVE_CONDITIONS, UNMET_CIRCUMSTANCES
from models.benefit.comparison import History, effective_sample, imbalance, top
from models.benefit.effect import Effect, Reading
from models.benefit.evidence import Evidence
from models.benefit.fit import Lottery, fit_effect, overlap_sample
from models.benefit.model import EffectModel, Foretold
from models.risk.estimator import person_folds
from models.score import score
from models.store import _effect, _effect_told
from models.train import Models


def people(number: int, seed: int, harm: bool = False) -> dict[str, np.ndarray]:
    """Half gain, half do not; the treated are at higher risk, so a crude comparison misleads."""
    random = np.random.default_rng(seed)
    illness, amenable = random.normal(size=number), random.random(number) < 0.5
    without = expit(-2 + illness)
    relative = np.where(amenable, 1.3 if harm else 0.5, 1.0)
    propensity = expit(-3 + 0.8 * illness)
    treated = random.random(number) < propensity
    outcome = random.random(number) < np.where(treated, without * relative, without)
    return {
        "matrix": pd.DataFrame(
            {"illness": illness, "amenable": amenable.astype(float), "noise": random.normal(size=number)}
        ),
        "without": without,
        "benefit": without * (1 - relative),
        "propensity": propensity,
        "treated": treated,
        "outcome": outcome,
        "folds": person_folds(pd.Series(np.arange(number)), 5, seed),
    }


@pytest.fixture(scope="module")
def fitted():
    made = people(60_000, 3)
    model, crossed = fitted_on(made)
    return made, model, crossed


def test_people_who_gain_are_told_from_those_who_do_not(fitted):
    _, model, _ = fitted
    fresh = people(20_000, 99)
    learned = model.foretell(fresh["matrix"], fresh["without"], fresh["propensity"]).benefit
    best = fresh["benefit"][top(fresh["benefit"], np.zeros(20_000), 0.1)].sum()
    by_learned = fresh["benefit"][top(learned, np.zeros(20_000), 0.1)].sum()
    by_risk = fresh["benefit"][top(fresh["without"], np.zeros(20_000), 0.1)].sum()
    assert by_learned > 0.9 * best
    assert by_learned > 1.3 * by_risk


def test_the_average_benefit_is_right_although_the_treated_were_sicker(fitted):
    made, _, crossed = fitted
    history = History(
        np.arange(60_000),
        made["treated"],
        made["outcome"],
        made["propensity"],
        crossed.without,
        crossed.without - crossed.benefit,
    )
    everyone = np.ones(60_000, dtype=bool)
    estimate = history.average(everyone)
    overlap = made["propensity"] * (1 - made["propensity"])
    truth = np.average(made["benefit"], weights=overlap)
    low, high = estimate.interval(3)
    crude = made["outcome"][~made["treated"]].mean() - made["outcome"][made["treated"]].mean()
    assert low < truth < high
    assert low > 0
    assert crude < 0


@pytest.mark.parametrize("wrong", ["outcome", "propensity"])
def test_the_average_benefit_is_right_if_either_model_is(wrong):
    made = people(200_000, 21)
    everyone = np.ones(200_000, dtype=bool)
    without, propensity = made["without"], made["propensity"]
    with_programme = without - made["benefit"]
    if wrong == "outcome":
        without, with_programme = np.full(200_000, 0.2), np.full(200_000, 0.4)
    else:
        propensity = np.full(200_000, 0.06)
    estimate = History(
        np.arange(200_000), made["treated"], made["outcome"], propensity, without, with_programme
    ).average(everyone)
    truth = np.average(made["benefit"], weights=propensity * (1 - propensity))
    low, high = estimate.interval(3.5)
    assert low < truth < high
    assert high - low < 0.06, "an interval that holds everything tells nothing"


def fitted_on(made: dict[str, np.ndarray]) -> tuple[EffectModel, Foretold]:
    """Learn the effect on made-up people, each of whom has one row."""
    parts = (made[name] for name in ("matrix", "outcome", "treated", "without", "propensity", "folds"))
    return fit_effect(*parts, 1)


def test_harm_is_seen_as_harm():
    made = people(60_000, 5, harm=True)
    model, _ = fitted_on(made)
    benefit = model.foretell(made["matrix"], made["without"], made["propensity"]).benefit
    assert benefit[made["matrix"]["amenable"] == 1].mean() < -0.01


def test_learning_twice_gives_the_same_coefficients():
    made = people(5_000, 7)
    fit = [fitted_on(made) for _ in range(2)]
    first, again = (model.effect.readings[1].coefficients for model, _ in fit)
    assert np.array_equal(first, again)


def test_all_treated_people_are_kept_and_the_weights_stand_for_everyone():
    made = people(20_000, 8)
    kept, weights = overlap_sample(made["treated"], made["propensity"], 1)
    assert kept[made["treated"]].all()
    untreated = ~made["treated"]
    assert weights[kept & untreated].sum() == pytest.approx(made["propensity"][untreated].sum(), rel=0.1)


def test_balance_is_restored_by_overlap_weights():
    made = people(60_000, 11)
    treated = made["treated"]
    crude = made["matrix"]["illness"][treated].mean() - made["matrix"]["illness"][~treated].mean()
    assert abs(crude) > 0.3
    assert imbalance(made["matrix"], treated, made["propensity"]).abs().max() < 0.05


def test_who_is_on_both_lists_does_not_count_in_their_difference():
    made = people(40_000, 12)
    history = History(
        np.arange(40_000),
        made["treated"],
        made["outcome"],
        made["propensity"],
        made["without"],
        made["without"] - made["benefit"],
    )
    amenable, number = made["matrix"]["amenable"].to_numpy() == 1, np.arange(40_000)
    shared, gain, lose = number < 10_000, (number >= 10_000) & amenable, (number >= 10_000) & ~amenable
    apart = history.difference(shared | gain, shared | lose)
    assert apart.value == pytest.approx(history.average(gain).value - history.average(lose).value)
    assert apart.value > 2 * apart.error
    assert history.difference(shared, shared).value == 0


def test_equal_weights_count_every_row():
    assert effective_sample(np.ones(50)) == pytest.approx(50)


def test_the_top_share_is_drawn_within_each_date():
    chosen = top(np.array([3.0, 2.0, 1.0, 30.0, 20.0, 10.0]), np.array([1, 1, 1, 2, 2, 2]), 1 / 3)
    assert chosen.tolist() == [True, False, False, True, False, False]


def test_a_kind_of_person_never_treated_is_not_supported_however_likely_treatment_seems():
    made = people(20_000, 8)
    home = np.random.default_rng(8).random(20_000) < 0.03
    made["treated"] &= ~home
    made["matrix"]["care_home"] = home.astype(float)
    model, crossed = fitted_on(made)
    reached = model.foretell(made["matrix"], made["without"], made["propensity"]).reached
    assert not reached[home].any()
    assert not crossed.reached[home].any()
    assert reached[~home].mean() > 0.9


def test_a_stored_effect_foretells_the_same(fitted):
    made, model, _ = fitted
    again = _effect(json.loads(json.dumps(_effect_told(model))))
    told = made["matrix"], made["without"], made["propensity"]
    for name, values in vars(model.foretell(*told)).items():
        assert np.array_equal(values, getattr(again.foretell(*told), name))


@pytest.mark.parametrize("grade", ["compared", "assumed"])
def test_whose_benefit_is_assumed_has_no_interval(fitted, grade):
    made, effect, _ = fitted
    # The last is unlike anybody treated.
    rows = made["matrix"].head(40).assign(person_id=np.arange(40), cms_score=0.0)
    rows = rows.assign(illness=np.where(rows["person_id"] == 39, 60.0, rows["illness"]))
    amenable = (*RESPONSIVE_CONDITIONS, *UNMET_CIRCUMSTANCES, *OTHER_HELP)
    rows = rows.assign(**dict.fromkeys(amenable, 0.0))

    risk, propensity = (
        SimpleNamespace(
            features=(),
            mended=(),
            predict=lambda _, chance=made[name][:40]: chance,
            predict_both=lambda _, chance=made[name][:40]: (chance, chance),
        )
        for name in ("without", "propensity")
    )
    evidence = Evidence(grade, (), 500, None, None)
    scores = score(Models(risk, risk, propensity, effect, evidence, Benefit()), rows)
    learned = scores["evidence_grade"] == grade if grade == "compared" else np.zeros(40, dtype=bool)
    assert not learned[39]
    assert learned.sum() >= (30 if grade == "compared" else 0)
    known = scores[learned]
    assert (known["benefit_low"] < known["benefit"]).all()
    assert (known["benefit"] < known["benefit_high"]).all()
    assert scores.loc[~learned, ["benefit_low", "benefit_high"]].isna().all(axis=None)


def test_intervals_hold_the_truth(fitted):
    _, model, _ = fitted
    fresh = people(20_000, 99)
    told = model.foretell(fresh["matrix"], fresh["without"], fresh["propensity"])
    held = (told.low <= fresh["benefit"]) & (fresh["benefit"] <= told.high)
    assert held.mean() > 0.9
    amenable = fresh["matrix"]["amenable"] == 1
    assert held[amenable].mean() > 0.8
    assert (told.high - told.low)[amenable].mean() < fresh["benefit"][amenable].mean() * 2, (
        "wide enough to hold anything"
    )


def test_half_a_dose_of_the_same_effect_is_read_as_the_whole(fitted):
    """Of the treated, half never had anything; the others gain as ever."""
    made = people(60_000, 9)
    random = np.random.default_rng(9)
    had = made["treated"] & (random.random(60_000) < 0.5)
    chance = np.where(had, made["without"] - made["benefit"], made["without"])
    outcome = random.random(60_000) < chance
    told = [made["matrix"], outcome, made["treated"], made["without"], made["propensity"], made["folds"], 1]
    model, _ = fit_effect(*told, Lottery(made["propensity"], 0.5))
    benefit = model.foretell(made["matrix"], made["without"], made["propensity"]).benefit
    amenable = made["matrix"]["amenable"] == 1
    assert benefit[amenable].mean() == pytest.approx(made["benefit"][amenable].mean(), rel=0.25)


def test_the_ends_lie_twice_as_far_off_as_those_of_the_draws_on_the_scale_of_log_odds():
    draws = np.random.default_rng(10).normal(-0.5, 0.2, size=(2_000, 1))
    effect = Effect((Reading("relative", np.column_stack([draws, np.zeros(2_000)]), np.empty((2_000, 0))),), np.ones(1))
    benefit, low, high = effect.benefit_and_interval(np.zeros((1, 1)), np.zeros(1), 0.95)[:, 0]
    middle = logit(0.5 - benefit)
    assert logit(0.5 - low) - middle == pytest.approx(2 * 1.96 * 0.2, rel=0.1)
    assert middle - logit(0.5 - high) == pytest.approx(2 * 1.96 * 0.2, rel=0.1)
