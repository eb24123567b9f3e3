"""What became of every row: fates, the rows set aside, and which person each used row is."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow.parquet as parquet

from records.checking import Extract
from records.reading import literal


def fates_query(extract: Extract) -> str:
    """Return the query that counts an extract's rows by fate; linkage may have found more opted-out people."""
    if not extract.contract.personal or extract.table == "opt_outs":
        return f"SELECT {literal(extract.name)} AS source, fate, why, count(*) AS rows FROM {extract.rows} GROUP BY ALL"
    gone = "r.fate = 'used' AND coalesce(p.opted, false)"
    return f"""SELECT {literal(extract.name)} AS source, if({gone}, 'opted_out', r.fate) AS fate,
            if({gone}, 'linked to a person whose opt-out holds', r.why) AS why, count(*) AS rows
        FROM {extract.rows} AS r LEFT JOIN persons AS p USING (who) GROUP BY ALL"""


def identities_query(extract: Extract) -> str:
    """Return the query of which person each used record was taken to be."""
    return f"""SELECT {literal(extract.name)} AS source, r.{extract.contract.key} AS source_record, p.person_id,
            p.method, p.probability AS match_probability
        FROM {extract.rows} AS r JOIN persons AS p USING (who) WHERE r.fate = 'used' AND p.used AND NOT p.opted"""


def presence_query(extract: Extract) -> str:
    """Return the query of the people that an extract knows."""
    return f"""SELECT p.person_id, {literal(extract.name)} AS source, {str(extract.synthetic).lower()} AS synthetic
        FROM persons AS p JOIN (SELECT DISTINCT who FROM {extract.rows} WHERE fate = 'used') USING (who)"""


def write_quarantine(con: duckdb.DuckDBPyConnection, extract: Extract, folder: Path) -> None:
    """Keep the rows that were set aside, as read, with the reason; readable by their owner only."""
    columns = ", ".join(extract.contract.schema.columns)
    keep_aside(con, f"SELECT {columns}, as_read, why AS reason FROM {extract.rows}", folder / f"{extract.name}.parquet")


def keep_aside(con: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    """Write the quarantined rows of a query, which must show `fate`'s table, as a private Parquet file."""
    rows = con.sql(f"{query} WHERE fate = 'quarantined' ORDER BY ALL").to_arrow_table()
    if rows.num_rows:
        private(path)
        parquet.write_table(rows, path)


def private(path: Path) -> Path:
    """Make an empty file that only its owner can read, before anything is written to it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.chmod(0o600)
    return path
