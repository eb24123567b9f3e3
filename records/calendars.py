"""Dates written as text: what a declared format means, and whether day and month can be trusted."""

from __future__ import annotations

import duckdb

from records.reading import literal, quoted

ISO = "%Y-%m-%d"
NUMBERS = r"^(\d{1,2})[/.\- ](\d{1,2})[/.\- ](\d{2}|\d{4})( .*)?$"
# Where more dates than this, of a column, show their day in the month's place, those that read either way are
# not trusted, and the run stops. About two in five swapped dates read either way, and would go in unseen.
TRUSTED = 0.001


def iso_dates(relation: str, columns: list[str], date_format: str) -> str:
    """Return a relation in which dates of the declared format are ISO; other text stays as it is, to be judged."""
    said = [
        f"coalesce(strftime(try_strptime(trim({quoted(name)}), {literal(date_format)}), '{ISO}'), {quoted(name)}) "
        f"AS {quoted(name)}"
        for name in columns
    ]
    return f"(SELECT * REPLACE ({', '.join(said)}) FROM {relation})"


def order_problems(con: duckdb.DuckDBPyConnection, relation: str, text: str, date_format: str | None) -> list[str]:
    """Say whether a column has dates whose day stands in the month's place, so that others may be swapped unseen."""
    swapped = " OR ".join(
        f"try_strptime({text}, {literal(_swapped(written))}) IS NOT NULL" for written in {ISO, date_format or ISO}
    )
    row = con.execute(
        f"SELECT count(*), count(*) FILTER (read IS NULL AND ({swapped.replace(text, 'text')})), "
        f"count(*) FILTER (day(read) <= 12 AND day(read) <> month(read)) "
        f"FROM (SELECT {text} AS text, TRY_CAST({text} AS DATE) AS read FROM {relation}) WHERE text IS NOT NULL"
    ).fetchone()
    filled, other, either = row or (0, 0, 0)
    if other <= TRUSTED * filled:
        return []
    return [
        f"has day and month in both orders: in {other} of {filled} date(s) the day stands where {date_format or ISO} "
        f"has the month, so that {either} date(s) which read either way cannot be trusted; have the supplier send "
        "ISO dates"
    ]


def _swapped(date_format: str) -> str:
    return date_format.replace("%d", "%\0").replace("%m", "%d").replace("%\0", "%m")


def written_otherwise(con: duckdb.DuckDBPyConnection, relation: str, text: str) -> str:
    """Say in which way dates that could not be read are written, if it can be told."""
    row = con.execute(
        f"""SELECT count(*), count(*) FILTER (parts[1]::INTEGER > 12), count(*) FILTER (parts[2]::INTEGER > 12),
            count(*) FILTER (length(parts[3]) = 2), any_value(mark)
        FROM (SELECT regexp_extract_all(text, '\\d+') AS parts, regexp_extract(text, '^\\d+(.)', 1) AS mark
              FROM (SELECT {text} AS text FROM {relation})
              WHERE TRY_CAST(text AS DATE) IS NULL AND regexp_matches(text, {literal(NUMBERS)}))"""
    ).fetchone()
    found, day_first, month_first, short, mark = row or (0, 0, 0, 0, "/")
    if not found:
        return ""
    year = "%y" if short == found else "%Y"
    forms = {"DD/MM": mark.join(("%d", "%m", year)), "MM/DD": mark.join(("%m", "%d", year))}
    if day_first and month_first:
        return (
            f"; of {found} written with slashes or the like, {day_first} can only be DD/MM and {month_first} only MM/DD: "
            "the rest cannot be told apart; have the supplier send ISO dates"
        )
    if not day_first and not month_first:
        return (
            f"; {found} can be read as DD/MM and as MM/DD: ask the supplier which, and declare "
            f"`date_format: '{forms['DD/MM']}'` or `'{forms['MM/DD']}'`"
        )
    likely = forms["DD/MM" if day_first else "MM/DD"]
    return (
        f"; {found} look like {'DD/MM' if day_first else 'MM/DD'}: if that is right, declare `date_format: '{likely}'`"
    )
