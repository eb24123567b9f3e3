"""The documented tables that pass between rooms.

A door is a Pandera schema whose every column says what it means. The same declaration
checks a table at run time and prints `docs/reference/tables.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import cast

import pandas as pd
import pandera.pandas as pa
import pyarrow as pyarrow
import pyarrow.compute as compute
import pyarrow.parquet as parquet

from casewell.errors import SourceError

# Rows of a row group; a large table is checked and written so many at a time.
GROUP = 1 << 20
ARROW_TYPES = {
    "int64": pyarrow.int64(),
    "Int64": pyarrow.int64(),
    "float64": pyarrow.float64(),
    "bool": pyarrow.bool_(),
    "str": pyarrow.large_string(),
    "datetime64[us]": pyarrow.timestamp("us"),
}


def column(
    dtype: str,
    meaning: str,
    *checks: pa.Check,
    nullable: bool = False,
    unique: bool = False,
    required: bool = True,
) -> pa.Column:
    """Declare one column: pandas dtype, its meaning (with unit), the checks it must pass, and whether it may be left out."""
    return pa.Column(dtype, list(checks), description=meaning, nullable=nullable, unique=unique, required=required)


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
    present = [name for name in schema.columns if name in checked]
    return checked.astype(dict.fromkeys(dates, "datetime64[us]"))[present]


def write(table: pd.DataFrame, schema: pa.DataFrameSchema, path: Path) -> Path:
    """Check a table and write it as Parquet; equal tables give equal bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrow = pyarrow.Table.from_pandas(check(table, schema), preserve_index=False)
    # One chunk: where the pages of a file end must not depend on how the rows came.
    parquet.write_table(arrow.replace_schema_metadata().combine_chunks(), path, compression="zstd")
    return path


def write_batches(batches: Iterable[pyarrow.RecordBatch], schema: pa.DataFrameSchema, path: Path) -> Path:
    """Check and write a table that is too large to be held at once: the bytes that `write` would write.

    Parameters
    ----------
    batches
        The rows in a total order, under the declared names; how they are cut into batches makes no difference.
    schema
        The door. None of its columns may have to be unique: a batch knows nothing of the others.

    Raises
    ------
    SourceError
        As `check`, for the first rows that break a rule; the file is then of no use.
    """
    if schema.unique or any(col.unique for col in schema.columns.values()):
        raise ValueError(f"table {schema.name!r} has unique columns, which batches cannot show")
    target = pyarrow.schema([(name, _arrow_type(col)) for name, col in schema.columns.items()])
    path.parent.mkdir(parents=True, exist_ok=True)
    with parquet.ParquetWriter(path, target, compression="zstd") as writer:
        for group in groups(batches):
            writer.write_table(_checked(group, schema, target))
    return path


def _arrow_type(declared: pa.Column) -> pyarrow.DataType:
    dtype = str(declared.dtype)
    return next(found for name, found in ARROW_TYPES.items() if dtype.startswith(name[:3]))


def groups(batches: Iterable[pyarrow.RecordBatch]) -> Iterator[pyarrow.Table]:
    """Cut batches anew, into tables of GROUP rows; the last is shorter, and there is none without rows.

    Each is of one chunk: where the pages of a file end must not depend on how the rows came.
    """
    held: list[pyarrow.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        while sum(part.num_rows for part in held) >= GROUP:
            whole = pyarrow.Table.from_batches(held)
            yield whole.slice(0, GROUP).combine_chunks()
            held = whole.slice(GROUP).to_batches()
    if any(part.num_rows for part in held):
        yield pyarrow.Table.from_batches(held).combine_chunks()


def _checked(group: pyarrow.Table, schema: pa.DataFrameSchema, target: pyarrow.Schema) -> pyarrow.Table:
    """Return a group in the declared types; rules are tried on each column's distinct values, which is the same."""
    if set(group.column_names) == set(target.names):
        group = group.select(target.names).cast(target)
        if all(_holds(group[name], col) for name, col in schema.columns.items()):
            return group
    return pyarrow.Table.from_pandas(check(to_pandas(group), schema), target, preserve_index=False)


def _holds(values: pyarrow.ChunkedArray, declared: pa.Column) -> bool:
    if values.null_count and not declared.nullable:
        return False
    if not declared.checks:
        return True
    distinct = pd.DataFrame({declared.name: compute.unique(values).to_pandas()})
    try:
        declared.validate(distinct)
    except pa.errors.SchemaError:
        return False
    return True


def read(path: Path, schema: pa.DataFrameSchema) -> pd.DataFrame:
    """Read a table that `write` made."""
    return check(to_pandas(parquet.read_table(path)), schema)


def to_pandas(table: pyarrow.Table) -> pd.DataFrame:
    """Return an Arrow table as pandas; whole numbers with gaps stay whole (`Int64`), and do not become fractions."""
    frame = cast(pd.DataFrame, table.to_pandas())
    for name in table.column_names:
        if pyarrow.types.is_integer(table[name].type) and table[name].null_count:
            frame[name] = table[name].to_pandas(types_mapper=lambda _: pd.Int64Dtype())
    return frame


def empty(schema: pa.DataFrameSchema) -> pd.DataFrame:
    """Return the table with its columns, those that may be left out excepted, and no rows."""
    return pd.DataFrame({name: pd.Series(dtype=str(col.dtype)) for name, col in schema.columns.items() if col.required})
