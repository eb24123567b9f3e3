"""What happened to people in the year after an index date."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd

from casewell.doors import check
from casewell.settings import Settings
from features.code_groups import load_code_groups, map_codes, require_groups
from models.circumstances import circumstances
from models.tables import OUTCOMES

NEGATIVE_CONTROL_GROUP = "elective_admission"

# Days of a completed spell inside [start, stop).
_OVERLAP = (
    "greatest(0, date_diff('day', greatest(events.time, {start}), least(coalesce(events.\"end\", {stop}), {stop})))"
)

_OUTCOMES = f"""
    WITH rows AS (
        SELECT index_date, person_id, index_date + to_days($horizon) AS horizon_end FROM population
    ),
    spans AS (
        SELECT rows.index_date, rows.person_id,
               max(CASE WHEN groups."group" = $admission AND events.time >= rows.index_date THEN 1 ELSE 0 END) AS admitted,
               min(CASE WHEN groups."group" = $admission AND events.time >= rows.index_date THEN events.time END) AS first_admitted,
               max(CASE WHEN groups."group" = $control AND events.time >= rows.index_date THEN 1 ELSE 0 END) AS control,
               sum(CASE WHEN groups."group" = 'emergency_spell' AND events.time >= rows.index_date
                        THEN {_OVERLAP.format(start="rows.index_date", stop="rows.horizon_end")} ELSE 0 END)::DOUBLE AS bed_days,
               sum(CASE WHEN groups."group" = 'any_spell'
                        THEN {_OVERLAP.format(start="rows.index_date", stop="rows.horizon_end")} ELSE 0 END)::DOUBLE AS days_in_hospital
        FROM rows
        JOIN read_parquet($events) AS events
          ON events.subject_id = rows.person_id AND events.time < rows.horizon_end AND events.known_until IS NULL
         AND (events.time >= rows.index_date OR events."end" > rows.index_date)
        JOIN groups USING (code)
        GROUP BY ALL
    ),
    starts AS (
        SELECT DISTINCT rows.index_date, rows.person_id
        FROM rows JOIN read_parquet($enrolments) AS enrolments
          ON enrolments.person_id = rows.person_id
         AND enrolments.start >= rows.index_date AND enrolments.start < rows.index_date + to_days($grace)
    )
    SELECT rows.index_date, rows.person_id,
           starts.person_id IS NOT NULL AS treated,
           coalesce(spans.admitted, 0) = 1 OR coalesce(people.died_on < rows.horizon_end, FALSE) AS outcome,
           coalesce(people.died_on < rows.horizon_end, FALSE) AS died,
           least($horizon, coalesce(spans.bed_days, 0))::DOUBLE AS bed_days,
           greatest(0, date_diff('day', rows.index_date, least(coalesce(people.died_on, rows.horizon_end), rows.horizon_end))
                       - coalesce(spans.days_in_hospital, 0))::DOUBLE AS days_at_home,
           coalesce(least(spans.first_admitted, people.died_on) < rows.index_date + to_days($grace), FALSE) AS early,
           CASE WHEN coalesce(spans.admitted, 0) = 1 OR people.died_on < rows.horizon_end
                THEN date_diff('day', rows.index_date, least(spans.first_admitted, people.died_on)) END::DOUBLE AS days_to_outcome,
           coalesce(people.registered_to >= rows.horizon_end OR people.died_on < rows.horizon_end, people.registered_to IS NULL) AS stayed,
           coalesce(spans.control, 0) = 1 AS negative_control
    FROM rows
    JOIN read_parquet($people) AS people USING (person_id)
    LEFT JOIN spans USING (index_date, person_id)
    LEFT JOIN starts USING (index_date, person_id)
    ORDER BY rows.index_date, rows.person_id
"""


def outcomes(population: pd.DataFrame, linked: Path, settings: Settings) -> pd.DataFrame:
    """Label each person and index date, and say who could have been offered a place: `models.tables.OUTCOMES`.

    Parameters and errors as for `labels`.
    """
    found = labels(population, linked, settings)
    return check(found.assign(offerable=_offerable(found, linked / "events.parquet")), OUTCOMES)


def labels(population: pd.DataFrame, linked: Path, settings: Settings) -> pd.DataFrame:
    """Label each person and index date, by what finally turned out: of each event the version that still holds.

    Parameters
    ----------
    population : DataFrame
        `index_date`, `person_id`.
    linked : Path
        The folder with `people.parquet`, `events.parquet` and `enrolments.parquet`.

    Returns
    -------
    DataFrame
        The table `models.tables.OUTCOMES` without `offerable`.

    Raises
    ------
    SettingsError
        `outcome.admission_group` is no code group.
    """
    require_groups([settings.outcome.admission_group])
    events = linked / "events.parquet"
    wanted = [settings.outcome.admission_group, NEGATIVE_CONTROL_GROUP, "emergency_spell", "any_spell"]
    with duckdb.connect() as database:
        codes = database.execute("SELECT DISTINCT code FROM read_parquet(?) ORDER BY code", [str(events)]).df()["code"]
        mapping = map_codes(codes)
        database.register("groups", mapping[mapping["group"].isin(wanted)])
        database.register("population", population)
        return database.execute(
            _OUTCOMES,
            {
                "horizon": settings.outcome.horizon_days,
                "grace": settings.benefit.grace_days,
                "admission": settings.outcome.admission_group,
                "control": NEGATIVE_CONTROL_GROUP,
                "events": str(events),
                "people": str(linked / "people.parquet"),
                "enrolments": str(linked / "enrolments.parquet"),
            },
        ).df()


def _offerable(labels: pd.DataFrame, events: Path) -> pd.Series:
    groups = load_code_groups()
    dates = labels["index_date"].drop_duplicates()
    elsewhere = pd.concat(
        [circumstances(events, groups, date).assign(index_date=date.as_unit("us")) for date in dates], ignore_index=True
    )
    served = pd.MultiIndex.from_frame(elsewhere[["index_date", "subject_id"]])
    return pd.Series(~pd.MultiIndex.from_frame(labels[["index_date", "person_id"]]).isin(served), index=labels.index)
