"""The documented tables that pass between rooms.

A door is a Pandera schema whose every column says what it means. The same declaration
checks a table at run time and prints `docs/reference/tables.md`.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pandas as pd
import pandera.pandas as pa
import pyarrow as pyarrow
import pyarrow.parquet as parquet

from casewell.errors import SourceError


def column(dtype: str, meaning: str, *checks: pa.Check, nullable: bool = False, unique: bool = False) -> pa.Column:
    """Declare one column: pandas dtype, its meaning (with unit), and the checks it must pass."""
    return pa.Column(dtype, list(checks), description=meaning, nullable=nullable, unique=unique)


def door(
    name: str, one_row_is: str, columns: dict[str, pa.Column], unique: list[str] | None = None
) -> pa.DataFrameSchema:
    """Declare a table: its name, what one row is, its columns, and the columns that make a row unique."""
    return pa.DataFrameSchema(columns, name=name, description=one_row_is, unique=unique, strict=True, coerce=True)


def problems_in(error: pa.errors.SchemaErrors) -> list[str]:
    """Say what a failed check found: column, rule and number of rows, never a value."""
    cases = error.failure_cases.assign(
        column=lambda t: t["column"].fillna(t["schema_context"]).astype(str), check=lambda t: t["check"].astype(str)
    )
    lines = []
    for (col, check), rows in cases.groupby(["column", "check"], sort=True):
        if check == "column_in_schema":
            lines += [f"unknown column {name!r}" for name in rows["failure_case"]]
        elif check == "column_in_dataframe":
            lines += [f"missing column {name!r}" for name in rows["failure_case"]]
        else:
            lines.append(f"column {col!r} fails {check} in {rows['index'].nunique() or 1} row(s)")
    return lines


def check(table: pd.DataFrame, schema: pa.DataFrameSchema) -> pd.DataFrame:
    """Return the table with the declared columns, order and types.

    Raises
    ------
    SourceError
        Every broken rule at once, without any value of a person.
    """
    try:
        checked = cast(pd.DataFrame, schema.validate(table, lazy=True))
    except pa.errors.SchemaErrors as error:
        raise SourceError([f"table {schema.name!r}: {line}" for line in problems_in(error)]) from None
    dates = checked.select_dtypes("datetime").columns
    # Pandera normalises to nanoseconds; DuckDB and Parquet speak microseconds.
    return checked.astype(dict.fromkeys(dates, "datetime64[us]"))[list(schema.columns)]


def write(table: pd.DataFrame, schema: pa.DataFrameSchema, path: Path) -> Path:
    """Check a table and write it as Parquet; equal tables give equal bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrow = pyarrow.Table.from_pandas(check(table, schema), preserve_index=False)
    parquet.write_table(arrow.replace_schema_metadata(), path, compression="zstd")
    return path


def read(path: Path, schema: pa.DataFrameSchema) -> pd.DataFrame:
    """Read a table that `write` made."""
    return check(pd.read_parquet(path), schema)


def empty(schema: pa.DataFrameSchema) -> pd.DataFrame:
    """Return the table with its columns and no rows."""
    return pd.DataFrame({name: pd.Series(dtype=str(col.dtype)) for name, col in schema.columns.items()})
