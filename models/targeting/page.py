"""The page on how good some rules are: each picture with a plain sentence and the table behind it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from casewell.page import document, html_table, inline_svg
from models.evaluation.page_risk import TOO_FEW, folded, section
from models.targeting.findings import EVERYBODY, Findings
from models.targeting.pictures import cost_figure, gain_figure, tenths_figure
from models.targeting.programmes import TOGETHER

MEASURES = {
    "gain": "Gain at these places, for every 1,000 people",
    "autoc": "AUTOC: rewards finding the few who gain most (0 is chance)",
    "qini": "Qini coefficient: rewards effects that reach many (0 is chance)",
    "gain_at_budget": "Gain at this budget, for every 1,000 people",
    "gain_per_pound": "Gain at these places, for every £1,000 spent",
    "net_benefit": "Net benefit at this budget, pounds for each person",
}
THOUSANDS = {"gain", "gain_at_budget", "gain_per_pound"}
TOLD_BY_SCORES_ALONE = "Only scores were given, so this cannot be judged: give treatment, propensity and outcome too."


def write_targeting_page(
    found: Findings, path: Path, title: str, outcome: str, as_of: dt.date, synthetic: bool
) -> Path:
    """Write the page; equal findings give equal bytes. `outcome` says what one unit of gain spares somebody."""
    sections = [
        _gain(found),
        _advantage(found),
        _calibration(found),
        _money(found),
        _programmes(found),
        _overlap(found),
        _placebos(found),
        _hidden(found),
    ]
    path.write_text(
        document(title, f"Gain: {outcome}", as_of, synthetic, [one for one in sections if one]), encoding="utf-8"
    )
    return path


def _gain(found: Findings) -> str:
    gains = found.rules[found.rules["measure"] == "gain"].set_index("rule")
    told = "; ".join(f"by {rule} {_thousands(row)}" for rule, row in gains.iterrows())
    sentence = (
        f"Choosing {found.share:.1%} of {found.people:,} people gains, for every 1,000 of all of them: {told}. People were "
        "judged by scores of models that had not seen them, and each interval counts a person once."
    )
    table = html_table("Each rule", ["Rule and measure", "Value", "95 % interval"], _measured(found.rules))
    curve = _rows(found.curve, lambda row: f"{row['rule']}, {row['share']:.0%} of people", _thousand)
    behind = html_table("Gain for every 1,000 people", ["Rule and share chosen", "Gain", "95 % interval"], curve)
    return section(
        "What each rule gains",
        sentence,
        _picture(partial(gain_figure, found.curve), "gain", sentence)
        + table
        + folded("The figures behind the picture", behind),
    )


def _advantage(found: Findings) -> str:
    if found.advantages.empty:
        return ""
    first = found.rules["rule"].iloc[0]
    told = "; ".join(_verdict(first, row) for _, row in found.advantages.iterrows())
    table = html_table(
        f"What choosing by {first} gains more, for every 1,000 people",
        ["Than", "More", "95 % interval", "People needed to tell (80 % power, one-sided 95 %)"],
        [
            [
                row["rule"],
                f"{1000 * row['value']:.2f}",
                f"{1000 * row['low']:.2f} to {1000 * row['high']:.2f}",
                _people(row["people_needed"]),
            ]
            for _, row in found.advantages.iterrows()
        ],
    )
    return section("Is one better than another?", f"With the same number of places, {told}.", table)


def _verdict(first: str, row: pd.Series) -> str:
    if row["low"] > 0:
        return f"{first} surely gains more than {row['rule']}"
    if row["high"] < 0:
        return f"{first} surely gains less than {row['rule']}"
    needed = "" if np.isnan(row["people_needed"]) else f" (it would take about {row['people_needed']:,.0f} people)"
    return f"{first} cannot be told from {row['rule']}{needed}"


def _calibration(found: Findings) -> str:
    if found.tenths is None or found.slope is None:
        return ""
    low, high = found.slope.interval()
    held = int(
        ((found.tenths["low"] <= found.tenths["stated"]) & (found.tenths["stated"] <= found.tenths["high"])).sum()
    )
    slope = (
        "Everybody is told the same benefit, so there is no slope."
        if np.isnan(found.slope.value)
        else f"For each 1 that the stated benefit rises, the one that was had rises by {found.slope.value:.2f} ({low:.2f} to {high:.2f}; 1 is right)."
    )
    sentence = f"{slope} In {held} of {len(found.tenths)} tenths the stated benefit lies in the interval of the one that was had."
    rows = [
        [
            f"{row['tenth']:.0f}",
            f"{row['stated']:+.4f}",
            f"{row['value']:+.4f}",
            f"{row['low']:+.4f} to {row['high']:+.4f}",
        ]
        for _, row in found.tenths.iterrows()
    ]
    table = html_table(
        f"Stated and had, by tenth of {found.stated}", ["Tenth (10 gains most)", "Stated", "Had", "95 % interval"], rows
    )
    return section(
        "Is a stated benefit had?",
        sentence,
        _picture(partial(tenths_figure, found.tenths), "tenths", sentence)
        + folded("The figures behind the picture", table),
    )


def _money(found: Findings) -> str:
    if found.money is None:
        return ""
    gains = found.money[found.money["measure"] == "gain_at_budget"].set_index("rule")
    told = "; ".join(f"by {rule} {_thousands(row)}" for rule, row in gains.iterrows())
    sentence = f"With £{found.spending_budget:,.2f} for each person, spent from the top of each rule down, every 1,000 people gain: {told}."
    table = html_table("Gain and money", ["Rule and measure", "Value", "95 % interval"], _measured(found.money))
    return section("What it costs", sentence, table)


def _programmes(found: Findings) -> str:
    if found.programmes is None or found.together is None:
        return ""
    told = "; ".join(
        f"{'surely ' if row['low'] > 0 else ''}{1000 * row['value']:+.2f} ({1000 * row['low']:+.2f} to {1000 * row['high']:+.2f}) beside {row['programme']} alone"
        for _, row in found.together.iterrows()
    )
    sentence = (
        f"With £{found.spending_budget:,.2f} for each person, {TOGETHER} together gain, for every 1,000 people: {told}."
    )
    rows = [
        [
            f"{row['rule']}, £{row['budget']:,.2f}",
            f"£{row['spent']:,.2f}",
            f"{1000 * row['gain']:.2f}",
            f"{1000 * row['low']:.2f} to {1000 * row['high']:.2f}",
        ]
        for _, row in found.programmes.iterrows()
    ]
    table = html_table(
        "Gain for every 1,000 people", ["Programmes and budget for each person", "Spent", "Gain", "95 % interval"], rows
    )
    return section(
        "Several programmes with one budget",
        sentence,
        _picture(partial(cost_figure, found.programmes), "cost", sentence)
        + folded("The figures behind the picture", table),
    )


def _overlap(found: Findings) -> str:
    if found.overlap is None:
        return section("Was anybody alike treated?", TOLD_BY_SCORES_ALONE, "")
    rarest = found.overlap[found.overlap["among"] != EVERYBODY].sort_values("rarely_treated", kind="stable").iloc[-1]
    sentence = (
        f"Of those chosen by {rarest['among']}, {rarest['rarely_treated']:.0%} had a chance of treatment below 1 %, and "
        "of such people the history says little. The treated among them tell as much as "
        f"{rarest['effective_treated']:.0f} equally weighted people would."
    )
    rows = [
        [
            row["among"],
            f"{row['median_chance']:.1%}",
            f"{row['rarely_treated']:.0%}",
            f"{row['effective_treated']:.0f}",
            f"{row['effective_untreated']:.0f}",
        ]
        for _, row in found.overlap.iterrows()
    ]
    head = ["Chosen by", "Median chance of treatment", "Chance below 1 %", "Effective treated", "Effective untreated"]
    return section("Was anybody alike treated?", sentence, html_table("Overlap", head, rows))


def _placebos(found: Findings) -> str:
    title = "What treatment cannot have changed"
    if found.placebos is None:
        return section(title, TOLD_BY_SCORES_ALONE, "")
    if found.placebos.empty:
        return section(
            title,
            "No outcome was given that treatment cannot change, so nothing speaks for or against the comparison.",
            "",
        )
    told = found.placebos.dropna()
    missed = int(((told["low"] > 0) | (told["high"] < 0)).sum())
    sentence = (
        f"{missed} of {len(told)} intervals miss nought; where like is compared with like one in twenty does by chance. "
        "More than that, and the gains above may be a difference between people."
    )
    rows = _rows(found.placebos, lambda row: f"{row['placebo']}, {_among(row['among'])}", lambda one: f"{one:+.4f}")
    return section(title, sentence, html_table("Seeming fall", ["Outcome and people", "Fall", "95 % interval"], rows))


def _hidden(found: Findings) -> str:
    title = "How strong a hidden cause would have to be"
    if found.hidden is None:
        return section(title, TOLD_BY_SCORES_ALONE, "")
    rows = [
        [_among(row["among"]), *([TOO_FEW] * 4 if np.isnan(row["value"]) else _strengths(row))]
        for _, row in found.hidden.iterrows()
    ]
    sentence = (
        "A cause that no record shows must raise the chances of treatment and of the outcome by the first E-value, each, to "
        "explain the ratio of rates away, and by the second to bring its interval to 1. A second of 1 says that there is "
        "nothing sure to explain."
    )
    head = ["People", "Rate with treatment over that without", "95 % interval", "E-value", "E-value of the interval"]
    return section(title, sentence, html_table("E-values (VanderWeele and Ding 2017)", head, rows))


def _strengths(row: pd.Series) -> list[str]:
    return [
        f"{row['value']:.2f}",
        f"{row['low']:.2f} to {row['high']:.2f}",
        f"{row['e_value']:.2f}",
        f"{row['e_value_interval']:.2f}",
    ]


def _among(name: str) -> str:
    return name if name == EVERYBODY else f"chosen by {name}"


def _picture(draw: Callable[[], Figure], name: str, sentence: str) -> str:
    return inline_svg(draw, name, name.capitalize(), sentence)


def _measured(table: pd.DataFrame) -> list[list[str]]:
    rows = []
    for _, row in table.iterrows():
        shown = _thousand if row["measure"] in THOUSANDS else _pounds if row["measure"] == "net_benefit" else _plain
        rows += _rows(row.to_frame().T, lambda one: f"{one['rule']}: {MEASURES[one['measure']]}", shown)
    return rows


def _rows(table: pd.DataFrame, words: Callable[[pd.Series], str], shown: Callable[[float], str]) -> list[list[str]]:
    return [
        [words(row), TOO_FEW, ""]
        if np.isnan(row["value"])
        else [words(row), shown(row["value"]), f"{shown(row['low'])} to {shown(row['high'])}"]
        for _, row in table.iterrows()
    ]


def _thousand(value: float) -> str:
    return f"{1000 * value:.2f}"


def _pounds(value: float) -> str:
    return f"{value:.2f}"


def _plain(value: float) -> str:
    return f"{value:.4f}"


def _thousands(row: pd.Series) -> str:
    return f"{_thousand(row['value'])} ({_thousand(row['low'])} to {_thousand(row['high'])})"


def _people(number: float) -> str:
    return "it does not seem to" if np.isnan(number) else f"{number:,.0f}"
