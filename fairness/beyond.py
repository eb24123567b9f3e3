"""What the gate decides by besides places, calibration and loss: stopped feeds, hidden trouble, unknown ethnicity."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from casewell.settings import CASE_MANAGEMENT, Fairness
from fairness.audit import Audit
from fairness.controlled import controlled_feeds, controlled_programmes
from fairness.disclosure import control
from fairness.gradient import HIDDEN_TROUBLE, judged_by
from fairness.groups import GROUPING_NAMES, is_recorded
from fairness.levels import CANNOT_TELL, FAIL, PASS
from fairness.reasons import UNDER_DIAGNOSIS, reasons_of
from fairness.same_need import ADMITTED, USE


def also_judged(audit: Audit, settings: Fairness) -> Iterator[tuple[str, str]]:
    """Yield (verdict, sentence) for each thing that fails or cannot be told; sentences are fit to be shown."""
    yield from _case_management_alone(audit, settings)
    yield from _feeds(audit, settings)
    yield from _hidden_trouble(audit, settings)
    if "ethnic_group" in settings.gate_on:
        yield from _unknown_share(audit, settings)
        yield from _unrelated(audit)
        yield from _unknown_each_in_turn(audit.unknown)


def _case_management_alone(audit: Audit, settings: Fairness) -> Iterator[tuple[str, str]]:
    table = controlled_programmes(audit)
    table = table[(table["programme"] == CASE_MANAGEMENT) & table["grouping"].isin(settings.gate_on)]
    for verdict in (FAIL, CANNOT_TELL):
        for sentence in reasons_of(table[table["verdict"] == verdict], settings, ", of case management alone"):
            yield verdict, sentence


def _feeds(audit: Audit, settings: Fairness) -> Iterator[tuple[str, str]]:
    limit, feeds = settings.maximum_silent_difference, controlled_feeds(audit)
    silence = f"have sent nothing for {settings.silent_days} days or more"
    for grouping, table in feeds[feeds["grouping"].isin(settings.gate_on)].groupby("grouping", sort=False):
        if table["verdict"].iloc[0] != FAIL:
            continue
        told = table[is_recorded(table["group"]) & (table["people"] >= settings.minimum_people)].dropna(
            subset=["share"]
        )
        start = f"{GROUPING_NAMES[str(grouping)]}, records have stopped coming: the practices of"
        if len(told) < 2:
            yield (
                FAIL,
                f"{start} more of one group than of another {silence}, too few to show; {limit:.0%} more are tolerated.",
            )
            continue
        worst, best = told.loc[told["share"].idxmax()], told.loc[told["share"].idxmin()]
        yield (
            FAIL,
            f"{start} {worst['share']:.0%} of {worst['group']} {silence}, against {best['share']:.0%} of {best['group']}; "
            f"{limit:.0%} more are tolerated.",
        )
    everybody = audit.feeds[audit.feeds["grouping"] == "imd_quintile"][["silent", "people"]].sum()
    if everybody["silent"] > limit * everybody["people"]:
        yield (
            CANNOT_TELL,
            f"Everybody, records have stopped coming: the practices of {_part(*everybody)} of the eligible people {silence}, "
            f"and at most {limit:.0%} is tolerated.",
        )


def _part(count: float, whole: float) -> str:
    """Write a share of a whole as it may be shown."""
    rounded = control(pd.Series([count, whole], dtype="float64"))
    return f"{rounded[0] / rounded[1]:.0%}" if rounded.notna().all() and rounded[1] else "too many"


@dataclass(frozen=True)
class _Trouble:
    what: str
    seen: str
    below: str
    above: str = ""


LABEL_BIAS = "their trouble may not reach the records that the model learns from (label bias)"
_TROUBLES = {
    USE: _Trouble(
        "use at the same need",
        "the most deprived are admitted in an emergency {0:.2f} times as often as the least deprived of the same recorded illness and age",
        LABEL_BIAS,
        UNDER_DIAGNOSIS,
    ),
    ADMITTED: _Trouble(
        "admissions for the same attendances",
        "of people who attend emergency departments as often, of the same recorded illness and age, the most deprived are admitted "
        "{0:.2f} times as often as the least deprived",
        LABEL_BIAS,
    ),
}


def _hidden_trouble(audit: Audit, settings: Fairness) -> Iterator[tuple[str, str]]:
    rows = audit.gradients.set_index(["what", "measure"])
    for measure, (low, high) in judged_by(audit.measures, settings).items():
        row, trouble = rows.loc[HIDDEN_TROUBLE[measure]], _TROUBLES[measure]
        if row["verdict"] == PASS:
            continue
        start = f"Deprivation fifth, {trouble.what}:"
        if pd.isna(row["value"]):
            yield (
                CANNOT_TELL,
                f"{start} it cannot be compared, because fewer than two fifths have "
                f"{settings.minimum_people} people, and admissions or illness to expect of them.",
            )
            continue
        seen = f"{start} {trouble.seen.format(row['value'])} (interval {row['low']:.2f} to {row['high']:.2f})"
        limits = f"the limit of {low:.2f}" if high == math.inf else f"the limits of {low:.2f} and {high:.2f}"
        if row["verdict"] == CANNOT_TELL:
            yield CANNOT_TELL, f"{seen}, not clearly within {limits}."
        else:
            meaning = trouble.below if row["wide_high"] < low else trouble.above
            yield FAIL, f"{seen}, beyond {limits} by more than chance: {meaning}."


def _unknown_share(audit: Audit, settings: Fairness) -> Iterator[tuple[str, str]]:
    eligible = audit.totals["eligible"]
    share = audit.totals["ethnicity_unknown"] / eligible if eligible else 0.0
    if share > settings.maximum_unknown_ethnicity:
        yield (
            CANNOT_TELL,
            f"Ethnic group, missing ethnicity: it is not known for {_part(audit.totals['ethnicity_unknown'], eligible)} of the eligible people, and at most "
            f"{settings.maximum_unknown_ethnicity:.0%} is tolerated.",
        )


def _unrelated(audit: Audit) -> Iterator[tuple[str, str]]:
    if audit.ethnicity_unrelated:
        yield (
            CANNOT_TELL,
            "Ethnic group: as recorded it goes with neither age nor deprivation, as it does in any population large enough to "
            "judge; it may have been given to the wrong people on the way here.",
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
