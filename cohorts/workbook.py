"""One team's list as an XLSX workbook: a header block that prints on every page, then the people."""

from __future__ import annotations

import datetime as dt
import io
import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd
import xlsxwriter
from xlsxwriter.utility import xl_range

from cohorts.safe_text import clean
from cohorts.team_lists import FOR_COORDINATORS, OUTCOMES, PROGRESS, Heading, birth_date, in_words, reasons_of
from cohorts.turnover_sheet import write_turnover
from cohorts.unmet_sheet import write_unmet

_LINE_HEIGHT = 13.5
_COLUMNS: dict[str, int] = {
    "Rank": 6,
    "Status": 9,
    "NHS number": 13,
    "Name": 26,
    "Date of birth": 13,
    "Practice": 26,
    "Record": 12,
    "Likely to benefit": 11,
    "Why now": 60,
    "Changed": 26,
    "So far": 34,
    "First step": 30,
    "Helped by": 26,
    "Last contact": 18,
    "Needs": 16,
    "Illness burden": 14,
    "Chance of the outcome": 17,
    "Owner": 16,
    "Progress": 13,
    "Outcome": 18,
    "Outcome date": 13,
    "Offer again from": 13,
    "Note": 30,
    "Reference": 24,
    "Version": 14,
}
_PROGRAMME = {"Programme": 16}
"""Beside the status, where there is another programme than case management."""


def _columns(heading: Heading) -> dict[str, int]:
    """Return the columns of a list, with their widths."""
    if not heading.titles:
        return _COLUMNS
    names = list(_COLUMNS.items())
    return dict(names[:2]) | _PROGRAMME | dict(names[2:])


def workbook(
    rows: pd.DataFrame,
    lines: Sequence[str],
    heading: Heading,
    synthetic: bool,
    unmet: pd.DataFrame,
    turnover: pd.DataFrame,
) -> bytes:
    """Write one team's rows (`team_lists.with_contacts`) under its header lines, and those of `unmet` and `turnover` on other sheets.

    Every cell is a string in a cell formatted as text, so that nothing in a name can become a
    formula, even when the cell is edited. Equal inputs give equal bytes.
    """
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, _OPTIONS) as book:
        book.set_properties({"title": "Case management list", "created": dt.datetime.combine(heading.as_of, dt.time())})
        sheet = book.add_worksheet("List")
        columns = _columns(heading)
        first = _write_heading(book, sheet, lines, synthetic, columns) + 1
        _write_people(book, sheet, rows, first, columns)
        _set_layout(sheet, first, len(rows), synthetic, columns)
        write_unmet(book, unmet, lines, synthetic)
        since = in_words(heading.since) if heading.since else ""
        write_turnover(book, turnover, since, lines, synthetic, several=bool(heading.titles))
    return buffer.getvalue()


_OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_TEXT = {"num_format": "@", "text_wrap": True, "valign": "top", "font_name": "Arial", "font_size": 10}


def _write_heading(book: Any, sheet: Any, lines: Sequence[str], synthetic: bool, columns: dict[str, int]) -> int:
    plain = book.add_format(_TEXT)
    loud = book.add_format(_TEXT | {"bold": True, "font_color": "#B00020", "font_size": 14})
    names = book.add_format(_TEXT | {"bold": True, "bg_color": "#E8EDEE", "bottom": 1})
    last = list(columns).index("Why now")
    width = sum(list(columns.values())[: last + 1])
    for number, line in enumerate(map(clean, lines)):
        form = loud if synthetic and number == 0 else plain
        # Merged and wrapped, so that a long reason for an override is neither cut on screen nor on paper.
        sheet.merge_range(number, 0, number, last, "", form)
        sheet.write_string(number, 0, line, form)
        sheet.set_row(number, math.ceil((len(line) + 1) / width) * _LINE_HEIGHT * (1.4 if form is loud else 1))
    for position, name in enumerate(columns):
        sheet.write_string(len(lines), position, name, names)
    sheet.set_row(len(lines), 2 * _LINE_HEIGHT)
    return len(lines)


def _write_people(book: Any, sheet: Any, rows: pd.DataFrame, first: int, columns: dict[str, int]) -> None:
    text = book.add_format(_TEXT | {"bottom": 4})
    editable = book.add_format(_TEXT | {"bottom": 4, "bg_color": "#FFFBE6"})
    for number, row in enumerate(rows.to_dict("records"), start=first):
        cells = _cells(row)
        sheet.set_row(number, _LINE_HEIGHT * _lines_needed(cells))
        for position, name in enumerate(columns):
            form = editable if name in FOR_COORDINATORS.values() else text
            sheet.write_string(number, position, cells.get(name, ""), form)


def _cells(row: Mapping[Hashable, Any]) -> dict[str, str]:
    plain = {
        "Rank": str(row["rank"]),
        "Status": row["status"],
        "Programme": row.get("programme", ""),
        "NHS number": row["nhs_number"],
        "Name": row["name"],
        "Date of birth": birth_date(row["date_of_birth"], "%d-%b-%Y"),
        "Practice": row["practice"],
        "Record": row["source_record"],
        "Likely to benefit": row["benefit_band"],
        "Illness burden": row["need_band"],
        "Chance of the outcome": row["risk_band"],
        "Changed": row["changed"],
        "First step": row["first_step"],
        "Helped by": row["helped_by"],
        "Last contact": "; ".join(filter(None, [row["last_contact"], row["data_gaps"]])),
        "Needs": row["needs"],
        "Owner": row["owner"],
        "Progress": row["progress"],
        "Reference": row["reference"],
        "Version": row["list_version"],
    }
    listed = {"Why now": reasons_of(row), "So far": row["so_far"].splitlines()}
    return {name: clean(text) for name, text in plain.items()} | {
        name: "\n".join(f"• {clean(part)}" for part in parts) for name, parts in listed.items()
    }


def _lines_needed(cells: dict[str, str]) -> int:
    return max(
        sum(math.ceil(max(len(part), 1) / ((_COLUMNS | _PROGRAMME)[name] - 1)) for part in text.split("\n"))
        for name, text in cells.items()
    )


def _set_layout(sheet: Any, first: int, people: int, synthetic: bool, columns: dict[str, int]) -> None:
    names = list(columns)
    for position, (_, width) in enumerate(columns.items()):
        sheet.set_column(position, position, width)
    sheet.freeze_panes(first, names.index("Name") + 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0, first - 1)
    sheet.set_footer(f"&L{'SYNTHETIC' if synthetic else 'Confidential: personal health data'}&RPage &P of &N")
    if people:
        last = first + people - 1
        sheet.autofilter(first - 1, 0, last, len(names) - 1)
        sheet.ignore_errors({"number_stored_as_text": xl_range(first, 0, last, len(names) - 1)})
        for name, choices in (("Progress", PROGRESS), ("Outcome", OUTCOMES)):
            position = names.index(name)
            sheet.data_validation(
                first, position, last, position, {"validate": "list", "source": list(choices), "ignore_blank": True}
            )
