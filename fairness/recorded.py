"""Groups of people that only the records tell of: learning disability or autism, severe mental illness, inclusion health."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import pandas as pd

from features.code_groups import load_code_groups, map_codes

CONDITIONS: dict[str, tuple[str, ...]] = {
    "learning_disability_or_autism": ("learning_disability", "autism"),
    "severe_mental_illness": ("cms_psychosis_bipolar",),
    "inclusion_health": (
        "homeless",
        "housing_temporary_accommodation",
        "drug_dependence",
        "vulnerable_migrant",
        "private_justice",
    ),
}
"""Grouping: the code groups of which a person has ever had a code. Nobody is asked more than the records say: who has
no code may have the condition all the same. In inclusion health are also people whose ethnic category is Gypsy or Irish
Traveller (`fairness.groups`); of sex work and modern slavery there is no code list, so whoever is only in these is not."""

_EVER = """
    SELECT DISTINCT subject_id AS person_id, grouping
    FROM read_parquet($events) AS event JOIN wanted ON event.code = wanted.code
    WHERE known_at < $as_of AND coalesce(known_until >= $as_of, TRUE)
"""


def recorded_conditions(events: Path, as_of: dt.date | pd.Timestamp) -> pd.DataFrame:
    """Return who had a code of each of `CONDITIONS` as known before `as_of`: `person_id`, `grouping`, no row twice."""
    names = {group: grouping for grouping, groups in CONDITIONS.items() for group in groups}
    known = load_code_groups()
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as database:
        codes = database.execute("SELECT DISTINCT code FROM read_parquet(?)", [str(events)]).df()["code"]
        wanted = map_codes(codes, known[known["group"].isin(names)])
        database.register("wanted", wanted.assign(grouping=wanted["group"].map(names)))
        found = database.execute(_EVER, {"events": str(events), "as_of": pd.Timestamp(as_of)}).df()
    return found.sort_values(["grouping", "person_id"], ignore_index=True)
