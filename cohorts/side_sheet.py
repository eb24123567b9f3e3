"""A sheet beside the list in a team's workbook: the header lines above, one row a person, every cell a text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cohorts.safe_text import clean

_TEXT = {"num_format": "@", "text_wrap": True, "valign": "top", "font_name": "Arial", "font_size": 10}
_HEAD = _TEXT | {"bold": True, "bg_color": "#E8EDEE", "bottom": 1}
_LINE_HEIGHT = 13.5  # points


def write_side_sheet(
    book: Any,
    name: str,
    columns: Mapping[str, int],
    rows: Iterable[Sequence[object]],
    lines: Sequence[str],
    synthetic: bool,
) -> None:
    """Write a sheet for printing on A4 across, cells cleaned of whatever could come alive.

    Parameters
    ----------
    book
        An open `xlsxwriter.Workbook`.
    columns
        Heading: width in characters.
    rows
        Cells in the order of `columns`.
    lines
        What stands above the headings, and again on each printed page.
    """
    sheet = book.add_worksheet(name)
    text, head = book.add_format(_TEXT), book.add_format(_HEAD)
    for number, line in enumerate(map(clean, lines)):
        sheet.merge_range(number, 0, number, len(columns) - 1, "", text)
        sheet.write_string(number, 0, line, text)
        sheet.set_row(number, _LINE_HEIGHT * (len(line) // sum(columns.values()) + 1))
    for position, (heading, width) in enumerate(columns.items()):
        sheet.set_column(position, position, width)
        sheet.write_string(len(lines), position, heading, head)
    for number, cells in enumerate(rows, start=len(lines) + 1):
        for position, cell in enumerate(cells):
            sheet.write_string(number, position, clean(str(cell)), text)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0, len(lines))
    sheet.set_footer(f"&L{'SYNTHETIC' if synthetic else 'Confidential: personal health data'}&RPage &P of &N")
