"""One team's list as its coordinators read it: the cohort joined back to names, and what the header says."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

import pandas as pd

from casewell.settings import CASE_MANAGEMENT
from cohorts.tables import MAXIMUM_REASONS

NOT_RECORDED = "not recorded"
FOR_COORDINATORS = {
    "owner": "Owner",
    "progress": "Progress",
    "outcome": "Outcome",
    "outcome_date": "Outcome date",
    "offer_again": "Offer again from",
    "note": "Note",
}
"""The cells that a team fills in: their names in the CSV and in the workbook."""
CARRIED = ("owner", "progress")
"""Those that hold already what the team said last; the others are about this list, and start empty."""
PROGRESS = ("not started", "in progress", "done")
OUTCOMES = ("agreed", "declined", "not reached", "not suitable", "already supported")

GRADES_IN_WORDS = {
    "randomised": "Benefit is learned from places drawn by lot: the strongest evidence.",
    "compared": "Benefit is learned by comparing similar people with and without case management: not a trial.",
    "assumed": "Benefit is ASSUMED from risk and amenability: not learned from any outcome of case management.",
}
VERDICTS_IN_WORDS = {
    "pass": "passed: every group that is checked has its share of places, and its risk is not misleading.",
    "cannot tell": "CANNOT TELL: the data do not show that no group is treated unfairly: too few people, or records missing; see the audit.",
    "fail": "FAILED: at least one group is short of places, or its records or its risk mislead, or a programme on the list seems to have done harm; see the audit.",
}


@dataclass(frozen=True)
class Heading:
    """What every list says of itself.

    `verdict` is the fairness gate's: pass, fail or cannot tell; `owner` and `reason` are those of
    whoever overrode it, and empty when nobody did; `until` is the last day of lists that this releases. `since` is the day of the last list, None in a first week; `missing`
    is what no source held this week; `without` are the sources that the scores do without, since their feeds have failed.
    `titles` says what each programme is called, by code, and is empty where there is only case management; `assumptions` says of each
    of the others where its benefit comes from. `made_from` says what the list was made from and by, one word each, as digests and
    versions: for systems, in FHIR. `harms` says of each programme that seems or may have done harm that it does, a sentence each.
    """

    as_of: dt.date
    verdict: str
    owner: str = ""
    reason: str = ""
    until: dt.date | None = None
    since: dt.date | None = None
    missing: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)
    assumptions: Mapping[str, str] = field(default_factory=dict)
    made_from: Mapping[str, str] = field(default_factory=dict)
    harms: tuple[str, ...] = ()


NEVER_IN_THE_DATA = ("next booked contact", "preferred contact", "language spoken", "who cares for the person")
"""What a coordinator wants to know, and no source that Casewell reads holds."""


def heading_lines(heading: Heading, team_code: str, team_name: str, rows: pd.DataFrame, synthetic: bool) -> list[str]:
    """Write the header block of one team's list, one line each."""
    name = team_name if team_name in ("", team_code) else f"{team_name} ({team_code})"
    lines = ["SYNTHETIC: these people do not exist"] if synthetic else []
    lines += [
        f"{_kind(heading, rows)}: {name or team_code}",
        f"As of {in_words(heading.as_of)}: nothing that became known on that day or later was used.",
        *_evidence(heading, rows),
        *caveats(heading),
    ]
    since = f"the list of {in_words(heading.since)}" if heading.since else "nothing: this is a first list"
    lines.append(f"Changes are against {since}. Not in the data: {', '.join((*heading.missing, *NEVER_IN_THE_DATA))}.")
    if rows.empty:
        lines.append("Nobody is listed for this team this week.")
    return lines


def _kind(heading: Heading, rows: pd.DataFrame) -> str:
    others = heading.titles and (rows["programme"] != CASE_MANAGEMENT).any()
    return "Case management list, with places of other programmes" if others else "Case management list"


def _evidence(heading: Heading, rows: pd.DataFrame) -> list[str]:
    """Say where benefit comes from: that of case management, and that of every other programme on the list."""
    if not heading.titles:
        return [GRADES_IN_WORDS[grade] for grade in GRADES_IN_WORDS if (rows["evidence_grade"] == grade).any()]
    own = rows[rows["programme"] == CASE_MANAGEMENT]
    lines = [GRADES_IN_WORDS[grade] for grade in GRADES_IN_WORDS if (own["evidence_grade"] == grade).any()]
    return lines + [said for code, said in heading.assumptions.items() if (rows["programme"] == code).any()]


def caveats(heading: Heading) -> list[str]:
    """Say what the fairness gate found, what the scores do without, and who released the list in spite of the verdict."""
    lines = [f"Fairness: {VERDICTS_IN_WORDS[heading.verdict]}", *heading.harms]
    if heading.without:
        lines.append(
            f"Scored without {', '.join(heading.without)}: its feed has failed, and a model trained without it was used."
        )
    if heading.owner:
        until = f", until {in_words(heading.until)}" if heading.until else ""
        lines.append(f"Released in spite of the fairness verdict by {heading.owner}{until}, because: {heading.reason}")
    return lines


def with_contacts(cohort: pd.DataFrame, contacts: pd.DataFrame) -> pd.DataFrame:
    """Join names and numbers back to the cohort; what is not recorded says so.

    Returns
    -------
    DataFrame
        The cohort's rows in order, every column it had, those of `named`, and `reference` (date, team and
        rank) and `list_version` (of its team's list), to recognise the row by when it comes back.
    """
    table = named(cohort, contacts)
    reference = table["as_of"].dt.strftime("%Y-%m-%d") + "/" + table["team_code"] + "/" + table["rank"].astype("str")
    table = table.assign(reference=reference)
    versions = {team: list_version(rows) for team, rows in table.groupby("team_code")}
    return table.assign(list_version=table["team_code"].map(versions).astype("str"))


def named(people: pd.DataFrame, contacts: pd.DataFrame) -> pd.DataFrame:
    """Join names to rows with a `person_id`, which may stand in several (whoever changed teams left one list and entered another).

    Added are `nhs_number`, `name`, `practice`, `source_record` (or "not recorded"), `date_of_birth` (missing when not
    recorded), and the parts of the name, `given_name` and `family_name` (empty when not recorded).
    """
    table = people.merge(contacts, on="person_id", how="left", validate="many_to_one")
    for column in ("given_name", "family_name"):
        table[column] = table[column].fillna("")
    practice = table["practice_name"].fillna("")
    table["name"] = (table["family_name"] + ", " + table["given_name"]).str.strip(", ")
    table["practice"] = practice.mask(practice == "", table["practice_code"].fillna(""))
    for column in ("nhs_number", "name", "practice", "source_record"):
        table[column] = table[column].fillna("").mask(table[column].fillna("") == "", NOT_RECORDED)
    return table.drop(columns=["practice_code", "practice_name"])


def reasons_of(row: Mapping[Hashable, object]) -> list[str]:
    """List the reasons a row holds, in order."""
    return [str(row[f"reason_{n}"]) for n in range(1, MAXIMUM_REASONS + 1) if row[f"reason_{n}"]]


def list_version(rows: pd.DataFrame) -> str:
    """Return a `v` and twelve hexadecimal digits that stand for who is where on one team's list, to know it by when it comes back.

    Without the letter a spreadsheet would take some of them for a number, as 12e3.
    """
    several = ["programme"] if "programme" in rows else []
    who = rows[["reference", "status", *several, "nhs_number", "name", "source_record"]]
    born = [birth_date(day, "%Y-%m-%d") for day in rows["date_of_birth"]]
    text = "\x1e".join("\x1f".join(cells) for cells in who.assign(born=born).itertuples(index=False))
    return f"v{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"


def birth_date(value: object, pattern: str) -> str:
    """Write a date of birth, or say that none is recorded."""
    return value.strftime(pattern) if isinstance(value, pd.Timestamp) and not pd.isna(value) else NOT_RECORDED


def in_words(day: dt.date) -> str:
    """Write a day as people read it: 4 September 2026."""
    return f"{day.day} {day.strftime('%B %Y')}"
