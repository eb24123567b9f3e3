"""Pictures of a programme's account."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from casewell.settings import OUTCOME_WORDS, EventName
from models.benefit.evidence import CASE_MANAGEMENT
from models.evaluation.pictures import BLUE, GREY, ORANGE, PALE
from models.programme.money import Money
from models.programme.words import spared

_MEASURES = {
    "died": "death",
    "admissions": "emergency admissions",
    "bed_days": "days in hospital after them",
    "attendances": "emergency department visits",
    "calls": "calls to 111 and 999",
    "gp_contacts": "contacts with the practice",
    "community_contacts": "community contacts",
    "planned_admissions": "planned admissions (should not change)",
}


def measure_words(measure: str, outcome: EventName) -> str:
    """Return a measure of `Account.effects` in words; `outcome` is the account's."""
    return OUTCOME_WORDS[outcome] if measure == "outcome" else _MEASURES[measure]


def months_figure(monthly: pd.DataFrame) -> Figure:
    """Draw emergency admissions each month before and after the day, of starters and of people like them (`Account.monthly`)."""
    figure = Figure(figsize=(7.4, 3.8), layout="constrained")
    axes = figure.subplots()
    middle = monthly["month"] + 0.5
    axes.plot(middle, monthly["starters"], "o-", color=BLUE, markersize=4, label="people who started")
    axes.plot(middle, monthly["compared"], "^--", color=ORANGE, markersize=4, label="people like them who did not")
    axes.axvline(0, color=GREY, linewidth=1)
    axes.set(xlabel="months from the day of the start", ylabel="emergency admissions\na person and month")
    axes.set_ylim(bottom=0)
    axes.grid(axis="y", color=PALE)
    axes.legend(frameon=False)
    return figure


def claims_figure(claims: pd.DataFrame, outcome: EventName) -> Figure:
    """Draw what each way of looking claims: `words`, `value`, `low`, `high`, the change in the share with the outcome."""
    figure = Figure(figsize=(7.4, 1.0 + 0.45 * len(claims)), layout="constrained")
    axes = figure.subplots()
    for place, (row, colour) in enumerate(zip(claims.itertuples(), (BLUE, ORANGE), strict=False)):
        axes.plot([row.low, row.high], [place, place], color=colour, linewidth=2)
        axes.plot([row.value], [place], "o", color=colour)
    axes.axvline(0, color=GREY, linewidth=1)
    axes.set_yticks(range(len(claims)), list(claims["words"]))
    axes.set_ylim(len(claims) - 0.5, -0.5)
    axes.set_xlabel(f"change in the share with {spared(outcome)}")
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    return figure


def changes_figure(effects: pd.DataFrame, outcome: EventName, programme: str = CASE_MANAGEMENT) -> Figure:
    """Draw the relative change of each measure (`Account.effects`) by a programme, short run and whole year."""
    table = effects[effects["without"] > 0]
    figure = Figure(figsize=(8.4, 1.0 + 0.34 * len(table)), layout="constrained")
    axes = figure.subplots()
    for place, row in enumerate(table.itertuples()):
        low, value, high = (end / row.without for end in (row.low, row.difference, row.high))
        axes.plot([low, high], [place, place], color=BLUE, linewidth=1.6)
        axes.plot([value], [place], "o", color=BLUE, markersize=4.5)
    axes.axvline(0, color=GREY, linewidth=1)
    words = [f"{measure_words(row.measure, outcome)}, {row.months} months" for row in table.itertuples()]
    axes.set_yticks(range(len(table)), words, fontsize=8)
    axes.set_ylim(len(table) - 0.5, -0.5)
    axes.set_xlabel(f"change against what was expected without {programme}")
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    return figure


def effects_by_group_figure(groups: pd.DataFrame, names: dict[str, str], outcome: EventName) -> Figure:
    """Draw the effect in each group with its interval (`Account.groups`); `names` gives the groupings' words."""
    figure = Figure(figsize=(7.8, 1.0 + 0.27 * len(groups)), layout="constrained")
    axes = figure.subplots()
    for place, row in enumerate(groups.itertuples()):
        if np.isnan(row.difference):
            axes.text(0.01, place, "too few to tell", transform=axes.get_yaxis_transform(), va="center", fontsize=7)
            continue
        axes.plot([row.low, row.high], [place, place], color=BLUE, linewidth=1.4)
        axes.plot([row.difference], [place], "o", color=BLUE, markersize=4.5)
    axes.axvline(0, color=GREY, linewidth=1)
    axes.set_yticks(
        range(len(groups)), [f"{names[row.grouping]}: {row.group}" for row in groups.itertuples()], fontsize=8
    )
    axes.set_ylim(len(groups) - 0.5, -0.5)
    axes.set_xlabel(f"change in the share with {spared(outcome)}")
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    return figure


def uptake_figure(groups: pd.DataFrame, names: dict[str, str]) -> Figure:
    """Draw the share of offers that start in each group, beside people otherwise alike (`models.programme.uptake.Uptake.groups`)."""
    figure = Figure(figsize=(7.8, 1.0 + 0.27 * len(groups)), layout="constrained")
    axes = figure.subplots()
    for place, row in enumerate(groups.itertuples()):
        if np.isnan(row.share):
            axes.text(0.01, place, "too few to tell", transform=axes.get_yaxis_transform(), va="center", fontsize=7)
            continue
        axes.plot([row.low, row.high], [place, place], color=BLUE, linewidth=1.4)
        axes.plot([row.share], [place], "o", color=BLUE, markersize=4.5)
        axes.plot([row.alike], [place], "^", color=ORANGE, markersize=4.5)
    axes.set_yticks(
        range(len(groups)), [f"{names[row.grouping]}: {row.group}" for row in groups.itertuples()], fontsize=8
    )
    axes.set_ylim(len(groups) - 0.5, -0.5)
    axes.set_xlabel("share of those offered a place who started (triangle: people otherwise alike)")
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    return figure


def payback_figure(money: Money) -> Figure:
    """Draw cumulative savings for each starter, with their interval, beside the cost of a place."""
    figure = Figure(figsize=(7.4, 3.8), layout="constrained")
    axes = figure.subplots()
    curve = money.curve
    axes.plot(curve["month"], curve["saved"], "o-", color=BLUE, markersize=4, label="saved, 95 % interval")
    axes.fill_between(curve["month"], curve["low"], curve["high"], color=BLUE, alpha=0.15, linewidth=0)
    if money.place is not None:
        axes.axhline(money.place, color=ORANGE, linestyle="--", label="what a place costs")
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set(xlabel="months from the day of the start", ylabel="pounds a starter")
    axes.legend(frameon=False)
    return figure
