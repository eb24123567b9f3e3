"""Deprivation by area: the index of multiple deprivation 2025, on 2021 areas; 2011 codes are converted."""

from __future__ import annotations

from pathlib import Path

import duckdb

from records.reading import literal

REFERENCE = Path(__file__).parents[1] / "data" / "reference"


def load_areas(con: duckdb.DuckDBPyConnection) -> None:
    """Make the table `areas`: `lsoa`, `imd_decile` (1 most deprived), `imd_version`.

    A 2011 area that was split takes the rounded mean decile of its 2021 parts.
    """
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE areas AS
        WITH new AS (
            SELECT lsoa21_code AS lsoa, imd_decile::DOUBLE AS imd_decile
            FROM read_parquet({literal(REFERENCE / "imd2025_lsoa21.parquet")})
        )
        SELECT lsoa, imd_decile, 'IMD 2025, LSOA 2021' AS imd_version FROM new
        UNION ALL
        SELECT old.lsoa11_code, round(avg(new.imd_decile)), 'IMD 2025, LSOA 2011 converted to 2021'
        FROM read_parquet({literal(REFERENCE / "lsoa11_lsoa21.parquet")}) AS old
        JOIN new ON new.lsoa = old.lsoa21_code
        WHERE old.lsoa11_code NOT IN (SELECT lsoa FROM new)
        GROUP BY old.lsoa11_code"""
    )
