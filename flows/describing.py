"""What the list says of each person on it: reasons with their days, what changed, and what to know before calling."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd

import cohorts
import models
from casewell.settings import CASE_MANAGEMENT, Settings
from features import CATALOGUE, load_code_groups
from flows.places import titles_of


def described(
    settings: Settings,
    as_of: dt.date,
    linked: Path,
    matrix: Path,
    model: Path,
    allocation: pd.DataFrame,
    scored: pd.DataFrame,
    people: pd.DataFrame,
    silent: set[int],
    last: cohorts.Earlier | None,
) -> pd.DataFrame:
    """Return the `cohort` table of everybody listed or in reserve.

    Parameters
    ----------
    allocation, scored, people
        This week's tables; `scored` with the benefit of what each person is offered (`cohorts.as_offered`).
    silent
        Pseudonyms of people whose practice has stopped sending records.
    last
        The last published list; None in a first week.
    """
    events, groups = linked / "events.parquet", load_code_groups()
    chosen = allocation.loc[allocation["status"] != "not_selected", "person_id"]
    features = pd.read_parquet(matrix, filters=[("person_id", "in", chosen.tolist())])
    learned = scored.loc[scored["evidence_grade"] != "assumed", "person_id"]
    if "programme" in allocation:
        # What is learned of benefit is learned of case management: it is no reason for another programme.
        learned = learned[learned.isin(allocation.loc[allocation["programme"] == CASE_MANAGEMENT, "person_id"])]
    why = models.contributions(models.load(model), features, (~features["person_id"].isin(learned)).to_numpy())
    told = cohorts.strongest(why, CATALOGUE, settings.lists.reasons)
    told = cohorts.with_days(told, CATALOGUE, events, as_of, groups, last.as_of if last else None)
    reasons = cohorts.side_by_side(chosen, told, settings.lists.reasons)
    titles = titles_of(settings)
    steps = cohorts.first_steps(chosen, told, allocation, titles)
    known = cohorts.circumstances(
        chosen, steps, events, as_of, groups, settings.lists.name_mental_health, silent & set(chosen)
    )
    cohort = cohorts.assemble(allocation, scored, reasons, people, as_of, known)
    return cohort.assign(changed=cohorts.personal_changes(cohort, told, last, titles)["changed"].to_numpy())
