"""Who could have been offered case management on an index date."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pandas as pd

from casewell.settings import CASE_MANAGEMENT, Eligibility

_ELIGIBLE = f"""
    SELECT asked.index_date, people.person_id
    FROM read_parquet(?) AS people
    {{asked}}
    WHERE people.in_spine
      AND people.birth_month + to_years(?) <= asked.index_date
      AND (people.registered_from IS NULL OR people.registered_from <= asked.index_date)
      AND (people.registered_to IS NULL OR people.registered_to > asked.index_date)
      AND (people.died_on IS NULL OR people.died_on >= asked.index_date)
      AND NOT EXISTS (
        FROM read_parquet(?) AS enrolments
        WHERE enrolments.person_id = people.person_id AND enrolments.programme = '{CASE_MANAGEMENT}'
          AND enrolments.start < asked.index_date
          AND (enrolments."end" IS NULL OR enrolments."end" > asked.index_date)
      )
    ORDER BY asked.index_date, people.person_id
"""


def population(
    people: Path, enrolments: Path, index_dates: Sequence[pd.Timestamp], eligibility: Eligibility
) -> pd.DataFrame:
    """List who was alive, registered, old enough and not on a caseload of case management on each index date.

    Returns
    -------
    DataFrame
        `index_date`, `person_id`; one row a person and date, sorted by both.
    """
    dates = pd.DataFrame({"index_date": pd.Series(list(index_dates), dtype="datetime64[us]")})
    return _eligible("CROSS JOIN asked", dates, people, enrolments, eligibility)


def still_eligible(asked: pd.DataFrame, people: Path, enrolments: Path, eligibility: Eligibility) -> pd.DataFrame:
    """Return those rows of `index_date` and `person_id` of whom the same is true, sorted by both."""
    return _eligible("JOIN asked USING (person_id)", asked, people, enrolments, eligibility)


def _eligible(
    joined: str, asked: pd.DataFrame, people: Path, enrolments: Path, eligibility: Eligibility
) -> pd.DataFrame:
    with duckdb.connect() as database:
        database.register("asked", asked)
        query = _ELIGIBLE.format(asked=joined)
        return database.execute(query, [str(people), eligibility.minimum_age, str(enrolments)]).df()
