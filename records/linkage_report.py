"""How linkage went, as far as the records themselves can tell: by route, source and group; no truth is needed.

Written as `linkage.json` beside the linked tables, with the parameters that were estimated and how far they
moved since the last run. Figures only: nothing in it is about one person.
"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from records.checking import Extract
from records.probabilistic import drift
from records.reading import literal
from records.tables import ETHNIC_GROUPS, NOT_RECORDED

NAME = "linkage.json"
ROUTES = ("nhs_number", "splink", "demographics", "alone")
FIFTHS = ("1 most deprived", "2", "3", "4", "5 least deprived", NOT_RECORDED)
GROUPINGS = {"ethnic_group": ETHNIC_GROUPS, "deprivation_fifth": FIFTHS}


def write(
    con: duckdb.DuckDBPyConnection,
    extracts: list[Extract],
    people: pd.DataFrame,
    figures: dict[str, Any],
    as_of: dt.date,
    out: Path,
) -> dict[str, Any]:
    """Write the report into `out`, and return it.

    Parameters
    ----------
    con
        Holds `persons`, `candidates` and the rows of every extract.
    extracts
        Every extract; only those about people are reported.
    people
        The table of people, for their groups.
    figures
        What `records.linkage.link` returned.
    as_of
        The day of the run.
    out
        The run's folder; its neighbours are searched for the last run's report.
    """
    model = figures.get("model", {})
    rows = _counted(con, [extract for extract in extracts if _reported(extract)], people)
    before = _last(out, as_of)
    report = {
        "as_of": as_of.isoformat(),
        "rows": _figures(rows),
        "by_source": {name: _figures(found) for name, found in rows.groupby("source")},
        "by_group": {
            grouping: {group: _figures(rows[rows[grouping] == group]) for group in groups}
            for grouping, groups in GROUPINGS.items()
        },
        "linkage": {name: value for name, value in figures.items() if name != "model"},
        "model": model,
        "moved_since": {"as_of": before["as_of"], "digest": before["model"].get("digest")} if before else None,
        "moved": drift(before["model"], model) if before else {},
    }
    (out / NAME).write_text(json.dumps(report, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return report


def _reported(extract: Extract) -> bool:
    return extract.contract.personal and extract.table != "opt_outs"


def _counted(con: duckdb.DuckDBPyConnection, extracts: list[Extract], people: pd.DataFrame) -> pd.DataFrame:
    """Count used rows by source, route and group.

    A row that found nobody belongs to the group it states itself, else to that of the person it resembles most,
    else to the deprivation of the registered people of its postcode; else nobody knows.
    """
    columns = ["source", "method", *GROUPINGS, "rows", "sure", "sure_rows", "doubtful"]
    if not extracts:
        return pd.DataFrame(columns=columns)
    con.register("people_of_report", people[["person_id", "ethnic_group", "imd_decile"]])
    parts = [
        f"""SELECT {literal(extract.name)} AS source, who, {_postcode(extract)} AS postcode, count(*) AS rows
        FROM {extract.rows} WHERE fate = 'used' GROUP BY ALL"""
        for extract in extracts
    ]
    areas = [
        f"SELECT {_postcode(extract)} AS postcode, imd_decile FROM {extract.rows} JOIN areas USING (lsoa)"
        for extract in extracts
        if extract.table == "demographics"
    ] or ["SELECT NULL::VARCHAR AS postcode, NULL::DOUBLE AS imd_decile"]
    fifths = " ".join(f"WHEN {place} THEN {literal(name)}" for place, name in enumerate(FIFTHS[:5]))
    found = con.execute(
        f"""WITH handles AS ({" UNION ALL ".join(parts)}),
        postcodes AS (
            SELECT postcode, median(imd_decile) AS imd_decile FROM ({" UNION ALL ".join(areas)})
            WHERE postcode IS NOT NULL GROUP BY 1
        ),
        likely AS (
            SELECT c.who, any_value(c.probability) AS probability, any_value(p.ethnic_group) AS ethnic_group,
                any_value(p.imd_decile) AS imd_decile
            FROM candidates AS c JOIN persons ON persons.who = c.candidate
            LEFT JOIN people_of_report AS p USING (person_id) GROUP BY 1
        )
        SELECT source, method,
            coalesce(nullif(p.ethnic_group, '{NOT_RECORDED}'),
                if(method = 'alone', likely.ethnic_group, NULL), '{NOT_RECORDED}') AS ethnic_group,
            CASE floor((coalesce(p.imd_decile,
                    if(method = 'alone', coalesce(likely.imd_decile, postcodes.imd_decile), NULL)) - 1) / 2)
                {fifths} ELSE '{NOT_RECORDED}' END AS deprivation_fifth,
            sum(rows)::BIGINT AS rows,
            coalesce(sum(rows * persons.probability) FILTER (method = 'splink'), 0) AS sure,
            coalesce(sum(rows) FILTER (method = 'splink' AND persons.probability IS NOT NULL), 0)::BIGINT AS sure_rows,
            coalesce(sum(rows * likely.probability) FILTER (method = 'alone'), 0) AS doubtful
        FROM handles JOIN persons USING (who) LEFT JOIN people_of_report AS p USING (person_id)
        LEFT JOIN likely USING (who) LEFT JOIN postcodes ON postcodes.postcode = handles.postcode
        WHERE persons.used AND NOT persons.opted
        GROUP BY ALL ORDER BY ALL"""
    ).df()
    con.unregister("people_of_report")
    return found[columns]


def _postcode(extract: Extract) -> str:
    if "postcode" not in extract.contract.schema.columns:
        return "NULL::VARCHAR"
    return "nullif(regexp_replace(upper(postcode), '[^A-Z0-9]', '', 'g'), '')"


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
