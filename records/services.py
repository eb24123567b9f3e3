"""Services of social care: sent once while they go on, and again, complete, when they have ended.

The second row has a record number of its own, so only what it says shows that it is the same service: the person,
the kind and the day of its start. Several such services that start on one day are ended one for one, in the order in
which they were sent; a complete row that finds none open was never sent before, and ends nothing.
"""

from __future__ import annotations

import duckdb

from records.extracts import Extract
from records.reading import literal


def find_services(con: duckdb.DuckDBPyConnection, extracts: list[Extract]) -> None:
    """Make the table `services`, from `persons`: the used rows of services.

    `closed` is the day from which another row speaks for one that was sent without an end; null while none does.
    """
    rows = " UNION ALL ".join(
        f"""SELECT {literal(extract.name)} AS source, who, record_id, service_type, start_date, end_date, received_date
        FROM {extract.rows} WHERE fate = 'used' AND event_type = 'service' AND received_date IS NOT NULL"""
        for extract in extracts
    )
    con.execute(
        f"""CREATE OR REPLACE TABLE services AS
        WITH told AS (
            SELECT rows.*, person_id, end_date IS NULL AS open FROM ({rows}) AS rows JOIN persons USING (who)
        ), counted AS (
            SELECT *, count(*) FILTER (open) OVER sent AS opened, count(*) FILTER (NOT open) OVER sent AS ended
            FROM told WINDOW sent AS (
                PARTITION BY source, person_id, service_type, start_date
                ORDER BY received_date, NOT open, record_id ROWS UNBOUNDED PRECEDING)
        ), matched AS (
            -- Of the complete rows so far, how many found no service open.
            SELECT *, greatest(0, max(ended - opened) OVER (
                PARTITION BY source, person_id, service_type, start_date
                ORDER BY received_date, NOT open, record_id ROWS UNBOUNDED PRECEDING)) AS unsent
            FROM counted
        ), ends AS (
            SELECT source, person_id, service_type, start_date, ended - unsent AS turn, min(received_date) AS closed
            FROM matched WHERE NOT open AND ended > unsent GROUP BY ALL
        )
        SELECT m.*, ends.closed FROM matched AS m LEFT JOIN ends ON m.open AND m.source = ends.source
            AND m.person_id = ends.person_id AND m.service_type IS NOT DISTINCT FROM ends.service_type
            AND m.start_date = ends.start_date AND m.opened = ends.turn"""
    )
