"""A month that was sent twice, under new record ids.

A pair of equal rows by itself proves nothing: two visits of a district nurse on one day look the same. That nearly
every row of a month has a twin does.
"""

from __future__ import annotations

import duckdb

from records.contracts import Contract

SMALLEST = 10
# Of the rows of a repeated month at least this share has a twin. To find such months a sketch of the number of
# different rows is enough, so that only they are looked at row by row.
TWINNED = 0.9
SUSPECT = 0.65


def find_repeated_months(con: duckdb.DuckDBPyConnection, table: str, contract: Contract) -> None:
    """Make the table `again`: the place in `typed` of rows that repeat others; of each kind the first received stays."""
    con.execute("CREATE OR REPLACE TEMP TABLE again (place BIGINT)")
    received = contract.known if contract.known == "received_date" else ""
    if not contract.happened:
        return
    # A later version of a hospital's row may say again what the first said: there the day of receipt tells them apart.
    left_out = {contract.key} if table == "hospital_spells" else {contract.key, received}
    content = ", ".join(name for name in contract.schema.columns if name not in left_out)
    months = con.execute(
        f"""SELECT month FROM (
            SELECT date_trunc('month', {contract.happened}) AS month, count(*) AS rows,
                approx_count_distinct(hash({content})) AS different
            FROM typed WHERE wrong_type IS NULL AND {contract.happened} IS NOT NULL GROUP BY 1)
        WHERE rows >= {SMALLEST} AND different <= {SUSPECT} * rows"""
    ).fetchall()
    if not months:
        return
    chosen = ", ".join(f"DATE '{month:%Y-%m-%d}'" for (month,) in months)
    order = f"{received} NULLS LAST, {contract.key}" if received else contract.key
    con.execute(
        f"""INSERT INTO again
        WITH twins AS (
            SELECT place, month, count(*) OVER twin AS alike, row_number() OVER (twin ORDER BY {order}, place) AS turn
            FROM (SELECT rowid AS place, *, date_trunc('month', {contract.happened}) AS month,
                    md5(CAST(row({content}) AS VARCHAR)) AS content
                  FROM typed WHERE wrong_type IS NULL
                    AND rowid NOT IN (SELECT place FROM repeats))
            WHERE month IN ({chosen}) WINDOW twin AS (PARTITION BY content)
        )
        SELECT place FROM twins WHERE turn > 1 AND month IN (
            SELECT month FROM twins GROUP BY 1 HAVING count(*) FILTER (alike > 1) >= {TWINNED} * count(*))"""
    )
