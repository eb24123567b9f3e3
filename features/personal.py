"""One person's linked records, and those of the people ever registered at the same addresses, whom households need."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import pandas as pd

from casewell.doors import to_pandas
from casewell.errors import AsOfError

_OF_PERSON = "SELECT * FROM read_parquet($path) WHERE {column} = $person"
_AROUND = """SELECT * FROM read_parquet($path) WHERE person_id = $person OR person_id IN (
    SELECT person_id FROM read_parquet($residences) WHERE household_id IN (
        SELECT household_id FROM read_parquet($residences) WHERE person_id = $person))
ORDER BY ALL"""


@dataclass(frozen=True)
class Personal:
    """A person's events, and `people` and `residences` of the person and of whoever shared an address."""

    person_id: int
    events: pd.DataFrame
    people: pd.DataFrame
    residences: pd.DataFrame

    @property
    def own(self) -> pd.Series:
        """The person's row of `people`."""
        return self.people[self.people["person_id"] == self.person_id].iloc[0]

    def row_on(self, day: pd.Timestamp) -> pd.DataFrame:
        """Return the person on an index date, as `features.tables.POPULATION`."""
        row = pd.DataFrame({"index_date": [day], "person_id": [self.person_id]})
        return row.astype({"index_date": "datetime64[us]", "person_id": "int64"})

    def with_events(self, events: pd.DataFrame) -> Personal:
        """Return the same person with other events."""
        return replace(self, events=events)


def personal(person_id: int, linked: Path) -> Personal:
    """Read a person's records from a folder of linked tables.

    Raises
    ------
    AsOfError
        Nobody who was linked has this id.
    """
    told = {"person": person_id}
    residences = str(linked / "residences.parquet")
    with duckdb.connect(config={"autoinstall_known_extensions": "false", "threads": 2}) as con:

        def read(query: str, name: str, **more: str) -> pd.DataFrame:
            return to_pandas(
                con.sql(query, params=told | {"path": str(linked / f"{name}.parquet")} | more).to_arrow_table()
            )

        events = read(_OF_PERSON.format(column="subject_id"), "events")
        people = read(_AROUND, "people", residences=residences)
        homes = read(_AROUND, "residences", residences=residences)
    if not (people["person_id"] == person_id).any():
        raise AsOfError(
            "nobody who was linked has that person id",
            "Whoever has opted out, or has nothing but rows in quarantine, is not found. `casewell link explain "
            "--source NAME --record ID` gives the id of a record, `casewell link changes` the ids that changed.",
        )
    return Personal(person_id, events.sort_values(["time", "code"], kind="stable", ignore_index=True), people, homes)
