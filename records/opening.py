"""Open what the settings name: Parquet, CSV, a DuckDB database or a PostgreSQL table."""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
from collections.abc import Collection
from pathlib import Path

import duckdb

from casewell.errors import SourceError
from casewell.settings import Source
from records import delimited, postgres
from records.contracts import CONTRACTS
from records.reading import File, UnreadableError, columns_of, is_damage, literal, plain_name, quoted

DATABASE_ENDINGS = (".duckdb", ".ddb", ".db")
MAGIC = b"PAR1"


def open_source(con: duckdb.DuckDBPyConnection, source: Source, wanted: Collection[str]) -> File:
    """Open the file or table of an extract; of a PostgreSQL table only the wanted columns are read.

    Raises
    ------
    UnreadableError
        Missing, of another kind, damaged, refused, or with two columns of one name.
    """
    if source.connection is not None:
        return _server_table(con, source, wanted)
    if source.path.name.lower().endswith(DATABASE_ENDINGS):
        return _database_table(con, source.path, source.relation)
    if source.relation is not None:
        raise UnreadableError("`relation` is for databases: a file ending in .duckdb, or a PostgreSQL `connection`")
    return open_file(con, source.path, source.delimiter, source.encoding, tolerant=True)


def columns_wanted(name: str, source: Source) -> set[str]:
    """Return the names, in the source, of the columns its contract knows."""
    contract = CONTRACTS[source.table or name]
    return {plain_name(source.columns.get(column, column)) for column in contract.schema.columns}


def open_file(
    con: duckdb.DuckDBPyConnection, path: Path, delimiter: str = ",", encoding: str = "utf-8", tolerant: bool = False
) -> File:
    """Open a Parquet, CSV or gzipped CSV file and learn its columns.

    Raises
    ------
    UnreadableError
        Missing, of another kind, damaged, or with two columns of one name.
    """
    _check_that_it_is_there(path)
    stamped = (path.parent / "SYNTHETIC").is_file()
    name = path.name.lower()
    if name.endswith(delimited.ENDINGS):
        return dataclasses.replace(delimited.open_delimited(con, path, delimiter, encoding, tolerant), stamped=stamped)
    if not name.endswith(".parquet"):
        raise UnreadableError("the file must end in .parquet, .csv, .csv.gz or .duckdb")
    _check_that_parquet_is_whole(path)
    relation = f"read_parquet({literal(path)})"
    try:
        described = con.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    except duckdb.Error as error:
        if not is_damage(error):
            raise
        raise UnreadableError("the file cannot be read as Parquet") from None
    return File(path, relation, columns_of(row[:2] for row in described), stamped=stamped)


def _check_that_it_is_there(path: Path) -> None:
    if path.is_dir():
        raise UnreadableError("it is a folder; an extract is one file")
    if not path.is_file():
        raise UnreadableError("the file does not exist")
    if path.stat().st_size == 0:
        raise UnreadableError("the file is empty")


def _check_that_parquet_is_whole(path: Path) -> None:
    with path.open("rb") as file:
        start = file.read(4)
        file.seek(-min(4, path.stat().st_size), 2)
        end = file.read(4)
    if start == MAGIC != end:
        raise UnreadableError("the file was cut off: it begins as Parquet and has no end; fetch it again")


def _database_table(con: duckdb.DuckDBPyConnection, path: Path, relation: str | None) -> File:
    _check_that_it_is_there(path)
    if relation is None:
        raise UnreadableError("the file is a database; say which table to read with `relation:`")
    database = f"database_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]}"
    try:
        con.execute(f"ATTACH IF NOT EXISTS {literal(path)} AS {database} (TYPE duckdb, READ_ONLY)")
    except duckdb.Error:
        raise UnreadableError(
            "the file cannot be opened as a DuckDB database: it is damaged, of a newer version, or being written"
        ) from None
    schema, _, table = relation.rpartition(".")
    inside = f"{database}.{quoted(schema or 'main')}.{quoted(table)}"
    try:
        described = con.execute(f"DESCRIBE SELECT * FROM {inside}").fetchall()
    except duckdb.CatalogException:
        said = "table_schema || '.' || table_name" if schema else "table_name"
        there = con.execute(
            f"SELECT {said} FROM information_schema.tables WHERE table_catalog = ?",
            [database],
        ).fetchall()
        raise UnreadableError(
            f"the database has no table {relation!r}{nearest(relation, [t for (t,) in there])}"
        ) from None
    except duckdb.Error:
        raise UnreadableError(f"the table {relation!r} cannot be read") from None
    stamped = (path.parent / "SYNTHETIC").is_file()
    return File(path, inside, columns_of(row[:2] for row in described), stamped=stamped)


def _server_table(con: duckdb.DuckDBPyConnection, source: Source, wanted: Collection[str]) -> File:
    copied = postgres.copy_of(source, wanted)
    relation = f"read_parquet({literal(copied.folder / '*.parquet')})"
    columns = columns_of((name, "VARCHAR") for name in copied.columns)
    return File(Path(source.relation or ""), relation, columns, held=copied)


def server_digest(name: str, source: Source) -> str:
    """Return a digest of a PostgreSQL table's content, as this process read it.

    Raises
    ------
    SourceError
        It cannot be read.
    """
    try:
        return postgres.copy_of(source, columns_wanted(name, source)).digest
    except UnreadableError as error:
        raise SourceError(f"source {name!r} ({source.relation}): {error}") from None


def nearest(name: str, names: Collection[str]) -> str:
    """Return words that name the nearest of some names, or nothing if none is near."""
    near = difflib.get_close_matches(name, sorted(names), 1, cutoff=0.6)
    return f"; the nearest there is {near[0]!r}" if near else ""
