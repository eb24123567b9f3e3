"""Who could have been offered case management on an index date."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pandas as pd

from casewell.settings import Eligibility

_ELIGIBLE = """
    SELECT dates.index_date, people.person_id
    FROM read_parquet(?) AS people
    CROSS JOIN dates
    WHERE people.in_spine
      AND people.birth_month + to_years(?) <= dates.index_date
      AND (people.registered_from IS NULL OR people.registered_from <= dates.index_date)
      AND (people.registered_to IS NULL OR people.registered_to > dates.index_date)
      AND (people.died_on IS NULL OR people.died_on >= dates.index_date)
      AND NOT EXISTS (
        FROM read_parquet(?) AS enrolments
        WHERE enrolments.person_id = people.person_id
          AND enrolments.start < dates.index_date
          AND (enrolments."end" IS NULL OR enrolments."end" > dates.index_date)
      )
    ORDER BY dates.index_date, people.person_id
"""


def population(
    people: Path, enrolments: Path, index_dates: Sequence[pd.Timestamp], eligibility: Eligibility
) -> pd.DataFrame:
    """List who was alive, registered, old enough and not on a caseload on each index date.

    Returns
    -------
    DataFrame
        `index_date`, `person_id`; one row a person and date, sorted by both.
    """
    with duckdb.connect() as database:
        database.register("dates", pd.DataFrame({"index_date": pd.Series(list(index_dates), dtype="datetime64[us]")}))
        return database.execute(_ELIGIBLE, [str(people), eligibility.minimum_age, str(enrolments)]).df()
