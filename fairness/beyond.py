"""What the gate decides by besides places, calibration and loss: stopped feeds, hidden trouble, unknown ethnicity."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from casewell.settings import Fairness
from fairness.audit import Audit
from fairness.disclosure import control
from fairness.gradient import USE
from fairness.groups import GROUPING_NAMES, is_recorded
from fairness.levels import CANNOT_TELL, FAIL, PASS


def also_judged(audit: Audit, settings: Fairness) -> Iterator[tuple[str, str]]:
    """Yield (verdict, sentence) for each thing that fails or cannot be told; sentences are fit to be shown."""
    yield from _feeds(audit.feeds, settings)
    yield from _use(audit.gradients, settings)
    if "ethnic_group" in settings.gate_on:
        yield from _unknown_share(audit, settings)
        yield from _unknown_each_in_turn(audit.unknown)


def _feeds(feeds: pd.DataFrame, settings: Fairness) -> Iterator[tuple[str, str]]:
    for grouping, table in feeds[feeds["grouping"].isin(settings.gate_on)].groupby("grouping", sort=False):
        if table["verdict"].iloc[0] != FAIL:
            continue
        judged = table[is_recorded(table["group"]) & (table["people"] >= settings.minimum_people)]
        worst, best = judged.loc[judged["share"].idxmax()], judged.loc[judged["share"].idxmin()]
        yield (
            FAIL,
            f"{GROUPING_NAMES[str(grouping)]}, records have stopped coming: the practices of {worst['share']:.0%} of {worst['group']} "
            f"have sent nothing for {settings.silent_days} days or more, against {best['share']:.0%} of {best['group']}; "
            f"{settings.maximum_silent_difference:.0%} more are tolerated.",
        )


def _use(gradients: pd.DataFrame, settings: Fairness) -> Iterator[tuple[str, str]]:
    row = gradients.set_index(["what", "measure"]).loc[USE]
    if row["verdict"] not in (FAIL, CANNOT_TELL) or pd.isna(row["value"]):
        return
    seen = (
        f"Deprivation fifth, use at the same need: the most deprived are admitted in an emergency {row['value']:.2f} times as "
        f"often as the least deprived of the same recorded illness and age (interval {row['low']:.2f} to {row['high']:.2f})"
    )
    low, high = settings.minimum_use_gradient, settings.maximum_use_gradient
    if row["value"] < (low * high) ** 0.5:
        meaning = "their trouble may not reach the records that the model learns from (label bias)"
    else:
        meaning = "their illness may be written down less than it is (under-diagnosis)"
    limits = f"the limits of {low:.2f} and {high:.2f}"
    how = f"beyond {limits} by more than chance" if row["verdict"] == FAIL else f"not clearly within {limits}"
    yield row["verdict"], f"{seen}, {how}: {meaning}."


def _unknown_share(audit: Audit, settings: Fairness) -> Iterator[tuple[str, str]]:
    eligible = audit.totals["eligible"]
    share = audit.totals["ethnicity_unknown"] / eligible if eligible else 0.0
    if share > settings.maximum_unknown_ethnicity:
        rounded = control(pd.Series([audit.totals["ethnicity_unknown"], eligible], dtype="float64"))
        told = f"{rounded[0] / rounded[1]:.0%}" if rounded.notna().all() and rounded[1] else "too many"
        yield (
            CANNOT_TELL,
            f"Ethnic group, missing ethnicity: it is not known for {told} of the eligible people, and at most "
            f"{settings.maximum_unknown_ethnicity:.0%} is tolerated.",
        )


def _unknown_each_in_turn(unknown: pd.DataFrame) -> Iterator[tuple[str, str]]:
    recorded = unknown.loc[unknown["assumed"] == "as recorded", "verdict"]
    if recorded.empty or recorded.iloc[0] != PASS:
        return
    for row in unknown[unknown["verdict"] != PASS].itertuples():
        yield (
            CANNOT_TELL,
            f"Ethnic group, missing ethnicity: if all who are unknown were {row.assumed}, the verdict would be {row.verdict} "
            f"(for {row.worst_group}) where it is pass as recorded.",
        )
