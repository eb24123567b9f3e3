"""The sections of `evaluation.html` by group, by practice and over time."""

from __future__ import annotations

from functools import partial

import pandas as pd

from casewell.page import html_table, inline_svg
from models.evaluation.assessment import MONTH, PRACTICE, Assessment
from models.evaluation.page_risk import TOO_FEW, figure_and_interval, folded, section
from models.evaluation.pictures import groups_figure, practices_figure
from models.evaluation.verdicts import GROUPING_WORDS

SHOWN = {
    "auroc": "AUROC",
    "observed_over_expected": "Observed over expected",
    "calibration_slope": "Slope",
    "ici": "ICI",
    "ppv_at_capacity": "PPV at capacity",
    "sensitivity_at_capacity": "Sensitivity at capacity",
}
FOR_PRACTICES = ("auroc", "observed_over_expected", "calibration_slope")


def groups_section(found: Assessment) -> str:
    """How good the risk is in each group of people."""
    names = {name: words for name, words in GROUPING_WORDS.items() if name not in (MONTH, PRACTICE)}
    table = found.groups[found.groups["grouping"].isin(list(names))]
    areas = table[table["measure"] == "auroc"].dropna(subset=["value"])
    sentence = (
        f"Of {len(table[['grouping', 'group']].drop_duplicates())} groups, {len(areas)} are large enough to tell; their area "
        f"under the ROC curve goes from {areas['value'].min():.3f} to {areas['value'].max():.3f}."
        if len(areas)
        else "No group is large enough to tell."
    )
    picture = inline_svg(partial(groups_figure, found.groups, names), "groups", "Figures of merit by group", sentence)
    tables = "".join(
        html_table(f"By {words}", ["Group", "People", "Outcomes", *SHOWN.values()], group_rows(rows, tuple(SHOWN)))
        for name, words in names.items()
        if len(rows := table[table["grouping"] == name])
    )
    return section("For whom", sentence, picture + folded("The figures behind the picture, and more", tables))


def practices_section(found: Assessment) -> str:
    """How good the risk is in each practice."""
    table = found.groups[found.groups["grouping"] == PRACTICE]
    ratio = table[table["measure"] == "observed_over_expected"]
    told = ratio.dropna(subset=["value"])
    if told.empty:
        return section("By practice", f"{len(ratio)} practice(s), each {TOO_FEW}.", "")
    sentence = (
        f"In {len(told)} of {len(ratio)} practices there are enough people to tell. Observed over expected outcomes go from "
        f"{told['value'].min():.2f} to {told['value'].max():.2f}."
    )
    picture = inline_svg(partial(practices_figure, table), "practices", "Calibration by practice", sentence)
    rows = group_rows(table, FOR_PRACTICES)
    head = ["Practice", "People", "Outcomes", *(SHOWN[name] for name in FOR_PRACTICES)]
    return section("By practice", sentence, picture + folded("Every practice", html_table("By practice", head, rows)))


def months_section(found: Assessment) -> str:
    """Whether it holds over time."""
    table = found.groups[found.groups["grouping"] == MONTH]
    areas = table[table["measure"] == "auroc"].dropna(subset=["value"])
    sentence = (
        f"Over {len(areas)} test month(s) the area under the ROC curve lies between {areas['value'].min():.3f} and "
        f"{areas['value'].max():.3f}."
        if len(areas)
        else "No test month has enough people to tell."
    )
    head = ["Index date", "People", "Outcomes", *SHOWN.values()]
    return section("Over time", sentence, html_table("By test month", head, group_rows(table, tuple(SHOWN))))


def group_rows(table: pd.DataFrame, measures: tuple[str, ...]) -> list[list[str]]:
    """Return a row for each group: its name, people, outcomes, and the measures with their intervals."""
    rows = []
    for group, figures in table.groupby("group", sort=False):
        of = figures.set_index("measure")
        counts = [_count(figures[name].iloc[0]) for name in ("people", "outcomes")]
        rows.append(
            [str(group), *counts, *(figure_and_interval(*of.loc[name, ["value", "low", "high"]]) for name in measures)]
        )
    return rows


def _count(number: float) -> str:
    return "*" if pd.isna(number) else f"{number:,.0f}"
