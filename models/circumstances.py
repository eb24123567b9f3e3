"""Who is better served by somebody else than a case manager, on a day."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pandas as pd

from casewell.errors import SettingsError
from features.code_groups import map_codes

LONGEST_STAY_DAYS = 180
END_OF_LIFE_DAYS = 730

_GROUPS = ("end_of_life", "palliative_care", "care_home")

_RELEVANT = """
    CREATE TEMP TABLE relevant AS
    SELECT subject_id, "time", "end", code, known_at, known_until FROM read_parquet($events)
    WHERE code IN (SELECT code FROM coded) OR regexp_matches(code, '^(SPELL|ADMISSION|DISCHARGE)//')
"""

_CIRCUMSTANCES = """
    WITH known AS (
        SELECT subject_id, "time", "end", code FROM relevant
        WHERE known_at < $as_of AND coalesce(known_until >= $as_of, TRUE)
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
    return circumstances_on(events, code_groups, [as_of]).drop(columns="index_date")


def circumstances_on(events: Path, code_groups: pd.DataFrame, dates: Sequence[pd.Timestamp]) -> pd.DataFrame:
    """Find the same on several dates, reading the events once: `index_date`, `subject_id`, `circumstance`."""
    wanted = code_groups[code_groups["group"].isin(_GROUPS)]
    absent = sorted(set(_GROUPS) - set(wanted["group"]))
    if absent:
        raise SettingsError(
            [f"code group {name!r} has no code, so nobody could be routed by it" for name in absent],
            "Restore it in data/reference/code_groups/.",
        )
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as database:
        codes = database.execute("SELECT DISTINCT code FROM read_parquet(?)", [str(events)]).df()["code"]
        database.register("coded", map_codes(codes, wanted))
        database.execute(_RELEVANT, {"events": str(events)})
        found = [
            database.execute(
                _CIRCUMSTANCES,
                {
                    "as_of": date,
                    "end_of_life_since": date - pd.Timedelta(days=END_OF_LIFE_DAYS),
                    "admitted_since": date - pd.Timedelta(days=LONGEST_STAY_DAYS),
                },
            )
            .df()
            .assign(index_date=date.as_unit("us"))
            for date in dates
        ]
    return pd.concat(found, ignore_index=True)[["index_date", "subject_id", "circumstance"]]
