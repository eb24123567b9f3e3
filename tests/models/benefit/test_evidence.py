"""When benefit learned from the past may be believed, and what each check guards."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from casewell.settings import Benefit
from models.backtest import case_management_could_act
from models.benefit.comparison import History
from models.benefit.evidence import Check, Evidence
from models.benefit.evidence import judge as judged_by
from models.benefit.judged import Judged
from models.benefit.model import released_benefit

NUMBER = 60_000
RULES = Benefit()


@pytest.fixture(scope="module")
def sound():
    """A history that deserves belief: half the people gain, the models are right, everybody could have been treated."""
    random = np.random.default_rng(31)
    illness, gains = random.normal(size=NUMBER), random.random(NUMBER) < 0.5
    without = expit(-1 + illness)
    with_programme = without * np.where(gains, 0.3, 1.0)
    propensity = expit(-1.5 + 0.5 * illness)
    treated = random.random(NUMBER) < propensity
    outcome = random.random(NUMBER) < np.where(treated, with_programme, without)
    level = np.full(NUMBER, 0.1)
    planned = random.random(NUMBER) < level
    person = np.arange(NUMBER)
    return {
        "history": History(person, treated, outcome, propensity, without, with_programme),
        "control": History(person, treated, planned, propensity, level, level),
        "matrix": pd.DataFrame({"illness": illness, "gains": gains.astype(float)}),
        "orders": {"learned benefit": without - with_programme, "risk": without, "assumed benefit": 0.1 * without},
        "supported": np.ones(NUMBER, dtype=bool),
        "within": np.zeros(NUMBER),
        "share": 0.1,
        "rules": RULES,
    }


def judge(**told) -> Evidence:
    """Judge by people whose parts are told one by one."""
    people = Judged(**{field.name: told.pop(field.name) for field in dataclasses.fields(Judged)})
    return judged_by(people, told.pop("share"), told.pop("rules"), **told)


def failed(told) -> set[str]:
    found = judge(**told)
    assert (found.grade == "compared") == all(check.passed for check in found.checks)
    return {check.name for check in found.checks if not check.passed}


def test_a_sound_history_earns_the_grade_compared(sound):
    assert judge(**sound).grade == "compared"


def test_an_outcome_that_case_management_cannot_change_but_seems_to_lowers_the_grade(sound):
    control = sound["control"]
    fewer = control.outcome & ~(control.treated & (control.person % 4 == 0))
    assert failed(sound | {"control": dataclasses.replace(control, outcome=fewer)}) == {"negative control"}


def test_an_outcome_to_check_by_that_is_not_on_record_is_no_check_passed(sound):
    control = sound["control"]
    never = dataclasses.replace(
        control, outcome=np.zeros(NUMBER, dtype=bool), without=np.zeros(NUMBER), with_programme=np.zeros(NUMBER)
    )
    assert failed(sound | {"control": never}) == {"negative control"}
    assert "too few on record to check by" in judge(**sound | {"control": never}).sentence()


def test_a_negative_control_too_uncertain_to_tell_lowers_the_grade(sound):
    few = np.arange(NUMBER) < 500
    fewer = {name: sound[name].where(few) for name in ("history", "control")}
    fewer |= {"matrix": sound["matrix"][few], "within": sound["within"][few]}
    fewer |= {"supported": sound["supported"][few]}
    fewer |= {"orders": {rule: order[few] for rule, order in sound["orders"].items()}}
    rules = RULES.model_copy(update={"minimum_treated": 20})
    assert "negative control" in failed(sound | fewer | {"rules": rules})


@pytest.mark.parametrize("rule", ["risk", "assumed benefit"])
def test_an_order_that_gains_nothing_over_another_lowers_the_grade(sound, rule):
    orders = sound["orders"] | {rule: sound["orders"]["learned benefit"]}
    assert failed(sound | {"orders": orders}) == {f"advantage over {rule}"}


def test_treated_people_unlike_the_others_lower_the_grade(sound):
    apart = sound["matrix"].assign(unseen=sound["history"].treated + np.zeros(NUMBER))
    assert failed(sound | {"matrix": apart}) == {"balance"}


def test_nobody_like_the_chosen_among_the_treated_lowers_the_grade(sound):
    nobody = np.zeros(NUMBER, dtype=bool)
    assert failed(sound | {"supported": nobody}) == {"overlap"}


def test_a_stated_benefit_twice_as_large_as_the_true_one_lowers_the_grade(sound):
    orders = sound["orders"] | {"learned benefit": 2 * sound["orders"]["learned benefit"]}
    assert failed(sound | {"orders": orders}) == {"calibration"}


def test_harm_to_those_who_would_be_chosen_lowers_the_grade(sound):
    history, random = sound["history"], np.random.default_rng(32)
    worse = np.minimum(2 * history.without - history.with_programme, 0.99)
    outcome = np.where(history.treated, random.random(NUMBER) < worse, history.outcome)
    harmed = dataclasses.replace(history, outcome=outcome, with_programme=worse)
    assert "helps the chosen" in failed(sound | {"history": harmed})
    evidence = judge(**sound | {"history": harmed})
    assert "case management seems to have done harm" in evidence.harm
    assert evidence.harm in evidence.sentence()


def test_harm_is_said_only_where_it_is_sure_and_like_was_compared_with_like(sound):
    history = sound["history"]
    assert judge(**sound).harm == ""
    random = np.random.default_rng(34)
    worse = np.minimum(1.3 * history.without, 0.99)
    outcome = np.where(history.treated, random.random(NUMBER) < worse, history.outcome)
    harmed = sound | {"history": dataclasses.replace(history, outcome=outcome, with_programme=worse)}
    assert judge(**harmed).harm
    assert judge(**harmed).suspicion == ""
    apart = sound["matrix"].assign(unseen=history.treated + np.zeros(NUMBER))
    suspected = judge(**harmed | {"matrix": apart})
    assert suspected.harm == ""
    assert "case management may have done harm" in suspected.suspicion
    assert "not every check of the comparison passed" in suspected.suspicion
    assert suspected.suspicion in suspected.sentence()
    assert judge(**harmed | {"further": [Check("the year before last", False, "they differed then")]}).harm == ""
    few = np.arange(NUMBER) < 2_000
    fewer = {name: harmed[name].where(few) for name in ("history", "control")}
    fewer |= {name: harmed[name][few] for name in ("matrix", "within", "supported")}
    fewer |= {"orders": {rule: order[few] for rule, order in sound["orders"].items()}}
    nothing = dataclasses.replace(fewer["history"], outcome=history.outcome[few], with_programme=history.without[few])
    without_harm = judge(**harmed | fewer | {"history": nothing})
    assert (without_harm.harm, without_harm.suspicion) == ("", "")


def test_harm_that_is_likely_and_not_sure_is_a_suspicion(sound):
    history, random = sound["history"], np.random.default_rng(35)
    few = np.arange(NUMBER) < 6_000
    worse = np.minimum(1.1 * history.without, 0.99)
    outcome = np.where(history.treated, random.random(NUMBER) < worse, history.outcome)
    harmed = dataclasses.replace(history, outcome=outcome, with_programme=worse).where(few)
    fewer = {"history": harmed, "control": sound["control"].where(few)}
    fewer |= {name: sound[name][few] for name in ("matrix", "within", "supported")}
    evidence = judge(**sound | fewer | {"orders": {rule: order[few] for rule, order in sound["orders"].items()}})
    assert -3 < evidence.average_benefit.value / evidence.average_benefit.error < -1.645
    assert evidence.harm == ""
    assert "may have done harm" in evidence.suspicion


def test_a_slope_that_is_right_by_luck_lowers_the_grade(sound):
    few = np.arange(NUMBER) < 1_500
    fewer = sound | {name: sound[name].where(few) for name in ("history", "control")}
    fewer |= {name: sound[name][few] for name in ("matrix", "within", "supported")}
    fewer |= {"rules": RULES.model_copy(update={"minimum_treated": 20})}

    def calibration(stated: np.ndarray) -> Check:
        orders = {rule: order[few] for rule, order in sound["orders"].items()} | {"learned benefit": stated}
        return next(check for check in judge(**fewer | {"orders": orders}).checks if check.name == "calibration")

    stated = sound["orders"]["learned benefit"][few]
    slope = float(calibration(stated).seen.split("rises by ")[1][:4])
    mended = calibration(slope * stated)
    assert "rises by 1.00" in mended.seen
    assert not mended.passed
    assert next(check for check in judge(**sound).checks if check.name == "calibration").passed


def test_enough_people_drawn_by_lot_earn_the_grade_randomised_and_are_judged_alone(sound):
    drawn = np.arange(NUMBER) < 40_000
    history = sound["history"]
    # Whoever was chosen, not drawn, was fated: judged on them as well, no check could pass.
    fated = dataclasses.replace(history, outcome=np.where(drawn, history.outcome, history.treated))
    told = sound | {"history": fated}
    assert judge(**told).grade == "assumed"
    found = judge(**told, randomised=drawn)
    assert found.grade == "randomised"
    assert "by lot" in found.sentence()


def test_a_lottery_may_leave_differences_but_none_that_chance_would_not(sound):
    drawn = np.arange(NUMBER) < 2_500
    noise = np.random.default_rng(33).normal(size=(NUMBER, 60))
    matrix = sound["matrix"].assign(**{f"noise_{n}": values for n, values in enumerate(noise.T)})

    def balance(matrix):
        found = judge(**sound | {"matrix": matrix}, randomised=drawn)
        return next(check for check in found.checks if check.name == "balance")

    assert balance(matrix).passed
    assert float(balance(matrix).seen.split("up to ")[1][:4]) > RULES.maximum_imbalance
    assert not balance(matrix.assign(unseen=sound["history"].treated * 0.3 + noise[:, 0])).passed


def test_a_check_made_elsewhere_lowers_the_grade_of_a_comparison_and_not_of_lots(sound):
    told = sound | {"further": [Check("the year before last", False, "they differed then")]}
    assert failed(told) == {"the year before last"}
    assert "they differed then" in judge(**told).sentence()
    assert judge(**told, randomised=np.arange(NUMBER) < 40_000).grade == "randomised"


def test_why_lots_were_not_learned_from_is_said_beside_the_grade(sound):
    evidence = dataclasses.replace(
        judge(**sound), lots="People were drawn by lot, but nothing was learned from them: few."
    )
    assert evidence.sentence().endswith("every check passed. " + evidence.lots)


def test_twelve_people_drawn_by_lot_earn_nothing(sound):
    assert judge(**sound, randomised=np.arange(NUMBER) < 12).grade == "compared"


def test_learned_benefit_is_used_only_where_others_like_the_person_were_treated():
    released = released_benefit(np.array([0.5, 0.5]), np.array([0.1, 0.1]), np.array([True, False]))
    assert released.tolist() == [0.5, 0.1]


def test_who_was_admitted_before_being_enrolled_still_tells_of_life_without_case_management():
    rows = pd.DataFrame({"treated": [True, True, False, False], "early": [True, False, True, False]})
    assert case_management_could_act(rows).tolist() == [False, True, False, False]
