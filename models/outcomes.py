"""What happened to people in the year after an index date."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd

from casewell.doors import check
from casewell.settings import CASE_MANAGEMENT, Settings
from features.code_groups import load_code_groups, map_codes, require_groups
from models.circumstances import circumstances_on
from models.declared_outcomes import DECLARED
from models.tables import OUTCOMES

NEGATIVE_CONTROL_GROUP = "elective_admission"
SENSITIVE_GROUP = "acsc_admission"

# Days of a completed spell inside [start, stop).
_OVERLAP = (
    "greatest(0, date_diff('day', greatest(events.time, {start}), least(coalesce(events.\"end\", {stop}), {stop})))"
)

_OUTCOMES = f"""
    WITH rows AS MATERIALIZED (
        SELECT index_date, person_id, index_date + to_days($horizon) AS horizon_end FROM population
    ),
    relevant AS MATERIALIZED (
        SELECT events.subject_id, events.time, events."end", groups."group"
        FROM read_parquet($events) AS events JOIN groups USING (code)
        WHERE events.known_until IS NULL
    ),
    -- A diagnosis is written on the day of discharge, or of admission: it belongs to the stay that its day lies in.
    sensitive AS MATERIALIZED (
        SELECT DISTINCT stays.subject_id, stays.time
        FROM relevant AS stays JOIN relevant AS diagnoses
          ON diagnoses.subject_id = stays.subject_id AND diagnoses.time BETWEEN stays.time AND stays."end"
        WHERE stays."group" = 'emergency_spell' AND diagnoses."group" = '{SENSITIVE_GROUP}'
    ),
    spans AS (
        SELECT rows.index_date, rows.person_id,
               min(events.time) FILTER (events."group" = $admission AND events.time >= rows.index_date) AS first_admitted,
               coalesce(bool_or(events."group" = '{NEGATIVE_CONTROL_GROUP}' AND events.time >= rows.index_date), FALSE) AS control,
               sum(CASE WHEN events."group" = 'emergency_spell' AND events.time >= rows.index_date
                        THEN {_OVERLAP.format(start="rows.index_date", stop="rows.horizon_end")} ELSE 0 END)::DOUBLE AS bed_days,
               sum(CASE WHEN events."group" = 'any_spell'
                        THEN {_OVERLAP.format(start="rows.index_date", stop="rows.horizon_end")} ELSE 0 END)::DOUBLE AS days_in_hospital
        FROM rows
        JOIN relevant AS events
          ON events.subject_id = rows.person_id AND events.time < rows.horizon_end
         AND (events.time >= rows.index_date OR events."end" > rows.index_date)
        GROUP BY ALL
    ),
    firsts AS (
        SELECT rows.index_date, rows.person_id, min(sensitive.time) AS first_sensitive
        FROM rows JOIN sensitive
          ON sensitive.subject_id = rows.person_id AND sensitive.time >= rows.index_date AND sensitive.time < rows.horizon_end
        GROUP BY ALL
    ),
    starts AS (
        SELECT DISTINCT rows.index_date, rows.person_id
        FROM rows JOIN read_parquet($enrolments) AS enrolments
          ON enrolments.person_id = rows.person_id AND enrolments.programme = '{CASE_MANAGEMENT}'
         AND enrolments.start >= rows.index_date AND enrolments.start < rows.index_date + to_days($grace)
    ),
    happened AS (
        SELECT rows.*, people.registered_to,
               starts.person_id IS NOT NULL AS treated,
               spans.first_admitted, firsts.first_sensitive, coalesce(spans.control, FALSE) AS negative_control,
               CASE WHEN people.died_on < rows.horizon_end THEN people.died_on END AS death,
               least($horizon, coalesce(spans.bed_days, 0))::DOUBLE AS bed_days,
               greatest(0, date_diff('day', rows.index_date, least(coalesce(people.died_on, rows.horizon_end), rows.horizon_end))
                           - coalesce(spans.days_in_hospital, 0))::DOUBLE AS days_at_home
        FROM rows
        JOIN read_parquet($people) AS people USING (person_id)
        LEFT JOIN spans USING (index_date, person_id)
        LEFT JOIN firsts USING (index_date, person_id)
        LEFT JOIN starts USING (index_date, person_id)
    )
    SELECT index_date, person_id, treated,
           {{ranks}} IS NOT NULL AS outcome,
           {", ".join(f"{one.label} IS NOT NULL AS {one.column}" for one in DECLARED.values() if not one.counts_days)},
           {", ".join(f"{one.label} AS {one.column}" for one in DECLARED.values() if one.counts_days)},
           -- Who died first was not at risk any more either.
           coalesce(least({{ranks}}, death) < index_date + to_days($grace), FALSE) AS early,
           date_diff('day', index_date, {{ranks}})::DOUBLE AS days_to_outcome,
           -- A registration ends some days about a death. Who had left long before is known to have died by chance only.
           coalesce(registered_to >= horizon_end OR death <= registered_to + INTERVAL 42 DAY, registered_to IS NULL) AS stayed,
           negative_control
    FROM happened
    ORDER BY index_date, person_id
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
    require_groups([settings.outcome.admission_group, SENSITIVE_GROUP])
    events = linked / "events.parquet"
    wanted = [settings.outcome.admission_group, NEGATIVE_CONTROL_GROUP, SENSITIVE_GROUP, "emergency_spell", "any_spell"]
    with duckdb.connect() as database:
        codes = database.execute("SELECT DISTINCT code FROM read_parquet(?) ORDER BY code", [str(events)]).df()["code"]
        mapping = map_codes(codes)
        database.register("groups", mapping[mapping["group"].isin(wanted)])
        database.register("population", population)
        return database.execute(
            _OUTCOMES.format(ranks=DECLARED[settings.outcome.ranks].label),
            {
                "horizon": settings.outcome.horizon_days,
                "grace": settings.benefit.grace_days,
                "admission": settings.outcome.admission_group,
                "events": str(events),
                "people": str(linked / "people.parquet"),
                "enrolments": str(linked / "enrolments.parquet"),
            },
        ).df()


def _offerable(labels: pd.DataFrame, events: Path) -> pd.Series:
    dates = list(labels["index_date"].drop_duplicates())
    if not dates:
        return pd.Series(True, index=labels.index)
    elsewhere = circumstances_on(events, load_code_groups(), dates)
    served = pd.MultiIndex.from_frame(elsewhere[["index_date", "subject_id"]])
    return pd.Series(~pd.MultiIndex.from_frame(labels[["index_date", "person_id"]]).isin(served), index=labels.index)
