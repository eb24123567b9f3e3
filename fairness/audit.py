"""Measure how places, need and prediction fall on each group of people."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from casewell.settings import CASE_MANAGEMENT, Fairness
from fairness.by_programme import judged_alone, programme_rows
from fairness.categories import join, small_categories
from fairness.feeds import COLUMNS as FEED_COLUMNS
from fairness.feeds import feed_rows
from fairness.funnel import COLUMNS as FUNNEL_COLUMNS
from fairness.gradient import SHARE_OF_ERROR, gradient_rows
from fairness.groups import GROUPINGS, in_order, one_group_where_small
from fairness.labels import label_rows
from fairness.levels import Levels, judge, levels_for
from fairness.lost import comparisons as lost_comparisons
from fairness.lost import differences
from fairness.lost import in_order as lost_in_order
from fairness.outcomes import calibration_rows, outcome_rows
from fairness.places import in_high_need, place_rows, share_ratio_rows
from fairness.pooling import pooled_rows
from fairness.promised import promised_rows
from fairness.recording import recorded_before, recording_rows
from fairness.related import goes_with_nothing
from fairness.remedies import remedy_rows
from fairness.rows import COLUMNS, MEASURES
from fairness.same_need import same_need_rows
from fairness.same_score import (
    BAND_COLUMNS,
    happened_by_band,
    happened_rows,
    need_by_band,
    need_ratio_rows,
    risk_position,
)
from fairness.unknown import each_in_turn
from records.tables import NOT_KNOWN, NOT_RECORDED

CROSSINGS = ("imd_by_ethnicity", "imd_by_ethnicity_by_sex")
POOLED = (*CROSSINGS, "practice")


OF_SCORES = ("person_id", "risk", "need", "benefit", "need_expected", "risk_before_groups")


@dataclass(frozen=True, eq=False)
class Audit:
    """What was measured. Exact counts: show them only through `fairness.controlled`.

    Attributes
    ----------
    measures
        One row per grouping, group and measure: `value`; `low`, `high` at the settings'
        confidence; `wide_low`, `wide_high` at the confidence a fail needs; `people` in the group
        (for calibration and AUROC, in the test window); `count` of the events behind the value,
        out of `base`; `verdict`. Groups without an eligible person have no row.
    need_by_band
        One row per grouping, group, band of risk and `what`: `people`, `value` with `low`, `high`. Of `illness` it is mean need
        on the day of the list; of what happened in the test window the share of people, `count` of them.
    lost
        Who was lost before any model, by group, as it came in: records.tables.LINKAGE.
    lost_differences
        One row per grouping and loss: `best` and `worst` group, `value` (difference of their shares), `low`, `high`,
        `wide_low`, `wide_high`, `groups` compared and `verdict`; see `fairness.lost.differences`.
    gradients
        Slope, relative and concentration indices along deprivation; see `fairness.gradient`.
    pooled
        Places against need of small cells, crossings and practices, lent strength by each other; see `fairness.pooling`.
    programmes
        Places of each programme against need, by group; see `fairness.by_programme`. Empty where one programme has all places.
    labels
        What the list would be under other labels; see `fairness.labels`.
    remedies
        What each remedy would do for the group worst off, by grouping of the gate; see `fairness.remedies`.
    unknown
        The verdict by ethnicity if all unknown were of one group; see `fairness.unknown`.
    feeds
        People whose practice has stopped sending, by group; see `fairness.feeds`. Empty where that is not known.
    funnel
        From an offer to care that lasts, by group; see `fairness.funnel`. Empty where nothing is known of offers.
    ethnicity_unrelated
        Whether recorded ethnicity goes with nothing that it goes with in any population; see `fairness.related`.
    levels
        The two confidences of the intervals.
    totals
        `eligible`, `listed`, `high_need` and `tested` people, and the `comparisons` the gate makes.
    settings
        The limits the audit was made with.
    earlier
        The record of an earlier week (`fairness.record.to_json`), against which this one is held; empty without one.
    """

    measures: pd.DataFrame
    need_by_band: pd.DataFrame
    lost: pd.DataFrame
    lost_differences: pd.DataFrame
    gradients: pd.DataFrame
    pooled: pd.DataFrame
    programmes: pd.DataFrame
    labels: pd.DataFrame
    remedies: pd.DataFrame
    unknown: pd.DataFrame
    feeds: pd.DataFrame
    funnel: pd.DataFrame
    ethnicity_unrelated: bool
    levels: Levels
    totals: dict[str, int]
    settings: Fairness
    earlier: dict[str, Any]


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
    evidence: pd.DataFrame | None = None,
    funnel: pd.DataFrame | None = None,
    found: pd.DataFrame | None = None,
    earlier: dict[str, Any] | None = None,
    held: pd.Series | None = None,
) -> Audit:
    """Audit one list.

    Parameters
    ----------
    groups
        From `fairness.groups.group_table`, of everybody; a person it lacks is `not recorded`, as everybody is in a grouping that it lacks.
    scores
        models.tables.SCORES, one row per eligible person. `benefit`, `need_expected` and `risk_before_groups` may be left out; what
        rests on them is then not looked at.
    selected
        person_id of those who are listed; all of them in `scores`.
    test_predictions
        models.tables.TEST_PREDICTIONS, `risk_before_groups` optional; may be empty. What `fairness.happened.what_happened` adds is held against the risk too.
    lost
        records.tables.LINKAGE; if empty, the gate cannot tell who never reached the list.
    seed
        Of the bootstrap.
    test_groups
        Groups of the people in the test window as they were when it began, where they differ from `groups`: age
        does, and what was known of ethnicity.
    known
        What else is known of people, one row each: `person_id`, and any of `silent` (their practice has stopped sending),
        `use` (emergency admissions of the last three years), `attended` (attendances of emergency departments in them, with
        `use` only) and `team` (its code; without it all are one team).
    evidence
        models.tables.BENEFIT_EVIDENCE, against which the promised benefit is held; may be empty.
    funnel
        From `fairness.funnel.funnel_rows`, kept as it came in.
    found
        What hospitals found, for `fairness.recording.recorded_before`; without it nobody looks whether illness is written down alike.
    earlier
        The record of an earlier week, as `fairness.record.to_json` returned it.
    held
        The programme (its code) of each listed person, by person_id; left out, case management.

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
    joined = small_categories([people, test], settings.minimum_people)
    people, test = join(people, joined), join(test, joined)
    people = people.assign(programme=_programme(people, held))
    lost = lost_in_order(lost)
    conditions = None if found is None else recorded_before(found, people)
    comparisons = _comparisons(people, test, conditions, settings) + lost_comparisons(lost, settings)
    comparisons += judged_alone(people, settings)
    along = int("use" in people)
    levels = levels_for(settings.confidence, comparisons, 1 - SHARE_OF_ERROR * (along > 0))
    promised = None
    if evidence is not None:
        promised = join(_with_groups(evidence, groups, ["person_id", "index_date"]), joined)
    measures = _measures(people, test, promised, conditions, settings, levels, seed)
    measures = measures.assign(verdict=judge(measures, settings))
    programmes = programme_rows(people, GROUPINGS, settings, levels, seed)
    bands = [need_by_band(people, name, levels.plain).assign(grouping=name) for name in GROUPINGS]
    if "died" in test:
        bands += [happened_by_band(test, name, levels.plain).assign(grouping=name) for name in GROUPINGS]
    return Audit(
        measures=measures,
        need_by_band=pd.concat(bands, ignore_index=True)[["grouping", *BAND_COLUMNS]],
        lost=lost,
        lost_differences=differences(lost, settings, levels),
        gradients=gradient_rows(
            people,
            measures,
            levels_for(settings.confidence, along, SHARE_OF_ERROR),
            settings,
            [seed, len(GROUPINGS)],
        ),
        pooled=pd.concat([pooled_rows(people, name, levels.plain) for name in POOLED], ignore_index=True),
        programmes=programmes,
        labels=label_rows(people),
        remedies=remedy_rows(people, test, measures, settings),
        unknown=_unknown_each_in_turn(people, test, settings, levels, seed),
        feeds=feed_rows(people, settings) if "silent" in people else pd.DataFrame(columns=FEED_COLUMNS),
        funnel=pd.DataFrame(columns=FUNNEL_COLUMNS) if funnel is None else funnel,
        ethnicity_unrelated=goes_with_nothing(people),
        levels=levels,
        totals={
            "eligible": len(people),
            "listed": int(people["listed"].sum()),
            "high_need": int(people["high_need"].sum()),
            "tested": int(test["person_id"].nunique()),
            "ethnicity_unknown": unknown,
            "comparisons": comparisons + along,
        },
        settings=settings,
        earlier=earlier or {},
    )


def _people(
    groups: pd.DataFrame, scores: pd.DataFrame, selected: Collection[int] | np.ndarray, need_share: float
) -> pd.DataFrame:
    told = [name for name in OF_SCORES if name in scores]
    people = _with_groups(scores[told], groups, ["person_id"])
    listed = np.unique(np.array(list(selected), dtype="int64"))
    without_score = ~np.isin(listed, people["person_id"].to_numpy())
    if without_score.any():
        raise ValueError(f"{int(without_score.sum())} listed people have no score")
    return people.assign(
        listed=people["person_id"].isin(listed),
        high_need=in_high_need(people["need"], need_share),
        position=risk_position(people["risk"]),
    )


def _programme(people: pd.DataFrame, held: pd.Series | None) -> pd.Series:
    """Return the programme of each listed person, and nothing (empty) for the others."""
    if held is None:
        return people["listed"].map({True: CASE_MANAGEMENT, False: ""})
    return people["person_id"].map(held).where(people["listed"], "")


def _with_groups(table: pd.DataFrame, groups: pd.DataFrame, order: list[str]) -> pd.DataFrame:
    names = list(GROUPINGS)
    of_people = groups.reindex(columns=["person_id", *names])
    joined = table.sort_values(order).merge(of_people, on="person_id", how="left", validate="m:1")
    return joined.assign(**joined[names].fillna(NOT_RECORDED).astype("str")).reset_index(drop=True)


def _comparisons(people: pd.DataFrame, test: pd.DataFrame, conditions: pd.DataFrame | None, settings: Fairness) -> int:
    """Count the groups, large enough to judge, on which the gate decides, for each of its measures."""
    tables = [people, *(table.drop_duplicates("person_id") for table in (test, conditions) if table is not None)]
    return sum(
        int((table[name].value_counts().reindex(people[name].unique()) >= settings.minimum_people).sum())
        for name in sorted(set(settings.gate_on))
        for table in tables
    )


def _measures(
    people: pd.DataFrame,
    test: pd.DataFrame,
    promised: pd.DataFrame | None,
    conditions: pd.DataFrame | None,
    settings: Fairness,
    levels: Levels,
    seed: int,
) -> pd.DataFrame:
    if people.empty:
        return pd.DataFrame({name: pd.Series(dtype="str" if name in COLUMNS[:3] else "float64") for name in COLUMNS})
    tables = []
    for number, name in enumerate(GROUPINGS):
        groups = pd.Index(in_order(people[name]), name="group")
        measured = [
            place_rows(people, name, levels, settings.draws, [seed, number]),
            outcome_rows(test, name, groups, levels),
            need_ratio_rows(people, name, levels),
            *([happened_rows(test, name, groups, levels)] if "died" in test else []),
            *([same_need_rows(people, name, groups, levels)] if "use" in people else []),
            # Standardised by age, every age is as everybody.
            *(
                [recording_rows(conditions, name, groups, levels)]
                if conditions is not None and name != "age_band"
                else []
            ),
            *([promised_rows(promised, name, groups, levels)] if promised is not None and len(promised) else []),
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
            share_ratio_rows(relabelled, "ethnic_group", levels, settings.draws, [seed, 0]),
            calibration_rows(tested, "ethnic_group", groups, levels),
        ]
        rows = pd.concat(measured, ignore_index=True)
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
