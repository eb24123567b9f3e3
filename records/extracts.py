"""An extract whose file was opened, and whether its columns fit its contract; no row is looked at yet."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from casewell.settings import CASE_MANAGEMENT, Settings, Source
from records.calendars import iso_dates
from records.contracts import CONTRACTS, Contract, dtype_of
from records.delimited import other_delimiter
from records.opening import columns_wanted, nearest, open_source
from records.reading import DAMAGED, KINDS, File, UnreadableError, accepts, is_damage, plain_name, quoted, renamed

# An optional column is taken for misspelled when a column that nobody knows is at least this much like it.
MISSPELLED = 0.87


@dataclass(frozen=True)
class Extract:
    """An extract whose file was opened and whose columns fit its contract.

    Attributes
    ----------
    name
        The source's name in the settings.
    table
        Its contract's name.
    rows
        The DuckDB table its rows are read into.
    programmes
        Codes of the programmes that its rows may be about.
    """

    name: str
    table: str
    source: Source
    file: File
    columns: dict[str, tuple[str, str]]
    rows: str
    programmes: tuple[str, ...] = (CASE_MANAGEMENT,)

    @property
    def contract(self) -> Contract:
        """What its rows must look like."""
        return CONTRACTS[self.table]

    @property
    def version(self) -> str:
        """The column that tells versions of a row apart; empty where the contract or the file has none."""
        return self.contract.version if self.contract.version in self.columns else ""

    @property
    def synthetic(self) -> bool:
        """Whether its folder is stamped SYNTHETIC; a database on a server never is."""
        return self.file.stamped

    @property
    def label(self) -> str:
        """How messages name it."""
        return f"source {self.name!r} ({self.file.path.name})"


def open_extracts(con: duckdb.DuckDBPyConnection, settings: Settings) -> tuple[list[Extract], list[str]]:
    """Open every enabled extract, in order of name, and list what is wrong with files and columns."""
    extracts, problems = [], []
    enabled = [(name, source) for name, source in sorted(settings.sources.items()) if source.enabled]
    for place, (name, source) in enumerate(enabled):
        if source.kind != "extract":
            continue
        extract, found = open_extract(con, name, source, f"rows_{place}", settings.programmes)
        problems += [f"{label_of(name, source)}: {problem}" for problem in found]
        if extract and not found:
            extracts.append(extract)
    return extracts, problems


def open_extract(
    con: duckdb.DuckDBPyConnection, name: str, source: Source, rows: str, programmes: Iterable[str]
) -> tuple[Extract | None, list[str]]:
    """Open an extract, and list what is wrong with its file and columns; None when it cannot be opened at all.

    `programmes` are the codes of those beside case management that the settings name.
    """
    table = source.table or name
    if table not in CONTRACTS:
        return None, ["its name is no contract's; say which it follows with `table:`"]
    try:
        file = open_source(con, source, columns_wanted(name, source))
    except UnreadableError as error:
        return None, [f"{error}{'' if source.connection else f' ({source.path})'}"]
    named = (CASE_MANAGEMENT, *sorted(programmes))
    extract = _with_iso_dates(Extract(name, table, source, file, renamed(file, source.columns), rows, named))
    return extract, _column_problems(con, extract)


def label_of(name: str, source: Source) -> str:
    """Return how messages name an extract."""
    return f"source {name!r} ({source.relation if source.connection else Path(source.path).name})"


def _with_iso_dates(extract: Extract) -> Extract:
    """Have dates that the file writes as the settings declare read as ISO dates, by whoever reads the file."""
    written = [original for original, sql_type in date_columns(extract).values() if sql_type == "VARCHAR"]
    if extract.source.date_format is None or not written:
        return extract
    relation = iso_dates(extract.file.relation, written, extract.source.date_format)
    return replace(extract, file=replace(extract.file, relation=relation))


def date_columns(extract: Extract) -> dict[str, tuple[str, str]]:
    """Return the columns that hold dates by contract, as the file has them: its own name and type."""
    columns = extract.contract.schema.columns
    return {
        name: column
        for name, column in extract.columns.items()
        if name in columns and dtype_of(columns[name]) == "datetime64[us]"
    }


def _column_problems(con: duckdb.DuckDBPyConnection, extract: Extract) -> list[str]:
    schema = extract.contract.schema
    known = columns_wanted(extract.name, extract.source)
    other = other_delimiter(extract.file.header, known, extract.source.delimiter)
    if other:
        named = "tab" if other == "\t" else other
        return [
            f"its columns are separated by {named!r}, not {extract.source.delimiter!r}; declare `delimiter: {named!r}`"
        ]
    problems = [
        f"settings map the unknown column {ours!r}" for ours in extract.source.columns if ours not in schema.columns
    ]
    spare = [column for column in extract.file.columns if column not in known]
    problems += [
        f"settings map {ours!r} to the column {theirs!r}, which is not there{nearest(plain_name(theirs), spare)}"
        for ours, theirs in extract.source.columns.items()
        if ours in schema.columns and ours not in extract.columns
    ]
    wrong = []
    for name, declared in schema.columns.items():
        if name in extract.source.columns and name not in extract.columns:
            continue
        if name not in extract.columns:
            near = difflib.get_close_matches(name, spare, 1, cutoff=0.6 if declared.required else MISSPELLED)
            if declared.required or near:
                # An optional column under a slightly other name would be missed without a word.
                problems.append(f"missing column {name!r}{_how_to_map(name, near)}")
        elif not accepts(dtype_of(declared), extract.columns[name][1]):
            wrong.append(name)
    try:
        rows, *filled = con.execute(
            f"SELECT count(*) {''.join(f', count({quoted(extract.columns[name][0])})' for name in wrong)} "
            f"FROM {extract.file.relation}"
        ).fetchone() or (0,)
    except duckdb.Error as error:
        if not is_damage(error):
            raise
        return [*problems, DAMAGED]
    if not rows and not extract.file.broken:
        problems.append("has no rows; if that is right, switch the source off with `enabled: false`")
    for name, count in zip(wrong, filled, strict=True):
        if count:
            problems.append(
                f"column {name!r} is not {KINDS[dtype_of(schema.columns[name])]} but {extract.columns[name][1]}, "
                f"in {count} row(s)"
            )
    return problems


def _how_to_map(name: str, near: list[str]) -> str:
    if near:
        return f"; the nearest there is {near[0]!r}: if that is it, map it with `columns: {{{name}: {near[0]}}}`"
    return "; if the file names it otherwise, map it with `columns:`"
