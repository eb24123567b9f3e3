"""PostgreSQL tables: read once, read-only, as they stand at one moment, into a private copy.

The connection string is a secret. It stays in its environment variable: no error, log or file made here holds it,
nor what the server or its driver say, which may quote it.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as parquet
from psycopg import sql

from casewell.settings import Source
from records.copies import Copy
from records.reading import UnreadableError, columns_of, plain_name

# Text held at a time, before it is written to the copy.
PIECE = 32 << 20
CONNECT_SECONDS = 10
# A server that has vanished without a word is given up after a minute.
ALIVE: dict[str, Any] = {"keepalives": 1, "keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
# Moments with a time zone are told in the care system's own, so that a day stays that day.
SESSION = (
    "SET TIME ZONE 'Europe/London'",
    "SET datestyle TO ISO, YMD",
    "SET extra_float_digits TO 1",
    "SET synchronize_seqscans TO off",
    "SET lock_timeout TO '30s'",
)
WORDS = {
    "28P01": "the server refuses the log-in",
    "28000": "the server refuses the log-in",
    "3D000": "the server has no such database",
    "3F000": "the database has no such schema",
    "42P01": "the database has no such table; write it as schema.name",
    "42501": "the log-in may not read the table",
    "55P03": "the table is locked by somebody else",
    "53300": "the server has no connection free",
    "22021": "the table holds text that is not in the database's encoding",
}
TIMED_OUT = "57014"


@dataclass(frozen=True)
class Copied:
    """A table as it stood when it was read.

    Attributes
    ----------
    folder
        Holds Parquet files in which every value is text.
    columns
        All columns of the table; only those wanted were copied.
    digest
        Stands for the copied content.
    """

    folder: Path
    columns: list[str]
    rows: int
    digest: str
    copy: Copy = field(repr=False)


# What was copied, and the moment it shows: while the database does not change, it is not read again.
_copied: dict[str, tuple[str, Copied]] = {}


def copy_of(source: Source, wanted: Collection[str]) -> Copied:
    """Return a private copy of a table; the one made before in this process if the database has not changed since.

    Raises
    ------
    UnreadableError
        The server cannot be reached, refuses, has no such table, or went away while reading; no copy is left then.
    """
    string = os.environ.get(source.connection or "", "").strip()
    if not string:
        raise UnreadableError(f"the environment variable {source.connection} does not hold a connection string")
    key = hashlib.sha256(repr((string, source.relation, sorted(wanted))).encode()).hexdigest()
    connection = _connect(string)
    try:
        moment = _begin(connection, source.timeout_minutes)
        held = _copied.get(key)
        if held is None or held[0] != moment:
            _copied.pop(key, None)
            held = _copied[key] = (moment, _read(connection, source, wanted))
        return held[1]
    except psycopg.Error as error:
        raise UnreadableError(_words(error, source.timeout_minutes)) from None
    finally:
        connection.close()


def forget() -> None:
    """Remove every copy that nothing uses."""
    _copied.clear()


def _connect(string: str) -> psycopg.Connection:
    try:
        return psycopg.connect(
            string, connect_timeout=CONNECT_SECONDS, client_encoding="UTF8", application_name="casewell", **ALIVE
        )
    except psycopg.ProgrammingError:
        raise UnreadableError("the connection string cannot be understood") from None
    except psycopg.Error as error:
        said = str(error)
        for sign, words in (
            ("authentication failed", WORDS["28P01"]),
            ("no password supplied", WORDS["28P01"]),
            ("pg_hba.conf", WORDS["28P01"]),
            ("role ", WORDS["28P01"]),
            ("database ", WORDS["3D000"]),
            ("too many", WORDS["53300"]),
            ("starting up", "the server is still starting"),
        ):
            if sign in said and "refused" not in said:
                raise UnreadableError(words) from None
        raise UnreadableError("the server cannot be reached") from None


def _begin(connection: psycopg.Connection, minutes: int) -> str:
    """Begin a read-only transaction that sees one moment; return what names the moment."""
    connection.read_only = True
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    for statement in SESSION:
        connection.execute(statement)
    connection.execute(f"SET statement_timeout TO '{minutes}min'")
    row = connection.execute(
        "SELECT pg_current_snapshot()::text, CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()::text END, "
        "pg_postmaster_start_time()::text"
    ).fetchone()
    return repr(row)


def _read(connection: psycopg.Connection, source: Source, wanted: Collection[str]) -> Copied:
    table = sql.Identifier(*(part.strip() for part in (source.relation or "").split(".")))
    described = connection.execute(sql.SQL("SELECT * FROM {} LIMIT 0").format(table)).description or []
    columns = [column.name for column in described]
    columns_of((name, "VARCHAR") for name in columns)
    chosen = [name for name in columns if plain_name(name) in wanted] or columns[:1]
    if not chosen:
        raise UnreadableError("the table has no columns")
    query = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT (FORMAT csv)").format(
        sql.SQL(", ").join(map(sql.Identifier, chosen)), table
    )
    copy = Copy()
    rows = 0
    try:
        digest = hashlib.sha256(repr(chosen).encode())
        piece, place = io.BytesIO(), 0
        with connection.cursor() as cursor, cursor.copy(query) as lines:
            for line in lines:
                piece.write(line)
                rows += 1
                if piece.tell() >= PIECE:
                    _write(piece, chosen, copy.path / f"{place:06d}.parquet", digest)
                    piece, place = io.BytesIO(), place + 1
        _write(piece, chosen, copy.path / f"{place:06d}.parquet", digest)
    except BaseException as error:
        copy.remove()
        if isinstance(error, psycopg.OperationalError) and error.sqlstate != TIMED_OUT:
            raise UnreadableError(
                f"the server went away after {rows} row(s) had been read; nothing of them is kept; run again"
            ) from None
        if isinstance(error, pa.ArrowInvalid):
            raise UnreadableError(WORDS["22021"]) from None
        raise
    return Copied(copy.path, columns, rows, digest.hexdigest()[:12], copy)


def _write(piece: io.BytesIO, columns: list[str], path: Path, digest: hashlib._Hash) -> None:
    text = piece.getbuffer()
    digest.update(text)
    schema = pa.schema([(name, pa.string()) for name in columns])
    if not len(text):
        parquet.write_table(schema.empty_table(), path)
        return
    table = arrow_csv.read_csv(
        pa.py_buffer(text),
        read_options=arrow_csv.ReadOptions(column_names=columns),
        parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
        convert_options=arrow_csv.ConvertOptions(
            column_types=schema, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
        ),
    )
    parquet.write_table(table, path)


def _words(error: psycopg.Error, minutes: int) -> str:
    """Say what happened without a word of the server's own, which may name hosts and people."""
    state = error.sqlstate or ""
    if state == TIMED_OUT:
        return f"reading took longer than {minutes} minute(s) and was given up; raise `timeout_minutes`"
    if state in WORDS:
        return WORDS[state]
    if isinstance(error, psycopg.OperationalError):
        return "the server went away"
    return f"the server refuses the query (SQLSTATE {state or 'unknown'})"
