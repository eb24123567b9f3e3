"""Which NHS numbers can be trusted to name one person."""

from __future__ import annotations

import duckdb

WEIGHTS = range(10, 1, -1)


def digits(column: str) -> str:
    """Return the SQL expression that strips spaces and hyphens from a number."""
    return f"nullif(regexp_replace({column}, '[\\s-]', '', 'g'), '')"


def is_dummy(number: str) -> str:
    """Return the SQL condition that a number is one digit repeated, as people type when they have none.

    9999999999 and 1111111111 pass the check digit.
    """
    return f"regexp_full_match({number}, '{'|'.join(f'{digit}+' for digit in range(10))}')"


def is_usable(number: str) -> str:
    """Return the SQL condition that a number has ten digits, the right check digit, and is no dummy.

    The check digit is 11 less the weighted sum modulo 11; 11 is written 0, and 10 is never issued
    (NHS data dictionary).
    """
    weighted = " + ".join(
        f"{weight} * (ascii(substr({number}, {place}, 1)) - 48)" for place, weight in enumerate(WEIGHTS, start=1)
    )
    last = f"(ascii(substr({number}, 10, 1)) - 48)"
    return (
        f"(regexp_full_match({number}, '[0-9]{{10}}') AND NOT {is_dummy(number)} "
        f"AND (11 - ({weighted}) % 11) % 11 = {last})"
    )


def look_up(con: duckdb.DuckDBPyConnection, rows: str) -> None:
    """Make the table `numbers`: of each number as `written` its `digits`, and whether it is `usable` and `opted` out.

    A number is in many rows: it is looked at once. `rows` is a table or a query in brackets, with a column `written`;
    the table `opted_out_numbers` must be there.
    """
    con.execute(
        f"""CREATE OR REPLACE TABLE numbers AS
        SELECT *, coalesce({is_usable("digits")}, false) AS usable,
            coalesce(digits IN (SELECT digits FROM opted_out_numbers), false) AS opted
        FROM (SELECT DISTINCT written, {digits("written")} AS digits FROM {rows})"""
    )
