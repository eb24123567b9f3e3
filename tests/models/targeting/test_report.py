"""One call judges rules by everything there is, draws the page and refuses what means nothing."""

import datetime as dt
import json
import re
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from models.benefit.doubly_robust import doubly_robust_scores
from models.targeting.falsification import overlap, placebo_effect, risk_ratio
from models.targeting.report import report
from models.targeting.scored import TargetingInputError, scored, scored_by_history

PEOPLE = 4_000
DAY = dt.date(2026, 10, 1)


def history(seed: int = 0, people: int = PEOPLE, hidden: float = 0.0) -> dict[str, np.ndarray]:
    """People of whom the ill are treated more; `hidden` of a cause that no propensity shows moves treatment and placebo."""
    random = np.random.default_rng(seed)
    ill, gains, unseen = random.normal(size=(3, people))
    risk = expit(-1 + 0.7 * ill)
    benefit = 0.5 * risk * expit(2 * gains)
    chance = expit(-1.5 + 0.6 * ill)
    treated = random.random(people) < expit(-1.5 + 0.6 * ill + hidden * unseen)
    outcome = random.random(people) < risk - benefit * treated
    return {
        "X": np.column_stack([ill, gains]),
        "treated": treated,
        "outcome": outcome,
        "chance": chance,
        "risk": risk,
        "benefit": benefit,
        "placebo": random.random(people) < expit(-1 + 0.7 * ill + hidden * unseen),
        "scores": doubly_robust_scores(treated, outcome, chance, np.full(people, 0.3), np.full(people, 0.3)),
    }


def people_of(made: dict[str, np.ndarray]):
    return scored(
        made["scores"],
        treatment=made["treated"],
        propensity=made["chance"],
        outcome=made["outcome"],
        placebos={"planned admission": made["placebo"]},
    )


@pytest.fixture(scope="module")
def made():
    return history()


@pytest.fixture(scope="module")
def drawn(made, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    other = made["benefit"] * 1.2, np.full(PEOPLE, 1200.0)
    found = report(
        people_of(made),
        {"learned <benefit>": made["benefit"], "risk": made["risk"]},
        folder,
        share=0.1,
        as_of=DAY,
        stated="learned <benefit>",
        cost=500.0,
        budget=40.0,
        worth=20_000.0,
        programmes={
            "case management": (made["scores"], made["benefit"], 500.0),
            "reablement": (made["scores"] * 1.2, *other),
        },
        synthetic=True,
    )
    return found, folder


def test_the_page_stands_alone_and_has_a_sentence_and_a_table_for_every_picture(drawn):
    page = (drawn[1] / "targeting.html").read_text()
    assert not re.search(r"<script|https?://(?!www\.w3\.org)", page)
    assert "SYNTHETIC" in page
    assert "learned &lt;benefit&gt;" in page
    assert "learned <benefit>" not in page
    for part in page.split("<section")[1:]:
        assert 'class="says"' in part
        assert part.count("<svg") <= part.count("<table")
    assert page.count("<svg") == 3
    assert page.count("<section") == 8


def test_the_page_and_the_json_hold_the_same_numbers(drawn):
    found, folder = drawn
    told = json.loads((folder / "targeting.json").read_text())
    assert told == found.as_dict()
    page = (folder / "targeting.html").read_text()
    for row in told["advantages"] + [one for one in told["rules"] if one["measure"] == "gain"]:
        assert f"{1000 * row['low']:.2f} to {1000 * row['high']:.2f}" in page
    assert f"{told['slope']['value']:.2f}" in page


def test_the_same_people_give_the_same_bytes(made, drawn, tmp_path):
    rules = {"benefit": made["benefit"]}
    for name in ("one", "other"):
        report(people_of(made), rules, tmp_path / name, share=0.1, as_of=DAY)
    for file in ("targeting.html", "targeting.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "other" / file).read_bytes()


def test_the_example_of_the_documents_runs_as_it_stands(tmp_path, monkeypatch):
    told = (Path(__file__).parents[3] / "docs" / "how-to" / "benefit.md").read_text(encoding="utf-8")
    example = next(code for code in re.findall(r"```python\n(.*?)```", told, re.S) if "report(" in code)
    monkeypatch.chdir(tmp_path)
    exec(example, {})
    assert json.loads((tmp_path / "judged" / "targeting.json").read_text())["stated"] == "benefit"


def test_scores_alone_are_judged_and_the_page_says_what_cannot_be(made, tmp_path):
    found = report(scored(made["scores"]), {"risk": made["risk"]}, tmp_path, share=0.1, as_of=DAY)
    assert found.overlap is None
    assert (tmp_path / "targeting.html").read_text().count("Only scores were given") == 3


def test_where_like_is_compared_with_like_a_placebo_seems_changed_one_time_in_twenty():
    missed = 0
    for seed in range(100):
        told = history(seed, 2_000)
        everybody = np.ones(2_000, dtype=bool)
        low, high = placebo_effect(
            told["placebo"], told["treated"], told["chance"], np.arange(2_000), everybody
        ).interval()
        missed += not low < 0 < high
    assert missed <= 11


def test_a_hidden_cause_shows_in_the_placebo():
    told = history(1, hidden=1.0)
    everybody = np.ones(PEOPLE, dtype=bool)
    effect = placebo_effect(told["placebo"], told["treated"], told["chance"], np.arange(PEOPLE), everybody)
    assert effect.interval()[1] < 0


def test_the_ratio_of_rates_has_the_error_it_has_over_populations():
    found = []
    for seed in range(150):
        told = history(seed, 2_000)
        rows = told["risk"] > 0.3
        found.append(risk_ratio(told["outcome"], told["treated"], told["chance"], np.arange(2_000), rows))
    assert np.mean([one.error for one in found]) == pytest.approx(np.std([one.value for one in found]), rel=0.2)
    assert np.mean([one.value for one in found]) == pytest.approx(0.75, abs=0.03)


def test_nobody_treated_among_them_gives_no_ratio_and_no_overlap(made):
    rows = ~made["treated"]
    assert np.isnan(risk_ratio(made["outcome"], made["treated"], made["chance"], np.arange(PEOPLE), rows).value)
    alike = overlap(made["treated"], made["chance"], rows)
    assert alike["effective_treated"] == 0
    assert alike["effective_untreated"] > 1_000


def test_a_table_by_itself_is_scored_by_an_estimator(tmp_path):
    told = history(3, 3_000)
    people = scored_by_history(
        told["X"], told["treated"], told["outcome"], placebos={"planned admission": told["placebo"]}
    )
    found = report(
        people, {"benefit": told["benefit"], "nobody better": np.zeros(3_000)}, tmp_path, share=0.2, as_of=DAY
    )
    assert found.advantages.loc[0, "low"] < 0.2 * (np.sort(told["benefit"])[-600:].mean() - told["benefit"].mean())
    assert found.advantages.loc[0, "value"] > 0
    assert len(found.placebos) == 3


def test_every_problem_with_the_people_is_named_at_once():
    with pytest.raises(TargetingInputError) as refused:
        scored(np.r_[np.full(11, np.nan), 1.0], person=np.arange(12), treatment=np.zeros(12), placebos={"x": [2] * 12})
    told = str(refused.value)
    assert "11 of 12 rows" in told
    assert "12 people; 100 are the least" in told
    assert "`propensity` and `outcome` must be given too" in told
    assert "`x` must be 0 or 1" in told


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"treatment": np.zeros(PEOPLE)}, "nobody was treated"),
        ({"treatment": np.ones(PEOPLE)}, "nobody was untreated"),
        ({"propensity": np.r_[1.0, 0.0, np.full(PEOPLE - 2, 0.5)]}, "in 2 rows"),
        ({"person": np.arange(5)}, "`person` has 5 values"),
        ({"outcome": ["yes"] * PEOPLE}, "`outcome` must be 0 or 1"),
    ],
)
def test_people_who_cannot_be_compared_are_refused(made, change, words):
    given = {"treatment": made["treated"], "propensity": made["chance"], "outcome": made["outcome"]} | change
    with pytest.raises(TargetingInputError, match=re.escape(words)):
        scored(made["scores"], **given)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"share": 0}, "between 0 and 1"),
        ({"share": 0.001}, "fewer than 10 places"),
        ({"rules": {}}, "`rules` is empty"),
        ({"rules": {"risk": np.full(PEOPLE, np.nan)}}, "4000 of 4000 rows"),
        ({"rules": {"risk": np.ones(3)}}, "for 4000 rows"),
        ({"stated": "need"}, "none of the rules"),
        ({"cost": 500.0}, "need a `budget`"),
        ({"budget": 5.0}, "needs a `cost`"),
        ({"cost": 0.0, "budget": 5.0}, "not above 0 in 4000"),
        ({"cost": 500.0, "budget": 0.0}, "must be above 0"),
        ({"worth": 5.0}, "needs a `cost`"),
    ],
)
def test_a_report_that_means_nothing_is_refused(made, tmp_path, change, words):
    given = {"rules": {"risk": made["risk"]}, "share": 0.1, "as_of": DAY} | change
    with pytest.raises(TargetingInputError, match=re.escape(words)):
        report(scored(made["scores"]), given.pop("rules"), tmp_path, **given)
