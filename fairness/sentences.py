"""What each chart shows, in one or two plain sentences worked out from the figures shown."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from fairness.audit import Audit
from fairness.controlled import (
    controlled_differences,
    controlled_lost,
    controlled_measures,
    controlled_pooled,
    controlled_programmes,
    controlled_remedies,
)
from fairness.disclosure import written
from fairness.groups import GROUPING_NAMES, is_recorded
from fairness.levels import CANNOT_TELL, FAIL, PASS
from fairness.lost import has_group
from fairness.remedies import ALLOCATION, DATA, LABEL, MODEL
from fairness.rows import RECORDED

SHOWN = ("imd_quintile", "ethnic_group", "sex", "age_band")


ALSO_JUDGED = ("ethnic_category", "learning_disability_or_autism", "severe_mental_illness", "inclusion_health")
"""Groupings of which a sentence is told, without a picture."""
ABOUT_REMEDIES = (
    "For the group with the lowest share of places over its share of high need, by each grouping of the gate: that figure before and "
    "after each remedy, with lists made anew within each team's places. 1 is a share of places equal to the share of high need. "
    "Try the label first and allocation last. No place is ever drawn at random to mend a figure."
)
WORST_FEW = 3


def about_places(audit: Audit, groupings: tuple[str, ...] = SHOWN) -> str:
    """Say how many groups are short of places, and which is worst placed."""
    rows = _rows(audit, "share_ratio", groupings)
    if rows.empty or rows["value"].isna().all():
        return "Too few places, or too little difference in need, to compare shares of places with shares of need."
    lowest = rows.iloc[int(np.nanargmin(rows["value"]))]
    short, unsure = _named(rows, FAIL), _named(rows, CANNOT_TELL)
    start = f"Of {len(rows)} groups large enough to judge, {len(short) or 'none'} {_are(short)} clearly short of places{_list(short)}"
    return (
        f"{start}, and for {len(unsure) or 'none'} it is too early to tell. The lowest ratio is {lowest['value']:.2f} "
        f"({lowest['low']:.2f} to {lowest['high']:.2f}), for {_name(lowest)}; "
        "1 means a share of places equal to the share of high need."
    )


def about_practices(audit: Audit) -> str:
    """Say of practices, lent strength by each other, how many are clearly short of places, and name the few lowest."""
    rows = controlled_pooled(audit)
    rows = rows[(rows["grouping"] == "practice") & ~rows["hidden"]]
    rows = rows[is_recorded(rows["group"].astype("str"))]
    if len(rows) < 2:
        return "Too few practices with places, or people in high need, enough to show."
    short = rows[rows["high"] < 1]
    lowest = rows.sort_values(["pooled", "group"]).head(WORST_FEW)
    named = "; ".join(f"{row.group} {row.pooled:.2f} ({row.low:.2f} to {row.high:.2f})" for row in lowest.itertuples())
    return (
        f"Of {len(rows)} practices whose counts can be shown, {len(short) or 'none'} {_are(list(short['group']))} clearly below a share of places equal "
        f"to the share of high need, each drawn towards 1 the more the smaller it is. The lowest: {named}."
    )


def about_programmes(audit: Audit) -> list[str]:
    """Say of each programme, where several have places, which of the gate's groups has least of its places for its need."""
    said = []
    rows = controlled_programmes(audit)
    rows = rows[rows["grouping"].isin(audit.settings.gate_on) & (rows["people"] >= audit.settings.minimum_people)]
    for programme, own in rows[rows["value"].notna()].groupby("programme", sort=False):
        lowest = own.loc[own["value"].idxmin()]
        said.append(
            f"Of the places of {str(programme).replace('_', ' ')}, {_name(lowest)} has least for its need: {lowest['value']:.2f} times its share of "
            f"high need ({lowest['low']:.2f} to {lowest['high']:.2f})."
        )
    return said


def about_remedies(audit: Audit) -> list[str]:
    """Say, in the order in which to try them, what each remedy would do for the groups worst off that do not surely pass."""
    rows = controlled_remedies(audit)
    ratios = audit.measures[audit.measures["measure"] == "share_ratio"].set_index(["grouping", "group"])["verdict"]
    verdict = ratios.reindex(pd.MultiIndex.from_frame(rows[["grouping", "group"]]))
    rows = rows[(verdict != PASS).to_numpy()]
    if rows.empty:
        return ["No group that the gate judges needs any: each has its share of places, or is too small or unknown."]
    rows = rows[rows["before"].notna() & rows["after"].notna()]
    return [f"{number}. {step.capitalize()}. {_of_step(rows, step)}" for number, step in enumerate(_ORDER, start=1)]


def _of_step(rows: pd.DataFrame, step: str) -> str:
    """Say what the remedies of one step would do: a sentence each, the groups in it."""
    said = []
    for remedy, own in rows[rows["step"] == step].groupby("remedy", sort=False):
        groups = ", ".join(f"{_name(row)} {row['before']:.2f} to {row['after']:.2f}" for _, row in own.iterrows())
        said.append(f"{str(remedy)[0].upper()}{str(remedy)[1:]}: {groups}.")
    return " ".join(said) or _NOT_TRIED[step]


_ORDER = (LABEL, DATA, MODEL, ALLOCATION)
_NOT_TRIED = {
    LABEL: "Too few people to show what it would do.",
    DATA: "No expected need is known beside what is recorded, or too few people to show what it would do.",
    MODEL: "The risk fails surely for no group of age, sex or deprivation, so there was nothing to mend; or too few people to show it.",
    ALLOCATION: "Too few people to show what the policy does.",
}


def about_calibration(audit: Audit) -> str:
    """Say for how many groups the predicted risk misleads, and where it is furthest out."""
    rows = _rows(audit, "calibration_ratio", SHOWN)
    if rows.empty or rows["value"].isna().all():
        return "There is no test window large enough to hold predictions against what happened."
    distance = rows["value"].clip(lower=1e-9)
    furthest = rows.iloc[int(np.nanargmax(np.maximum(distance, 1 / distance)))]
    wrong = _named(rows, FAIL)
    return (
        f"Predictions clearly mislead for {len(wrong) or 'none'} of {len(rows)} groups large enough to judge{_list(wrong)}. They are furthest out for "
        f"{_name(furthest)}: {furthest['value']:.2f} times as many outcomes as predicted "
        f"({furthest['low']:.2f} to {furthest['high']:.2f})."
    )


def about_recording(audit: Audit) -> str:
    """Say in which group least of what hospitals found was on record before."""
    rows = _rows(audit, RECORDED, SHOWN)
    if rows.empty or rows["value"].isna().all():
        return "Too few conditions were found by hospitals to tell whether illness is written down alike."
    lowest, wrong = rows.iloc[int(np.nanargmin(rows["value"]))], _named(rows, FAIL)
    return (
        f"Illness is clearly written down too little for {len(wrong) or 'none'} of {len(rows)} groups large enough to judge"
        f"{_list(wrong)}. Of what hospitals found, least was on record before for {_name(lowest)}: {lowest['value']:.2f} times "
        f"what everybody's records would give ({lowest['low']:.2f} to {lowest['high']:.2f})."
    )


def about_need(audit: Audit) -> str:
    """Say which group is sickest beside others at the same risk, and which dies or is admitted needlessly more often."""
    return " ".join(_at_the_same_risk(audit, measure, *words) for measure, words in _WORSE.items()).strip()


_WORSE = {
    "need_at_same_score": ("illness", "ranking by risk alone would understate their need"),
    "death_at_same_score": ("deaths", "the risk misses what they die of"),
    "preventable_at_same_score": (
        "admissions that care outside hospital can often prevent",
        "care outside hospital may reach them less",
    ),
}


def _at_the_same_risk(audit: Audit, measure: str, what: str, meaning: str) -> str:
    rows = _rows(audit, measure, ("imd_quintile", "ethnic_group"))
    rows = rows[rows["low"].notna()]
    worse = rows[rows["wide_low"] > 1].sort_values(["value", "grouping", "group"], ascending=[False, True, True])
    if rows.empty:
        # What the test window was not asked for is not missed.
        return (
            f"There are too few people to compare {what} at the same risk." if measure == "need_at_same_score" else ""
        )
    if worse.empty:
        return f"At the same risk no group clearly has more {what} than everybody together."
    top = worse.iloc[0]
    return (
        f"At the same risk {_name(top)} has most {what}: {top['value']:.2f} times everybody's "
        f"({top['low']:.2f} to {top['high']:.2f}). Clearly above 1 for {len(worse)} of {len(rows)} groups: {meaning}."
    )


def about_lost(audit: Audit) -> str:
    """Say how far apart groups are in records that found no person, and how many say too little to know their group."""
    parts = [_apart(row) for row in controlled_differences(audit).itertuples() if row.measure == "no_person_found"]
    parts = [part for part in parts if part]
    if not parts:
        return "Too few people in any two groups to compare whose records found no person."
    lost = controlled_lost(audit)
    nowhere = lost[(lost["measure"] == "no_person_found") & ~has_group(lost)]
    unknown = nowhere.groupby("grouping", sort=False)["count"].agg(lambda shown: shown.sum(skipna=False))
    return (
        f"People with a record that found no person: how far groups are apart. {' '.join(parts)} In no group, because they "
        f"say too little, are {_unplaced(unknown)}."
    )


def _apart(row: Any) -> str:
    """Say how far the worst group lies from the best; nothing where groups cannot be compared."""
    if row.groups < 2:
        return ""
    where = GROUPING_NAMES[row.grouping]
    if row.hidden:
        return f"{where}: the difference rests on fewer than 8 people, too few to show."
    if row.value == 0:
        return f"{where}: all groups lost the same share (a difference of up to {100 * row.high:.1f} percentage points cannot be ruled out)."
    alike = "the groups may be alike; " if row.low == 0 else ""
    return (
        f"{where}: {alike}{row.worst} lies {100 * row.value:.1f} percentage points above {row.best} "
        f"({100 * row.low:.1f} to {100 * row.high:.1f})."
    )


def _unplaced(people: pd.Series) -> str:
    if not people.ne(0).any():
        return "none"
    return " and ".join(
        f"{written(number)} people by {GROUPING_NAMES[name].lower()}" for name, number in people.items()
    )


def _rows(audit: Audit, measure: str, groupings: tuple[str, ...]) -> pd.DataFrame:
    """Return one measure of the groups large enough to speak of."""
    table = controlled_measures(audit)
    enough = audit.measures["people"] >= audit.settings.minimum_people
    return table[enough & (table["measure"] == measure) & table["grouping"].isin(groupings)]


def _name(row: pd.Series) -> str:
    return f"{GROUPING_NAMES[row['grouping']].lower()} {row['group']}"


def _named(rows: pd.DataFrame, verdict: str) -> list[str]:
    return [_name(row) for _, row in rows[rows["verdict"] == verdict].iterrows()]


def _are(items: list[str]) -> str:
    return "is" if len(items) == 1 else "are"


def _list(items: list[str]) -> str:
    return f" ({'; '.join(items)})" if items else ""
