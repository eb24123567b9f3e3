"""Days that may not be named: something sensitive was recorded on them.

A date beside a harmless count can give away what else happened that day: "the latest emergency admission on 4
September" is harmless until the family remembers what 4 September was. So no day is named on which any sensitive code
was recorded, nor any day of a hospital stay of which a hospital recorded one, nor the day before such a stay. What an
emergency department recorded counts as the hospital's: who comes late in the evening is admitted after midnight.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from features.code_groups import map_codes
from features.sensitive import SENSITIVE_GROUPS

CHAPTERS = (
    "admitted_genitourinary",
    "admitted_infection",
    "admitted_mental",
    "any_mental_health",
    "ed_complaint",
    "housing_problem",
    "prescription_infections",
)
"""Sensitive groups that are wide: they hold harmless codes too."""
HARMLESS = (
    "acsc_pyelonephritis",
    "cms_ckd",
    "cms_dementia",
    "ed_abdominal_pain",
    "ed_breathlessness",
    "ed_chest_pain",
    "ed_fall",
    "ed_fever",
    "ed_headache",
    "ed_injury",
    "ed_unwell",
    "hospital_acute_kidney_injury",
    "hospital_delirium",
    "hospital_sepsis",
    "housing_damp_report",
    "mental_health_memory",
    "prescription_antibiotic",
    "urinary_infection",
)
"""Of those codes, the ones that a reason may name anyway (why: tests/features/test_sensitive.py) make no day private."""

_DAYS = """
WITH of_people AS (SELECT e.* FROM read_parquet($events) AS e SEMI JOIN asked USING (subject_id)),
told AS (
    SELECT DISTINCT subject_id, CAST("time" AS DATE) AS day, starts_with(code, 'ICD10') OR starts_with(code, 'DISCHARGE//')
        OR starts_with(code, 'ED_COMPLAINT//') AS by_hospital
    FROM of_people SEMI JOIN private USING (code)
),
stays AS (
    SELECT DISTINCT subject_id, CAST("time" AS DATE) - 1 AS first, CAST(coalesce("end", "time") AS DATE) AS last
    FROM of_people WHERE starts_with(code, 'SPELL//')
),
hidden AS (
    SELECT DISTINCT subject_id, first, last FROM stays JOIN told USING (subject_id)
    WHERE by_hospital AND day BETWEEN first AND last
)
SELECT subject_id AS person_id, CAST(day AS TIMESTAMP) AS day FROM told
UNION SELECT subject_id, CAST(unnest(generate_series(first, last, INTERVAL 1 DAY)) AS TIMESTAMP) FROM hidden
ORDER BY 1, 2
"""


def private_days(people: np.ndarray, events: Path, code_groups: pd.DataFrame) -> pd.DataFrame:
    """Return `person_id` and `day`, no row twice, of each day of the people's that may not be named.

    Parameters
    ----------
    events
        The Parquet file of the `events` table. Superseded versions count too: what was once recorded is remembered.
    """
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as database:
        codes = database.execute("SELECT DISTINCT code FROM read_parquet(?)", [str(events)]).df()["code"]
        database.register("private", pd.DataFrame({"code": private_codes(codes, code_groups)}, dtype="str"))
        database.register("asked", pd.DataFrame({"subject_id": np.unique(people)}))
        found = database.execute(_DAYS, {"events": str(events)}).df()
    return found.astype({"day": "datetime64[us]"})


def private_codes(codes: pd.Series, code_groups: pd.DataFrame) -> list[str]:
    """Keep the codes that a sensitive group holds, but for harmless ones of wide groups.

    Chapters that happen to hold a sensitive code are private with it: a date too few is better than one too many.
    """
    groups = map_codes(codes, code_groups)
    # What is harmless as a diagnosis is harmless as the first diagnosis.
    anywhere = pd.Series(groups["code"].unique(), dtype="str").str.replace("ICD10_PRIMARY//", "ICD10//")
    named = map_codes(anywhere, code_groups[code_groups["group"].isin(HARMLESS)])["code"]
    sensitive = groups[groups["group"].isin(SENSITIVE_GROUPS)]
    harmless = sensitive["code"].str.replace("ICD10_PRIMARY//", "ICD10//").isin(named)
    return sorted(set(sensitive.loc[~(sensitive["group"].isin(CHAPTERS) & harmless), "code"]))
