"""CSV files: declared encoding and delimiter, and what becomes of lines that are not rows."""

from __future__ import annotations

import codecs
import csv
import gzip
import zlib
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

import duckdb

from records.copies import Copy
from records.reading import File, UnreadableError, columns_of, is_damage, literal

ENDINGS = (".csv", ".csv.gz")
DELIMITERS = ",;\t|^"
CHUNK = 1 << 20
CUT_OFF = "the file was cut off: its compressed text stops before its end; fetch it again"
# DuckDB's name of what is wrong with a line: ours.
WHY = {
    "MISSING COLUMNS": "the line has fewer columns than the header",
    "TOO MANY COLUMNS": "the line has more columns than the header",
    "UNQUOTED VALUE": "a quotation mark in the line does not close, or stands inside a value",
    "INVALID ENCODING": "the line is not UTF-8 text, and the settings declare no other `encoding`, such as cp1252,",
}
OTHERWISE = "the line cannot be split into columns"


def open_delimited(
    con: duckdb.DuckDBPyConnection, path: Path, delimiter: str = ",", encoding: str = "utf-8", tolerant: bool = False
) -> File:
    """Open a CSV or gzipped CSV file.

    Parameters
    ----------
    tolerant
        Look through the whole file, and set lines apart that cannot be split into the header's columns. Otherwise
        such a line makes reading fail later on.

    Raises
    ------
    UnreadableError
        Cut off, not in its encoding, without a header, or with a quotation mark that swallows lines.
    """
    copy = None
    text = path
    if codecs.lookup(encoding).name != "utf-8":
        copy = Copy()
        text = _transcoded(path, encoding, copy.path / "text.csv")
    names, header = _header(text, delimiter)
    columns = columns_of((name, "VARCHAR") for name in names)
    broken = _broken_lines(con, _relation(text, names, delimiter), names) if tolerant else ""
    relation = _relation(text, names, delimiter, "ignore_errors=true, " if broken else "")
    return File(path, relation, columns, broken, header, held=copy)


def _relation(path: Path, names: list[str], delimiter: str, more: str = "") -> str:
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
    return (
        f"read_csv({literal(path)}, {more}auto_detect=false, header=true, columns={{{columns}}}, "
        f"delim={literal(delimiter)}, quote='\"', escape='\"')"
    )


def _opened(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if path.name.lower().endswith(".gz") else path.open("rb")  # type: ignore[return-value]


def _header(path: Path, delimiter: str) -> tuple[list[str], str]:
    """Return the names of the columns, those without one by their place, and the line they stand in."""
    try:
        with _opened(path) as file:
            start = file.read(CHUNK)
    except (EOFError, zlib.error):
        raise UnreadableError(CUT_OFF) from None
    except OSError:
        raise UnreadableError("the file cannot be read as gzipped CSV") from None
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UnreadableError("the file is UTF-16 text; declare `encoding: utf-16`")
    lines = start.decode("utf-8-sig", errors="replace").splitlines(keepends=True)
    names = next(csv.reader(lines, delimiter=delimiter), [])
    if not any(name.strip() for name in names):
        raise UnreadableError("the file has no header: its first line must name the columns")
    if "\0" in "".join(names):
        raise UnreadableError("the file cannot be read as CSV: it is not text")
    return [name.strip() or f"column_{place}" for place, name in enumerate(names, 1)], lines[0].rstrip("\r\n")


def _broken_lines(con: duckdb.DuckDBPyConnection, relation: str, names: list[str]) -> str:
    """Read a file to its end, and keep the lines that are not rows; return their DuckDB table, or nothing."""
    mark = uuid4().hex
    rejects, scans, broken = f"rejects_{mark}", f"scans_{mark}", f"broken_{mark}"
    looked = relation.replace(
        "auto_detect=", f"store_rejects=true, rejects_table='{rejects}', rejects_scan='{scans}', auto_detect=", 1
    )
    # Every column has to be looked at: DuckDB does not check the text of columns that nobody asks for.
    asked = ", ".join(f"count(column_{place})" for place in range(len(names)))
    aliases = ", ".join(f"column_{place}" for place in range(len(names)))
    try:
        con.execute(f"SELECT {asked} FROM {looked} AS t ({aliases})").fetchall()
    except duckdb.IOException:
        raise UnreadableError(CUT_OFF) from None
    except duckdb.Error as error:
        if not is_damage(error):
            raise
        # DuckDB's own text may quote a line of the file.
        raise UnreadableError(
            "the file cannot be read as CSV; it may mix kinds of line ending, or not be text"
        ) from None
    whys = " ".join(f"WHEN {literal(kind)} THEN {literal(why)}" for kind, why in WHY.items())
    con.execute(
        f"CREATE TEMP TABLE {broken} AS SELECT line::BIGINT AS line, any_value(csv_line) AS text, "
        f"CASE any_value(error_type)::VARCHAR {whys} ELSE {literal(OTHERWISE)} END AS why FROM {rejects} GROUP BY 1"
    )
    con.execute(f"DROP TABLE {rejects}; DROP TABLE {scans}")
    count, line, swallowed = con.execute(
        f"SELECT count(*), min(line) FILTER (swallows), sum(lines) FILTER (swallows) FROM (SELECT line, "
        f"length(rtrim(text, chr(10) || chr(13))) - length(replace(rtrim(text, chr(10) || chr(13)), chr(10), '')) "
        f"AS lines, lines > 0 AS swallows FROM {broken})"
    ).fetchone() or (0, None, 0)
    if line is not None:
        raise UnreadableError(
            f"a quotation mark in line {line} does not close, and swallows {swallowed} line(s) after it; "
            'write it twice ("") where it belongs to the text, or take it out'
        )
    return broken if count else ""


def _transcoded(path: Path, encoding: str, out: Path) -> Path:
    """Write a file anew as UTF-8, a piece at a time."""
    decoder: Any = codecs.getincrementaldecoder(encoding)()
    as_utf8: Any = codecs.getincrementaldecoder("utf-8")()
    is_utf8, foreign, line = len("é".encode(encoding, errors="ignore")) == 1, False, 1
    try:
        with _opened(path) as file, out.open("wb") as copy:
            while True:
                piece = file.read(CHUNK)
                foreign = foreign or not piece.isascii()
                if is_utf8:
                    try:
                        as_utf8.decode(piece, not piece)
                    except UnicodeDecodeError:
                        is_utf8 = False
                try:
                    text = decoder.decode(piece, not piece)
                except UnicodeError as error:
                    line += piece[: getattr(error, "start", 0)].count(b"\n")
                    raise UnreadableError(
                        f"near line {line} the file is not {encoding} text; declare another `encoding`"
                    ) from None
                line += text.count("\n")
                copy.write(text.encode())
                if not piece:
                    break
    except (EOFError, zlib.error):
        raise UnreadableError(CUT_OFF) from None
    if is_utf8 and foreign:
        raise UnreadableError(f"the file is UTF-8 text, not {encoding}; declare `encoding: utf-8`, or leave it out")
    return out


def other_delimiter(header: str, wanted: set[str], delimiter: str) -> str | None:
    """Return the delimiter by which a header names more of the wanted columns, if there is one."""

    def named(by: str) -> int:
        return len({name.strip().lower() for name in next(csv.reader([header], delimiter=by), [])} & wanted)

    best = max(DELIMITERS, key=lambda by: (named(by), by == delimiter))
    return best if named(best) > max(1, named(delimiter)) else None
