"""Places of each programme against need, by group.

A place is not a place: with several programmes, a group may have its share of all places and next to none of case
management. So each programme's places are held against need by themselves. The gate decides by those of case management,
which the lists rank by, besides all together; the other programmes are for whom their rules say, and are told.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from casewell.settings import CASE_MANAGEMENT, Fairness
from fairness.levels import REPORTED, Levels, judge
from fairness.places import share_ratio_rows
from fairness.rows import COLUMNS as MEASURED

COLUMNS = ["programme", *MEASURED, "verdict"]


def programmes_of(people: pd.DataFrame) -> list[str]:
    """Return the programmes that have places, where there are several; case management first."""
    codes = sorted(set(people.loc[people["listed"], "programme"]), key=lambda code: (code != CASE_MANAGEMENT, code))
    return codes if len(codes) > 1 else []


def judged_alone(people: pd.DataFrame, settings: Fairness) -> int:
    """Count the comparisons by which the gate judges case management alone."""
    if CASE_MANAGEMENT not in programmes_of(people):
        return 0
    return sum(
        int((people[name].value_counts() >= settings.minimum_people).sum()) for name in sorted(set(settings.gate_on))
    )


def programme_rows(
    people: pd.DataFrame, groupings: Sequence[str], settings: Fairness, levels: Levels, seed: int
) -> pd.DataFrame:
    """Return one row per programme, grouping and group: `value`, its share of the programme's places over its share of need.

    `people` has one row per eligible person: the labels, `listed`, `high_need`, `programme` (of the listed). Other columns
    as `fairness.audit.Audit.measures`; verdicts of other programmes than case management are `reported`.
    """
    tables = [pd.DataFrame({name: pd.Series(dtype="str") for name in COLUMNS})]
    for code in programmes_of(people):
        having = people.assign(listed=people["programme"] == code)
        for number, name in enumerate(groupings):
            rows = share_ratio_rows(having, name, levels, settings.draws, [seed, len(groupings), number])
            verdict = judge(rows, settings) if code == CASE_MANAGEMENT else REPORTED
            tables.append(rows.assign(programme=code, grouping=name, verdict=verdict))
    return pd.concat(tables[1:] or tables, ignore_index=True)[COLUMNS]
