"""Deprivation by area: the index of multiple deprivation 2025, on 2021 areas; 2011 codes are converted."""

from __future__ import annotations

from pathlib import Path

import duckdb

from records.reading import literal
from records.tables import DOMAINS

REFERENCE = Path(__file__).parents[1] / "data" / "reference"


def load_areas(con: duckdb.DuckDBPyConnection) -> None:
    """Make the table `areas`: `lsoa` as recorded, `lsoa_now`, `lsoa_vintage`, `imd_version` and, 1 most deprived, `imd_decile` and `DOMAINS`.

    A 2011 area with one 2021 successor (unchanged, renamed or merged) becomes it. One that was split, or broken up
    in another way, keeps its 2011 code and takes the rounded mean decile of the 2021 areas that hold a part of it.
    Welsh areas are known, and have no decile: the index is England's.
    """
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE areas AS
        WITH changes AS (
            SELECT lsoa11_code AS old, lsoa21_code AS new
            FROM read_parquet({literal(REFERENCE / "lsoa11_lsoa21.parquet")})
        ),
        ranked AS (
            SELECT lsoa21_code AS new, imd_decile::DOUBLE AS imd_decile, {", ".join(DOMAINS)}
            FROM read_parquet({literal(REFERENCE / "imd2025_lsoa21.parquet")})
        ),
        present AS (SELECT DISTINCT new FROM changes UNION SELECT new FROM ranked),
        coded AS (
            SELECT new AS lsoa, new, '2021' AS vintage FROM present
            UNION ALL
            SELECT old, new, '2011' FROM changes WHERE old NOT IN (SELECT new FROM present)
        )
        SELECT lsoa, if(count(*) = 1, min(new), lsoa) AS lsoa_now,
            if(min(vintage) = '2021' OR count(*) = 1, '2021', '2011') AS lsoa_vintage,
            round(avg(imd_decile)) AS imd_decile, {", ".join(f"round(avg({name})) AS {name}" for name in DOMAINS)},
            CASE WHEN count(imd_decile) = 0 THEN '' WHEN min(vintage) = '2021' THEN 'IMD 2025, LSOA 2021'
                 ELSE 'IMD 2025, LSOA 2011 converted to 2021' END AS imd_version
        FROM coded LEFT JOIN ranked USING (new) GROUP BY lsoa"""
    )
