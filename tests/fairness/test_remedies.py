"""What would help, in the order in which to try it, each remedy with what it would do."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from casewell.settings import Fairness
from fairness.audit import audit
from fairness.controlled import controlled_remedies
from fairness.gate import decide
from fairness.page import write_page
from fairness.remedies import ALLOCATION, DATA, LABEL, MODEL, remedy_rows
from fairness.sentences import about_remedies


@pytest.fixture(scope="module")
def planted(tools):
    """Asian people's risk is half of what it should be, and mended; part of their illness is not on record; the policy gives them more."""
    world = tools["make_world"](20_000)
    asian = (world.groups["ethnic_group"] == "Asian").to_numpy()
    known = world.scores["need"]
    scores = world.scores.assign(
        need=known * np.where(asian, 0.9, 1.0),
        need_expected=known,
        risk_before_groups=world.scores["risk"] * np.where(asian, 0.5, 1.0),
        benefit=world.scores["risk"] * np.where(asian, 0.02, 0.1),
    )
    before = world.test["risk"] * np.where(world.test["person_id"].isin(world.groups["person_id"][asian]), 0.5, 1.0)
    team = pd.DataFrame(
        {"person_id": scores["person_id"], "team": np.where(scores["person_id"] % 3 == 0, "one", "two")}
    )
    settings = Fairness(draws=100, gate_on=["ethnic_group"])
    listed = scores.nlargest(1_000, "benefit")["person_id"].to_numpy()
    gained = np.r_[listed[:-20], scores.loc[asian].nlargest(30, "benefit")["person_id"].to_numpy()]
    return audit(
        world.groups,
        scores,
        np.unique(gained),
        world.test.assign(risk_before_groups=before),
        world.lost,
        settings,
        1,
        known=team,
    )


def row(found, step, words=""):
    table = found.remedies
    return table[(table["step"] == step) & table["remedy"].str.contains(words)].iloc[0]


def test_the_order_is_label_data_model_allocation(planted):
    assert list(dict.fromkeys(planted.remedies["step"])) == [LABEL, DATA, MODEL, ALLOCATION]


def test_the_group_is_the_one_with_the_lowest_share_of_places_for_its_need(planted):
    ratios = planted.measures.query("grouping == 'ethnic_group' and measure == 'share_ratio'").set_index("group")[
        "value"
    ]
    assert set(planted.remedies["group"]) == {ratios.idxmin()}
    assert row(planted, LABEL)["before"] == pytest.approx(ratios.min())
    assert row(planted, ALLOCATION)["after"] == pytest.approx(ratios.min())


def test_each_remedy_is_made_within_each_teams_places_and_differs_by_what_it_ranks_by_alone():
    people = pd.DataFrame(
        {
            "person_id": range(80),
            "team": ["one"] * 40 + ["two"] * 40,
            "g": (["a"] * 20 + ["b"] * 20) * 2,
            "need": [40.0 - n % 40 for n in range(80)],
            # Team two, which has no places, would have them all, and for `a`.
            "risk": [float(n) for n in range(40)] + [140.0 - n for n in range(40)],
            "listed": [n % 2 == 0 for n in range(40)] + [False] * 40,
            "high_need": [n % 40 < 20 or n % 40 > 29 for n in range(80)],
        }
    ).rename(columns={"g": "sex"})
    measures = pd.DataFrame(
        {"grouping": "sex", "group": ["a", "b"], "measure": "share_ratio", "value": [0.4, 0.9], "people": [400, 400]}
    )
    found = remedy_rows(people, people.iloc[:0], measures, Fairness(gate_on=["sex"])).set_index("remedy")
    # Of 20 places, all in team one: half to `a` now, none by risk, all by need; `a` has two thirds of high need.
    assert found["before"].tolist() == pytest.approx([0.75, 0.75])
    assert found.loc["places by risk instead", "after"] == 0
    assert found.loc["places by recorded need instead", "after"] == pytest.approx(1.5)


def test_places_by_expected_need_are_held_against_expected_need():
    people = pd.DataFrame(
        {
            "person_id": range(200),
            "sex": ["a"] * 100 + ["b"] * 100,
            "need": [0.0] * 100 + [1.0 + n for n in range(100)],
            "need_expected": [1.0 + n for n in range(100)] * 2,
            "listed": [n < 10 or 100 <= n < 130 for n in range(200)],
            "high_need": [n >= 180 for n in range(200)],
        }
    )
    measures = pd.DataFrame(
        {"grouping": "sex", "group": ["a"], "measure": "share_ratio", "value": [0.4], "people": [400]}
    )
    found = remedy_rows(people, people.iloc[:0], measures, Fairness(gate_on=["sex"], need_share=0.2))
    told = found[found["step"] == DATA].iloc[0]
    # Half of expected need is in `a`, and none of what is recorded; of 40 places it has 10 now, and 20 by expected need.
    assert (told["before"], told["after"]) == (pytest.approx(0.5), pytest.approx(1.0))


def test_missing_illness_a_mended_risk_and_the_policy_show_their_effect(tools, planted):
    assert set(planted.remedies["group"]) == {"Asian"}
    data, places = row(planted, DATA), row(planted, MODEL, "places by risk")
    calibration = row(planted, MODEL, "observed over predicted")
    assert data["after"] > data["before"] + 0.2
    assert places["after"] > 1.5 * places["before"]
    assert calibration["before"] == pytest.approx(2 * calibration["after"])
    assert row(planted, ALLOCATION)["after"] > row(planted, ALLOCATION)["before"]


def test_what_was_not_measured_is_not_shown_and_the_page_says_so(unfair, tmp_path):
    assert set(unfair.remedies["step"]) == {LABEL}
    about = {"title": "Northshire", "as_of": dt.date(2026, 9, 28), "synthetic": True, "evidence_grade": "assumed"}
    page = write_page(unfair, decide(unfair, Fairness()), tmp_path / "fairness.html", **about).read_text()
    assert (
        page.index("1. Another label. ")
        < page.index("2. Better data. No expected need")
        < page.index("4. Allocation. ")
    )
    said = page[page.index("1. Another label. ") : page.index("2. Better data. ")]
    assert "Places by risk instead: " in said
    assert said.count("ethnic group Asian 0.") == 2


def test_a_board_is_told_of_groups_that_surely_pass_nothing(unfair):
    told = unfair.measures.assign(verdict="pass")
    assert about_remedies(replace(unfair, measures=told))[0].startswith("No group that the gate judges needs any")
    sentences = " ".join(about_remedies(unfair))
    passing = unfair.measures.query("measure == 'share_ratio' and verdict == 'pass'")
    shown = set(unfair.remedies["grouping"] + unfair.remedies["group"])
    assert shown & set(passing["grouping"] + passing["group"])
    assert "ethnic group Asian" in sentences
    assert "sex female" not in sentences
    assert "sex male" not in sentences


@pytest.mark.parametrize(
    ("grouping", "group", "ratio", "shown"),
    [
        ("inclusion_health", "no code", 0.9, False),
        ("core20", "others", 0.9, False),
        ("inclusion_health", "recorded", 0.9, True),
        ("inclusion_health", "recorded", 1.2, False),
    ],
)
def test_everybody_else_is_no_group_to_remedy_and_nor_is_one_with_its_share(grouping, group, ratio, shown):
    people = pd.DataFrame(
        {
            "person_id": range(80),
            grouping: [group] * 40 + ["Core20"] * 40,
            "need": 1.0,
            "risk": 0.5,
            "listed": [n % 2 == 0 for n in range(80)],
            "high_need": True,
        }
    )
    measures = pd.DataFrame(
        {"grouping": [grouping], "group": group, "measure": "share_ratio", "value": ratio, "people": 400}
    )
    found = remedy_rows(people, people.iloc[:0], measures, Fairness(gate_on=[grouping]))
    assert (set(found["group"]) == {group}) == shown


@pytest.mark.parametrize(("places", "hidden"), [(0, False), (1, True), (7, True), (8, False), (33, True), (40, False)])
def test_a_ratio_that_rests_on_few_people_inside_or_outside_the_group_is_hidden(places, hidden):
    people = pd.DataFrame(
        {
            "person_id": range(200),
            "sex": ["a"] * 100 + ["b"] * 100,
            "need": 1.0,
            "risk": 0.5,
            "listed": [n < places or 100 <= n < 140 - places for n in range(200)],
            "high_need": [n % 2 == 0 for n in range(200)],
        }
    )
    measures = pd.DataFrame(
        {"grouping": "sex", "group": ["a", "b"], "measure": "share_ratio", "value": [0.4, 0.9], "people": [100, 100]}
    )
    found = remedy_rows(people.drop(columns="risk"), people.iloc[:0], measures, Fairness(gate_on=["sex"]))
    assert set(found["hidden"]) == {hidden}


def test_nothing_hidden_is_told(small):
    shown = controlled_remedies(replace(small, remedies=small.remedies.assign(hidden=True)))
    assert len(shown)
    assert shown[["before", "after"]].isna().all().all()
