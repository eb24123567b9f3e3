"""The plainest Splink script: the form of Splink's own getting-started page, on the records that bear names.

Nothing is tuned and nothing is ours but the choice of columns: names, birth date, postcode and NHS number as they
were written. It is what `benchmarks.records_scale` holds Casewell's linkage against.
"""

from __future__ import annotations

import time
from pathlib import Path

import duckdb
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

COLUMNS = ("given_name", "family_name", "date_of_birth", "postcode", "nhs_number")
SETTINGS = SettingsCreator(
    link_type="dedupe_only",
    comparisons=[
        cl.NameComparison("given_name"),
        cl.NameComparison("family_name"),
        cl.DateOfBirthComparison("date_of_birth", input_is_string=True),
        cl.PostcodeComparison("postcode"),
        cl.ExactMatch("nhs_number"),
    ],
    blocking_rules_to_generate_predictions=[
        block_on("nhs_number"),
        block_on("given_name", "date_of_birth"),
        block_on("family_name", "date_of_birth"),
        block_on("date_of_birth", "postcode"),
        block_on("given_name", "family_name", "postcode"),
    ],
)
THRESHOLD = 0.95


def records_query(sources: Path) -> str:
    """Return the query of every record that bears a name: `source`, `record_id` and COLUMNS as text."""
    parts = []
    with duckdb.connect() as con:
        for path in sorted(sources.glob("*.parquet")):
            there = [name for name, *_ in con.execute(f"DESCRIBE SELECT * FROM '{path}'").fetchall()]
            if "family_name" in there:
                values = [f"{name if name in there else 'NULL'}::VARCHAR AS {name}" for name in COLUMNS]
                parts.append(f"SELECT '{path.stem}' AS source, record_id, {', '.join(values)} FROM '{path}'")
    return " UNION ALL ".join(parts)


def link(sources: Path, out: Path) -> float:
    """Link the distinct descriptions, write `source`, `record_id` and `person` to `out`; return the seconds of linking."""
    records, columns = records_query(sources), ", ".join(COLUMNS)
    with duckdb.connect() as con:
        described = con.sql(
            f"SELECT row_number() OVER (ORDER BY {columns}) AS unique_id, * FROM (SELECT DISTINCT {columns} FROM ({records}))"
        ).to_arrow_table()
    began = time.perf_counter()
    linker = Linker(DuckDBAPI().register(described), SETTINGS)
    linker.training.estimate_probability_two_random_records_match(
        [block_on("given_name", "family_name", "date_of_birth")], recall=0.7
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6)
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("given_name", "family_name"))
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("date_of_birth"))
    pairs = linker.inference.predict(threshold_match_probability=0.9)
    found = linker.clustering.cluster_pairwise_predictions_at_threshold(pairs, THRESHOLD).as_pandas_dataframe()
    seconds = time.perf_counter() - began
    same = " AND ".join(f"r.{name} IS NOT DISTINCT FROM d.{name}" for name in COLUMNS)
    with duckdb.connect() as con:
        con.register("described", described)
        con.register("found", found[["cluster_id", "unique_id"]])
        con.execute(
            f"COPY (SELECT source, record_id, cluster_id AS person FROM ({records}) AS r JOIN described AS d ON {same} "
            f"JOIN found USING (unique_id)) TO '{out}'"
        )
    return seconds
