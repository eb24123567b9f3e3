"""The further tables of `fairness_tables.html`: gradients, other labels, unknown ethnicity, stopped feeds, small cells."""

from __future__ import annotations

from html import escape

import pandas as pd

from casewell.page import html_table
from fairness.audit import CROSSINGS, Audit
from fairness.change import change_rows
from fairness.controlled import (
    DECIMALS,
    controlled_feeds,
    controlled_funnel,
    controlled_labels,
    controlled_measures,
    controlled_pooled,
    controlled_programmes,
    controlled_remedies,
)
from fairness.disclosure import HIDDEN
from fairness.funnel import STEPS
from fairness.gradient import WORDS
from fairness.groups import GROUPING_NAMES
from fairness.labels import LABELS
from fairness.promised import MEASURE as PROMISED
from fairness.rows import GATED
from fairness.sentences import ABOUT_REMEDIES
from fairness.tables import NOTHING, number, ratio

_LABELS = {"list": "this week's list"} | {name: f"highest {words}" for name, words in LABELS.items()}


def further_section(audit: Audit) -> str:
    """Return the section, every count under disclosure control and every text escaped."""
    parts = [
        ("Along deprivation", _ABOUT_GRADIENTS, _gradients(audit)),
        ("What would help, in this order", ABOUT_REMEDIES, _remedies(audit)),
        ("Places of each programme", _ABOUT_PROGRAMMES, _programmes(audit)),
        ("What the list would be under another label", _ABOUT_LABELS, _labels(audit)),
        ("From an offer to care that lasts", _ABOUT_FUNNEL, _funnel(audit)),
        ("Does the promised benefit come?", _ABOUT_PROMISE, _promised(audit)),
        ("Since the last audit", _ABOUT_CHANGE, _change(audit)),
        ("If all whose ethnicity is unknown were of one group", _ABOUT_UNKNOWN, _unknown(audit)),
        ("Whose practice has stopped sending records", _ABOUT_FEEDS, _feeds(audit)),
        ("Small cells, lent strength by each other", _ABOUT_POOLED, _pooled(audit)),
    ]
    shown = "".join(f"<h3>{title}</h3><p>{escape(about)}</p>{table}" for title, about, table in parts if table)
    return f"<section><h2>Further</h2>{shown}</section>"


_ABOUT_GRADIENTS = (
    "Slope and relative indices are the two ends of a line through the fifths. A concentration index below 0 leans to the most "
    "deprived; horizontal inequity is that of places less that of high need."
)
_ABOUT_PROGRAMMES = (
    "Each programme's places against high need, by themselves: many places of one can hide that a group has few of another. The "
    "gate decides by all together and by those of case management. Crossings and practices are in fairness.json."
)
_ABOUT_LABELS = "As many places as the list has, given to the highest by each label, all teams together."
_ABOUT_FUNNEL = (
    "Each step is a share of the step before, of offers of the last year, whoever made them: a group may be chosen as often and "
    "reached less, agree less often, or leave sooner."
)
_ABOUT_PROMISE = (
    "A group's average benefit, told from people who could as well have been on the programme as not (doubly robust, overlap "
    "weights), less the average that the scores promise the same people. Above 0 the group gains more than its scores say."
)
_ABOUT_CHANGE = "Both weeks as they were shown. Most people are the same in both, so a small move may be real and a large one chance."
_ABOUT_UNKNOWN = "A verdict that changes with an assumption nobody can check is no verdict: it becomes 'cannot tell'."
_ABOUT_FEEDS = "A score made of records that stopped is not the score that others get."
_ABOUT_POOLED = (
    "Share of places over share of high need, drawn towards 1 the more the smaller the cell (gamma and Poisson, spread from the "
    "cells themselves). The gate does not decide by it."
)


def _gradients(audit: Audit) -> str:
    rows = audit.gradients[audit.gradients["value"].notna()].round(DECIMALS)
    body = [[WORDS[row["what"], row["measure"]], _interval(row), row["verdict"]] for _, row in rows.iterrows()]
    return html_table("Indices along deprivation", ["Index", "Value (interval)", "Verdict"], body) if body else ""


def _interval(row: pd.Series) -> str:
    if pd.isna(row["low"]):
        return f"{row['value']:.2f}"
    return f"{row['value']:.2f} ({row['low']:.2f} to {row['high']:.2f})"


def _remedies(audit: Audit) -> str:
    body = [
        [
            f"{GROUPING_NAMES[row.grouping]}: {row.group}",
            f"{row.step.capitalize()}: {row.remedy}",
            *(
                HIDDEN if row.hidden else NOTHING if pd.isna(value) else f"{value:.2f}"
                for value in (row.before, row.after)
            ),
        ]
        for row in controlled_remedies(audit).itertuples()
    ]
    head = ["Group with the lowest share", "Remedy", "Before", "After"]
    return html_table("Share of places over share of high need, before and after", head, body) if body else ""


def _programmes(audit: Audit) -> str:
    rows = controlled_programmes(audit)
    rows = rows[~rows["grouping"].isin([*CROSSINGS, "practice"])]
    body = [
        [
            f"{GROUPING_NAMES[row['grouping']]}: {row['group']}",
            row["programme"],
            number(row["count"]),
            number(row["base"]),
            ratio(row),
            row["verdict"],
        ]
        for _, row in rows.iterrows()
    ]
    head = ["Group", "Programme", "Places", "High need", "Share of places over share of need (interval)", "Verdict"]
    return html_table("Places by programme", head, body) if body else ""


def _labels(audit: Audit) -> str:
    head = [
        "List of the",
        "Places",
        "Also on this week's list",
        "Of the most deprived fifth",
        "In high need",
        "Horizontal inequity",
    ]
    body = [
        [
            _LABELS[row["label"]],
            *(number(row[name]) for name in ("places", "also_listed", "core20", "high_need")),
            NOTHING if pd.isna(row["inequity"]) else f"{row['inequity']:+.3f}",
        ]
        for _, row in controlled_labels(audit).iterrows()
    ]
    return html_table("The list under other labels", head, body)


def _funnel(audit: Audit) -> str:
    table = controlled_funnel(audit)
    body = [
        [
            f"{GROUPING_NAMES[str(grouping)]}: {group}",
            *(f"{number(row['count'])} of {number(row['base'])}: {_share(row)}" for _, row in rows.iterrows()),
        ]
        for (grouping, group), rows in table.groupby(["grouping", "group"], sort=False)
    ]
    head = ["Group", *(words.capitalize() for words in STEPS.values())]
    return html_table("Offers, and what became of them", head, body) if body else ""


def _share(row: pd.Series) -> str:
    if pd.isna(row["share"]):
        return HIDDEN if row["hidden"] else NOTHING
    return f"{row['share']:.0%} ({row['low']:.0%} to {row['high']:.0%})"


def _promised(audit: Audit) -> str:
    rows = controlled_measures(audit)
    rows = rows[(rows["measure"] == PROMISED) & ~rows["grouping"].isin([*CROSSINGS, "practice"])]
    body = [
        [
            f"{GROUPING_NAMES[row['grouping']]}: {row['group']}",
            number(row["people"]),
            number(row["count"]),
            NOTHING
            if pd.isna(row["value"])
            else f"{100 * row['value']:+.1f} ({100 * row['low']:+.1f} to {100 * row['high']:+.1f})",
        ]
        for _, row in rows.iterrows()
    ]
    head = [
        "Group",
        "People in the evidence",
        "With case management",
        "Benefit less promise, percentage points (interval)",
    ]
    return html_table("Benefit and promise", head, body) if body else ""


def _change(audit: Audit) -> str:
    rows = change_rows(audit)
    rows = rows[rows["grouping"] != "practice"].sort_values(["grouping", "measure", "group"])
    body = [
        [
            f"{GROUPING_NAMES[row.grouping]}: {row.group}",
            GATED[row.measure],
            *(NOTHING if pd.isna(value) else f"{value:.2f}" for value in (row.before, row.now)),
            row.verdict_before or NOTHING,
            row.verdict_now or NOTHING,
        ]
        for row in rows.itertuples()
    ]
    head = ["Group", "Figure", "Before", "Now", "Verdict before", "Verdict now"]
    return html_table("Two audits side by side", head, body) if body else ""


def _unknown(audit: Audit) -> str:
    body = [[row.assumed, row.verdict, row.worst_group or NOTHING] for row in audit.unknown.itertuples()]
    head = ["All unknown taken to be", "Verdict by ethnicity", "Because of"]
    return html_table("Unknown ethnicity, each group in turn", head, body) if body else ""


def _feeds(audit: Audit) -> str:
    body = [
        [
            f"{GROUPING_NAMES[row['grouping']]}: {row['group']}",
            number(row["people"]),
            number(row["silent"]),
            NOTHING if pd.isna(row["share"]) else f"{row['share']:.1%}",
            row["verdict"],
        ]
        for _, row in controlled_feeds(audit).iterrows()
    ]
    head = ["Group", "People", "With a silent practice", "Share", "Verdict of the grouping"]
    return html_table("Practices that have stopped sending", head, body) if body else ""


def _pooled(audit: Audit) -> str:
    body = [
        [
            f"{GROUPING_NAMES[row['grouping']]}: {row['group']}",
            *(number(row[name]) for name in ("people", "places", "high_need")),
            NOTHING if pd.isna(row["raw"]) else f"{row['raw']:.2f}",
            NOTHING if pd.isna(row["pooled"]) else f"{row['pooled']:.2f} ({row['low']:.2f} to {row['high']:.2f})",
        ]
        for _, row in controlled_pooled(audit).iterrows()
    ]
    head = ["Cell", "People", "Places", "High need", "As measured", "Pooled (interval)"]
    return html_table("Places against need in small cells", head, body) if body else ""
