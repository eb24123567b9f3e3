from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re

import numpy as np
import pandas as pd
import pytest

from casewell.settings import Policy, Stability, Teams
from cohorts import allocate
from cohorts.allocation import NO_LIMIT
from cohorts.price import Price, _row, price
from cohorts.price_page import controlled, sentences, to_json, write_price_page
from fairness import group_table
from fairness.groups import QUINTILES

KEY = b"a key for tests"
AS_OF = dt.date(2026, 9, 28)
OWNED = {"owner": "<b>A. Director</b>", "review_date": dt.date(2027, 4, 1)}
OUTCOME = "emergency admission or death within 12 months"


@pytest.fixture(scope="module")
def priced(people, scores):
    """200 people of each fifth; the more deprived gain a little less. 100 places."""
    rng = np.random.default_rng(1)
    everybody = people(*[{"imd_decile": float(1 + n % 10), "practice_code": f"P{n % 7}"} for n in range(1000)])
    scored = scores(
        *[
            {"benefit": float(g), "need": float(g)}
            for n, g in enumerate(rng.gamma(2, 0.01, 1000) * (1 + 0.03 * (np.arange(1000) % 10)))
        ]
    )
    teams = Teams(default_capacity=100)

    def run(policy: Policy, stability: Stability = NO_LIMIT):
        groups = group_table(everybody, AS_OF)
        last = everybody.loc[everybody["person_id"] % 9 == 0, ["person_id", "team_code"]]
        chosen = allocate(scored, everybody, teams, KEY, policy, groups, stability=stability, last=last)
        listed = chosen.loc[chosen["status"] == "listed", "person_id"].to_numpy()
        return price(listed, scored, everybody, groups, teams, policy, 0.1, KEY, stability.chosen)

    return run


def test_the_price_is_the_benefit_lost_and_the_places_moved(priced):
    found = priced(Policy(inequality_aversion=10.95, **OWNED))
    before, after = found.row("by benefit alone"), found.row("chosen")
    moved = after["core20"] - before["core20"]
    assert before["benefit"] > after["benefit"]
    assert moved > 20
    assert found.fifths["entered"].sum() == found.fifths["left"].sum() >= moved
    assert found.fifths.set_index("fifth").loc["1 most deprived", "after"] == after["core20"]
    assert (
        f"costs {before['benefit'] - after['benefit']:.2f} of the {before['benefit']:.2f} people"
        in sentences(found, OUTCOME)[0]
    )
    assert f"about {round(moved / 5) * 5} places to the most deprived fifth" in sentences(found, OUTCOME)[0]


def test_the_frontier_falls_in_benefit_and_leans_to_the_most_deprived(priced):
    tried = priced(Policy()).frontier.query("policy == 'tried'")
    assert (tried["benefit"].diff().dropna() <= 1e-12).all()
    assert (tried["inequity"].diff().dropna() <= 1e-12).all()
    assert tried.iloc[0]["benefit"] == priced(Policy()).row("by benefit alone")["benefit"]


def test_without_a_policy_nothing_moves(priced):
    found = priced(Policy())
    assert sentences(found, OUTCOME) == ["The policy moves no place: the list is the one by benefit alone."]


def test_what_the_limit_on_changes_moves_and_costs_is_no_price_of_the_policy(priced, tmp_path):
    policy, limit = Policy(inequality_aversion=5, **OWNED), Stability(most_replaced=0.3)
    alone, limited = priced(policy), priced(policy, limit)
    assert limited.row("chosen").equals(alone.row("chosen"))
    chosen, listed = limited.row("chosen"), limited.row("as listed")
    assert listed["moved"] > 20
    assert listed["benefit"] < chosen["benefit"]
    assert limited.fifths["after"].sum() == listed["places"]
    said = sentences(limited, OUTCOME)
    assert f"moves about {round(listed['moved'] / 5) * 5} places besides" in said[2]
    assert said[:2] == sentences(alone, OUTCOME)[:2]
    assert f"costs {chosen['benefit'] - listed['benefit']:.2f} people expected to be spared: no part" in said[2]
    assert sentences(priced(Policy(), limit), OUTCOME)[0] == (
        "The policy moves no place: it would choose the list by benefit alone."
    )
    assert "as listed" not in set(alone.frontier["policy"])
    about = {"name": "North", "as_of": AS_OF, "synthetic": True, "outcome": OUTCOME, "grade": "assumed"}
    assert ">as listed<" in write_price_page(limited, policy, tmp_path / "a.html", **about).read_text()


def test_indices_are_hidden_where_a_fifth_has_few_places(priced, tmp_path):
    found = priced(Policy(inequality_aversion=30, **OWNED))
    assert not found.row("by benefit alone")["small"]
    few = found.frontier.assign(small=found.frontier["policy"] == "chosen")
    masked = Price(few, found.fifths)
    fit = controlled(masked).frontier.set_index("policy")
    assert fit.loc[["chosen"], ["concentration", "inequity"]].isna().all(axis=None)
    assert fit.loc["by benefit alone", ["concentration", "inequity"]].notna().all()
    assert "too few places" in sentences(masked, OUTCOME)[-1]
    about = {"name": "Northshire", "as_of": AS_OF, "synthetic": True, "outcome": OUTCOME, "grade": "assumed"}
    page = write_price_page(masked, Policy(), tmp_path / "masked.html", **about).read_text()
    assert ">*</td>" in page
    assert not re.search(r">[+-]?nan<", page)


def test_few_places_of_a_fifth_are_noticed():
    table = pd.DataFrame({"imd_quintile": np.repeat(list(QUINTILES.values()), 40), "benefit": 0.1, "high_need": True})
    listed = np.tile(np.arange(40) < 10, 5)
    assert not _row(table, "chosen", 0.0, listed, listed)["small"]
    assert _row(table, "chosen", 0.0, listed & (np.arange(200) > 2), listed)["small"]


def test_small_counts_are_hidden_on_the_page_and_in_the_json(priced, tmp_path):
    policy = Policy(inequality_aversion=0.3, **OWNED)
    found = priced(policy)
    small = found.fifths[["entered", "left"]].to_numpy()
    assert ((small > 0) & (small < 8)).any()
    fit = controlled(found).fifths
    shown = fit[["entered", "left", "before", "after"]].to_numpy()
    assert not ((shown > 0) & (shown < 8)).any()
    assert (np.nan_to_num(shown) % 5 == 0).all()
    told = to_json(found, policy, OUTCOME, "assumed")
    assert json.dumps(told, allow_nan=False)
    assert not any(0 < (row["entered"] or 0) < 8 for row in told["fifths"])
    assert "moves a few places" in " ".join(told["says"])


def test_counts_stand_until_they_have_moved_far_enough_from_what_the_week_before_showed(priced):
    policy = Policy(inequality_aversion=0.3, **OWNED)
    found = priced(policy)
    first = to_json(found, policy, OUTCOME, "assumed")
    moved = Price(
        found.frontier.assign(places=found.frontier["places"] + 5),
        found.fifths.assign(people=found.fifths["people"] + 5 * (found.fifths["people"] > 0)),
    )
    afresh = to_json(moved, policy, OUTCOME, "assumed")
    held = to_json(moved, policy, OUTCOME, "assumed", earlier=first)
    for table, name in (("fifths", "people"), ("frontier", "places")):
        then, new, now = ([row[name] for row in told[table]] for told in (first, afresh, held))
        assert new != then
        assert now == then


def test_what_the_sentences_say_moved_stands_until_it_has_moved_far_enough(priced):
    policy = Policy(inequality_aversion=10.95, **OWNED)
    found = priced(policy)

    def said(entered, earlier=None):
        chosen = found.frontier["policy"] == "chosen"
        moved = dataclasses.replace(
            found, frontier=found.frontier.assign(moved=found.frontier["moved"].mask(chosen, entered))
        )
        told = to_json(moved, policy, OUTCOME, "assumed", earlier=earlier)
        return told["says"][1], told

    thirty, record = said(30)
    assert thirty.startswith("About 30 people are listed")
    assert said(34)[0].startswith("About 35 people are listed")
    assert said(34, record)[0] == thirty
    assert said(45, record)[0].startswith("About 45 people are listed")
    hidden, few = said(7)
    assert hidden.startswith("A few people are listed")
    assert said(9)[0].startswith("About 10 people are listed")
    assert said(9, few)[0] == hidden


def test_a_programmes_places_stand_until_they_have_moved_far_enough(priced):
    policy = Policy(inequality_aversion=0.3, **OWNED)

    def told(filled, earlier=None):
        rows = {"programme": ["case_management", "link"], "places": 60, "filled": filled, "benefit": 1.0, "pounds": 0.0}
        found = dataclasses.replace(priced(policy), programmes=pd.DataFrame(rows))
        said = to_json(found, policy, OUTCOME, "assumed", earlier=earlier)
        return [row["filled"] for row in said["programmes"]], said

    first, record = told([30, 21])
    assert first == [30, 20]
    assert told([33, 24])[0] == [35, 25]
    again, said = told([33, 24], record)
    assert again == first
    assert "20 of 60 places filled" in " ".join(said["says"])


def test_places_of_the_most_deprived_hidden_among_the_fifths_are_in_no_list(priced):
    found = priced(Policy())
    hidden = found.fifths.assign(after=[20, 3, 25, 26, 26, 0])
    assert controlled(found).frontier["core20"].notna().all()
    assert controlled(Price(found.frontier, hidden)).frontier["core20"].isna().all()


def test_the_page_is_escaped_repeats_and_states_the_grade(priced, tmp_path):
    policy = Policy(inequality_aversion=5, floors={"core20": 0.2}, **OWNED)
    found = priced(policy)
    pages = []
    for name in ("a", "b"):
        about = {"name": "North", "as_of": AS_OF, "synthetic": True, "outcome": OUTCOME, "grade": "assumed"}
        pages.append(write_price_page(found, policy, tmp_path / f"{name}.html", **about).read_text())
    assert pages[0] == pages[1]
    assert "&lt;b&gt;A. Director" in pages[0]
    assert "<b>A. Director" not in pages[0]
    assert "Benefit is ASSUMED" in pages[0]
    assert "SYNTHETIC" in pages[0]
    assert not re.search(r"<script|https?:|//", pages[0])


def test_the_page_and_the_json_name_the_grade_of_every_programme(priced, tmp_path):
    found = priced(Policy())
    several = dataclasses.replace(
        found,
        programmes=pd.DataFrame(
            [("link", 30, 20, 1.5, 0.0)], columns=["programme", "places", "filled", "benefit", "pounds"]
        ),
    )
    beside = {"link": {"title": "Walks", "grade": "compared", "sentence": "Benefit of <Walks> was learned."}}
    about = {"name": "North", "as_of": AS_OF, "synthetic": True, "outcome": OUTCOME, "grade": "assumed"}
    page = write_price_page(several, Policy(), tmp_path / "a.html", **about, beside=beside).read_text()
    assert "<li>Benefit of &lt;Walks&gt; was learned. (grade: compared)</li>" in page
    told = to_json(several, Policy(), OUTCOME, "assumed", beside=beside)
    assert told["evidence_grades"] == {"case_management": "assumed", "link": "compared"}
