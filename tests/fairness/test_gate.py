import datetime as dt

import numpy as np
import pytest

from casewell.settings import Fairness, Override
from fairness.gate import decide
from fairness.record import to_json

DAY = dt.date(2026, 10, 1)
OVERRIDE = {"owner": "Medical Director", "reason": "First weeks of a small pilot", "review_date": DAY}


def test_a_fair_list_of_200_000_people_passes(fair):
    verdict = decide(fair, Fairness())
    assert (verdict.verdict, verdict.released, verdict.override) == ("pass", True, None)
    assert "All 9 groups" in verdict.reasons[0]


def test_a_programme_that_did_harm_withholds_a_list_however_fair_until_somebody_takes_responsibility(fair):
    said = "On the history case management did harm."
    harm = [(True, said)]
    verdict = decide(fair, Fairness(), harm)
    assert (verdict.verdict, verdict.released, verdict.reasons) == ("fail", False, (said,))
    assert verdict.harms == (said,)
    unsure_only = Fairness(override=Override(**OVERRIDE))
    assert not decide(fair, unsure_only, harm, DAY).released
    assert decide(fair, Fairness(override=Override(**OVERRIDE, covers="fail")), harm, DAY).released


def test_a_programme_that_may_have_done_harm_leaves_a_fair_list_at_cannot_tell(fair):
    said = "On the history case management may have done harm."
    verdict = decide(fair, Fairness(), [(False, said)])
    assert (verdict.verdict, verdict.released, verdict.reasons) == ("cannot tell", False, (said,))
    released = decide(fair, Fairness(override=Override(**OVERRIDE)), [(False, said)], DAY)
    assert released.released
    assert released.harms == (said,)


def test_a_group_with_half_the_places_its_need_deserves_fails_by_name(unfair, tools):
    assert 0.4 < tools["row"](unfair, "ethnic_group", "Asian", "share_ratio")["value"] < 0.6
    verdict = decide(unfair, Fairness())
    assert (verdict.verdict, verdict.released) == ("fail", False)
    assert verdict.reasons[0].startswith("Ethnic group, Asian: share of places over share of need is 0.")
    assert sum("by more than chance" in reason for reason in verdict.reasons) == 1


def test_a_risk_that_misleads_for_one_group_fails_by_name(tools):
    found = tools["run"](tools["make_world"](60_000, risk_factor=1.6))
    verdict = decide(found, Fairness())
    assert verdict.verdict == "fail"
    assert verdict.reasons[0].startswith("Ethnic group, Black: observed over predicted outcomes is 1.")


def test_too_few_people_cannot_tell(small):
    verdict = decide(small, Fairness())
    assert (verdict.verdict, verdict.released) == ("cannot tell", False)


def test_fair_lists_rarely_fail(tools):
    verdicts = [decide(tools["run"](tools["make_world"](4_000, seed)), Fairness()).verdict for seed in range(10, 14)]
    assert "fail" not in verdicts


@pytest.mark.parametrize("removed", [False, True])
def test_ethnicity_unknown_for_all_cannot_tell(tools, removed):
    world = tools["make_world"](60_000)
    groups = world.groups.assign(ethnic_group="not recorded", imd_by_ethnicity="1 most deprived, not recorded")
    if removed:
        groups = groups.drop(columns=["ethnic_group", "ethnic_category", "imd_by_ethnicity"])
    verdict = decide(tools["run"](world._replace(groups=groups)), Fairness())
    assert verdict.verdict == "cannot tell"
    assert verdict.reasons == (
        "Ethnic group: it is not recorded for anybody, so groups cannot be compared.",
        "Ethnic group, missing ethnicity: it is not known for 100% of the eligible people, and at most 15% is tolerated.",
    )


def test_shuffled_ethnicity_cannot_tell_where_the_same_list_passes(tools):
    world = tools["make_world"](60_000)
    assert decide(tools["run"](world), Fairness()).verdict == "pass"
    shuffled = np.random.default_rng(9).permutation(world.groups["ethnic_group"])
    groups = world.groups.assign(ethnic_group=shuffled)
    groups["imd_by_ethnicity"] = groups["imd_quintile"] + ", " + shuffled
    groups["imd_by_ethnicity_by_sex"] = groups["imd_by_ethnicity"] + ", " + groups["sex"]
    verdict = decide(tools["run"](world._replace(groups=groups)), Fairness())
    assert verdict.verdict == "cannot tell"
    assert [reason for reason in verdict.reasons if "goes with neither age nor deprivation" in reason]


def test_people_whose_group_is_not_recorded_are_judged_like_any_other(tools):
    world = tools["make_world"](60_000)
    unknown = world.groups.set_index("person_id")["ethnic_group"] == "not recorded"
    without = np.array([person for person in world.selected if not unknown[person]])
    verdict = decide(tools["run"](world._replace(selected=without)), Fairness())
    assert verdict.verdict == "fail"
    assert verdict.reasons[0].startswith("Ethnic group, not recorded: share of places over share of need is 0.00")


def test_a_grouping_outside_gate_on_does_not_decide(unfair):
    verdict = decide(unfair, Fairness(gate_on=["sex"]))
    assert verdict.verdict == "pass"


@pytest.mark.parametrize(
    "change",
    ["nobody selected", "everybody selected", "no test window", "no eligible people", "one person", "nobody in need"],
)
def test_an_empty_or_trivial_list_cannot_tell_and_never_crashes(tools, change):
    world = tools["make_world"](2_000)
    changed = {
        "nobody selected": lambda: world._replace(selected=np.array([], dtype="int64")),
        "everybody selected": lambda: world._replace(selected=world.scores["person_id"].to_numpy()),
        "no test window": lambda: world._replace(test=world.test.iloc[:0]),
        "no eligible people": lambda: world._replace(scores=world.scores.iloc[:0], selected=[]),
        "one person": lambda: world._replace(scores=world.scores.iloc[:1], selected=[]),
        "nobody in need": lambda: world._replace(scores=world.scores.assign(need=0.0)),
    }[change]()
    settings = Fairness(minimum_people=1)
    found = tools["run"](changed, settings)
    assert decide(found, settings).verdict == "cannot tell"
    assert to_json(found, decide(found, settings))["verdict"] == "cannot tell"


@pytest.mark.parametrize("members", [0, 1, 7])
def test_a_tiny_group_cannot_be_judged_and_an_absent_one_is_not_invented(tools, members):
    world = tools["make_world"](60_000)
    sex = world.groups["sex"].where(world.groups.index >= members, "other")
    found = tools["run"](world._replace(groups=world.groups.assign(sex=sex)))
    verdict = decide(found, Fairness())
    assert verdict.verdict == ("pass" if members == 0 else "cannot tell")
    assert all(reason.startswith("Sex, other: fewer than 100 people") for reason in verdict.reasons if members)


@pytest.mark.parametrize(
    ("covers", "released_when_unsure", "released_when_failed"), [("cannot_tell", True, False), ("fail", True, True)]
)
def test_an_override_releases_what_it_covers(small, unfair, covers, released_when_unsure, released_when_failed):
    settings = Fairness(override=Override(**OVERRIDE, covers=covers))
    unsure, failed = decide(small, settings, as_of=DAY), decide(unfair, settings, as_of=DAY)
    assert (unsure.released, failed.released) == (released_when_unsure, released_when_failed)
    assert (unsure.verdict, failed.verdict) == ("cannot tell", "fail")
    assert (failed.override is not None) == released_when_failed


def test_a_pass_needs_no_override(fair):
    verdict = decide(fair, Fairness(override=Override(**OVERRIDE)), as_of=DAY + dt.timedelta(days=1))
    assert (verdict.released, verdict.override, verdict.about_lapsed()) == (True, None, "")


def test_an_override_releases_no_list_of_a_day_after_its_review_and_says_so(small, unfair):
    settings = Fairness(override=Override(**OVERRIDE))
    on_the_day, after = (decide(small, settings, as_of=DAY + dt.timedelta(days=days)) for days in (0, 1))
    assert (on_the_day.released, on_the_day.about_lapsed()) == (True, "")
    assert (after.released, after.override, after.verdict) == (False, None, "cannot tell")
    assert "The override of Medical Director stood until 2026-10-01" in after.about_lapsed()
    assert "give the next date" in to_json(small, after)["override_lapsed"]
    not_covered = decide(unfair, settings, as_of=DAY + dt.timedelta(days=1))
    assert (not_covered.released, not_covered.about_lapsed()) == (False, "")


def test_without_a_day_nobody_can_say_that_an_override_stands(small):
    assert not decide(small, Fairness(override=Override(**OVERRIDE))).released
