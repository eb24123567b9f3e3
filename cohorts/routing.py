"""Who may be offered case management, and who is better served by somebody else.

Each person leaves by the first rule that applies, in the order of `_rules`: death is a hard
stop before all else, then what makes an offer impossible, then who already helps.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from casewell.doors import check
from casewell.errors import SettingsError
from casewell.settings import Settings
from cohorts.tables import ELIGIBLE, NOT_ELIGIBLE, ROUTED_ELSEWHERE, ROUTES
from features.code_groups import load_code_groups, map_codes

LONGEST_STAY_DAYS = 180
END_OF_LIFE_DAYS = 730

_GROUPS = ("end_of_life", "palliative_care", "care_home")

_CIRCUMSTANCES = """
    WITH known AS (
        SELECT subject_id, "time", "end", code FROM read_parquet($events) WHERE known_at < $as_of
    ),
    care_home AS (SELECT code FROM coded WHERE "group" = 'care_home'),
    completed AS (
        SELECT DISTINCT subject_id, CAST("time" AS DATE) AS admitted
        FROM known WHERE starts_with(code, 'SPELL//') AND coalesce("end", "time") <= $as_of
    )
    SELECT DISTINCT subject_id, 'end of life' AS circumstance
    FROM known SEMI JOIN (FROM coded WHERE "group" <> 'care_home') AS dying USING (code)
    WHERE "time" >= $end_of_life_since
    UNION
    SELECT subject_id, 'care home' FROM known SEMI JOIN care_home USING (code)
    WHERE NOT starts_with(code, 'DISCHARGE//') AND ("end" IS NULL OR "end" > $as_of)
    UNION
    SELECT subject_id, 'care home' FROM known WHERE starts_with(code, 'DISCHARGE//')
    GROUP BY subject_id
    HAVING max("time") FILTER (WHERE code IN (SELECT code FROM care_home)) = max("time")
    UNION
    SELECT subject_id, 'in hospital' FROM known
    ANTI JOIN completed
        ON completed.subject_id = known.subject_id AND completed.admitted = CAST(known."time" AS DATE)
    WHERE starts_with(code, 'ADMISSION//') AND "time" >= $admitted_since
    ORDER BY 1, 2
"""


def route(
    people: pd.DataFrame,
    events: Path,
    enrolments: pd.DataFrame,
    as_of: dt.date,
    settings: Settings,
    code_groups: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Give every person one door: not eligible, routed elsewhere, or eligible.

    Parameters
    ----------
    people, enrolments
        The tables of `records/`.
    events
        The Parquet file of the `events` table; read in DuckDB, never loaded whole.
    code_groups
        As `features.load_code_groups` returns them, which is what is used when left out.

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


def circumstances(events: Path, code_groups: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Find who is near the end of life, in a care home or in hospital, as known before `as_of`.

    End of life: a code of the last two years; an older one that was never followed by a death
    has most likely lapsed. Care home: a stay that has not ended, or a latest hospital discharge
    that went to one. In hospital: an admission of the last 180 days without a completed spell of
    the same day; because completed spells arrive late, some of these people are home again.

    Returns
    -------
    DataFrame
        `subject_id`, `circumstance` (`end of life`, `care home`, `in hospital`), no row twice.
    """
    wanted = code_groups[code_groups["group"].isin(_GROUPS)]
    absent = sorted(set(_GROUPS) - set(wanted["group"]))
    if absent:
        raise SettingsError(
            [f"code group {name!r} has no code, so nobody could be routed by it" for name in absent],
            "Restore it in data/reference/code_groups.csv.",
        )
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as database:
        codes = database.execute("SELECT DISTINCT code FROM read_parquet(?)", [str(events)]).df()["code"]
        database.register("coded", map_codes(codes, wanted))
        return database.execute(
            _CIRCUMSTANCES,
            {
                "events": str(events),
                "as_of": as_of,
                "end_of_life_since": as_of - pd.Timedelta(days=END_OF_LIFE_DAYS),
                "admitted_since": as_of - pd.Timedelta(days=LONGEST_STAY_DAYS),
            },
        ).df()


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
