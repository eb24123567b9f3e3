"""What happened to the people of the test window besides the outcome: death, and admissions that care outside hospital can often prevent."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd

from features.code_groups import load_code_groups, map_codes

PREVENTABLE = "acsc_admission"
HAPPENED = {
    "died": "death",
    "preventable": "admission that care outside hospital can often prevent",
}
"""The columns that `what_happened` adds, in words."""

_AFTER = """
    SELECT tested.*,
           coalesce(people.died_on >= tested.index_date AND people.died_on < tested.index_date + to_days($horizon), FALSE) AS died,
           EXISTS (
               FROM read_parquet($events) AS event JOIN wanted ON event.code = wanted.code
               WHERE event.subject_id = tested.person_id AND event.known_until IS NULL
                 AND event.time >= tested.index_date AND event.time < tested.index_date + to_days($horizon)
           ) AS preventable
    FROM tested LEFT JOIN read_parquet($people) AS people USING (person_id)
    ORDER BY tested.index_date, tested.person_id
"""


def what_happened(tested: pd.DataFrame, linked: Path, horizon_days: int) -> pd.DataFrame:
    """Return the rows of `tested` with the columns of `HAPPENED` (boolean), by what finally turned out.

    Parameters
    ----------
    tested
        models.tables.TEST_PREDICTIONS; may be empty.
    linked
        The folder with `people.parquet` and `events.parquet`.
    horizon_days
        Days after the index date that count.
    """
    known = load_code_groups()
    events = str(linked / "events.parquet")
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as database:
        codes = database.execute("SELECT DISTINCT code FROM read_parquet(?)", [events]).df()["code"]
        database.register("wanted", map_codes(codes, known[known["group"] == PREVENTABLE])[["code"]].drop_duplicates())
        database.register("tested", tested)
        told = {"events": events, "people": str(linked / "people.parquet"), "horizon": horizon_days}
        return database.execute(_AFTER, told).df()
