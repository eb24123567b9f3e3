"""Every row of a source gets one fate, by rules that the contract declares.

The order of the rules is the order of the law: an opt-out goes first, and nothing else of
such a row is looked at.
"""

from __future__ import annotations

import datetime as dt

import duckdb

from records import nhs_number
from records.extracts import Extract
from records.faults import mixed_orders, too_many_faults
from records.reading import DAMAGED, is_damage, literal
from records.repeated import find_repeated_keys, find_repeated_months, marked_rows
from records.rules import fault
from records.sightings import who
from records.typed_rows import typed_rows

SENT_AGAIN = "sent twice: a month of rows that differ from others only in record_id"
REPLACED = "version of a row of which a later one was known"
REPLACED = "version of a row of which a later one was known"


def read_rows(
    con: duckdb.DuckDBPyConnection, extract: Extract, as_of: dt.date, today: dt.date, maximum_bad_share: float
) -> list[str]:
    """Read an extract into its DuckDB table and give every row its fate; return what stops the run.

    The table holds the contract's columns, `digits` (the NHS number as written), `number` (only if it
    can be trusted), `who` (see sightings.py), `known`, `fate`, `why`, `replaced` (by a later version that was known) and
    `as_read`: the text that could not be used. Rows of people in the table `opted_out_numbers` are `opted_out` whatever
    else is wrong with them.
    """
    contract, rows = extract.contract, f"({typed_rows(extract)})"
    try:
        nhs_number.look_up(con, rows)
        find_repeated_keys(con, rows, contract.key)
        find_repeated_months(con, rows, extract.table, contract)
        _decide_fates(con, extract, rows, as_of, today)
        if extract.version:
            _let_the_newest_version_hold(con, extract, as_of)
    except duckdb.Error as error:
        if not is_damage(error):
            raise
        return [f"{extract.label}: {DAMAGED}"]
    return too_many_faults(con, extract, maximum_bad_share) + mixed_orders(con, extract)


def _decide_fates(con: duckdb.DuckDBPyConnection, extract: Extract, rows: str, as_of: dt.date, today: dt.date) -> None:
    contract = extract.contract
    known = contract.known or "NULL::DATE"
    if extract.version and extract.version != known:
        known = f"greatest({known}, {extract.version})"
    not_yet = f"{known} >= DATE {literal(as_of)}" if contract.known else "false"
    con.execute(
        f"""CREATE OR REPLACE TABLE {extract.rows} AS
        SELECT * EXCLUDE (wrong_type, written, fault, is_copy, differs, sent_again, opted, usable),
            CASE WHEN usable THEN digits END AS number,
            {who(extract)} AS who,
            {known} AS known,
            false AS replaced,
            CASE WHEN opted THEN 'opted_out' WHEN is_copy THEN 'duplicate' WHEN fault IS NOT NULL THEN 'quarantined'
                 WHEN sent_again THEN 'duplicate' WHEN {not_yet} THEN 'not_yet_known' ELSE 'used' END AS fate,
            CASE WHEN opted THEN 'an opt-out holds for this purpose' WHEN is_copy THEN 'copy of another row'
                 WHEN fault IS NOT NULL THEN fault WHEN sent_again THEN {literal(SENT_AGAIN)} WHEN {not_yet} THEN 'not known before the list''s date'
                 ELSE '' END AS why
        FROM (
            SELECT typed.*, {fault(extract, today)} AS fault, again.place IS NOT NULL AS sent_again,
                numbers.digits, coalesce(numbers.opted, false) AS opted, coalesce(numbers.usable, false) AS usable
            FROM ({marked_rows(rows, contract, extract.version)}) AS typed
            LEFT JOIN again ON again.place = typed.{contract.key}
            LEFT JOIN numbers ON numbers.written = typed.written
        )"""
    )


def _let_the_newest_version_hold(con: duckdb.DuckDBPyConnection, extract: Extract, as_of: dt.date) -> None:
    """Mark the versions of a row that a later one replaced before `as_of`; one that is faulty replaces nothing."""
    key, version = extract.contract.key, f"coalesce({extract.version}, DATE '0001-01-01')"
    con.execute(
        f"""UPDATE {extract.rows} SET replaced = true, fate = if(fate = 'used', 'duplicate', fate),
            why = if(fate = 'used', {literal(REPLACED)}, why)
        FROM (SELECT {key} AS of_key, max({version}) AS newest FROM {extract.rows}
              WHERE fate IN ('used', 'opted_out') AND known < DATE {literal(as_of)}
                AND {key} IN (SELECT {key} FROM repeated_keys) GROUP BY 1)
        WHERE {key} = of_key AND {version} < newest AND fate IN ('used', 'opted_out')"""
    )
