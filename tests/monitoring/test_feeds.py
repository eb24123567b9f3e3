"""Which feeds have stopped."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from casewell.settings import Monitoring
from monitoring.feeds import about_feeds, feeds, stopped
from monitoring.findings import PAST

AS_OF = dt.date(2026, 10, 1)
PEOPLE = pd.DataFrame({"person_id": range(300), "practice_code": np.repeat(["A", "B", "C"], 100)})


def rows(source, practice, days):
    """One record a day that is given, of a person of the practice."""
    first = PEOPLE.index[PEOPLE["practice_code"] == practice][0]
    known = pd.Timestamp(AS_OF) - pd.to_timedelta(list(days), "D")
    return pd.DataFrame({"subject_id": first, "known_at": known, "source": source})


@pytest.fixture
def judged(tmp_path):
    def judge(*parts):
        path = tmp_path / "events.parquet"
        pd.concat(parts).to_parquet(path)
        return feeds(path, PEOPLE, AS_OF, Monitoring()).set_index("source")

    return judge


def daily(source, *practices, until=1):
    return [rows(source, practice, range(until, 600)) for practice in practices]


def test_a_practice_that_stopped_counts_with_its_people(judged):
    found = judged(*daily("gp", "A", "B"), *daily("gp", "C", until=91))
    assert found.loc["gp", ["people", "silent"]].tolist() == [300, 100]
    assert found.loc["gp", "level"] == "past the limit"
    assert stopped(found.reset_index()) == ["gp"]


def test_feeds_that_come_every_day_are_not_named(judged):
    found = judged(*daily("gp", "A", "B", "C"), *daily("hospital", "A", "B", "C"))
    assert (found["level"] == "").all()
    assert about_feeds(found.reset_index(), Monitoring()) == []


def test_a_quarterly_return_is_judged_by_its_own_pace(judged):
    quarters = [day for start in range(60, 1_000, 91) for day in range(start, start + 8)]
    found = judged(*[rows("return", practice, quarters) for practice in "ABC"])
    assert found.loc["return", "window_days"] > 91
    assert found.loc["return", "level"] == ""


def test_a_return_that_should_have_come_long_ago_is_named(judged):
    quarters = [day for start in range(300, 1_400, 91) for day in range(start, start + 8)]
    found = judged(*[rows("return", practice, quarters * 3) for practice in "ABC"])
    assert found.loc["return", "share"] == 1


@pytest.mark.parametrize("until", [29, 380, 500, 800, 1_000])
def test_a_source_that_died_is_silent_however_long_ago(judged, until):
    dead = [rows("old", practice, range(until, 1_200)) for practice in "ABC"]
    found = judged(*daily("gp", "A", "B", "C"), *dead)
    assert found.loc["old", ["people", "silent", "level"]].tolist() == [300, 300, "past the limit"]
    assert found.loc["old", "window_days"] == max(28, until - 1)
    assert found.loc["gp", "level"] == ""


def test_a_practice_with_few_records_is_not_judged(judged):
    found = judged(*daily("care", "A", "B"), rows("care", "C", range(100, 600, 60)))
    assert found.loc["care", "people"] == 200


def test_the_finding_hides_how_many_where_they_are_few():
    found = pd.DataFrame(
        [{"source": "gp", "people": 100, "silent": 5, "share": 0.05, "window_days": 28, "level": "look at it"}]
    )
    assert "of * of people (* of 100)" in about_feeds(found, Monitoring())[0].sentence


def test_the_finding_says_which_limit_is_passed_and_which_is_not():
    row = {"source": "gp", "people": 100, "silent": 30, "share": 0.05, "window_days": 28, "level": "look at it"}
    (told,) = about_feeds(pd.DataFrame([row]), Monitoring())
    assert "above 2% it is told, above 20% the feed would have failed." in told.sentence
    (failed,) = about_feeds(pd.DataFrame([row | {"share": 0.3, "level": PAST}]), Monitoring())
    assert "above 20% the feed has failed." in failed.sentence
    assert "told" not in failed.sentence


def test_where_nobody_has_a_practice_the_feed_is_judged_for_everybody_at_once(tmp_path):
    path = tmp_path / "events.parquet"
    rows("omop", "A", range(91, 600)).to_parquet(path)
    found = feeds(path, PEOPLE.assign(practice_code=""), AS_OF, Monitoring())
    assert found["silent"].tolist() == [300]
