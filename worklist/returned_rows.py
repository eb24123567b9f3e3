"""The rows of a list that comes back from a team: a workbook, or a CSV, as somebody saved it."""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import io
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from casewell.errors import SourceError
from cohorts.safe_text import clean
from cohorts.team_lists import FOR_COORDINATORS

IDENTITY = {
    "reference": "Reference",
    "list_version": "Version",
    "nhs_number": "NHS number",
    "name": "Name",
    "date_of_birth": "Date of birth",
}
NAMES = IDENTITY | FOR_COORDINATORS
"""Every cell that is read, by its name in the CSV, with its name in the workbook."""
_LARGEST_FILE = 50 * 1024 * 1024
_LARGEST_CONTENT = 10 * _LARGEST_FILE
_FURTHEST_HEADER = 40


@dataclass(frozen=True)
class Returned:
    """A row as it came back: its number in the file, its cells as text, and the cells that hold a formula."""

    number: int
    cells: dict[str, str]
    formulas: tuple[str, ...] = ()

    @property
    def filled_in(self) -> bool:
        """Whether the team wrote anything."""
        return any(self.cells[name] for name in FOR_COORDINATORS) or bool(self.formulas)


def read_returned(path: Path) -> list[Returned]:
    """Read the people's rows of a returned list; wholly empty lines are none.

    Raises
    ------
    SourceError
        It is no workbook or CSV of Casewell's.
    """
    advice = "Give back the workbook or the CSV that Casewell wrote, as .xlsx or .csv, with all its columns."
    if path.is_dir():
        raise SourceError(f"{path.name}: a folder, not a file", "Name the files in it, such as the folder's *.xlsx.")
    if not path.is_file():
        raise SourceError(f"{path.name}: there is no such file", advice)
    if path.stat().st_size > _LARGEST_FILE:
        raise SourceError(f"{path.name}: too large for a team's list", advice)
    if not path.stat().st_size:
        raise SourceError(f"{path.name}: the file is empty", advice)
    reader = {".xlsx": _of_workbook, ".csv": _of_csv}.get(path.suffix.lower())
    if reader is None:
        raise SourceError(f"{path.name}: neither .xlsx nor .csv", advice)
    try:
        rows = reader(path)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, csv.Error, OSError) as error:
        what = "a workbook" if path.suffix.lower() == ".xlsx" else "CSV"
        raise SourceError(f"{path.name}: cannot be read as {what} ({type(error).__name__})", advice) from None
    if rows is None:
        raise SourceError(f"{path.name}: the columns of a team's list are not in it", advice)
    return rows


def _of_workbook(path: Path) -> list[Returned] | None:
    with zipfile.ZipFile(path) as parts:
        if sum(part.file_size for part in parts.infolist()) > _LARGEST_CONTENT:
            raise ValueError("a workbook that unpacks to this much is none of Casewell's")
    try:
        book = openpyxl.load_workbook(path, keep_links=False)
    except Exception as error:  # a damaged part makes openpyxl raise nearly anything, SyntaxError and TypeError too
        raise InvalidFileException(type(error).__name__) from error
    if not book.worksheets:  # charts only
        return None
    lines = [(number, list(row)) for number, row in enumerate(book.worksheets[0].iter_rows(), start=1)]
    for number, row in lines[:_FURTHEST_HEADER]:
        names = [_text(cell.value) for cell in row]
        if set(NAMES.values()) <= set(names):
            places = {name: names.index(shown) for name, shown in NAMES.items()}
            return list(_people(lines[number:], places))
    return None


def _people(lines: Iterable[tuple[int, list[Any]]], places: dict[str, int]) -> Iterable[Returned]:
    for number, row in lines:
        cells = {name: row[place] for name, place in places.items()}
        formulas = tuple(name for name, cell in cells.items() if cell.data_type == "f" and not _is_note(name, cell))
        told = {name: "" if name in formulas else _text(cell.value) for name, cell in cells.items()}
        if any(told.values()) or formulas:
            yield Returned(number, told, formulas)


def _is_note(name: str, cell: Any) -> bool:
    """Say whether a formula is what somebody wrote into a note, such as "= moved": it is kept as text, as in a CSV."""
    return name == "note" and isinstance(cell.value, str)


def _of_csv(path: Path) -> list[Returned] | None:
    content = path.read_bytes()
    text = _decoded(content)
    between = max(",;\t", key=text.split("\n", 1)[0].count)
    lines = csv.DictReader(io.StringIO(text, newline=""), delimiter=between)
    if not set(NAMES) <= set(lines.fieldnames or ()):
        return None
    told = [(lines.line_num, {name: _text(line[name]) for name in NAMES}) for line in lines]
    return [Returned(number, cells) for number, cells in told if any(cells.values())]


def _decoded(content: bytes) -> str:
    """Decode what spreadsheets save as text: UTF-8, UTF-16, or on Windows the old code page."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252")


def _text(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else as_read(str(value))


def as_read(text: str) -> str:
    """Return a text as it comes back: cleaned as when it was written, without the apostrophe that stops a formula."""
    return clean(text).removeprefix("'").strip()
