"""Ethnic category codes (the NHS's 16+1) and the groups they fall in.

Not stated (Z: asked, and not answered) is kept apart from not known (99, empty, or a code that is none).
"""

from __future__ import annotations

import duckdb

from records.contracts import ETHNIC_CATEGORIES
from records.reading import literal
from records.tables import NOT_KNOWN, NOT_STATED

UNKNOWN = "99"
LETTERS = {"White": "ABCT", "Mixed": "DEFG", "Asian": "HJKLR", "Black": "MNP", "Other": "S", NOT_STATED: "Z"}
_WHENS = " ".join(
    f"WHEN ethnic_category IN ({', '.join(map(literal, letters))}) THEN {literal(group)}"
    for group, letters in LETTERS.items()
)
ETHNIC_GROUP = f"CASE {_WHENS} ELSE {literal(NOT_KNOWN)} END"
_KNOWN_CODES = f"ethnic_category IN ({', '.join(map(literal, ETHNIC_CATEGORIES))})"
ETHNIC_CATEGORY = f"CASE WHEN {_KNOWN_CODES} THEN ethnic_category ELSE {literal(UNKNOWN)} END"
# The words of the contract's rule (records.rules.rules), which for this column does not set a row aside.
NO_SUCH_CODE = "column ethnic_category holds a value that is not allowed"


def rows_without_a_code(con: duckdb.DuckDBPyConnection, rows: str) -> int:
    """Count the rows in use, or later to be used, of a table whose ethnic category is written and is no code."""
    found = con.execute(
        f"SELECT count(*) FROM {rows} WHERE fate IN ('used', 'not_yet_known') AND NOT ({_KNOWN_CODES})"
    ).fetchone()
    return int(found[0]) if found else 0
