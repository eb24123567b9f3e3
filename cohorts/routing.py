"""Who may be offered case management, and who is better served by somebody else.

Each person leaves by the first rule that applies, in the order of `_rules`: death is a hard
stop before all else, then what makes an offer impossible, then who already helps.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from pathlib import Path

import numpy as np
import pandas as pd

from casewell.doors import check
from casewell.settings import Settings
from cohorts.answers import standing_answers
from cohorts.tables import ELIGIBLE, NOT_ELIGIBLE, ROUTED_ELSEWHERE, ROUTES
from features.code_groups import load_code_groups
from features.households import LARGEST_HOUSEHOLD
from models.circumstances import circumstances

BEREAVED = "recent death in the household: offer later"


def route(
    people: pd.DataFrame,
    events: Path,
    enrolments: pd.DataFrame,
    offers: pd.DataFrame,
    residences: pd.DataFrame,
    as_of: dt.date,
    settings: Settings,
    code_groups: pd.DataFrame | None = None,
    open_elsewhere: Collection[int] = (),
) -> pd.DataFrame:
    """Give every person one door: not eligible, routed elsewhere, or eligible.

    Parameters
    ----------
    people, residences
        The tables of `records/`.
    enrolments, offers
        Those of case management alone (`records.programmes`): another programme keeps nobody from it.
    events
        The Parquet file of the `events` table; read in DuckDB, never loaded whole.
    code_groups
        As `features.load_code_groups` returns them, which is what is used when left out.
    open_elsewhere
        Whom another programme is open to. Their answer to case management closes that to them (`flows.places`) and routes
        nobody: who declined a case manager may want help at home. Whoever is on a caseload is routed all the same: a
        case manager is there already to ask, and what is learned of the others is of people whom none helped.

    Returns
    -------
    DataFrame
        The `routes` table, sorted by person.

    Raises
    ------
    SettingsError
        When a code group that decides a route has no code.
    """
    date = pd.Timestamp(as_of)
    seen = circumstances(events, load_code_groups() if code_groups is None else code_groups, date)
    rules = _rules(people, enrolments, seen, date, settings)
    answers = standing_answers(offers, enrolments, date, settings.routing)
    answers = answers[~answers["person_id"].isin(list(open_elsewhere))]
    for why, those in answers.groupby("why", sort=True):
        rules.append((ROUTED_ELSEWHERE, str(why), people["person_id"].isin(those["person_id"])))
    grieving = bereaved(people, residences, date, settings.routing.bereaved_days)
    rules.append((ROUTED_ELSEWHERE, BEREAVED, people["person_id"].isin(grieving)))
    doors = [door for door, _, _ in rules]
    whys = [why for _, why, _ in rules]
    holds = [mask.to_numpy(dtype=bool) for _, _, mask in rules]
    routes = pd.DataFrame(
        {
            "person_id": people["person_id"],
            "door": np.select(holds, doors, ELIGIBLE),
            "why": np.select(holds, whys, ""),
        }
    )
    return check(routes.sort_values("person_id", ignore_index=True), ROUTES)


def _rules(
    people: pd.DataFrame, enrolments: pd.DataFrame, seen: pd.DataFrame, as_of: pd.Timestamp, settings: Settings
) -> list[tuple[str, str, pd.Series]]:
    minimum_age = settings.eligibility.minimum_age
    person = people["person_id"]

    def found(circumstance: str) -> pd.Series:
        return person.isin(seen.loc[seen["circumstance"] == circumstance, "subject_id"])

    return [
        (NOT_ELIGIBLE, "died", people["died_on"].notna()),
        (NOT_ELIGIBLE, "moved away", people["registered_to"] <= as_of),
        (NOT_ELIGIBLE, "not registered here", ~people["in_spine"] | (people["registered_from"] > as_of)),
        (NOT_ELIGIBLE, "birth date not known", people["birth_month"].isna()),
        (
            NOT_ELIGIBLE,
            f"under the minimum age of {minimum_age}",
            people["birth_month"] + pd.DateOffset(years=minimum_age) > as_of,
        ),
        (NOT_ELIGIBLE, "no team serves them", people["team_code"] == ""),
        (ROUTED_ELSEWHERE, "already on a caseload", person.isin(_on_caseload(enrolments, as_of))),
        (ROUTED_ELSEWHERE, "end of life: palliative care team", found("end of life")),
        (ROUTED_ELSEWHERE, "care home: enhanced health in care homes", found("care home")),
        (ROUTED_ELSEWHERE, "in hospital: discharge team", found("in hospital")),
    ]


def _on_caseload(enrolments: pd.DataFrame, as_of: pd.Timestamp) -> pd.Series:
    begun = (enrolments["start"] <= as_of) & (enrolments["known_at"] < as_of)
    return enrolments.loc[begun & (enrolments["end"].isna() | (enrolments["end"] > as_of)), "person_id"]


def bereaved(people: pd.DataFrame, residences: pd.DataFrame, as_of: pd.Timestamp, days: int) -> pd.Series:
    """Return who lives at an address where somebody else died within `days` before `as_of`, as was known by then.

    Both must have lived there on the day of the death, and the address must be a household, not a home or hostel.
    """
    homes = residences.dropna(subset=["household_id"])
    dead = people.loc[people["died_on"] >= as_of - pd.Timedelta(days=days), ["person_id", "died_on", "death_known_at"]]
    dead = dead[(dead["died_on"] < as_of) & ~(dead["death_known_at"] >= as_of)]
    there = homes.merge(dead, on="person_id")
    # A registration ends with the death, or soon after.
    there = there[~(there["start"] > there["died_on"]) & ~(there["end"] < there["died_on"])]
    living = homes[~homes["person_id"].isin(people.loc[people["died_on"].notna(), "person_id"])]
    living = living[~(living["end"] <= as_of) & ~(living["start"] >= as_of)]
    size = living.groupby("household_id")["person_id"].nunique()
    living = living[living["household_id"].map(size) <= LARGEST_HOUSEHOLD]
    both = living.merge(there[["household_id", "died_on"]], on="household_id")
    return both.loc[~(both["start"] > both["died_on"]), "person_id"].drop_duplicates()
