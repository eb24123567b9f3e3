"""What a week's monitoring shows, and what it hides."""

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest

from casewell.settings import Monitoring
from monitoring import Finding, Week, as_json, numbers, write_page
from monitoring.churn import Churn
from monitoring.drift import score_drift
from monitoring.ethnicity import about_ethnicity
from monitoring.feeds import about_feeds
from monitoring.leaks import COLUMNS as LEAK_COLUMNS
from monitoring.maturing import COLUMNS as CALIBRATION_COLUMNS
from monitoring.population import Composition

AS_OF = dt.date(2026, 10, 1)
FEEDS = pd.DataFrame(
    [{"source": "gp", "newest": AS_OF, "window_days": 28, "people": 1_003, "silent": 4, "share": 0.004, "level": ""}]
)
LEAKS = pd.DataFrame([["SNOMED//1", 3, 2, 40, 5, 0.66, 0.125, 5.0, False]], columns=LEAK_COLUMNS)
CELLS = pd.DataFrame(
    [
        {
            "age_band": "18-44", "imd_quintile": "2", "people": 500, "came": 61, "left": 3, "growth": 0.116,
            "beyond_chance": 7.2, "share": 0.5, "share_then": 0.4,
        }
    ]
)  # fmt: skip
CALIBRATION = pd.DataFrame(
    [[dt.date(2025, 7, 1), "in full", 365, 900, 6, 88.2, 1.1, 0.9, 1.3, 1.0, 0.8, 1.2]], columns=CALIBRATION_COLUMNS
)


def week(**changes):
    told = {
        "name": "demo",
        "as_of": AS_OF,
        "synthetic": True,
        "model": "3",
        "without": (),
        "feeds": FEEDS,
        "codes": pd.DataFrame(columns=["place", "month", "code", "usual", "instead", "source"]),
        "leaks": LEAKS,
        "composition": Composition(CELLS, 1.02, 0.9, 1.15),
        "features": pd.DataFrame(
            [{"source": "gp", "features": 50, "shifted": 2, "share": 0.04, "furthest": "age", "psi": 0.3}]
        ),
        "scores": {"the last run": score_drift(pd.Series([0.1, 0.2, 0.3]), pd.Series([0.1, 0.2, 0.4]))},
        "calibration": CALIBRATION,
        "churn": Churn("2026-09-24", 40, 41, pd.DataFrame({"movement": ["left"], "cause": ["died"], "people": [3]})),
        "need": pd.DataFrame(
            {"imd_quintile": list("123"), "people": [300, 4, 90], "need": [1.0, 2, 1], "need_expected": [1.5, 2.5, 1.1]}
        ),
        "findings": (),
    }
    return Week(**(told | changes))


@pytest.fixture
def page(tmp_path):
    return lambda **changes: write_page(week(**changes), Monitoring(), tmp_path / "monitoring.html").read_text()


def test_a_week_without_findings_passes_and_says_so(page):
    assert "Nothing is beyond its limits this week" in page()
    assert "SYNTHETIC" in page()


def test_every_section_has_a_sentence_and_the_figures_behind_it(page):
    assert page().count('class="says"') == 9
    assert page().count("<details>") == 8
    assert page(findings=(), churn=None).count("There is no earlier list") == 1


def test_findings_stand_first_with_what_to_do_and_are_escaped(page):
    text = page(findings=(Finding("leak", "look at it", "A <code>", "Ask."),))
    assert "A &lt;code&gt; Ask." in text
    assert text.index("A &lt;code&gt;") < text.index("Do the feeds still come?")


def test_the_model_that_does_without_a_feed_is_named(page):
    assert "trained without: gp" in page(without=("gp",))


def test_counts_of_fewer_than_eight_are_nowhere(page):
    told = as_json(week())
    json.dumps(told, allow_nan=False)
    assert told["feeds"][0]["silent"] is None
    assert told["leaks"][0]["share"] is None
    assert told["calibration"][0]["observed"] is None
    assert told["population"][0]["growth"] is None
    assert told["need"][1] == {"imd_quintile": "2", "people": None, "need": None, "need_expected": None}
    assert told["need"][2]["need"] is None  # else the hidden fifth could be reckoned from the whole
    assert told["list"]["causes"][0]["people"] is None


def test_no_share_gives_a_hidden_count_away(page):
    told = as_json(week())
    assert told["feeds"][0]["share"] is None
    assert told["numbers"].keys().isdisjoint({"silent_share_gp", "list_replaced_share", "population_growth"})
    assert told["leaks"][0]["beyond_chance"] is None
    assert "0.4%" not in page()
    assert all(row["now"] is None for row in told["scores"]["the last run"])


def test_how_many_came_and_went_is_shown_as_the_causes_are(page):
    causes = [("left", "died", 3), ("left", "moved", 20), ("left", "declined", 31), ("entered", "score", 58)]
    gone = Churn("2026-09-24", 152, 156, pd.DataFrame(causes, columns=["movement", "cause", "people"]))
    found = as_json(week(churn=gone))["list"]
    assert [row["people"] for row in found["causes"]] == [None, None, 30, 60]
    assert (found["entered"], found["left"], found["listed_then"], found["listed_now"]) == ("60", "55", "150", "155")
    assert numbers(week(churn=gone))["list_replaced_share"] == 55 / 150
    assert "60 people came onto the list and 55 left it; 150 were listed then, 155 are now." in page(churn=gone)


def test_a_hidden_group_is_never_the_only_one_of_its_age_or_fifth():
    rows = [("18-44", "1", 5), ("18-44", "2", 200), ("45-64", "1", 300), ("45-64", "2", 403)]
    cells = pd.DataFrame(rows, columns=["age_band", "imd_quintile", "people"])
    cells = cells.assign(came=20, left=20, growth=0.0, beyond_chance=0.0, share=0.25, share_then=0.25)
    found = as_json(week(composition=Composition(cells, 1.02, 0.9, 1.15)))["population"]
    assert [row["people"] for row in found] == [None] * 4
    assert {row["share_then"] for row in found} == {None}


def test_figures_come_from_the_counts_that_are_shown():
    cells = CELLS.assign(people=502, came=61, left=13)
    (row,) = as_json(week(composition=Composition(cells, 1.02, 0.9, 1.15)))["population"]
    assert (row["people"], row["growth"]) == (500, round(45 / 500, 3))


def test_names_in_the_books_are_no_paths():
    odd = FEEDS.assign(source="a/../b:c.", silent=400)
    assert "silent_share_a____b_c_" in numbers(week(feeds=odd))


def test_the_books_hold_what_is_known_and_nothing_else():
    told = numbers(week(composition=Composition(CELLS, float("nan"), float("nan"), float("nan"))))
    assert "admissions_ratio" not in told
    assert numbers(week(feeds=FEEDS.assign(silent=101)))["silent_share_gp"] == 0.1
    assert told["calibration_in_full_ratio"] == 1.1
    assert told["findings_look_at_it"] == 0


def test_equal_weeks_give_equal_bytes(page):
    assert page() == page()


SMALL = pd.DataFrame({"practice_code": ["everybody", "A"], "people": [1_000.0, 100.0], "unknown": [200.0, 20.0]})


def test_two_weeks_side_by_side_give_no_change_of_a_few_people_away():
    """Everything that is counted, a week later with up to seven people more or fewer."""
    feeds = FEEDS.assign(silent=42)
    leaks = LEAKS.assign(people=100, followed=30, people_then=100, followed_then=23)
    causes = pd.DataFrame({"movement": ["left"], "cause": ["died"], "people": [33]})
    need = pd.DataFrame({"imd_quintile": list("123"), "people": [300, 44, 90], "need": 1.0, "need_expected": 1.5})
    cells = CELLS.assign(left=33)
    codes = pd.DataFrame(
        [["", pd.Timestamp("2026-08-01"), "X", 43.0, "Y", "gp"]],
        columns=["place", "month", "code", "usual", "instead", "source"],
    )
    risks = pd.Series(np.linspace(0.01, 0.9, 400))

    def told(more, earlier):
        return as_json(
            week(
                feeds=feeds.assign(people=1_003 + more, silent=42 + more),
                leaks=leaks.assign(people=100 + more, followed=30 + more),
                calibration=CALIBRATION.assign(people=900 + more, observed=88 + more),
                churn=Churn("2026-09-24", 40 + more, 41 + more, causes.assign(people=33 + more)),
                need=need.assign(people=need["people"] + more),
                composition=Composition(cells.assign(people=500 + more, came=61 + more, left=33 + more), 1, 0.9, 1.1),
                codes=codes.assign(usual=43.0 + more),
                ethnicity=SMALL.assign(unknown=SMALL["unknown"] + more),
                scores={"the last run": score_drift(risks, pd.concat([risks, pd.Series([0.5] * more)]))},
                earlier=earlier,
            )
        )

    counted = ("feeds", "leaks", "calibration", "list", "need", "population", "codes", "ethnicity")
    first = told(0, {})
    for more in (3, 7):
        later = told(more, first)
        assert {name: later[name] for name in counted} == {name: first[name] for name in counted}
        shares = [[row["now"] for row in record["scores"]["the last run"]] for record in (first, later)]
        assert shares[0] == shares[1]
        assert later["numbers"]["list_replaced_share"] == first["numbers"]["list_replaced_share"]
    assert told(7, {})["feeds"] != first["feeds"], "without the earlier week it would show"
    assert told(30, first)["feeds"][0]["silent"] == 70


def test_what_a_week_hid_stays_hidden_until_it_is_clear_of_the_few():
    first = as_json(week(feeds=FEEDS.assign(silent=4)))
    later = as_json(week(feeds=FEEDS.assign(silent=9), earlier=first))
    assert (later["feeds"][0]["silent"], as_json(week(feeds=FEEDS.assign(silent=9)))["feeds"][0]["silent"]) == (
        None,
        10,
    )


def test_the_findings_hold_the_same_counts_as_the_tables():
    row = {"source": "gp", "newest": AS_OF, "window_days": 28, "people": 1_000, "share": 0.04, "level": "look at it"}
    first = as_json(week(feeds=pd.DataFrame([row | {"silent": 42}])))
    assert "(40 of 1,000)" in about_feeds(pd.DataFrame([row | {"silent": 46}]), Monitoring(), first)[0].sentence
    told = as_json(week(ethnicity=SMALL))
    later = SMALL.assign(unknown=[206.0, 26.0])
    sentence = about_ethnicity(later, 0.1, 50, told)[0].sentence
    assert "20% of people (200 of 1,000)" in sentence
    assert "with the most it is 20%" in sentence
