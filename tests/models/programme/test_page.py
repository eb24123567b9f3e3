"""A programme's account as a page and in sentences."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from casewell.settings.programme import Costs, UnitCost
from models.benefit.comparison import Estimate
from models.benefit.evidence import Check
from models.programme.account import CONTACTS, LATER, MONTHS, SHORT_RUN, Account, unequal
from models.programme.lots import ByLot
from models.programme.money import Money
from models.programme.page import write_programme_page
from models.programme.sentences import (
    groups_sentence,
    headline,
    lots_sentence,
    money_sentence,
    naive_sentence,
    uptake_sentence,
)
from models.programme.uptake import Uptake


def change(value: float, half: float = 0.02) -> dict[str, float]:
    return {
        "with_programme": 0.3 + value,
        "without": 0.3,
        "difference": value,
        "low": value - half,
        "high": value + half,
    }


@pytest.fixture
def told() -> Account:
    measures = [(name, MONTHS) for name in ("outcome", "died", "planned_admissions", *LATER)]
    measures += [(name, SHORT_RUN) for name in CONTACTS]
    groups = [
        {"grouping": "sex", "group": "female", "starters": 120.0, "difference": -0.09, "low": -0.13, "high": -0.05},
        {"grouping": "sex", "group": "male", "starters": 100.0, "difference": 0.05, "low": 0.01, "high": 0.09},
        {"grouping": "sex", "group": "other", "starters": np.nan, "difference": np.nan, "low": np.nan, "high": np.nan},
    ]
    naive = {"before": 0.6, "after": 0.27, "change": -0.33, "low": -0.37, "high": -0.29}
    months = np.arange(-MONTHS, MONTHS)
    return Account(
        first=pd.Timestamp("2024-08-01"),
        last=pd.Timestamp("2025-07-01"),
        people=215,
        starters=220,
        compared=9000,
        later_starts=0.04,
        attrition=pd.DataFrame(
            {"why": ["followed", "died before the day"], "starters": [220.0, np.nan], "compared": [9000.0, 15.0]}
        ),
        effects=pd.DataFrame([{"measure": name, "months": number} | change(-0.03) for name, number in measures]),
        ratio=Estimate(0.9, 0.03),
        naive=pd.DataFrame([{"measure": name} | naive for name in ("outcome", "admissions")]),
        groups=pd.DataFrame(groups),
        unequal=unequal(pd.DataFrame(groups)),
        monthly=pd.DataFrame({"month": months, "starters": 0.1, "compared": 0.1}),
        checks=(Check("balance", True, "alike"), Check("overlap", True, "enough")),
        e_values=(1.46, 1.2),
        money=Money(
            900.0,
            5000.0,
            Estimate(-100.0, 200.0),
            pd.DataFrame({"month": range(1, 13), "saved": -100.0, "low": -500.0, "high": 300.0}),
            (np.nan, np.nan, np.nan),
            Estimate(1.02, 0.04),
            (0.0, 0.0, 140.0),
        ),
        uptake=Uptake(
            600,
            pd.DataFrame({"outcome": ["declined", "started"], "people": [400.0, 200.0]}),
            pd.DataFrame(
                {
                    "grouping": ["sex", "sex", "sex"],
                    "group": ["female", "male", "other"],
                    "offers": [300.0, 295.0, np.nan],
                    "started": [120.0, 80.0, np.nan],
                    "share": [0.4, 0.27, np.nan],
                    "low": [0.35, 0.22, np.nan],
                    "high": [0.46, 0.32, np.nan],
                    "alike": [0.37, 0.35, np.nan],
                }
            ),
            0.9,
        ),
        lots=ByLot(400, 420, 3000, 0.3, (0.5, 0.02), Estimate(-0.06, 0.02)),
    )


def test_the_page_says_first_what_changed_and_names_every_source_of_a_cost(told: Account, tmp_path: Path) -> None:
    costs = Costs(place=UnitCost(amount=900, year="2026", source="Finance <paper> 12/26"))
    write = lambda name: write_programme_page(told, costs, tmp_path / name, dt.date(2026, 10, 1), True)  # noqa: E731
    page = write("one.html").read_text()
    assert page.index("3.0 were spared") < page.index("naive account") < page.index("For whom")
    assert "Finance &lt;paper&gt; 12/26" in page
    assert "Health Foundation" in page
    assert "SYNTHETIC" in page
    assert "<script" not in page
    assert ">*<" in page, "a hidden count is a star"
    assert write("two.html").read_bytes() == page.encode()


def test_a_failed_check_is_said_before_any_figure(told: Account, tmp_path: Path) -> None:
    failed = replace(told, checks=(Check("balance", False, "unlike <in age>"), Check("overlap", True, "enough")))
    path = write_programme_page(failed, Costs(), tmp_path / "page.html", dt.date(2026, 10, 1), True)
    page = path.read_text()
    assert 'class="verdict fail"' in page
    assert "<h2>The comparison failed a check" in page
    assert page.index("unlike &lt;in age&gt;") < page.index("<svg")


def test_help_harm_and_not_knowing_are_three_sentences(told: Account) -> None:
    def saying(value: float) -> str:
        row = pd.DataFrame([{"measure": "outcome", "months": MONTHS} | change(value)])
        return headline(replace(told, effects=row))

    assert "3.0 were spared" in saying(-0.03)
    assert "did harm" in saying(0.03)
    assert "cannot be told" in saying(-0.01)
    assert "cannot be told" in saying(0.01)


def test_sentences_and_page_speak_of_the_outcome_that_was_counted(told: Account, tmp_path: Path) -> None:
    sensitive = replace(told, outcome="acs_admission", lots=replace(told.lots, outcome="acs_admission"))
    path = write_programme_page(sensitive, Costs(), tmp_path / "page.html", dt.date(2026, 10, 1), True)
    page = path.read_text()
    assert "emergency admission for an ambulatory-care-sensitive condition" in headline(sensitive)
    assert "admission or death" not in page
    assert "or died" not in page
    death = replace(told, outcome="death", lots=replace(told.lots, outcome="death"))
    assert "were spared death within the year" in headline(death)
    assert "Nobody dies before starting" in naive_sentence(death)
    assert "the share with death within" in lots_sentence(death.lots)


def test_the_naive_claim_stands_beside_the_comparison(told: Account) -> None:
    assert "-33.0 in 100" in naive_sentence(told)
    assert "-3.0 in 100" in naive_sentence(told)


def test_a_difference_between_groups_is_named_only_beyond_chance(told: Account) -> None:
    assert "differs by sex" in groups_sentence(told)
    alike = told.groups.assign(difference=-0.03, low=-0.07, high=0.01)
    assert "cannot be told from chance" in groups_sentence(replace(told, groups=alike, unequal=unequal(alike)))
    alone = told.groups[told.groups["group"] != "male"]
    assert "was not tested" in groups_sentence(replace(told, groups=alone, unequal=unequal(alone)))
    nobody = told.groups.assign(difference=np.nan)
    assert groups_sentence(replace(told, groups=nobody)) == "No group has enough starters to tell."


def test_money_is_said_in_full(told: Account) -> None:
    said = money_sentence(told.money)
    assert "changed spending by £100 within the year (-£292 to £492)" in said
    assert "do not meet that within the year" in said
    assert "(0 to 140)" in said
    assert "cannot be said" in money_sentence(replace(told.money, place=None))
    paid = money_sentence(replace(told.money, payback=(7.0, 4.0, np.nan)))
    assert "in month 7 (month 4 at the earliest, not within the year at the latest)" in paid


def test_who_says_yes_is_told_apart_and_gaps_are_named(told: Account) -> None:
    said = uptake_sentence(told.uptake)
    assert "33% of the people offered" in said
    assert "sex male: 27%" in said
    assert "female" not in said
    assert "Too few" in uptake_sentence(None)
    hidden = pd.DataFrame({"outcome": ["declined", "not_reached", "started"], "people": [400.0, np.nan, 150.0]})
    assert "25% of the people" in uptake_sentence(replace(told.uptake, outcomes=hidden)), (
        "of all offers, hidden ones too"
    )
    few = pd.DataFrame({"outcome": ["declined", "started"], "people": [np.nan, np.nan]})
    assert "nan" not in uptake_sentence(replace(told.uptake, outcomes=few))


def test_lots_are_told_with_how_many_started_of_either_side(told: Account) -> None:
    said = lots_sentence(told.lots)
    assert "-6.0 in 100 (95 % interval: -9.9 to -2.1)" in said
    assert "50% started, and 2% of those passed over" in said
    assert "30% of those passed over were drawn in a later week" in said
    assert "casewell plan evaluation" in lots_sentence(None)
