"""What is recorded: ethnicity, and how many rows."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd
import pyarrow.parquet as pq

from benchmarks.simulation_measures.population import Measured, with_person

NOT_KNOWN = ("99", "Z", "")
ETHNIC_GROUPS = {
    **dict.fromkeys("ABC", "white"),
    **dict.fromkeys("DEFG", "mixed"),
    **dict.fromkeys("HJKLR", "asian"),
    **dict.fromkeys("MNP", "black"),
    "S": "other",
}
REGISTERS = ("demographics", "practices", "opt_outs", "programme")


def recording(base: duckdb.DuckDBPyConnection, sources: Path, truth: Path, people: pd.DataFrame) -> Measured:
    """Ethnicity as the GP and the hospitals know it, for those here at the cut-off."""
    here = people[people["here"]].set_index("true_person_id")
    gp = _newest_category(base, truth, {"demographics": sources}, "registration_start_date").reindex(here.index)
    with_column = {
        source: sources
        for source in ("hospital_spells", "emergency_care")
        if "ethnic_category" in pq.read_schema(sources / f"{source}.parquet").names
    }
    known = gp.notna()
    use = here["low_use"].rank(pct=True, method="first")
    measured = {
        "ethnicity_known_gp": known.mean(),
        "ethnicity_known_by_use": known[use <= 0.2].mean() - known[use > 0.8].mean(),
    }
    if with_column:
        hospital = _newest_category(base, truth, with_column, "received_date").reindex(here.index)
        both = known & hospital.notna()
        same = gp[both].map(ETHNIC_GROUPS) == hospital[both].map(ETHNIC_GROUPS)
        measured |= {
            "ethnicity_known_with_hospital": (known | hospital.notna()).mean(),
            "ethnicity_agreement": same.mean(),
        }
    return measured


def _newest_category(base: duckdb.DuckDBPyConnection, truth: Path, sources: dict[str, Path], date: str) -> pd.Series:
    """Newest stated ethnic category of each true person; nobody without one is in the answer."""
    rows = " UNION ALL ".join(
        f"SELECT person, ethnic_category AS category, {date} AS day"
        f" FROM ({with_person(folder / f'{source}.parquet', truth, source)})"
        for source, folder in sources.items()
    )
    found = base.execute(
        f"SELECT person, arg_max(category, coalesce(day, DATE '1900-01-01')) AS category FROM ({rows})"
        f" WHERE category IS NOT NULL AND trim(category) NOT IN {NOT_KNOWN} GROUP BY person"
    ).df()
    return found.set_index("person")["category"].str.strip()


def rows_of_events(sources: Path) -> int:
    """Rows of every source but the registers."""
    return sum(pq.read_metadata(path).num_rows for path in sources.glob("*.parquet") if path.stem not in REGISTERS)
