"""What became of every row: fates, the rows set aside, which person each used row is, and that it all adds up."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import duckdb
import pyarrow.parquet as parquet

from casewell import doors
from records.database import batches
from records.extracts import Extract
from records.reading import literal


def row_count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    """Return how many rows a DuckDB table has."""
    return int((con.execute(f"SELECT count(*) FROM {table}").fetchone() or (0,))[0])


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
    groups = doors.groups(batches(con, [f"{query} WHERE fate = 'quarantined' ORDER BY ALL"]))
    first = next(groups, None)
    if first is None:
        return
    with parquet.ParquetWriter(private(path), first.schema) as writer:
        for group in chain([first], groups):
            writer.write_table(group)


def must_add_up(con: duckdb.DuckDBPyConnection, extracts: list[Extract], out: Path) -> None:
    """Hold the tables that were written into `out` against what came in; nothing that does not add up is published.

    Of every extract, each row must have one fate, each used row about somebody one person, and each quarantined row
    its place in quarantine. Each person who came in must be in `people` or in `removed`, and in one of them only.

    Raises
    ------
    RuntimeError
        Something does not add up: a mistake in the house, not in the data.
    """

    def count(query: str) -> int:
        return int(con.execute(query).fetchall()[0][0] or 0)

    people, removed, identities, counts = (
        f"read_parquet({literal(out / f'{name}.parquet')})"
        for name in ("people", "removed", "identities", "source_counts")
    )
    entered, stayed, left = (
        count(f"SELECT count(DISTINCT person_id) FROM {table}") for table in ("persons", people, removed)
    )
    both = count(f"SELECT count(*) FROM {people} JOIN {removed} USING (person_id)")
    faults = [f"{entered} people came in, {stayed} stayed, {left} left and {both} did both"]
    faults = faults if entered != stayed + left or both else []
    for extract in extracts:
        mine = f"FROM {counts} WHERE source = {literal(extract.name)}"
        rows, told = count(f"SELECT count(*) FROM {extract.rows}"), count(f"SELECT sum(rows) {mine}")
        if rows != told:
            faults.append(f"source {extract.name!r} has {rows} rows and fates for {told}")
        used = count(f"SELECT sum(rows) {mine} AND fate = 'used'")
        if extract.contract.personal and extract.table != "opt_outs":
            found = count(f"SELECT count(*) FROM {identities} WHERE source = {literal(extract.name)}")
            if used != found:
                faults.append(f"source {extract.name!r} has {used} used rows and people for {found}")
        aside, path = (
            count(f"SELECT sum(rows) {mine} AND fate = 'quarantined'"),
            out / "quarantine" / f"{extract.name}.parquet",
        )
        kept = parquet.read_metadata(path).num_rows if path.is_file() else 0
        if aside != kept:
            faults.append(f"source {extract.name!r} has {aside} rows set aside and {kept} in quarantine")
    if faults:
        raise RuntimeError(f"the accounts do not add up: {'; '.join(faults)}")


def private(path: Path) -> Path:
    """Make an empty file that only its owner can read, before anything is written to it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.chmod(0o600)
    return path
