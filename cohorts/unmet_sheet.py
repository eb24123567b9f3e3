"""The workbook's second sheet: people in high need whom the list passes over, for the team to look at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from cohorts.safe_text import clean
from cohorts.team_lists import birth_date

_COLUMNS = {"NHS number": 14, "Name": 28, "Date of birth": 14, "Practice": 28, "Record": 14, "Illness burden": 16}
_TEXT = {"num_format": "@", "text_wrap": True, "valign": "top", "font_name": "Arial", "font_size": 10}
ABOUT = (
    "Unmet need: people of this team in high need who have no place and have had no emergency admission in three years. "
    "They may be well looked after, or not come when they should. The most ill come first; no benefit is claimed."
)


def write_unmet(book: Any, rows: pd.DataFrame, lines: Sequence[str], synthetic: bool) -> None:
    """Write the sheet, under the list's own header lines: every cell a string in a cell formatted as text.

    Parameters
    ----------
    rows
        One team's rows of the `unmet` table, with `team_lists.named`.
    lines
        The list's header lines, so that the stamp and an override print here too.
    """
    sheet = book.add_worksheet("Unmet need")
    text, head = book.add_format(_TEXT), book.add_format(_TEXT | {"bold": True, "bg_color": "#E8EDEE", "bottom": 1})
    above = [
        *lines,
        ABOUT if len(rows) else "Nobody of this team is in high need, unseen by hospital and without a place.",
    ]
    for number, line in enumerate(map(clean, above)):
        sheet.merge_range(number, 0, number, len(_COLUMNS) - 1, "", text)
        sheet.write_string(number, 0, line, text)
        sheet.set_row(number, 13.5 * (len(line) // sum(_COLUMNS.values()) + 1))
    for position, (name, width) in enumerate(_COLUMNS.items()):
        sheet.set_column(position, position, width)
        sheet.write_string(len(above), position, name, head)
    for number, row in enumerate(rows.to_dict("records"), start=len(above) + 1):
        birth = birth_date(row["date_of_birth"], "%d-%b-%Y")
        cells = [row["nhs_number"], row["name"], birth, row["practice"], row["source_record"], row["need_band"]]
        for position, cell in enumerate(cells):
            sheet.write_string(number, position, clean(str(cell)), text)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0, len(above))
    sheet.set_footer(f"&L{'SYNTHETIC' if synthetic else 'Confidential: personal health data'}&RPage &P of &N")
