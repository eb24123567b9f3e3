"""Who may not be used for this purpose, known before anything else is read.

Fails closed: a row of the opt-out source that is faulty in any other way still takes its
person out, and a source that is empty, or older than the settings expect (`records/staleness.py`),
stops the run: who opted out since could not be known.
"""

from __future__ import annotations

import duckdb

from casewell.settings import Settings
from records.extracts import Extract
from records.reading import literal


def find_opted_out(con: duckdb.DuckDBPyConnection, opt_outs: list[Extract], settings: Settings) -> None:
    """Make the table `opted_out_numbers` from opt-out sources that were read already.

    Every opt-out that is in hand holds, whatever day the run stands on: it limits what may be done
    today, also with records of the past. One whose type cannot be read holds.
    """
    waived = [
        name
        for name, purposes in (("type_1", settings.opt_outs.type_1), ("national", settings.opt_outs.national))
        if settings.purpose not in purposes
    ]
    does_not_apply = f"opt_out_type IN ({', '.join(map(literal, waived))})" if waived else "false"
    parts = [
        f"SELECT DISTINCT digits FROM {extract.rows} WHERE digits IS NOT NULL AND NOT coalesce({does_not_apply}, false)"
        for extract in opt_outs
    ]
    if parts:
        con.execute(f"CREATE OR REPLACE TEMP TABLE opted_out_numbers AS {' UNION '.join(parts)}")


def no_opt_outs(con: duckdb.DuckDBPyConnection) -> None:
    """Make the table `opted_out_numbers` with no rows, to read the opt-out sources themselves."""
    con.execute("CREATE OR REPLACE TEMP TABLE opted_out_numbers (digits VARCHAR)")
