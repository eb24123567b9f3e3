"""How linkage went, as far as the records themselves can tell: by route, source and group; no truth is needed.

Written as `linkage.json` beside the linked tables, with the parameters that were estimated and how far they
moved since the last run, and as the door table `linkage`, which the audit reads. Figures only: nothing in it is
about one person.
"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from casewell import doors
from records.extracts import Extract
from records.lost import GROUPINGS, LEVEL, SMALLEST_COMPARED, compared, lost_table, place
from records.probabilistic import drift
from records.reading import literal
from records.tables import LINKAGE

NAME = "linkage.json"
ROUTES = ("nhs_number", "splink", "demographics", "decision", "alone")


def write(
    con: duckdb.DuckDBPyConnection,
    extracts: list[Extract],
    people: pd.DataFrame,
    removed: pd.DataFrame,
    figures: dict[str, Any],
    as_of: dt.date,
    out: Path,
) -> dict[str, Any]:
    """Write the report and the table into `out`, and return the report.

    Parameters
    ----------
    con
        Holds `persons`, `candidates`, `sightings` and the rows of every extract.
    extracts
        Every extract; only those about people are reported.
    people, removed
        The tables of these names, for their groups.
    figures
        What `records.linkage.link` returned.
    as_of
        The day of the run.
    out
        The run's folder; its neighbours are searched for the last run's report.
    """
    place(con, people, described=bool(extracts))
    lost = lost_table(con, people, removed)
    doors.write(lost, LINKAGE, out / f"{LINKAGE.name}.parquet")
    model = figures.get("model", {})
    rows = _counted(con, [extract for extract in extracts if _reported(extract)])
    before = _last(out, as_of)
    report = {
        "as_of": as_of.isoformat(),
        "rows": _figures(rows),
        "by_source": {name: _figures(found) for name, found in rows.groupby("source")},
        "by_group": {
            grouping: {group: _figures(rows[rows[grouping] == group]) for group in groups}
            for grouping, groups in GROUPINGS.items()
        },
        "people_lost": _records(lost),
        "best_and_worst_group": {
            "confidence": LEVEL,
            "smallest_group_compared": SMALLEST_COMPARED,
            "differences": _records(compared(lost)),
        },
        "linkage": {name: value for name, value in figures.items() if name != "model"},
        "model": model,
        "moved_since": {"as_of": before["as_of"], "digest": before["model"].get("digest")} if before else None,
        "moved": drift(before["model"], model) if before else {},
    }
    (out / NAME).write_text(json.dumps(report, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return report


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return json.loads(table.to_json(orient="records", double_precision=6))


def _reported(extract: Extract) -> bool:
    return extract.contract.personal and extract.table != "opt_outs"


def _counted(con: duckdb.DuckDBPyConnection, extracts: list[Extract]) -> pd.DataFrame:
    """Count used rows by source, route and group; one source after the other, each first brought down to handles."""
    columns = ["source", "method", *GROUPINGS, "rows", "sure", "sure_rows", "doubtful"]
    parts = [
        con.execute(
            f"""SELECT {literal(extract.name)} AS source, method, {", ".join(GROUPINGS)}, sum(rows)::BIGINT AS rows,
                coalesce(sum(rows * probability) FILTER (method = 'splink'), 0) AS sure,
                coalesce(sum(rows) FILTER (method = 'splink' AND probability IS NOT NULL), 0)::BIGINT AS sure_rows,
                coalesce(sum(rows * doubtful), 0) AS doubtful
            FROM (SELECT who, count(*) AS rows FROM {extract.rows} WHERE fate = 'used' GROUP BY who)
            JOIN placed USING (who) GROUP BY ALL ORDER BY ALL"""
        ).df()
        for extract in sorted(extracts, key=lambda extract: extract.name)
    ]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def _figures(rows: pd.DataFrame) -> dict[str, Any]:
    """Return the rows by route, and what the match probabilities promise.

    Of rows linked by Splink, their mean probability is the expected precision. The expected recall is what they
    sum to, over that and the probabilities of the likeliest persons of those that found nobody. Rows linked by
    number or by an exact fit have no part in either.
    """
    routes = {route: int(rows.loc[rows["method"] == route, "rows"].sum()) for route in ROUTES}
    total, without = sum(routes.values()), sum(routes.values()) - routes["nhs_number"]
    sure, linked, doubtful = (float(rows[name].sum()) for name in ("sure", "sure_rows", "doubtful"))
    return {
        "rows": total,
        **routes,
        "share_without_number": _ratio(without, total),
        "share_unlinked": _ratio(routes["alone"], total),
        "share_unlinked_without_number": _ratio(routes["alone"], without),
        "expected_precision": _ratio(sure, linked),
        "expected_recall": _ratio(sure, sure + doubtful),
    }


def _ratio(part: float, whole: float) -> float | None:
    return float(np.round(part / whole, 6)) if whole else None


def _last(out: Path, as_of: dt.date) -> dict[str, Any] | None:
    """Return the newest report of an earlier day that lies in a neighbouring folder; None if there is none."""
    reports = []
    for path in sorted(out.parent.glob(f"*/{NAME}")):
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(told, dict) and isinstance(told.get("model"), dict) and str(told.get("as_of", "~")) < str(as_of):
            reports.append(told)
    return max(reports, key=lambda told: str(told["as_of"]), default=None)
