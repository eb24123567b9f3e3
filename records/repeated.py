"""What was sent twice: rows under one record id, and whole months under new ones.

Of rows with different ids a pair of equal ones by itself proves nothing: two visits of a district nurse on one day look the same. That nearly
every row of a month has a twin does.
"""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from records import nhs_number
from records.contracts import Contract

SMALLEST = 10
# Of the rows of a repeated month at least this share has a twin. To find such months a sketch of the number of
# different rows is enough, so that only they are looked at row by row.
TWINNED = 0.9
SUSPECT = 0.65


def find_repeated_keys(con: duckdb.DuckDBPyConnection, rows: str, key: str) -> None:
    """Make the table `repeated_keys`: those that more than one of the `rows` (a table or query) have; few."""
    con.execute(
        f"CREATE OR REPLACE TABLE repeated_keys AS SELECT {key} FROM {rows} WHERE {key} IS NOT NULL "
        "GROUP BY 1 HAVING count(*) > 1"
    )


def marked_rows(rows: str, contract: Contract, version: str) -> str:
    """Return the query of rows with `is_copy` (of another row) and `differs` (from one of the same key).

    Only the rows of `repeated_keys` are sorted; of equal rows the first by what was read is the one that is none.
    Versions of a row, received on different days by the column `version` (empty: there are none), may differ, but not
    in whose it is: two services that number their records alike are no versions.
    """
    key, columns = contract.key, ", ".join(contract.schema.columns)
    repeated = f"{key} IN (SELECT {key} FROM repeated_keys)"
    same = f"{key}, {version}" if version else key
    differs = f"min(content) OVER (PARTITION BY {same}) <> max(content) OVER (PARTITION BY {same})"
    if version:
        number = nhs_number.digits("written")
        clash = f"min({number}) OVER (PARTITION BY {key}) <> max({number}) OVER (PARTITION BY {key})"
        differs += f" OR coalesce({clash}, false)"
    return f"""SELECT *, false AS is_copy, false AS differs FROM {rows} WHERE NOT coalesce({repeated}, false)
        UNION ALL
        SELECT * EXCLUDE (content), row_number() OVER (PARTITION BY {key}, content ORDER BY as_read) > 1, {differs}
        FROM (SELECT *, md5(CAST(row({columns}) AS VARCHAR)) AS content FROM {rows} WHERE {repeated})"""


def find_repeated_months(con: duckdb.DuckDBPyConnection, rows: str, table: str, contract: Contract) -> None:
    """Make the table `again`: the keys of rows that repeat others; of each kind the first received stays."""
    received = contract.known if contract.known == "received_date" else ""
    # A later version of a hospital's row may say again what the first said: there the day of receipt tells them apart.
    left_out = {contract.key} if table == "hospital_spells" else {contract.key, received}
    content = [name for name in contract.schema.columns if name not in left_out]
    order = f"{received} NULLS LAST, {contract.key}" if received else contract.key
    looked_at = f"wrong_type IS NULL AND {contract.key} NOT IN (SELECT {contract.key} FROM repeated_keys)"
    find_again(con, rows, contract.key, contract.happened, content, order, looked_at)


def find_again(
    con: duckdb.DuckDBPyConnection,
    rows: str,
    place: str,
    happened: str,
    compared: Iterable[str],
    order: str,
    looked_at: str = "true",
) -> None:
    """Make the table `again` (`place`): of `rows` that are alike in the columns `compared` all but the first by `order`.

    Parameters
    ----------
    rows
        A table or a query in brackets.
    place
        What names a row in it: a key, or `rowid`.
    happened
        The column with the day a row is about; empty where there is none.
    compared
        Columns.
    order
        Which of them stays; a total order but for rows that are alike in everything.
    looked_at
        SQL condition on the rows that are compared.
    """
    con.execute(f"CREATE OR REPLACE TABLE again AS SELECT {place} AS place FROM {rows} LIMIT 0")
    if not happened:
        return
    content = ", ".join(compared)
    months = con.execute(
        f"""SELECT month FROM (
            SELECT date_trunc('month', {happened}) AS month, count(*) AS rows,
                approx_count_distinct(hash({content})) AS different
            FROM {rows} WHERE {looked_at} AND {happened} IS NOT NULL GROUP BY 1)
        WHERE rows >= {SMALLEST} AND different <= {SUSPECT} * rows"""
    ).fetchall()
    if not months:
        return
    chosen = ", ".join(f"DATE '{month:%Y-%m-%d}'" for (month,) in months)
    con.execute(
        f"""INSERT INTO again
        WITH twins AS (
            SELECT place, month, count(*) OVER twin AS alike, row_number() OVER (twin ORDER BY {order}, place) AS turn
            FROM (SELECT {place} AS place, *, date_trunc('month', {happened}) AS month,
                    md5(CAST(row({content}) AS VARCHAR)) AS content
                  FROM {rows} WHERE {looked_at})
            WHERE month IN ({chosen}) WINDOW twin AS (PARTITION BY content)
        )
        SELECT place FROM twins WHERE turn > 1 AND month IN (
            SELECT month FROM twins GROUP BY 1 HAVING count(*) FILTER (alike > 1) >= {TWINNED} * count(*))"""
    )
