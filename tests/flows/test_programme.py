"""The account of a programme, from the rehearsed week's history to its page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from casewell.errors import TrainingError
from casewell.settings import load
from flows.programme import months_covered, programme_flow, require_starters
from flows.programme_plan import plan_flow
from flows.programme_record import controlled_uptake
from models.programme.uptake import Uptake, wilson
from tests.support import Rehearsal


@pytest.fixture(scope="module")
def settings(rehearsal: Rehearsal) -> Path:
    """The rehearsal's settings, with every month of the history and a price of a place."""
    told = yaml.safe_load(rehearsal.settings.read_text())
    place = {"amount": 900, "year": "2026", "source": "Figures of this test"}
    path = rehearsal.settings.with_name("programme.yaml")
    path.write_text(yaml.safe_dump(told | {"programme": {"months": 60, "costs": {"place": place}}}))
    return path


@pytest.fixture(scope="module")
def told(settings: Path, rehearsal: Rehearsal) -> dict[str, Any]:
    return programme_flow(str(settings), rehearsal.manifest["as_of"])


def test_the_account_is_a_page_and_the_same_numbers_and_says_what_before_and_after_would_have_claimed(
    told: dict[str, Any],
) -> None:
    page = Path(told["page"])
    record = json.loads(page.with_name("programme.json").read_text())
    html = page.read_text()
    assert "SYNTHETIC" in html
    assert "Figures of this test" in html
    naive = {row["measure"]: row for row in record["naive"]}
    assert naive["outcome"]["low"] < naive["outcome"]["change"] < naive["outcome"]["high"]
    outcome = next(row for row in record["effects"] if row["measure"] == "outcome")
    assert outcome["low"] < outcome["difference"] < outcome["high"]
    assert record["money"]["place"] == 900
    assert len(record["monthly"]) == 24
    assert record["uptake"]["offers"] > 50
    assert page.parent.stat().st_mode & 0o077 == 0


def test_no_count_of_a_few_people_leaves_the_flow(told: dict[str, Any]) -> None:
    record = json.loads(Path(told["page"]).with_name("programme.json").read_text())
    counts = [row["starters"] for row in record["groups"]] + [row["offers"] for row in record["uptake"]["groups"]]
    counts += [row[arm] for row in record["attrition"] for arm in ("starters", "compared")]
    shown = [count for count in counts if count]
    assert shown
    assert all(count >= 8 and count % 5 == 0 for count in shown)
    assert not any("outcomes" in row for row in record["groups"])
    levels = [row["with_programme"] for row in record["effects"]] + [row["starters"] for row in record["monthly"]]
    levels += [row[name] for row in record["naive"] for name in ("before", "after")]
    taken_from = [level * record["starters"] / 5 for level in levels if level is not None]
    assert taken_from
    assert all(abs(count - round(count)) < 1e-5 for count in taken_from), "levels come from counts as they are shown"


def test_a_plan_reads_places_and_risk_from_the_data_where_they_are_not_given(
    settings: Path, rehearsal: Rehearsal
) -> None:
    capacity, risk = plan_flow(str(settings), rehearsal.manifest["as_of"], None, None, 0.2, 2.0)
    teams = pd.read_parquet(rehearsal.published / "cohort.parquet", columns=["team_code"])
    assert capacity == (40,) * teams["team_code"].nunique()
    assert 0.05 < risk < 0.9, "people near the cut-off, not everybody and not the sickest"
    assert plan_flow(str(settings), rehearsal.manifest["as_of"], 10, 0.4, 0.2, 2.0) == ((10,), 0.4)


def test_a_history_too_short_or_without_starts_is_refused_with_numbers(settings: Path) -> None:
    loaded = load(settings)
    with pytest.raises(TrainingError, match="455 days after its index date"):
        months_covered([pd.Timestamp("2026-01-01")], pd.Timestamp("2026-10-01").date(), loaded)
    with pytest.raises(TrainingError, match="3 start"):
        require_starters(pd.DataFrame({"treated": np.arange(100) < 3}))


def test_shares_of_offers_come_from_counts_as_they_are_shown() -> None:
    groups = pd.DataFrame(
        {
            "grouping": "sex",
            "group": ["female", "male", "other"],
            "offers": [103, 98, 5],
            "started": [52, 33, 1],
            "share": [52 / 103, 33 / 98, np.nan],
            "low": 0.3,
            "high": 0.6,
            "alike": 0.4,
        }
    )
    outcomes = pd.DataFrame({"outcome": ["declined", "started"], "people": [120, 86]})
    shown = controlled_uptake(Uptake(206, outcomes, groups, 1.0)).groups.set_index("group")
    assert shown.loc["female", "share"] == 50 / 105
    assert np.isnan(shown.loc["other", "offers"])
    assert np.isnan(shown.loc["male", "share"]), "or the hidden count could be reckoned back"
    assert shown.loc["female", ["low", "high"]].tolist() == list(wilson(50, 105)), "an exact interval gives counts back"


def test_how_many_started_is_not_hidden_for_another_outcome() -> None:
    groups = pd.DataFrame(columns=["grouping", "group", "offers", "started", "share", "low", "high", "alike"])
    outcomes = pd.DataFrame({"outcome": ["declined", "not_suitable", "started"], "people": [120, 3, 86]})
    told = controlled_uptake(Uptake(209, outcomes, groups, 1.0)).outcomes.set_index("outcome")["people"]
    assert told["started"] == 85
    assert np.isnan(told[["declined", "not_suitable"]]).all()
