"""Benefit from history and lots together, on made-up people whose truth is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from casewell.settings import Benefit, Settings
from models.benefit import amenability
from models.benefit.drawn_by_lot import Drawn, exposure
from models.learn_benefit import LearnedBenefit, learn_benefit
from models.risk.estimator import person_folds

PEOPLE, IN_LOTS, TAKEN_UP = 25_000, 6_000, 0.6
HIDDEN = 1.0
COLUMNS = ["illness", "gains", "noise", "emergency_admission_count_365d", "emergency_admission_count_730d"]
DATE = pd.Timestamp("2024-06-01")
BEGIN = DATE - pd.Timedelta(days=800)


def people(number: int, first: int, random: np.random.Generator, hidden: float) -> tuple[pd.DataFrame, np.ndarray]:
    """Half gain much, half nothing. A hidden cause makes outcomes more frequent; returned beside the table."""
    cause = hidden * random.normal(size=number)
    last = random.poisson(0.3, number)
    table = pd.DataFrame(
        {
            "illness": random.normal(size=number),
            "gains": (random.random(number) < 0.5).astype(float),
            "noise": random.normal(size=number),
            "emergency_admission_count_365d": last.astype(float),
            "emergency_admission_count_730d": (last + random.poisson(0.3, number)).astype(float),
            "person_id": first + np.arange(number),
            "index_date": DATE,
            "early": False,
            "offerable": True,
            "negative_control": random.random(number) < 0.2,
        }
    )
    rule = dict.fromkeys((*amenability.RESPONSIVE_CONDITIONS, *amenability.UNMET_CIRCUMSTANCES), 0.0)
    return table.assign(**rule, **dict.fromkeys(amenability.OTHER_HELP, 0.0)), cause


def happened(table: pd.DataFrame, cause: np.ndarray, had: np.ndarray, random: np.random.Generator) -> np.ndarray:
    chance = expit(-0.8 + table["illness"].to_numpy() + cause)
    return random.random(len(table)) < chance * np.where(had & (table["gains"] == 1), 0.3, 1.0)


def history(hidden: float, seed: int, number: int = PEOPLE) -> pd.DataFrame:
    """Whoever refers sees the hidden cause."""
    random = np.random.default_rng(seed)
    table, cause = people(number, 0, random, hidden)
    treated = random.random(number) < expit(-2.2 + 0.5 * table["illness"].to_numpy() + 1.5 * cause)
    return table.assign(treated=treated, outcome=happened(table, cause, treated, random))


def lots(number: int, hidden: float, seed: int) -> Drawn:
    """Places drawn by lot with two chances; of those drawn some start, at once."""
    random = np.random.default_rng(seed + 1)
    table, cause = people(number, 1_000_000, random, hidden)
    chance = np.where(random.random(number) < 0.5, 0.5, 2 / 3)
    drawn = random.random(number) < chance
    had = drawn & (random.random(number) < TAKEN_UP)
    outcome = happened(table, cause, had, random)
    return Drawn(table.assign(treated=drawn, outcome=outcome, chance=chance, exposure=had.astype(float)))


def learned(rows: pd.DataFrame, drawn: Drawn | None, begin: pd.Timestamp = BEGIN) -> LearnedBenefit:
    table = rows if drawn is None else pd.concat([rows, drawn.rows])
    risk = expit(-0.8 + table["illness"].to_numpy())
    folds = person_folds(table["person_id"], 3, 0)
    settings = Settings.model_construct(benefit=Benefit(folds=3), seed=0)
    return learn_benefit(rows, COLUMNS, risk, folds, 0.05, begin, settings, drawn)


def stated(found: LearnedBenefit) -> np.ndarray:
    """Return the benefit of somebody of average illness who gains, and of somebody who does not."""
    asked = pd.DataFrame(0.0, index=range(2), columns=COLUMNS).assign(gains=[1.0, 0.0])
    return found.effect.foretell(asked, np.full(2, expit(-0.8)), np.full(2, 0.1)).benefit


@pytest.fixture(scope="module")
def confounded() -> tuple[pd.DataFrame, Drawn]:
    return history(HIDDEN, 6), lots(IN_LOTS, HIDDEN, 6)


@pytest.fixture(scope="module")
def pooled(confounded) -> LearnedBenefit:
    return learned(*confounded)


def test_lots_mend_what_a_hidden_cause_did_to_the_history_and_earn_the_grade(confounded, pooled) -> None:
    level = expit(-0.8 + HIDDEN * np.random.default_rng(0).normal(size=100_000)).mean()
    alone, mended = (np.abs(stated(found) - [0.7 * level, 0.0]) for found in (learned(confounded[0], None), pooled))
    assert (alone > 0.08).all(), "the history alone should mislead, or nothing is shown"
    assert (mended < 0.5 * alone).all()
    assert pooled.evidence.grade == "randomised", pooled.evidence.sentence()
    assert pooled.offered is not None


def test_lots_teach_where_nobody_was_ever_chosen(confounded) -> None:
    rows, drawn = confounded
    rows = rows[~rows["treated"]].copy()
    twice = drawn.rows["person_id"].iloc[0]
    rows.loc[rows.index[0], "person_id"] = twice
    found = learned(rows, drawn)
    assert twice not in set(found.promised["person_id"]), "the lot tells of the same days"
    assert found.evidence.grade != "compared"
    assert found.evidence.treated == drawn.rows["treated"].sum()
    gains, others = stated(found)
    assert gains > 0.1 > abs(others)


def test_what_is_stated_is_what_case_management_changes_though_some_drawn_never_started(confounded, pooled) -> None:
    drawn = confounded[1]
    assert drawn.dose.value == pytest.approx(TAKEN_UP, abs=0.04)
    level = expit(-0.8 + drawn.rows["illness"].to_numpy() + HIDDEN * np.random.default_rng(0).normal(size=IN_LOTS))
    gain = np.average(0.7 * level * drawn.rows["gains"])
    low, high = pooled.evidence.average_benefit.interval(3)
    assert low < TAKEN_UP * gain < high
    tenths = pooled.tenths.set_index("tenth")
    assert tenths.loc[10, "found_low"] < tenths.loc[10, "stated"] < tenths.loc[10, "found_high"]
    assert (tenths["stated_low"] < tenths["stated"]).all()
    assert (tenths["stated"] < tenths["stated_high"]).all()


def test_a_sound_history_without_lots_is_compared_and_needs_the_year_before_last() -> None:
    rows = history(0.0, 6, 40_000)
    assert learned(rows, None).evidence.grade == "compared"
    late = learned(rows, None, begin=DATE - pd.Timedelta(days=700)).evidence
    assert [check.name for check in late.checks if not check.passed] == ["the year before last"]
    assert late.grade == "assumed"
    assert "less than two years" in late.sentence()


def test_starters_who_were_admitted_oftener_the_year_before_last_were_not_like_the_others() -> None:
    rows = history(0.0, 7)
    then = rows["emergency_admission_count_730d"] > rows["emergency_admission_count_365d"]
    oftener = rows["treated"] & ~then & (rows["person_id"] % 3 == 0)
    counted = rows["emergency_admission_count_730d"] + oftener
    found = learned(rows.assign(emergency_admission_count_730d=counted), None).evidence
    assert "the year before last" in [check.name for check in found.checks if not check.passed]


def test_too_few_in_lots_and_lots_that_hardly_decided_are_named() -> None:
    drawn = lots(400, 0.0, 8)
    assert "minimum_treated" in drawn.too_little(Benefit())
    assert drawn.too_little(Benefit(minimum_treated=50)) is None
    later = Drawn(drawn.rows.assign(exposure=0.9))
    assert "did later" in later.too_little(Benefit(minimum_treated=50))


def test_days_of_a_person_that_a_lot_tells_of_are_not_told_by_the_history_again() -> None:
    drawn = Drawn(pd.DataFrame({"person_id": [7], "index_date": [DATE]}))
    days = [DATE - pd.Timedelta(days=40), DATE - pd.Timedelta(days=20), DATE + pd.Timedelta(days=29), DATE]
    rows = pd.DataFrame({"person_id": [7, 7, 7, 8], "index_date": days})
    assert drawn.tell_again(rows, 30).tolist() == [False, True, True, False]


def test_exposure_is_the_share_of_the_horizon_after_the_first_start_within_it() -> None:
    rows = pd.DataFrame({"index_date": DATE, "person_id": [1, 2, 3, 4]})
    day = pd.Timedelta(days=1)
    enrolments = pd.DataFrame(
        {"person_id": [1, 1, 2, 3], "start": [DATE + 50 * day, DATE + 10 * day, DATE - day, DATE + 100 * day]}
    )
    assert exposure(rows, enrolments, 100).tolist() == [0.9, 0.0, 0.0, 0.0]
