"""Services of social care: sent once while they go on, and again, complete, when they have ended.

The second row has a record number of its own, so only what it says shows that it is the same service: the person,
the kind and the day of its start. Several such services that start on one day are ended one for one, in the order in
which they were sent.
"""

from __future__ import annotations

import duckdb

from records.checking import Extract
from records.reading import literal


def find_services(con: duckdb.DuckDBPyConnection, extracts: list[Extract]) -> None:
    """Make the table `services`, from `persons`: the used rows of services.

    `closed` is the day from which another row told of the end of one that was sent without; null while none has.
    """
    rows = " UNION ALL ".join(
        f"""SELECT {literal(extract.name)} AS source, who, record_id, service_type, start_date, end_date, received_date
        FROM {extract.rows} WHERE fate = 'used' AND event_type = 'service' AND received_date IS NOT NULL"""
        for extract in extracts
    )
    con.execute(
        f"""CREATE OR REPLACE TABLE services AS
        WITH told AS (
            SELECT rows.*, person_id, end_date IS NULL AS open, row_number() OVER (
                PARTITION BY source, person_id, service_type, start_date, end_date IS NULL
                ORDER BY received_date, record_id) AS turn
            FROM ({rows}) AS rows JOIN persons USING (who)
        )
        SELECT t.*, greatest(ended.received_date, ended.end_date) AS closed
        FROM told AS t LEFT JOIN told AS ended ON t.open AND NOT ended.open AND t.source = ended.source
            AND t.person_id = ended.person_id AND t.service_type IS NOT DISTINCT FROM ended.service_type
            AND t.start_date = ended.start_date AND t.turn = ended.turn AND ended.received_date >= t.received_date"""
    )
