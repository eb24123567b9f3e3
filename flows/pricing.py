"""What a week's policy on places costs: worked out on those who competed, and told in `policy.html` and `policy.json`."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from prefect import task

import cohorts
import fairness
from casewell import doors
from casewell.settings import Settings
from cohorts.tables import COHORT, LEDGER, LISTED, NOT_SELECTED, RESERVE
from flows.delivering import write_json
from flows.earlier import earlier_price
from flows.places import besides, titles_of
from flows.progress import say
from flows.workspace import stamped
from models.tables import SCORES
from records.pseudonyms import tie_break_key
from records.tables import PEOPLE


@task
def price(
    settings: Settings,
    as_of: dt.date,
    linked: Path,
    out: Path,
    synthetic: bool,
    grade: str,
    beside: dict[str, dict[str, Any]],
) -> dict[str, Any]:
    """Say what the policy on places costs and moves; return the sentences and the numbers of the chosen list.

    `grade` is case management's, and `beside` says the same of each other programme (`evidence_of`).
    """
    say("Working out what the policy on places costs, and what others would")
    people = doors.read(linked / "people.parquet", PEOPLE)
    cohort = doors.read(out / "cohort.parquet", COHORT)
    listed = cohort[cohort["status"] == LISTED]
    found = cohorts.price(
        listed["person_id"].to_numpy(),
        competing(out),
        people,
        doors.read(out / "groups.parquet", fairness.GROUPS),
        settings.teams,
        settings.policy,
        settings.fairness.need_share,
        tie_break_key(settings, stamped(settings)),
        settings.stability.chosen or bool(settings.teams.margins),
        besides(settings, as_of, linked, out),
        listed.set_index("person_id")["programme"] if settings.programmes else None,
    )
    titles = titles_of(settings)
    earlier = earlier_price(settings, as_of)
    told = cohorts.price_json(found, settings.policy, settings.outcome.name, grade, titles, beside, earlier)
    write_json({"name": settings.name, "as_of": str(as_of), "synthetic": synthetic} | told, out / "policy.json")
    cohorts.write_price_page(
        found,
        settings.policy,
        out / "policy.html",
        name=settings.name,
        as_of=as_of,
        synthetic=synthetic,
        outcome=settings.outcome.name,
        grade=grade,
        titles=titles,
        beside=beside,
        earlier=earlier,
    )
    before, after = found.row("by benefit alone"), found.row("chosen")
    numbers = {
        "benefit": after["benefit"],
        "benefit_lost": before["benefit"] - after["benefit"],
        "inequity": np.nan if after["small"] else after["inequity"],
    }
    known = {name: float(number) for name, number in numbers.items() if pd.notna(number)}
    return {"chosen": settings.policy.chosen, "says": told["says"], "numbers": known}


def competing(out: Path) -> pd.DataFrame:
    """Return the scores of everybody who could have had a place this week."""
    scores, ledger = doors.read(out / "scores.parquet", SCORES), doors.read(out / "ledger.parquet", LEDGER)
    competing = ledger.loc[ledger["door"].isin([LISTED, RESERVE, NOT_SELECTED]), "person_id"]
    return scores[scores["person_id"].isin(competing)].reset_index(drop=True)
