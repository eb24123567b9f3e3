"""The made-up events of `benchmarks.features` as a folder of months, and one more week of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks import feature_events as made_up
from benchmarks.feature_peers import connect


def periods(events: Path, folder: Path) -> Path:
    """Write the events as `records` might: a file for each past year of knowledge, one a month for the last year."""
    folder.mkdir()
    last = (made_up.AS_OF - 365).astype("datetime64[M]")
    first_days = [
        *np.arange("2021", str(last.astype("datetime64[Y]") + 1), dtype="datetime64[Y]").astype("datetime64[M]")
    ]
    edges = [day for day in first_days if day < last] + list(np.arange(last, made_up.AS_OF.astype("datetime64[M]")))
    with connect() as connection:
        for edge, end in zip(edges, [*edges[1:], made_up.AS_OF.astype("datetime64[M]") + 1], strict=True):
            begin = "1900-01-01" if edge == edges[0] else f"{edge}-01"
            connection.execute(
                f"""COPY (
                    SELECT * REPLACE (CASE WHEN known_until < DATE '{end}-01' THEN known_until END AS known_until)
                    FROM '{events}' WHERE known_at >= DATE '{begin}' AND known_at < DATE '{end}-01'
                    UNION ALL SELECT * FROM '{events}' WHERE known_at < DATE '{begin}'
                        AND known_until >= DATE '{begin}' AND known_until < DATE '{end}-01'
                    ORDER BY subject_id, time, known_at, code, numeric_value, "end"
                ) TO '{folder}/{edge}.parquet' (FORMAT parquet, COMPRESSION zstd)"""
            )
    return folder


def add_week(number: int, folder: Path) -> None:
    """Write the file of one more week: 2 % of events, an eighth of them versions of events told in the last month."""
    first = int(made_up.AS_OF.astype(np.int64))
    news = made_up.write_events(number, folder / "news.tmp", 3, first, seed=2)
    before = max(path for path in folder.glob("*.parquet"))
    with connect() as connection:
        connection.execute(
            f"""COPY (
                SELECT * FROM read_parquet('{news}')
                UNION ALL SELECT * REPLACE (TIMESTAMP '{made_up.AS_OF + 2}' AS known_until)
                FROM (SELECT * FROM '{before}' WHERE known_until IS NULL LIMIT {number * 3 // 8})
                ORDER BY subject_id, time, known_at, code, numeric_value, "end"
            ) TO '{folder}/{made_up.AS_OF}.parquet' (FORMAT parquet, COMPRESSION zstd)"""
        )
    news.unlink()
