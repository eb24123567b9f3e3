"""What every way of reading shares: what is opened, and how its columns get the contract's names and types.

How a file or a database is opened: `records/opening.py`. What becomes of rows: `records/checking.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

# A header such as date(visit_start_date,'unixepoch') is what an export from SQLite leaves behind.
EXPORTED_EXPRESSION = re.compile(r"^\w+\(\s*(\w+)\s*(,.*)?\)$")
SQL_TYPES = {"str": "VARCHAR", "datetime64[us]": "DATE", "float64": "DOUBLE", "int64": "BIGINT"}
KINDS = {"str": "text", "datetime64[us]": "a date (YYYY-MM-DD)", "float64": "a number", "int64": "a whole number"}
WHOLE_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
FRACTIONS = ("FLOAT", "DOUBLE", "DECIMAL")
WRITTEN_AS_TEXT = ("ENUM", "UUID")
# DuckDB never reaches out for extensions.
OFFLINE = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}


DAMAGED = "the file is damaged, or not the kind of text the settings say, and cannot be read to its end"


# What DuckDB raises over a file; a mistake in a query is a bug and keeps its traceback.
_READ_ERRORS = (duckdb.OperationalError, duckdb.DataError, duckdb.InvalidInputException)

# How DuckDB says that the disk is full or cannot be written.
ABOUT_THE_DISK = ("No space left", "out of disk", "Permission denied", "Could not write", "max_temp_directory_size")


def is_damage(error: duckdb.Error) -> bool:
    """Whether an error is about a file that was read, and not about the query, or the disk and memory that it needs."""
    # Of a Parquet file that was overwritten in the middle, DuckDB raises an error of no kind at all.
    about_a_file = isinstance(error, _READ_ERRORS) or type(error) is duckdb.Error
    return about_a_file and not isinstance(error, duckdb.OutOfMemoryException) and not is_about_the_disk(error)


def is_about_the_disk(error: duckdb.Error) -> bool:
    """Whether an error is about a disk that is full or cannot be written."""
    return any(sign in str(error) for sign in ABOUT_THE_DISK)


class UnreadableError(Exception):
    """A file cannot be opened; the text says why, in words for the user."""


@dataclass(frozen=True)
class File:
    """A file or a database's table that DuckDB can read.

    Attributes
    ----------
    path
        Where it is; for a table in a database a path whose last part names it.
    relation
        What to write after FROM.
    columns
        Plain lower-case name: (the file's own name, DuckDB type).
    broken
        The DuckDB table of lines that could not be split into columns (`line`, `text`, `why`); empty if there are none.
    header
        A CSV file's first line.
    stamped
        Whether it lies in a folder stamped SYNTHETIC.
    held
        Keeps a private copy on the disk for as long as this is in use.
    """

    path: Path
    relation: str
    columns: dict[str, tuple[str, str]]
    broken: str = ""
    header: str = ""
    stamped: bool = False
    held: object = field(default=None, compare=False, repr=False)


def connect() -> duckdb.DuckDBPyConnection:
    """Open an in-memory DuckDB, for little: what may be large goes to `records.database.working_database`."""
    con = duckdb.connect(config=dict(OFFLINE))
    con.execute("SET enable_progress_bar = false")  # the hashes of millions of descriptions take long enough for one
    return con


def quoted(name: str) -> str:
    """Quote an identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: object) -> str:
    """Quote a text."""
    return "'" + str(value).replace("'", "''") + "'"


def plain_name(header: str) -> str:
    """Return the column a header means: trimmed, lower case, without an exported date expression."""
    name = header.strip().lstrip("\ufeff").strip().lower()
    expression = EXPORTED_EXPRESSION.match(name)
    return expression.group(1) if expression else name


def columns_of(described: Iterable[tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """Return plain name: (own name, type) of columns.

    Raises
    ------
    UnreadableError
        Two columns have one name.
    """
    columns: dict[str, tuple[str, str]] = {}
    for original, sql_type in described:
        if plain_name(original) in columns:
            raise UnreadableError(f"two columns are both named {plain_name(original)!r}")
        columns[plain_name(original)] = (original, sql_type)
    return columns


def renamed(file: File, mapping: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return the file's columns under the contract's names, as the settings map them."""
    kept = {name: column for name, column in file.columns.items() if name not in mapping}
    mapped = {ours: plain_name(theirs) for ours, theirs in mapping.items()}
    return kept | {ours: file.columns[theirs] for ours, theirs in mapped.items() if theirs in file.columns}


def accepts(dtype: str, sql_type: str) -> bool:
    """Whether a file's type can hold what the contract declares."""
    base = sql_type.split("(")[0]
    if base == "VARCHAR" or (dtype == "str" and base in WRITTEN_AS_TEXT):
        return True
    if dtype == "datetime64[us]":
        return base == "DATE" or base.startswith("TIMESTAMP")
    return base in WHOLE_NUMBERS or base in FRACTIONS


def text_of(original: str, sql_type: str) -> str:
    """Return the SQL expression of a column as trimmed text, empty as null."""
    name = quoted(original)
    if sql_type.split("(")[0] in FRACTIONS:
        # A whole-number column with gaps is often stored as fractions: 9990000018.0 is a number, not a price.
        whole = f"CAST(CAST({name} AS BIGINT) AS VARCHAR)"
        return f"CASE WHEN isfinite({name}) THEN if({name} = floor({name}), {whole}, CAST({name} AS VARCHAR)) END"
    return f"nullif(trim(CAST({name} AS VARCHAR)), '')"


def typed(original: str, sql_type: str, dtype: str) -> str:
    """Return the SQL expression of a column in the contract's type; null where it does not convert."""
    if dtype == "str":
        return text_of(original, sql_type)
    source = text_of(original, sql_type) if sql_type == "VARCHAR" else quoted(original)
    value = f"TRY_CAST({source} AS {SQL_TYPES[dtype]})"
    return f"CASE WHEN isfinite({value}) THEN {value} END" if dtype in ("float64", "datetime64[us]") else value


def is_wrong_type(original: str, sql_type: str, dtype: str) -> str | None:
    """Return the SQL condition that a text does not convert, or None where the file's type already says so."""
    if sql_type != "VARCHAR" or dtype == "str":
        return None
    return f"{text_of(original, sql_type)} IS NOT NULL AND {typed(original, sql_type, dtype)} IS NULL"
