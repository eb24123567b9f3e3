"""What the run found in the sources as a whole: what is there, what is missing, how linkage went."""

from __future__ import annotations

import datetime as dt

import duckdb
import pandas as pd

from casewell.settings import CASE_MANAGEMENT
from records.ethnic_codes import rows_without_a_code
from records.extracts import Extract
from records.meds import Meds
from records.omop import Cdm
from records.own_ids import OwnIds
from records.reading import literal
from records.span import Span
from records.stamps import mixed_stamps
from records.tables import NO_ETHNIC_GROUP


def summarise(
    con: duckdb.DuckDBPyConnection,
    extracts: list[Extract],
    cdms: list[OwnIds],
    people: pd.DataFrame,
    span: Span,
    as_of: dt.date,
    figures: dict[str, object],
) -> dict[str, object]:
    """Return the summary of a build: figures and names of sources only."""
    methods = con.execute(
        "SELECT method, count(DISTINCT person_id) FROM persons WHERE used AND NOT opted GROUP BY 1 ORDER BY 1"
    ).fetchall()
    return {
        "as_of": as_of.isoformat(),
        "begin": span.begin.isoformat(),
        "cut_off": span.cut_off.isoformat(),
        "synthetic": span.synthetic,
        "stamps": mixed_stamps([*extracts, *cdms]),
        "sources": sorted([extract.name for extract in extracts] + [cdm.name for cdm in cdms]),
        "people": len(people),
        "people_in_spine": int(people["in_spine"].sum()),
        "missing": _missing(con, extracts, people),
        "areas": _areas(people),
        "rows_without_an_ethnic_code": {
            extract.name: rows_without_a_code(con, extract.rows)
            for extract in extracts
            if "ethnic_category" in extract.columns
        },
        "omop_tables_not_there": {cdm.name: cdm.missing for cdm in cdms if isinstance(cdm, Cdm)},
        "meds_parts_not_there": {meds.name: meds.missing for meds in cdms if isinstance(meds, Meds)},
        "birth_months_assumed": sum(_birth_months_assumed(con, cdm) for cdm in cdms if isinstance(cdm, Cdm)),
        "linkage": {
            **figures,
            "people_by_method": dict(methods),
            "numbers_failing_their_check": {
                extract.name: _count(
                    con, f"SELECT count(*) FROM {extract.rows} WHERE digits IS NOT NULL AND number IS NULL"
                )
                for extract in extracts
                if extract.contract.numbered
            },
        },
    }


def _areas(people: pd.DataFrame) -> dict[str, int]:
    """Count people by what became of the area of residence."""
    here = people[people["in_spine"]]
    known, old = here["lsoa_vintage"] != "", here["imd_version"].str.contains("2011")
    return {
        "no_area_sent": int((here["lsoa"] == "").sum()),
        "code_not_known": int(((here["lsoa"] != "") & ~known).sum()),
        "without_deprivation": int((known & here["imd_decile"].isna()).sum()),
        "converted_from_2011": int((old & (here["lsoa_vintage"] == "2021")).sum()),
        "split_since_2011": int((here["lsoa_vintage"] == "2011").sum()),
    }


def _missing(con: duckdb.DuckDBPyConnection, extracts: list[Extract], people: pd.DataFrame) -> list[str]:
    """List what later rooms must report as missing, because no source holds it."""
    tables = {extract.table for extract in extracts}
    programme = [extract.rows for extract in extracts if extract.table == "programme"]
    mine = f"fate = 'used' AND programme = {literal(CASE_MANAGEMENT)}"
    started = sum(_count(con, f"SELECT count(start_date) FROM {rows} WHERE {mine}") for rows in programme)
    absent = {
        "deprivation": people["imd_decile"].isna().all(),
        "births": people["birth_month"].isna().all(),
        "sex": (people["sex"] == "not recorded").all(),
        "ethnicity": people["ethnic_group"].isin(NO_ETHNIC_GROUP).all(),
        "deaths": _count(con, "SELECT count(died_on) FROM spine") == 0,
        "case-management history": started == 0,
        "admission method": "hospital_spells" not in tables,
        "registrations": (people["practice_code"] == "").all(),
    }
    return [name for name, gone in absent.items() if gone]


def _birth_months_assumed(con: duckdb.DuckDBPyConnection, cdm: Cdm) -> int:
    return _count(con, f"SELECT count(*) FROM {cdm.kept('person')} WHERE fate = 'used' AND month_of_birth IS NULL")


def _count(con: duckdb.DuckDBPyConnection, query: str) -> int:
    row = con.execute(query).fetchone()
    return int(row[0]) if row else 0
