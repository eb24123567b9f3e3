"""The files a team gets: a workbook to work in and a CSV to load elsewhere, readable by their owner only."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

import pandas as pd

from casewell.doors import empty
from cohorts.safe_text import file_stems, inert
from cohorts.storage import disk
from cohorts.tables import CIRCUMSTANCES, MAXIMUM_REASONS, TURNOVER, UNMET, WORK
from cohorts.team_lists import CARRIED, FOR_COORDINATORS, Heading, birth_date, heading_lines, named, with_contacts
from cohorts.turnover_sheet import told_to_teams
from cohorts.work_so_far import work_so_far
from cohorts.workbook import workbook

_REASONS = tuple(f"reason_{number}" for number in range(1, MAXIMUM_REASONS + 1))
_CSV_COLUMNS = (
    "rank",
    "status",
    "nhs_number",
    "name",
    "date_of_birth",
    "practice",
    "source_record",
    "benefit_band",
    *_REASONS,
    "changed",
    "so_far",
    *CIRCUMSTANCES,
    "need_band",
    "risk_band",
    "evidence_grade",
    "team_code",
    "as_of",
    "fairness",
    "harm",
    "released_by",
    "released_because",
    "released_until",
    "scored_without",
    "synthetic",
    *FOR_COORDINATORS,
    "reference",
    "list_version",
)


def write_lists(
    cohort: pd.DataFrame,
    contacts: pd.DataFrame,
    practices: pd.DataFrame,
    heading: Heading,
    folder: Path,
    synthetic: bool,
    unmet: pd.DataFrame | None = None,
    turnover: pd.DataFrame | None = None,
    work: pd.DataFrame | None = None,
) -> list[Path]:
    """Write an XLSX and a CSV for each team, also for a team with nobody on its list.

    Parameters
    ----------
    cohort
        The `cohort` table.
    contacts, practices
        The tables of `records/`: names and numbers, and the teams with their names.
    folder
        Made when it does not exist; file names come from the team codes.
    synthetic
        Stamp every file SYNTHETIC.
    unmet
        The `unmet` table, for the second sheet of each workbook; left out, nobody is on it.
    turnover
        The `turnover` table, for the third; likewise.
    work
        The `work` table: what teams recorded until now, carried on to this list; left out, nothing.

    Returns
    -------
    list of Path
        The files, sorted by team.

    Raises
    ------
    StorageError
        When the disk is full or the folder cannot be written.
    """
    known, unseen = with_contacts(cohort, contacts), named(empty(UNMET) if unmet is None else unmet, contacts)
    moved = named(told_to_teams(empty(TURNOVER) if turnover is None else turnover), contacts)
    work = empty(WORK) if work is None else work
    known, moved = (table.join(work_so_far(table, work, heading.as_of)) for table in (known, moved))
    names = dict(zip(practices["team_code"], practices["team_name"], strict=True))
    teams = sorted((set(cohort["team_code"]) | set(names)) - {""})
    stems = file_stems(teams)
    by_team, unmet_by_team, moved_by_team = (dict(iter(table.groupby("team_code"))) for table in (known, unseen, moved))
    written = []
    with disk(f"the teams' lists could not be written to {str(folder)!r}"):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for team in teams:
            rows = by_team.get(team, known.iloc[:0])
            passed_over = unmet_by_team.get(team, unseen.iloc[:0])
            came_and_went = moved_by_team.get(team, moved.iloc[:0])
            lines = heading_lines(heading, team, names.get(team, ""), rows, synthetic)
            written += [
                write_private(
                    folder / f"{stems[team]}.xlsx",
                    workbook(
                        _in_titles(rows, heading),
                        lines,
                        heading,
                        synthetic,
                        passed_over,
                        _in_titles(came_and_went, heading),
                    ),
                ),
                write_private(folder / f"{stems[team]}.csv", comma_separated(rows, heading, synthetic)),
            ]
    return written


def _in_titles(rows: pd.DataFrame, heading: Heading) -> pd.DataFrame:
    """Call each programme by its title, where there are several."""
    if not heading.titles:
        return rows
    codes = rows["programme"] if "programme" in rows else pd.Series("", index=rows.index)
    return rows.assign(programme=codes.map(lambda code: heading.titles.get(code, code)))


def comma_separated(rows: pd.DataFrame, heading: Heading, synthetic: bool) -> bytes:
    """Write one team's rows as UTF-8 CSV: every cell quoted text that no spreadsheet takes for a formula."""
    table = _in_titles(rows, heading).assign(
        date_of_birth=[birth_date(day, "%Y-%m-%d") for day in rows["date_of_birth"]],
        as_of=heading.as_of.isoformat(),
        fairness=heading.verdict,
        harm=" ".join(heading.harms),
        released_by=heading.owner,
        released_because=heading.reason,
        released_until=heading.until.isoformat() if heading.until else "",
        scored_without=", ".join(heading.without),
        synthetic="SYNTHETIC" if synthetic else "",
        so_far=rows["so_far"].str.replace("\n", " | "),
        **{name: rows[name] if name in CARRIED else "" for name in FOR_COORDINATORS},
    )
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    columns = [*_CSV_COLUMNS[:2], *(["programme"] if heading.titles else []), *_CSV_COLUMNS[2:]]
    writer.writerow(columns)
    writer.writerows([inert(str(cell)) for cell in row] for row in table[columns].itertuples(index=False))
    return buffer.getvalue().encode("utf-8")


def write_private(path: Path, content: bytes) -> Path:
    """Write a file that was never, even for a moment, readable by anybody but its owner."""
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    return path
