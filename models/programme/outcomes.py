"""What happened to the people of a programme's account, month by month, from the day from which each is followed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from casewell.settings import CASE_MANAGEMENT, EventName, Settings
from features.code_groups import load_code_groups, map_codes, require_groups
from models.outcomes import SENSITIVE_GROUP

YEAR_DAYS = 365
MONTHS = 12  # parts of the year after the day, and of each of the two before it
DEREGISTERED_FOR_DEATH_DAYS = 42  # a death that soon after the registration ended is why it ended
NEGATIVE_CONTROL = "planned_admissions"
SENSITIVE = "sensitive_admissions"  # counted where they are the outcome; made of these two:
STAY, DIAGNOSIS = "stay", "sensitive_diagnosis"

_SEEN = """
        FROM rows JOIN read_parquet($events) AS events
          ON events.subject_id = rows.person_id AND events.known_until IS NULL
         AND events.time >= rows.starts_on - to_days(2 * $year)
         AND events.time < rows.starts_on + to_days($year)
        JOIN groups USING (code)
"""

_COUNTS = f"""
    WITH told AS (
        SELECT rows.row, groups.measure,
               floor(date_diff('hour', rows.starts_on, events.time) / $part)::INTEGER AS month,
               CASE WHEN groups.measure = 'bed_days' THEN greatest(0, date_diff('day', events.time,
                    least(coalesce(events."end", rows.starts_on + to_days($year)),
                          rows.starts_on + to_days($year)))) ELSE 1 END AS number
        {_SEEN} WHERE groups.measure NOT IN ('{STAY}', '{DIAGNOSIS}')
    )
    SELECT "row", measure, month, sum(number)::DOUBLE AS number FROM told GROUP BY ALL ORDER BY ALL
"""

# As in `models.outcomes`: a diagnosis belongs to the stay that its day lies in.
_SENSITIVE = f"""
    WITH seen AS MATERIALIZED (
        SELECT rows.row, rows.starts_on, groups.measure, events.time, events."end"
        {_SEEN} WHERE groups.measure IN ('{STAY}', '{DIAGNOSIS}')
    ),
    told AS (
        SELECT DISTINCT stays.row, stays.time,
               floor(date_diff('hour', stays.starts_on, stays.time) / $part)::INTEGER AS month
        FROM seen AS stays JOIN seen AS diagnoses
          ON diagnoses.row = stays.row AND diagnoses.time BETWEEN stays.time AND stays."end"
        WHERE stays.measure = '{STAY}' AND diagnoses.measure = '{DIAGNOSIS}'
    )
    SELECT "row", '{SENSITIVE}' AS measure, month, count(*)::DOUBLE AS number FROM told GROUP BY ALL ORDER BY ALL
"""

_FOLLOWED = """
    SELECT rows.row,
           CASE WHEN people.died_on < rows.starts_on + to_days($year)
                THEN floor(date_diff('hour', rows.starts_on, people.died_on) / $part)::INTEGER END AS died,
           coalesce(people.registered_to >= rows.starts_on + to_days($year)
                    OR (people.died_on < rows.starts_on + to_days($year)
                        AND people.died_on <= people.registered_to + to_days($after_leaving)),
                    people.registered_to IS NULL) AS stayed,
           EXISTS (
             SELECT 1 FROM read_parquet($enrolments) AS enrolments
             WHERE enrolments.person_id = rows.person_id AND enrolments.programme = $programme
               AND enrolments.start >= rows.starts_on
               AND enrolments.start < rows.starts_on + to_days($year)
           ) AS started
    FROM rows JOIN read_parquet($people) AS people USING (person_id)
    ORDER BY rows.row
"""


@dataclass(frozen=True)
class Course:
    """What happened to each row.

    counts : measure to array (rows, 3 x MONTHS): two years before the day, then the one after it
    died : month after the day in which the person died; NaN for the living
    stayed : registered here until the year ended, or died in it while registered here
    started : started the programme in the year, the comparators too
    ranks : the outcome, that of the settings (`outcome.ranks`)
    """

    counts: dict[str, np.ndarray]
    died: np.ndarray
    stayed: np.ndarray
    started: np.ndarray
    ranks: EventName = "admission_or_death"

    def after(self, measure: str, months: int = MONTHS) -> np.ndarray:
        """Return the number of each row in the first so many months after its day."""
        return self.counts[measure][:, 2 * MONTHS : 2 * MONTHS + months].sum(axis=1)

    def before(self, measure: str, years_back: int = 1) -> np.ndarray:
        """Return the number of each row in the year before its day (1), or in the one before that (2)."""
        begin = (2 - years_back) * MONTHS
        return self.counts[measure][:, begin : begin + MONTHS].sum(axis=1)

    def outcome(self) -> np.ndarray:
        """Mark who had the outcome within the year; a death without it is none, where it is an admission."""
        died = ~np.isnan(self.died)
        if self.ranks == "death":
            return died
        admitted = self.after(self._admissions) > 0
        return admitted | died if self.ranks == "admission_or_death" else admitted

    def outcome_before(self) -> np.ndarray:
        """Mark who had it in the year before their day, in which nobody died."""
        if self.ranks == "death":
            return np.zeros(len(self.died), dtype=bool)
        return self.before(self._admissions) > 0

    @property
    def _admissions(self) -> str:
        return SENSITIVE if self.ranks == "acs_admission" else "admissions"


def measures(settings: Settings) -> dict[str, str]:
    """Return each measure and the code group that counts for it, and what a measure is made of."""
    sensitive = (
        {STAY: "emergency_spell", DIAGNOSIS: SENSITIVE_GROUP} if settings.outcome.ranks == "acs_admission" else {}
    )
    return sensitive | {
        "admissions": settings.outcome.admission_group,
        "bed_days": "emergency_spell",
        "attendances": "ed_attendance",
        "calls": "urgent_call",
        "gp_contacts": "gp_contact",
        "community_contacts": "any_community",
        NEGATIVE_CONTROL: "elective_admission",
    }


def course(rows: pd.DataFrame, linked: Path, settings: Settings, programme: str = CASE_MANAGEMENT) -> Course:
    """Count what happened to each row, by what finally turned out: of each event the version that still holds.

    Parameters
    ----------
    rows : DataFrame
        `person_id`, `starts_on`.
    linked : Path
        The folder with `people.parquet`, `events.parquet` and `enrolments.parquet`.
    programme : str
        Code of the one whose starts `Course.started` tells.

    Raises
    ------
    SettingsError
        A measure's code group is unknown.
    """
    wanted = measures(settings)
    require_groups(wanted.values())
    told = {"year": YEAR_DAYS, "part": YEAR_DAYS * 24 / MONTHS}
    events = str(linked / "events.parquet")
    code_groups = load_code_groups()
    with duckdb.connect() as database:
        codes = database.execute("SELECT DISTINCT code FROM read_parquet(?) ORDER BY code", [events]).df()["code"]
        mapping = map_codes(codes, code_groups)
        named = [
            mapping.loc[mapping["group"] == group, ["code"]].assign(measure=name) for name, group in wanted.items()
        ]
        database.register("groups", pd.concat(named, ignore_index=True))
        database.register("rows", rows[["person_id", "starts_on"]].assign(row=np.arange(len(rows))))
        asked = [_COUNTS, *([_SENSITIVE] if STAY in wanted else [])]
        long = pd.concat([database.execute(query, told | {"events": events}).df() for query in asked])
        files = {name: str(linked / f"{name}.parquet") for name in ("people", "enrolments")}
        leaving = {"after_leaving": DEREGISTERED_FOR_DEATH_DAYS}
        found = database.execute(_FOLLOWED, told | files | leaving | {"programme": programme}).df()
    counted = [name for name in wanted if name not in (STAY, DIAGNOSIS)] + ([SENSITIVE] if STAY in wanted else [])
    counts = {name: np.zeros((len(rows), 3 * MONTHS), dtype="float32") for name in counted}
    for name, part in long.groupby("measure"):
        counts[str(name)][part["row"], part["month"] + 2 * MONTHS] = part["number"]
    stayed, started = (found[name].to_numpy(bool) for name in ("stayed", "started"))
    return Course(counts, found["died"].to_numpy("float64"), stayed, started, settings.outcome.ranks)
