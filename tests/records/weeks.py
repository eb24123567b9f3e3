"""What the tests of the register share: weeks, one after the other, and what changes between them."""

from __future__ import annotations

import pandas as pd

# Somebody whom no registration holds.
STRANGER = {"given_name": "Zebedee", "family_name": "Quill", "date_of_birth": "1971-11-23", "postcode": "ZZ99 9ZZ"}


def altered(system, source, row, **changes):
    """The system, with one row of a source changed."""
    table = system[source].copy()
    for column, value in changes.items():
        table.loc[row, column] = value
    return {**system, source: table}


def with_row(system, source, row, **changes):
    """The system, with one more row of a source, made of another."""
    table = system[source]
    return {**system, source: pd.concat([table, pd.DataFrame([table.loc[row].to_dict() | changes])], ignore_index=True)}


def changes_in_words(changes):
    """What was recorded as changed: the kind and the reason of each."""
    return [(row.kind, row.reason) for row in changes.itertuples()]


def merged_by_a_correction(week, system):
    """A misspelled record is alone in the first week; corrected, it joins its person in the second."""
    wrong = altered(system, "housing", 3, family_name="Quill")
    first, _ = week(0, wrong)
    second, changes = week(1, system)
    assert first["housing", "U3"] != first["demographics", "D3"] == second["housing", "U3"]
    return first, changes
