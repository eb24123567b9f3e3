"""How a source identifies people: not a setting, for its contract and what its rows hold decide; this says what they do."""

from __future__ import annotations

import duckdb

from records.extracts import Extract
from records.own_ids import OwnIds
from records.quality.findings import INFORM, Finding, shown

# By the first letter of `who` (records/sightings.py), the strongest first.
HANDLES = {
    "n": "NHS number",
    "t": "names with birth date or postcode",
    "d": "birth date, sex and postcode",
    "w": "a number that fails its check, so only within this source",
    "r": "nothing, so that each stands alone",
}
NOTHING_TO_DO = (
    "Nothing. Rows without an NHS number that can be trusted are linked less surely: look at linkage by group."
)


def about_identification(con: duckdb.DuckDBPyConnection, extract: Extract) -> list[Finding]:
    """Say by what the rows of an extract that was read find their person, and how many by each."""
    if not extract.contract.personal or extract.table == "opt_outs":
        return []
    rows = dict(
        con.execute(
            f"SELECT who[1], count(*) FROM {extract.rows} WHERE fate NOT IN ('opted_out', 'duplicate') GROUP BY 1"
        ).fetchall()
    )
    told = [f"{shown(rows[handle])} by {words}" for handle, words in HANDLES.items() if rows.get(handle)]
    if not told:
        return []
    sentence = f"{extract.file.path.name} identifies people: {', '.join(told)}."
    return [Finding(extract.name, "identification", INFORM, sentence, NOTHING_TO_DO)]


def about_own_ids(source: OwnIds) -> Finding:
    """Say that a source of the kind OMOP or MEDS brings its own person ids."""
    return Finding(
        source.name,
        "identification",
        INFORM,
        f"{source.source.path.name} identifies people by its own person ids; they are linked with no other source's.",
        "Nothing.",
    )
