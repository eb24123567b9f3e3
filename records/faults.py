"""Whether too many rows of an extract are faulty for a run to go on, and what to do about it."""

from __future__ import annotations

import difflib

import duckdb

from records.calendars import order_problems, written_otherwise
from records.ethnic_codes import NO_SUCH_CODE, rows_without_a_code
from records.extracts import Extract, date_columns
from records.reading import KINDS, literal, text_of
from records.rules import UNDECLARED

SMALLEST_SHOWN = 8
"""Of a code that fewer rows hold, nobody can say that it is not something about a person."""
_NAMED = 6


def too_many_faults(con: duckdb.DuckDBPyConnection, extract: Extract, maximum: float) -> list[str]:
    """Say what stops the run in an extract whose rows have their fates; `maximum` is the share that may be set aside."""
    looked_at = "fate NOT IN ('opted_out', 'duplicate')"
    rows, numbered, bad = con.execute(
        f"SELECT count(*), count(digits), count(*) FILTER (digits IS NOT NULL AND number IS NULL) "
        f"FROM {extract.rows} WHERE {looked_at}"
    ).fetchone() or (0, 0, 0)
    problems = [
        f"{extract.label}: {why} in {count} of {rows} row(s); at most {maximum:.0%} may be set aside"
        f"{_advice(con, extract, why)}"
        for why, count in con.execute(
            f"SELECT why, count(*) FROM {extract.rows} WHERE fate = 'quarantined' GROUP BY 1 ORDER BY 1"
        ).fetchall()
        if count > maximum * rows
    ]
    if "ethnic_category" in extract.columns and (count := rows_without_a_code(con, extract.rows)) > maximum * rows:
        problems.append(f"{extract.label}: {NO_SUCH_CODE} in {count} of {rows} row(s); at most {maximum:.0%} may")
    if extract.table == "opt_outs" and extract.file.broken:
        (lines,) = con.execute(f"SELECT count(*) FROM {extract.file.broken}").fetchone() or (0,)
        problems.append(
            f"{extract.label}: {lines} line(s) cannot be split into columns, the first is line "
            f"{_first_broken(con, extract)}; no line of the opt-outs may be lost"
        )
    if bad > maximum * numbered:
        problems.append(
            f"{extract.label}: column nhs_number fails its check digit, or is a known dummy, "
            f"in {bad} of {numbered} row(s) with a number; at most {maximum:.0%} may"
        )
    return problems


def _advice(con: duckdb.DuckDBPyConnection, extract: Extract, why: str) -> str:
    """Return what to do about a fault, where the file itself tells."""
    if (extract.file.broken and why.startswith("the line")) or why.startswith("a quotation mark"):
        return f"; the first is line {_first_broken(con, extract, why)}"
    if why == UNDECLARED:
        return (
            f"; declare them under `programmes`, mend the codes, or leave those rows out of the extract"
            f"{_undeclared(con, extract)}"
        )
    for name, (original, sql_type) in date_columns(extract).items():
        if sql_type == "VARCHAR" and why == f"column {name} is not {KINDS['datetime64[us]']}":
            return written_otherwise(con, extract.file.relation, text_of(original, sql_type))
    return ""


def _undeclared(con: duckdb.DuckDBPyConnection, extract: Extract) -> str:
    """Name the codes of programmes that nobody declared, with the nearest declared; not what stands in few rows, or is no code."""
    codes = [
        code
        for (code,) in con.execute(
            f"SELECT programme FROM {extract.rows} WHERE fate = 'quarantined' AND why = {literal(UNDECLARED)} "
            f"AND regexp_full_match(programme, '[A-Za-z0-9_-]{{1,40}}') GROUP BY 1 HAVING count(*) >= {SMALLEST_SHOWN} "
            f"ORDER BY count(*) DESC, programme LIMIT {_NAMED}"
        ).fetchall()
    ]
    if not codes:
        return ""
    near = {code: difflib.get_close_matches(code.lower(), extract.programmes, 1) for code in codes}
    return "; most often " + ", ".join(
        f"{code!r} (did you mean {near[code][0]!r}?)" if near[code] else repr(code) for code in codes
    )


def _first_broken(con: duckdb.DuckDBPyConnection, extract: Extract, why: str | None = None) -> int:
    asked = f"WHERE why = {literal(why)}" if why else ""
    return int((con.execute(f"SELECT min(line) FROM {extract.file.broken} {asked}").fetchone() or (0,))[0])


def mixed_orders(con: duckdb.DuckDBPyConnection, extract: Extract) -> list[str]:
    """Say in which columns of dates day and month stand in both orders."""
    (unread,) = con.execute(f"SELECT count(as_read) FROM {extract.rows}").fetchone() or (0,)
    problems = []
    for name, (original, sql_type) in date_columns(extract).items():
        # A day in the month's place is no date, so where all was read there is none.
        if unread and sql_type == "VARCHAR":
            text = text_of(original, sql_type)
            found = order_problems(con, extract.file.relation, text, extract.source.date_format)
            problems += [f"{extract.label}: column {name} {problem}" for problem in found]
    return problems
