"""Measure how places, need and prediction fall on each group of people."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

from casewell.settings import Fairness
from fairness.feeds import COLUMNS as FEED_COLUMNS
from fairness.feeds import feed_rows
from fairness.gradient import gradient_rows
from fairness.groups import GROUPINGS, in_order, one_group_where_small
from fairness.labels import label_rows
from fairness.levels import Levels, judge, levels_for
from fairness.lost import comparisons as lost_comparisons
from fairness.lost import differences
from fairness.lost import in_order as lost_in_order
from fairness.outcomes import calibration_rows, outcome_rows
from fairness.places import in_high_need, place_rows
from fairness.pooling import pooled_rows
from fairness.rows import COLUMNS, GATED, MEASURES
from fairness.same_need import same_need_rows
from fairness.same_score import need_by_band, need_ratio_rows, risk_position
from fairness.unknown import each_in_turn
from records.tables import NOT_KNOWN, NOT_RECORDED

CROSSINGS = ("imd_by_ethnicity", "imd_by_ethnicity_by_sex")


@dataclass(frozen=True)
class Audit:
    """What was measured. Exact counts: show them only through `fairness.disclosure`.

    Attributes
    ----------
    measures
        One row per grouping, group and measure: `value`; `low`, `high` at the settings'
        confidence; `wide_low`, `wide_high` at the confidence a fail needs; `people` in the group
        (for calibration and AUROC, in the test window); `count` of the events behind the value,
        out of `base`; `verdict`. Groups without an eligible person have no row.
    need_by_band
        One row per grouping, group and band of risk: `people`, `value` (mean need), `low`, `high`.
    lost
        Who was lost before any model, by group, as it came in: records.tables.LINKAGE.
    lost_differences
        One row per grouping and loss: `best` and `worst` group, `value` (difference of their shares), `low`, `high`,
        `wide_low`, `wide_high`, `groups` compared and `verdict`; see `fairness.lost.differences`.
    gradients
        Slope, relative and concentration indices along deprivation; see `fairness.gradient`.
    pooled
        Places against need of small cells, lent strength by each other; see `fairness.pooling`.
    labels
        What the list would be under other labels; see `fairness.labels`.
    unknown
        The verdict by ethnicity if all unknown were of one group; see `fairness.unknown`.
    feeds
        People whose practice has stopped sending, by group; see `fairness.feeds`. Empty where that is not known.
    levels
        The two confidences of the intervals.
    totals
        `eligible`, `listed`, `high_need` and `tested` people, and the `comparisons` the gate makes.
    settings
        The limits the audit was made with.
    """

    measures: pd.DataFrame
    need_by_band: pd.DataFrame
    lost: pd.DataFrame
    lost_differences: pd.DataFrame
    gradients: pd.DataFrame
    pooled: pd.DataFrame
    labels: pd.DataFrame
    unknown: pd.DataFrame
    feeds: pd.DataFrame
    levels: Levels
    totals: dict[str, int]
    settings: Fairness


def audit(
    groups: pd.DataFrame,
    scores: pd.DataFrame,
    selected: Collection[int] | np.ndarray,
    test_predictions: pd.DataFrame,
    lost: pd.DataFrame,
    settings: Fairness,
    seed: int,
    test_groups: pd.DataFrame | None = None,
    known: pd.DataFrame | None = None,
) -> Audit:
    """Audit one list.

    Parameters
    ----------
    groups
        From `fairness.groups.group_table`, of everybody; a person it lacks is `not recorded`.
    scores
        models.tables.SCORES, one row per eligible person.
    selected
        person_id of those who are listed; all of them in `scores`.
    test_predictions
        models.tables.TEST_PREDICTIONS; may be empty.
    lost
        records.tables.LINKAGE; if empty, the gate cannot tell who never reached the list.
    seed
        Of the bootstrap.
    test_groups
        Groups of the people in the test window as they were when it began, where they differ from `groups`: age
        does, and what was known of ethnicity.
    known
        What else is known of people, one row each: `person_id`, and any of `silent` (their practice has stopped sending) and
        `use` (emergency admissions of the last three years).

    Raises
    ------
    ValueError
        A listed person has no score.
    """
    people = _people(groups, scores, selected, settings.need_share)
    if known is not None:
        people = people.merge(known, on="person_id", how="left", validate="one_to_one")
    test = _with_groups(test_predictions, groups if test_groups is None else test_groups, ["person_id", "index_date"])
    # Not stated is an answer; only before the two may become one group can they be told apart.
    unknown = int(people["ethnic_group"].isin([NOT_KNOWN, NOT_RECORDED]).sum())
    people, test = one_group_where_small([people, test], settings.minimum_people)
    lost = lost_in_order(lost)
    comparisons = _comparisons(people, test, settings) + lost_comparisons(lost, settings) + ("use" in people)
    levels = levels_for(settings.confidence, comparisons)
    measures = _measures(people, test, settings, levels, seed)
    measures = measures.assign(verdict=judge(measures, settings))
    bands = [need_by_band(people, name, levels.plain).assign(grouping=name) for name in GROUPINGS]
    return Audit(
        measures=measures,
        need_by_band=pd.concat(bands, ignore_index=True)[
            ["grouping", "group", "band", "people", "value", "low", "high"]
        ],
        lost=lost,
        lost_differences=differences(lost, settings, levels),
        gradients=gradient_rows(people, measures, levels, settings, [seed, len(GROUPINGS)]),
        pooled=pd.concat([pooled_rows(people, name, levels.plain) for name in CROSSINGS], ignore_index=True),
        labels=label_rows(people),
        unknown=_unknown_each_in_turn(people, test, settings, levels, seed),
        feeds=feed_rows(people, settings) if "silent" in people else pd.DataFrame(columns=FEED_COLUMNS),
        levels=levels,
        totals={
            "eligible": len(people),
            "listed": int(people["listed"].sum()),
            "high_need": int(people["high_need"].sum()),
            "tested": int(test["person_id"].nunique()),
            "ethnicity_unknown": unknown,
            "comparisons": comparisons,
        },
        settings=settings,
    )


def _people(
    groups: pd.DataFrame, scores: pd.DataFrame, selected: Collection[int] | np.ndarray, need_share: float
) -> pd.DataFrame:
    people = _with_groups(scores[["person_id", "risk", "need"]], groups, ["person_id"])
    listed = np.unique(np.array(list(selected), dtype="int64"))
    without_score = ~np.isin(listed, people["person_id"].to_numpy())
    if without_score.any():
        raise ValueError(f"{int(without_score.sum())} listed people have no score")
    return people.assign(
        listed=people["person_id"].isin(listed),
        high_need=in_high_need(people["need"], need_share),
        position=risk_position(people["risk"]),
    )


def _with_groups(table: pd.DataFrame, groups: pd.DataFrame, order: list[str]) -> pd.DataFrame:
    joined = table.sort_values(order).merge(
        groups[["person_id", *GROUPINGS]], on="person_id", how="left", validate="m:1"
    )
    names = list(GROUPINGS)
    return joined.assign(**joined[names].fillna(NOT_RECORDED).astype("str")).reset_index(drop=True)


def _comparisons(people: pd.DataFrame, test: pd.DataFrame, settings: Fairness) -> int:
    """Count the groups, large enough to judge, on which the gate decides, for both its measures."""
    tested = test.drop_duplicates("person_id")
    return sum(
        int((table[name].value_counts().reindex(people[name].unique()) >= settings.minimum_people).sum())
        for name in sorted(set(settings.gate_on))
        for table in (people, tested)
    )


def _measures(people: pd.DataFrame, test: pd.DataFrame, settings: Fairness, levels: Levels, seed: int) -> pd.DataFrame:
    if people.empty:
        return pd.DataFrame({name: pd.Series(dtype="str" if name in COLUMNS[:3] else "float64") for name in COLUMNS})
    tables = []
    for number, name in enumerate(GROUPINGS):
        groups = pd.Index(in_order(people[name]), name="group")
        measured = [
            place_rows(people, name, levels, settings.draws, [seed, number]),
            outcome_rows(test, name, groups, levels),
            need_ratio_rows(people, name, levels),
            *([same_need_rows(people, name, groups, levels)] if "use" in people else []),
        ]
        tables.append(_sorted(pd.concat(measured), groups).assign(grouping=name))
    return pd.concat(tables, ignore_index=True)[COLUMNS]


def _unknown_each_in_turn(
    people: pd.DataFrame, test: pd.DataFrame, settings: Fairness, levels: Levels, seed: int
) -> pd.DataFrame:
    def judged(labels: pd.Series, test_labels: pd.Series) -> pd.DataFrame:
        relabelled = people.assign(ethnic_group=labels)
        tested = test.assign(ethnic_group=test_labels)
        groups = pd.Index(in_order(labels), name="group")
        measured = [
            place_rows(relabelled, "ethnic_group", levels, settings.draws, [seed, 0]),
            calibration_rows(tested, "ethnic_group", groups, levels),
        ]
        rows = pd.concat(measured, ignore_index=True)
        rows = rows[rows["measure"].isin(GATED)]
        return rows.assign(verdict=judge(rows, settings))

    return each_in_turn(people["ethnic_group"], test["ethnic_group"], judged)


def _sorted(rows: pd.DataFrame, groups: pd.Index) -> pd.DataFrame:
    place = pd.DataFrame(
        {
            "group": groups.get_indexer(pd.Index(rows["group"])),
            "measure": pd.Index(MEASURES).get_indexer(pd.Index(rows["measure"])),
        }
    )
    return rows.iloc[np.lexsort([place["measure"], place["group"]])]
