"""The week's cohort: everybody listed or in reserve, with scores, bands and reasons, and no names."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from casewell.doors import check
from cohorts.reasons import FALLBACK
from cohorts.tables import (
    BENEFIT_BANDS,
    CIRCUMSTANCES,
    COHORT,
    LISTED,
    MAXIMUM_REASONS,
    NEED_BANDS,
    RESERVE,
    RISK_BANDS,
)


def assemble(
    allocation: pd.DataFrame,
    scores: pd.DataFrame,
    reasons: pd.DataFrame,
    people: pd.DataFrame,
    as_of: dt.date,
    known: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Join what is known of the people who were listed or put in reserve.

    Parameters
    ----------
    allocation, scores
        Everybody who was scored; need bands compare with all of them.
    reasons
        What `reasons.side_by_side` returned for the people selected.
    people
        The `people` table, for the SYNTHETIC stamp.
    known
        What `circumstances.circumstances` returned for them; left out, nothing is on record.

    Returns
    -------
    DataFrame
        The `cohort` table, sorted by team and rank; `changed` is for `changes.personal_changes` to fill.
    """
    banded = scores.assign(risk_band=risk_bands(scores["risk"]), need_band=need_bands(scores["need"]))
    selected = allocation[allocation["status"].isin([LISTED, RESERVE])].drop(columns="why")
    table = selected.merge(banded, on="person_id", validate="one_to_one")
    table = table.merge(reasons, on="person_id", how="left", validate="one_to_one")
    table = table.merge(people[["person_id", "synthetic"]], on="person_id", validate="one_to_one")
    if known is not None:
        table = table.merge(known, on="person_id", how="left", validate="one_to_one")
    for name in (*[f"reason_{number}" for number in range(1, MAXIMUM_REASONS + 1)], *CIRCUMSTANCES):
        table[name] = table[name].fillna("") if name in table else ""
    table["reason_1"] = table["reason_1"].mask(table["reason_1"] == "", FALLBACK)
    table = table.assign(as_of=pd.Timestamp(as_of), changed="", benefit_band=benefit_bands(table))
    present = [name for name, declared in COHORT.columns.items() if declared.required or name in table]
    return check(table.sort_values(["team_code", "rank"], ignore_index=True)[present], COHORT)


def risk_bands(risk: pd.Series | np.ndarray) -> np.ndarray:
    """Put probabilities into words a list can carry; a decimal would promise more than a model knows."""
    return np.select([risk > 0.5, risk >= 0.25, risk >= 0.1], RISK_BANDS[:3], RISK_BANDS[3])


def need_bands(need: pd.Series) -> np.ndarray:
    """Place each person among all who were scored, by the share of them whose need is lower."""
    lower = (need.rank(method="min") - 1) / max(len(need), 1)
    return np.select([lower >= 0.9, lower >= 0.5], NEED_BANDS[:2], NEED_BANDS[2])


def benefit_bands(selected: pd.DataFrame) -> np.ndarray:
    """High is the upper half of the cohort; where benefit is not evidenced the honest band is Unsure."""
    unsure = ~selected["supported"] | (selected["evidence_grade"] == "assumed")
    high = selected["benefit"] >= selected["benefit"].median()
    return np.select([unsure, high], [BENEFIT_BANDS[2], BENEFIT_BANDS[0]], BENEFIT_BANDS[1])
