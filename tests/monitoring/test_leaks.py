"""Records that know what came after them."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from casewell.settings import Outcome, Quality
from monitoring.leaks import about_leaks, judged, leaks

BEGIN, AS_OF = dt.date(2023, 10, 1), dt.date(2026, 10, 1)
BEYOND = 6.0


def counted(followed, followed_then, people=400, people_then=400):
    return {"people": people, "followed": followed, "people_then": people_then, "followed_then": followed_then}


def codes(*rows):
    return pd.DataFrame([{"code": f"code {number}", **row} for number, row in enumerate(rows)])


def test_a_code_whose_people_have_nearly_all_had_the_outcome_by_now_leaks():
    ordinary = [counted(40 + number % 5, 41) for number in range(30)]
    found = judged(codes(*ordinary, counted(150, 80, people=180)), BEYOND)
    assert found.loc[found["leaks"], "code"].tolist() == ["code 30"]


def test_more_outcomes_after_every_code_are_no_leak():
    found = judged(codes(*[counted(120 + number % 7, 50) for number in range(30)]), BEYOND)
    assert (found["share"] > 2 * found["share_then"]).all()
    assert not found["leaks"].any()


def test_a_code_of_few_people_is_not_judged():
    assert judged(codes(counted(9, 1, people=10, people_then=10)), BEYOND).empty


@pytest.fixture
def history(tmp_path):
    """1,000 people, many of them admitted; ordinary codes and one that is written because of the admission."""
    draw = np.random.default_rng(5)
    span = pd.Timestamp(AS_OF) - pd.to_timedelta(draw.integers(1, 900, 9_000), "D")
    code = draw.choice([f"SNOMED//ordinary {number}" for number in range(8)], 9_000)
    ordinary = pd.DataFrame({"subject_id": draw.integers(0, 1_000, 9_000), "time": span, "code": code})
    admitted = pd.Timestamp(AS_OF) - pd.to_timedelta(draw.integers(1, 900, 900), "D")
    stays = pd.DataFrame({"subject_id": draw.integers(0, 1_000, 900), "time": admitted, "code": "ADMISSION//21"})
    back = pd.to_timedelta(draw.integers(20, 330, 900), "D")
    planted = stays.assign(time=stays["time"] - back, code="SNOMED//planted")
    events = pd.concat([ordinary, stays, planted], ignore_index=True)
    events = events.assign(known_at=events["time"] + pd.Timedelta(days=1), known_until=pd.NaT, source="any")
    events = events[events["known_at"] < pd.Timestamp(AS_OF)].astype({"known_until": "datetime64[us]"})
    events.to_parquet(tmp_path / "events.parquet")
    nobody = pd.DataFrame({"died_on": pd.NaT, "death_known_at": pd.NaT}, index=range(1_000)).astype("datetime64[us]")
    nobody.assign(person_id=range(1_000)).to_parquet(tmp_path / "people.parquet")
    return tmp_path


def test_a_planted_code_is_found_in_events_and_ordinary_ones_are_not(history):
    found = leaks(history, BEGIN, AS_OF, Outcome(), Quality())
    assert found.loc[found["leaks"], "code"].tolist() == ["SNOMED//planted"]
    assert len(found) == 9


def test_the_finding_names_the_code_and_the_features_that_rest_on_it(history):
    found = leaks(history, BEGIN, AS_OF, Outcome(), Quality())
    (finding,) = about_leaks(found, {"SNOMED//planted": ["one", "two"]}, "admission")
    assert finding.check == "leak"
    assert "SNOMED//planted" in finding.sentence
    assert "2 of the model's features" in finding.sentence


def test_a_history_too_short_for_the_year_before_judges_nothing(history):
    assert leaks(history, dt.date(2025, 10, 1), AS_OF, Outcome(), Quality()).empty
