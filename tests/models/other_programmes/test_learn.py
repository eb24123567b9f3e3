"""Benefit of programmes beside case management, on made-up people whose truth is known."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from casewell.settings import Benefit, OtherProgramme, Settings
from models.benefit import amenability
from models.other_programmes.learn import Past, learn_programmes, places_share, standing
from models.other_programmes.score import score_programmes
from models.risk.estimator import person_folds
from models.store import load, save
from models.train import Models

PEOPLE = 24_000
COLUMNS = ["cms_score", "lives_alone", "emergency_admission_count_365d", "emergency_admission_count_730d"]
DATE = pd.Timestamp("2024-06-01")
BEGIN = DATE - pd.Timedelta(days=800)


def declared(**changes: object) -> OtherProgramme:
    told = {
        "title": "Social prescribing",
        "owner": "A. Director",
        "review_date": "2999-04-01",
        "benefit": {"share": 0.05, "source": "A board's paper of 2026."},
    }
    return OtherProgramme.model_validate(told | changes)


def settings_with(**programmes: OtherProgramme) -> Settings:
    return Settings.model_construct(benefit=Benefit(folds=3), seed=0, programmes=programmes)


def spells(person: np.ndarray, start: pd.Timestamp, end: pd.Timestamp | None = None) -> pd.DataFrame:
    return pd.DataFrame({"person_id": person, "start": start, "end": pd.Series(end, index=range(len(person)))}).astype(
        {"start": "datetime64[us]", "end": "datetime64[us]"}
    )


@pytest.fixture(scope="module")
def world() -> tuple[pd.DataFrame, np.ndarray, pd.DataFrame]:
    """People of whom half gain much by prescribing, referred more often when ill; their risk; and its starts.

    Everybody whom case management takes has the outcome, and so has everybody who was on prescribing already: counted in
    either arm, they would show.
    """
    random = np.random.default_rng(5)
    illness, gains = random.normal(size=PEOPLE), random.random(PEOPLE) < 0.5
    last = random.poisson(0.3, PEOPLE)
    managed = random.random(PEOPLE) < 0.05
    already = random.random(PEOPLE) < 0.15
    started = ~already & (random.random(PEOPLE) < expit(-2.0 + 0.5 * illness))
    risk = expit(-0.8 + illness)
    chance = risk * np.where(started & gains, 0.3, 1.0)
    table = pd.DataFrame(
        {
            "cms_score": illness,
            "lives_alone": gains.astype(float),
            "emergency_admission_count_365d": last.astype(float),
            "emergency_admission_count_730d": (last + random.poisson(0.3, PEOPLE)).astype(float),
            "person_id": np.arange(PEOPLE),
            "index_date": DATE,
            "early": False,
            "offerable": True,
            "treated": managed,
            "outcome": np.where(managed | already, True, random.random(PEOPLE) < chance),
            "negative_control": random.random(PEOPLE) < 0.2,
        }
    )
    rule = dict.fromkeys((*amenability.RESPONSIVE_CONDITIONS, *amenability.UNMET_CIRCUMSTANCES), 0.0)
    table = table.assign(**rule, **dict.fromkeys(amenability.OTHER_HELP, 0.0))
    before, after = DATE - pd.Timedelta(days=30), DATE + pd.Timedelta(days=3)
    both = [spells(np.flatnonzero(started), after), spells(np.flatnonzero(already), before)]
    return table, risk, pd.concat(both, ignore_index=True)


@pytest.fixture(scope="module")
def found(world):
    rows, risk, begun = world
    settings = settings_with(social_prescribing=declared(), reablement=declared(title="Reablement"))
    pasts = {"social_prescribing": Past(begun, 1_200), "reablement": Past(begun.head(12), 100)}
    folds = person_folds(rows["person_id"], 3, 0)
    return settings, learn_programmes(rows, COLUMNS, risk, folds, BEGIN, settings, pasts)


def test_each_programme_has_its_own_evidence_and_only_the_one_with_enough_starters_is_learned(found):
    settings, learned = found
    prescribing, reablement = learned["social_prescribing"], learned["reablement"]
    assert prescribing.evidence.grade == "compared", prescribing.sentence(settings.programmes["social_prescribing"])
    assert "comparing people who did and did not start it" in prescribing.sentence(declared())
    assert reablement.evidence.grade == "assumed"
    said = reablement.sentence(settings.programmes["reablement"])
    assert said.startswith(
        "Benefit of Reablement is assumed to be 5.0% of each person's risk (A board's paper of 2026)"
    )
    assert said.endswith("people started Reablement in the history, 300 are needed.")


def test_the_benefit_learned_is_the_programmes_own(world, found):
    rows, risk, _ = world
    settings, learned = found
    scores = score_programmes(
        settings.programmes,
        learned,
        Benefit(folds=3),
        rows,
        risk,
        dict.fromkeys(settings.programmes, spells(np.array([0]), DATE)),
    ).set_index(["programme", "person_id"])["benefit"]
    gains = rows["lives_alone"].to_numpy() == 1
    prescribing = scores["social_prescribing"].to_numpy()
    truth = 0.7 * risk * gains
    assert abs(prescribing[gains].mean() - truth[gains].mean()) < 0.05
    assert abs(prescribing[~gains].mean()) < 0.05
    assert np.allclose(scores["reablement"], 0.05 * risk)


def test_what_was_learned_comes_back_from_the_disk_and_a_model_without_programmes_is_stored_as_before(found, tmp_path):
    _, learned = found
    risk = learned["social_prescribing"].propensity
    kept = Models(risk, risk, None, None, learned["reablement"].evidence, Benefit(folds=3))
    told = json.loads((save(kept, tmp_path / "alone") / "models.json").read_text())
    assert "programmes" not in told
    assert load(tmp_path / "alone").programmes == {}
    back = load(save(replace(kept, programmes=learned), tmp_path / "beside")).programmes
    assert {code: one.evidence for code, one in back.items()} == {code: one.evidence for code, one in learned.items()}
    assert back["reablement"].propensity is None
    assert back["reablement"].effect is None
    asked = pd.DataFrame(1.0, index=range(3), columns=COLUMNS)
    two = [one["social_prescribing"] for one in (back, learned)]
    assert np.array_equal(*(one.propensity.predict(asked) for one in two))
    assert np.array_equal(*(one.effect.foretell(asked, np.full(3, 0.3), np.full(3, 0.1)).benefit for one in two))


def test_rows_of_people_on_the_programme_or_reached_by_case_management_tell_nothing_of_it(world):
    rows, risk, begun = world
    settings = settings_with(social_prescribing=declared())
    enough = Benefit().minimum_treated
    acted = rows["person_id"][rows["treated"]].to_numpy()
    on_it = spells(begun["person_id"].to_numpy(), DATE - pd.Timedelta(days=30))
    for enrolments in (begun[begun["person_id"].isin(acted)], on_it):
        assert len(enrolments) > 0
        folds = person_folds(rows["person_id"], 3, 0)
        learned = learn_programmes(
            rows, COLUMNS, risk, folds, BEGIN, settings, {"social_prescribing": Past(enrolments, 1)}
        )
        assert learned["social_prescribing"].evidence.treated == 0 < enough


def test_who_is_on_a_programme_and_who_starts_it_soon_after():
    day = lambda days: DATE + pd.Timedelta(days=days)  # noqa: E731
    rows = pd.DataFrame({"index_date": DATE, "person_id": [1, 2, 3, 4, 5, 6]})
    enrolments = pd.concat(
        [
            spells(np.array([1]), day(-5), day(0)),  # ended on the day
            spells(np.array([1]), day(29)),
            spells(np.array([2]), day(-5), day(1)),
            spells(np.array([2]), day(3)),  # still on it on the day: no start
            spells(np.array([3]), day(0)),
            spells(np.array([4]), day(30)),
            spells(np.array([5]), day(-1)),
        ]
    )
    on_it, started = standing(rows, enrolments, 30)
    assert on_it.tolist() == [False, True, False, False, True, False]
    assert started.tolist() == [True, False, True, False, False, False]


def test_the_share_of_places_is_of_the_newest_dates_people_for_whom_the_programme_is():
    dates = pd.Series([DATE] * 4 + [DATE + pd.Timedelta(days=30)] * 6)
    assert places_share(2, dates, np.array([True] * 4 + [True] * 4 + [False] * 2)) == 0.5
    assert places_share(0, dates, np.array([True] * 10)) == pytest.approx(1 / 6)
    assert places_share(5, dates, np.zeros(10, dtype=bool)) == 1.0
