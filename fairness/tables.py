"""The page's tables, as HTML."""

from __future__ import annotations

import pandas as pd

from casewell.page import html_table
from fairness.audit import Audit
from fairness.disclosure import HIDDEN, controlled_bands, controlled_measures
from fairness.groups import GROUPING_NAMES
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


def need_table(audit: Audit, grouping: str) -> str:
    """Show mean need by band of risk, for each group of one grouping."""
    bands = controlled_bands(audit)
    bands = bands[bands["grouping"] == grouping]
    means = {(row["group"], row["band"]): _mean(row) for _, row in bands.iterrows()}
    body = [
        [group, ratio(rows["need_at_same_score"]), *(means.get((group, band), NOTHING) for band in BANDS)]
        for group, rows in _by_group(audit, grouping)
    ]
    head = [
        "Group",
        "Need at the same risk ÷ everybody's (interval)",
        *(f"Mean need, {band} by risk" for band in BANDS),
    ]
    return html_table(f"{GROUPING_NAMES[grouping]}: need at the same risk", head, body)


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
    return _missing(row) if pd.isna(row["value"]) else f"{row['value']:.2f}"


def _missing(row: pd.Series) -> str:
    return HIDDEN if row["hidden"] else NOTHING


def _by_group(audit: Audit, grouping: str) -> list[tuple[str, dict[str, pd.Series]]]:
    table = controlled_measures(audit)
    table = table[table["grouping"] == grouping]
    return [
        (str(group), {row["measure"]: row for _, row in rows.iterrows()})
        for group, rows in table.groupby("group", sort=False)
    ]
