"""The workbook's third sheet: who came onto the team's list and who left it, in words that a team may read.

A team must know who has died, moved or started. That somebody is near the end of life, or mourns, is for others to say.
One sentence stands for both, and for people in hospital, who are many: said of the few alone it would give them away.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from cohorts.answers import NOT_SUITABLE, ON_IT, SUPPORTED
from cohorts.side_sheet import write_side_sheet
from cohorts.team_lists import birth_date

_COLUMNS = {
    "Change": 10,
    "NHS number": 14,
    "Name": 28,
    "Date of birth": 14,
    "Practice": 28,
    "Why": 50,
    "Owner": 14,
    "So far": 40,
}
_FIELDS = ["movement", "nhs_number", "name", "date_of_birth", "practice", "why", "owner", "so_far"]
_NOT_NOW = "no offer for now: in hospital, with another service, or not the right time"
_OPENLY = {"already on a caseload", "care home: enhanced health in care homes", ON_IT, NOT_SUITABLE, SUPPORTED}


def told_to_teams(turnover: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `turnover` that a team is shown, with `why` in the words that it is told.

    Whoever opted out is not shown to anybody.
    """
    shown = turnover[turnover["cause"] != "opted out"]
    bare = shown["why"].str.removeprefix("no longer: ").str.removesuffix("; now in reserve")
    routed = shown["cause"] == "routed"
    why = shown["why"].mask(routed & ~bare.isin(_OPENLY), _NOT_NOW)
    entered = routed & (shown["movement"] == "entered") & ~bare.isin(_OPENLY)
    return shown.assign(why=why.mask(entered, "can be offered a place again"))


def write_turnover(
    book: Any, rows: pd.DataFrame, since: str, lines: Sequence[str], synthetic: bool, several: bool = False
) -> None:
    """Write the sheet, under the list's own header lines: every cell a string in a cell formatted as text.

    Parameters
    ----------
    rows
        One team's rows of `told_to_teams`, with `team_lists.named` and `work_so_far`: who leaves may be somebody's work.
    since
        The day of the last list in words; empty in a first week.
    several
        Say of each row which programme the place was of (`programme`, its title): where there is another than case management.
    """
    if not since:
        about = "This is a first list: there is none to compare it with."
    elif rows.empty:
        about = f"Nobody came onto the list or left it since {since}."
    else:
        about = f"Who came onto the list or left it since {since}."
    births = rows["date_of_birth"].map(lambda day: birth_date(day, "%d-%b-%Y"))
    columns, fields = list(_COLUMNS.items()), _FIELDS
    if several:
        columns, fields = [columns[0], ("Programme", 20), *columns[1:]], [fields[0], "programme", *fields[1:]]
    cells = rows.assign(date_of_birth=births)[fields].itertuples(index=False)
    write_side_sheet(book, "Changes", dict(columns), cells, [*lines, about], synthetic)
