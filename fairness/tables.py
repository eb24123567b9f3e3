"""The page's tables, as HTML."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from casewell.page import html_table
from fairness.audit import Audit
from fairness.controlled import controlled_bands, controlled_differences, controlled_lost, controlled_measures
from fairness.disclosure import HIDDEN
from fairness.groups import GROUPING_NAMES
from fairness.lost import LOSS_WORDS
from fairness.rows import RECORDED
from fairness.same_score import BANDS

NOTHING = "–"  # noqa: RUF001


def places_table(audit: Audit, grouping: str) -> str:
    """Show places, need and who was missed, for each group of one grouping."""
    head = [
        "Group",
        "People",
        "Places",
        "High need",
        "Share of places",
        "Share of need",
        "Ratio (interval)",
        "Verdict",
        "High need without a place",
    ]
    body = [
        [
            group,
            number(rows["share_of_people"]["count"]),
            number(rows["share_of_places"]["count"]),
            number(rows["share_of_need"]["count"]),
            percentage(rows["share_of_places"]),
            percentage(rows["share_of_need"]),
            ratio(rows["share_ratio"]),
            rows["share_ratio"]["verdict"],
            percentage(rows["false_negative_rate"]),
        ]
        for group, rows in _by_group(audit, grouping)
    ]
    return html_table(f"{GROUPING_NAMES[grouping]}: places and need", head, body)


def outcomes_table(audit: Audit, grouping: str) -> str:
    """Show prediction against outcome, for each group of one grouping."""
    head = ["Group", "People in test window", "With the outcome", "Observed ÷ predicted (interval)", "Verdict", "AUROC"]
    body = [
        [
            group,
            number(rows["calibration_ratio"]["people"]),
            number(rows["calibration_ratio"]["count"]),
            ratio(rows["calibration_ratio"]),
            rows["calibration_ratio"]["verdict"],
            ratio(rows["auroc"]),
        ]
        for group, rows in _by_group(audit, grouping)
    ]
    return html_table(f"{GROUPING_NAMES[grouping]}: prediction and outcome", head, body)


def recording_table(audit: Audit, grouping: str) -> str:
    """Show how much of what hospitals found was on record before, for each group of one grouping."""
    head = [
        "Group",
        "People with a condition found",
        "Of them on record before",
        "On record ÷ expected (interval)",
        "Verdict",
    ]
    body = [
        [group, number(row["people"]), number(row["count"]), ratio(row), row["verdict"]]
        for group, rows in _by_group(audit, grouping)
        for row in [rows.get(RECORDED)]
        if row is not None
    ]
    return html_table(f"{GROUPING_NAMES[grouping]}: on record before a hospital found it", head, body) if body else ""


AT_THE_SAME_RISK = {
    "illness": ("need_at_same_score", "Need at the same risk", "Mean need"),
    "died": ("death_at_same_score", "Deaths at the same risk", "Share who died"),
    "preventable": (
        "preventable_at_same_score",
        "Admissions at the same risk that care outside hospital can often prevent",
        "Share with such an admission",
    ),
}


def need_table(audit: Audit, grouping: str) -> str:
    """Show illness, deaths and preventable admissions by band of risk, for each group of one grouping: a table each."""
    bands = controlled_bands(audit)
    bands = bands[bands["grouping"] == grouping]
    return "".join(_need_table(audit, bands[bands["what"] == what], grouping, what) for what in bands["what"].unique())


def _need_table(audit: Audit, bands: pd.DataFrame, grouping: str, what: str) -> str:
    measure, title, in_band = AT_THE_SAME_RISK[what]
    means = {(row["group"], row["band"]): _mean(row) for _, row in bands.iterrows()}
    body = [
        [group, ratio(rows[measure]), *(means.get((group, band), NOTHING) for band in BANDS)]
        for group, rows in _by_group(audit, grouping)
    ]
    head = ["Group", "Over everybody's (interval)", *(f"{in_band}, {band} by risk" for band in BANDS)]
    return html_table(f"{GROUPING_NAMES[grouping]}: {title[0].lower()}{title[1:]}", head, body)


def lost_table(audit: Audit, grouping: str) -> str:
    """Show who was lost before any model, for each group of one grouping."""
    lost = controlled_lost(audit)
    lost = lost[lost["grouping"] == grouping]
    body = []
    for group, rows in lost.groupby("group", sort=False):
        told = {row["measure"]: row for _, row in rows.iterrows()}
        people = told["no_person_found"]["base"] if "no_person_found" in told else np.nan
        body.append(
            [str(group), number(people), *(_lost(told[name]) if name in told else NOTHING for name in LOSS_WORDS)]
        )
    head = ["Group", "People", *(words.capitalize() for words in LOSS_WORDS.values())]
    return html_table(f"{GROUPING_NAMES[grouping]}: lost before any model", head, body)


def lost_differences_table(audit: Audit, grouping: str) -> str:
    """Show the difference between the best and the worst group of one grouping, for each loss."""
    table = controlled_differences(audit)
    body = [
        [LOSS_WORDS[row.measure].capitalize(), row.best or NOTHING, row.worst or NOTHING, _points(row), row.verdict]
        for row in table[table["grouping"] == grouping].itertuples()
    ]
    head = ["Lost by", "Smallest share", "Largest share", "Percentage points apart (interval)", "Verdict"]
    return html_table(f"{GROUPING_NAMES[grouping]}: how far apart the groups are", head, body)


def _lost(row: pd.Series) -> str:
    if pd.isna(row["share"]):
        return _missing(row)
    return f"{number(row['count'])}: {row['share']:.1%} ({row['low']:.1%} to {row['high']:.1%})"


def _points(row: Any) -> str:
    if row.hidden or row.groups < 2:
        return HIDDEN if row.hidden else NOTHING
    return f"{100 * row.value:.1f} ({100 * row.low:.1f} to {100 * row.high:.1f})"


def number(count: float) -> str:
    """Write a controlled count."""
    return HIDDEN if pd.isna(count) else f"{int(count):,}"


def percentage(row: pd.Series) -> str:
    """Write a controlled share."""
    return _missing(row) if pd.isna(row["value"]) else f"{row['value']:.1%}"


def ratio(row: pd.Series) -> str:
    """Write a controlled ratio with its interval."""
    if pd.isna(row["value"]):
        return _missing(row)
    return (
        f"{row['value']:.2f} ({row['low']:.2f} to {row['high']:.2f})" if pd.notna(row["low"]) else f"{row['value']:.2f}"
    )


def _mean(row: pd.Series) -> str:
    if pd.isna(row["value"]):
        return _missing(row)
    return f"{row['value']:.2f}" if row["what"] == "illness" else f"{row['value']:.1%}"


def _missing(row: pd.Series) -> str:
    return HIDDEN if row["hidden"] else NOTHING


def _by_group(audit: Audit, grouping: str) -> list[tuple[str, dict[str, pd.Series]]]:
    table = controlled_measures(audit)
    table = table[table["grouping"] == grouping]
    return [
        (str(group), {row["measure"]: row for _, row in rows.iterrows()})
        for group, rows in table.groupby("group", sort=False)
    ]
