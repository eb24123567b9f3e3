"""What leaves an account gives no count of a few people, nor one that could be reckoned back from a share."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from casewell.errors import TrainingError
from casewell.settings import Settings
from flows import programme
from flows.programme_record import as_record, controlled
from flows.programme_summary import print_programme
from models.benefit.comparison import Estimate
from models.benefit.evidence import Check
from models.programme.account import CONTACTS, LATER, MONTHS, SHORT_RUN, Account
from models.programme.lots import ByLot
from models.programme.money import Money
from models.targeting import e_value

STARTERS = 217
EVENTS = {"outcome": 83, "died": 3, "planned_admissions": 41}


def level(measure: str) -> dict[str, float]:
    seen = EVENTS.get(measure, 77) / STARTERS
    without = seen + 0.0312345
    return {
        "with_programme": seen,
        "without": without,
        "difference": -0.0312345,
        "low": -0.0512345,
        "high": -0.0112345,
    }


@pytest.fixture
def told() -> Account:
    measures = [(name, MONTHS) for name in (*EVENTS, *LATER)] + [(name, SHORT_RUN) for name in CONTACTS]
    before, after = 131 / STARTERS, 83 / STARTERS
    change = after - before
    naive = {"before": before, "after": after, "change": change, "low": change - 0.1, "high": change + 0.1}
    spent = 2900 * 77 / STARTERS
    ratio = Estimate(level("outcome")["with_programme"] / level("outcome")["without"], 0.03)
    return Account(
        first=pd.Timestamp("2024-08-01"),
        last=pd.Timestamp("2025-07-01"),
        people=213,
        starters=STARTERS,
        compared=6413,
        later_starts=0.04,
        attrition=pd.DataFrame({"why": ["died", "followed"], "starters": [2, STARTERS], "compared": [18, 6413]}),
        effects=pd.DataFrame([{"measure": name, "months": number} | level(name) for name, number in measures]),
        ratio=ratio,
        naive=pd.DataFrame([{"measure": name} | naive for name in ("outcome", "admissions")]),
        groups=pd.DataFrame(
            [
                {"grouping": "sex", "group": group, "starters": number, "outcomes": 5} | level("outcome")
                for group, number in (("female", 103), ("male", 114))
            ]
        ),
        unequal=pd.DataFrame({"grouping": ["sex"], "p": [0.4]}),
        monthly=pd.DataFrame(
            {
                "month": np.arange(-MONTHS, MONTHS),
                "starters": np.r_[[4, 0], np.full(22, 23)] / STARTERS,
                "compared": 0.1,
            }
        ),
        checks=(Check("balance", True, "alike"),),
        e_values=e_value(ratio),
        money=Money(
            900.0,
            spent + 150,
            Estimate(150.0, 200.0),
            pd.DataFrame({"month": range(1, 13), "saved": 100.0, "low": 0.0, "high": 300.0}),
            (np.nan, np.nan, np.nan),
            Estimate(spent / (spent + 150), 0.04),
            (43.2, 3.1, 140.7),
        ),
        uptake=None,
        lots=ByLot(203, 211, 1777, 4 / 211, (103 / 203, 6 / 211), Estimate(-0.06, 0.02)),
    )


def test_a_level_is_a_rounded_count_over_the_rounded_number_of_starts(told: Account) -> None:
    shown = controlled(told, {})
    assert shown.of("outcome")["with_programme"] == 85 / 215
    assert shown.of("outcome")["difference"] == told.of("outcome")["difference"]
    assert shown.of("outcome")["without"] == pytest.approx(85 / 215 + 0.0312345)
    figures = ["with_programme", "without", "difference", "low", "high"]
    assert shown.of("died")[figures].isna().all(), "three died, and a difference beside a level would tell"
    naive = shown.naive.set_index("measure").loc["outcome"]
    assert (naive["before"], naive["after"]) == (130 / 215, 85 / 215)
    assert naive["change"] == pytest.approx(naive["after"] - naive["before"])
    assert naive["low"] < naive["change"] < naive["high"]


def test_months_and_lots_tell_no_count_of_a_few(told: Account) -> None:
    shown = controlled(told, {})
    assert np.isnan(shown.monthly["starters"].iloc[0])
    assert shown.monthly["starters"].iloc[1] == 0
    assert set(shown.monthly["starters"].iloc[2:]) == {25 / 215}
    assert shown.lots.started[0] == 105 / 205
    assert np.isnan(shown.lots.started[1])
    assert np.isnan(shown.lots.drawn_later)
    assert (shown.lots.drawn, shown.lots.passed_over, shown.lots.entries) == (205, 210, 1775)


def test_lots_are_told_where_the_records_refuse_a_comparison(
    told: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise TrainingError("12 start(s) of case management; 50 are needed", "Give more <history>.")

    kept = []
    monkeypatch.setattr(programme, "compare", refuse)
    monkeypatch.setattr(programme, "lots_drawn", lambda *_: told.lots)
    monkeypatch.setattr(programme.books, "record_evaluation", lambda *given: kept.append(given))
    (tmp_path / "summary.json").write_text('{"synthetic": true}')
    source, key = tmp_path / "people.parquet", tmp_path / "key"
    source.touch()
    settings = Settings(
        name="made-up",
        data_dir=tmp_path / "data",
        pseudonym_key_file=key,
        sources={"demographics": {"path": source}},
    )
    said = programme.give_account.fn(settings, dt.date(2026, 10, 1), tmp_path, tmp_path)
    page = Path(said["page"])
    record = json.loads(page.with_name("programme.json").read_text())
    assert record["lots"]["drawn"] == 205
    assert record["lots"]["started"] == [pytest.approx(105 / 205), None]
    assert "-6.0 in 100" in page.read_text()
    assert "12 start(s)" in page.read_text()
    assert kept[0][2]["lots_difference"] == -0.06
    with Console(record=True, width=300) as console:
        print_programme(said, console)
    assert "12 start(s)" in console.export_text()
    monkeypatch.setattr(programme, "lots_drawn", lambda *_: None)
    with pytest.raises(TrainingError, match="50 are needed"):
        programme.give_account.fn(settings, dt.date(2026, 10, 1), tmp_path, tmp_path)


def test_neither_ratio_nor_money_gives_a_level_back(told: Account) -> None:
    shown = controlled(told, {"admissions": 2900.0})
    fall = told.of("outcome")["difference"]
    assert fall * shown.ratio.value / (shown.ratio.value - 1) == pytest.approx(85 / 215)
    assert shown.e_values == e_value(shown.ratio)
    assert shown.money.spent_without - shown.money.saved.value == pytest.approx(2900 * 75 / 215)
    assert shown.money.relative.value == pytest.approx(1 - 150 / shown.money.spent_without)
    assert shown.money.break_even == (45.0, 0.0, 140.0)


def test_no_share_in_the_record_times_its_number_is_the_exact_count(told: Account) -> None:
    """Whoever knows the exact number of starts finds no level that is a count of the people in it, but by rounding."""
    record = json.loads(json.dumps(as_record(controlled(told, {"admissions": 2900.0}))))
    levels = [row["with_programme"] for row in record["effects"]] + [row["starters"] for row in record["monthly"]]
    levels += [row[name] for row in record["naive"] for name in ("before", "after")]
    counted = [level * 215 for level in levels if level is not None]
    assert len(counted) > 20
    assert all(abs(count / 5 - round(count / 5)) < 1e-6 and (count == 0 or count > 7) for count in counted)
