"""How far each area is from services, in minutes, by tables of the site's own; without one nobody's minutes are known."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from casewell.errors import SourceError
from records.areas import REFERENCE
from records.extracts import Extract
from records.reading import literal
from records.tables import TRAVEL


def find_travel(con: duckdb.DuckDBPyConnection, extracts: Sequence[Extract]) -> None:
    """Make the table `travel`: `lsoa`, as `spine` writes it, and `TRAVEL`.

    Of several tables the least minutes count. An area that no table has takes the mean of the areas of the other
    census that hold a part of it, so that a table of 2011 areas serves people who are recorded by those of 2021.

    Raises
    ------
    SourceError
        A table has no column of minutes, or none of the areas in which people are registered.
    """
    told = [f"SELECT lsoa, {', '.join(TRAVEL)} FROM {extract.rows} WHERE fate = 'used'" for extract in extracts]
    nothing = f"SELECT NULL::VARCHAR, {', '.join('NULL::DOUBLE' for _ in TRAVEL)} WHERE false"
    least, mean = (", ".join(f"{how}({name}) AS {name}" for name in TRAVEL) for how in ("min", "avg"))
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE related AS
        WITH changes AS (
            SELECT lsoa11_code AS old, lsoa21_code AS new
            FROM read_parquet({literal(REFERENCE / "lsoa11_lsoa21.parquet")})
        )
        SELECT new AS lsoa, old AS other FROM changes UNION SELECT old, new FROM changes"""
    )
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE travel AS
        WITH told AS (
            SELECT lsoa, {least} FROM ({" UNION ALL ".join([*told, nothing])}) AS t (lsoa, {", ".join(TRAVEL)})
            GROUP BY lsoa
        )
        SELECT * FROM told
        UNION ALL
        SELECT related.lsoa, {mean} FROM related JOIN told ON told.lsoa = related.other
        WHERE related.lsoa NOT IN (SELECT lsoa FROM told) GROUP BY related.lsoa"""
    )
    problems = [problem for extract in extracts for problem in _problems(con, extract)]
    if problems:
        raise SourceError(problems, "docs/how-to/features.md says what a table of travel times holds.")


def _problems(con: duckdb.DuckDBPyConnection, extract: Extract) -> list[str]:
    given = [name for name in TRAVEL if name in extract.columns]
    if not given:
        names = ", ".join(TRAVEL)
        return [
            f"{extract.label}: has none of the columns {names}; if the file names them otherwise, map them with `columns:`"
        ]
    ((people, found),) = con.execute(
        f"""WITH own AS (SELECT lsoa FROM {extract.rows} WHERE fate = 'used'),
        reached AS (SELECT lsoa FROM own UNION SELECT related.lsoa FROM related JOIN own ON own.lsoa = related.other)
        SELECT count(*), count(*) FILTER (lsoa IN (SELECT lsoa FROM reached)) FROM spine WHERE lsoa <> ''"""
    ).fetchall()
    if people and not found:
        return [
            f"{extract.label}: has none of the areas in which people are registered; lsoa must hold LSOA codes, "
            "like E01000001"
        ]
    return []
