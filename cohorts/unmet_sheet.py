"""The workbook's second sheet: people in high need whom the list passes over, for the team to look at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from cohorts.side_sheet import write_side_sheet
from cohorts.team_lists import birth_date

_COLUMNS = {"NHS number": 14, "Name": 28, "Date of birth": 14, "Practice": 28, "Record": 14, "Illness burden": 16}
_FIELDS = ["nhs_number", "name", "date_of_birth", "practice", "source_record", "need_band"]
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
    about = ABOUT if len(rows) else "Nobody of this team is in high need, unseen by hospital and without a place."
    births = rows["date_of_birth"].map(lambda day: birth_date(day, "%d-%b-%Y"))
    cells = rows.assign(date_of_birth=births)[_FIELDS].itertuples(index=False)
    write_side_sheet(book, "Unmet need", _COLUMNS, cells, [*lines, about], synthetic)
