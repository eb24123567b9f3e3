"""Is a returned row what was sent, and is what the team wrote an outcome? Every reason against is a sentence."""

from __future__ import annotations

import datetime as dt
import re

from cohorts.safe_text import clean
from cohorts.team_lists import FOR_COORDINATORS, NOT_RECORDED, OUTCOMES, PROGRESS
from worklist.models import AGREED, DECLINED
from worklist.published import Row, TeamList
from worklist.returned_rows import Returned
from worklist.standing import Answer, published

REFERENCE = re.compile(r"(\d{4}-\d{2}-\d{2})/(.+)/(\d+)")
_DATES = ("%Y-%m-%d", "%d/%m/%Y", "%d-%b-%Y", "%d %B %Y", "%d.%m.%Y", "%d/%m/%y")


def untouched(returned: Returned, row: Row) -> bool:
    """Say whether the team wrote nothing: every cell of its own is empty, or as the list was published."""
    as_sent = published(row).words
    return not returned.formulas and all(
        returned.cells[name] in ("", as_sent.get(name, "")) for name in FOR_COORDINATORS
    )


def not_as_sent(returned: Returned, team: TeamList, row: Row) -> str:
    """Say why a returned row is not the published one, or return an empty text."""
    cells = returned.cells
    if cells["list_version"] != row.list_version:
        return "stale: that list was published again since this file was made; fill in the new file"
    number = "" if cells["nhs_number"] == NOT_RECORDED else re.sub(r"[\s-]", "", cells["nhs_number"])
    same_name = clean(cells["name"]).casefold() == clean(row.name).removeprefix("'").casefold()
    born = day_of(cells["date_of_birth"])
    if not (number == row.nhs_number and same_name and (born == row.born or (row.born is None and born is None))):
        return "edited: name, NHS number or date of birth is not that of this Reference (were columns sorted apart?)"
    return ""


def answer_of(returned: Returned, as_of: dt.date, today: dt.date) -> Answer | list[str]:
    """Return what the team says of the person, or everything that is wrong with it."""
    cells = returned.cells
    outcome, progress = cells["outcome"].casefold(), cells["progress"].casefold()
    problems = []
    if returned.formulas:
        return [f"a formula stands in {', '.join(returned.formulas)}: write text"]
    if outcome and outcome not in OUTCOMES:
        problems.append(f"the outcome is none of: {', '.join(OUTCOMES)}")
    if progress and progress not in PROGRESS:
        problems.append(f"the progress is none of: {', '.join(PROGRESS)}")
    days = {name: day_of(cells[name]) for name in ("outcome_date", "offer_again")}
    problems += [
        f"{name} is not a date (write it as 27/10/2026)" for name, day in days.items() if cells[name] and day is None
    ]
    happened, again = days["outcome_date"], days["offer_again"]
    if happened is not None and happened > today:
        problems.append("outcome_date lies in the future: record what has happened")
    if happened is not None and happened < min(as_of, today):
        problems.append("outcome_date is before the list was made")
    if cells["outcome_date"] and not outcome:
        problems.append("outcome_date goes only with an outcome")
    if outcome == AGREED and not cells["outcome_date"]:
        problems.append("somebody who agreed needs an outcome_date: the first day on the caseload")
    if cells["offer_again"] and outcome != DECLINED:
        problems.append("offer_again goes only with declined")
    if again is not None and again <= as_of:
        problems.append("offer_again is not after the day of the list")
    if problems:
        return problems
    start = happened if outcome == AGREED else None
    return Answer(outcome, start, again, cells["owner"], progress, cells["note"])


def day_of(text: str) -> dt.date | None:
    """Read a day as people and spreadsheets write it; None for anything else."""
    for form in _DATES:
        try:
            return dt.datetime.strptime(text.split("T")[0], form).date()
        except ValueError:
            continue
    return None
