"""The newest published week, read from its folder each time, so that a page never shows an older one.

Every file is held against the digest that the week's manifest gives: a list that was changed
after it was published is not shown.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casewell.settings import CASE_MANAGEMENT, CASE_MANAGEMENT_TITLE
from cohorts.safe_text import clean, inert
from cohorts.team_lists import GRADES_IN_WORDS, NOT_RECORDED, VERDICTS_IN_WORDS
from worklist.plain import PlainMessageError

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_REASON = re.compile(r"reason_\d+")
_NEEDED = {
    "rank",
    "status",
    "nhs_number",
    "name",
    "date_of_birth",
    "practice",
    "benefit_band",
    "need_band",
    "risk_band",
    "team_code",
    "reference",
}


_ANOTHER_VERSION = "This list was made by another version of Casewell. Make the week again."


@dataclass(frozen=True)
class Row:
    """One person on a team's list, as published; `nhs_number` is empty and `born` missing when not recorded.

    `source_record` is the identifier by which the source finds a person without a number, `programme` the code of the one
    whose place is offered, `offered` its title where there are several. `owner`, `progress` and `so_far`
    are what teams had recorded when the list was made.
    """

    rank: int
    status: str
    nhs_number: str
    name: str
    born: dt.date | None
    practice: str
    source_record: str
    benefit: str
    need: str
    risk: str
    reasons: tuple[str, ...]
    team_code: str
    reference: str
    changed: str = ""
    first_step: str = ""
    helped_by: str = ""
    last_contact: str = ""
    needs: str = ""
    list_version: str = ""
    so_far: tuple[str, ...] = ()
    owner: str = ""
    progress: str = ""
    programme: str = CASE_MANAGEMENT
    offered: str = ""

    @property
    def spaced_number(self) -> str:
        """The NHS number as people read it: 999 123 4567."""
        number = self.nhs_number
        return f"{number[:3]} {number[3:6]} {number[6:]}" if len(number) == 10 else number


@dataclass(frozen=True)
class TeamList:
    """One team's published list; `version` is the digest of its bytes, `stem` its file's name."""

    week: Week
    stem: str
    version: str
    rows: tuple[Row, ...]

    @property
    def team_code(self) -> str:
        """The team's code; of an empty list, the file's name, which is made from it."""
        return self.rows[0].team_code if self.rows else self.stem


@dataclass(frozen=True)
class Week:
    """A published folder and what its manifest says."""

    folder: Path
    as_of: dt.date
    manifest: dict[str, Any]

    @property
    def synthetic(self) -> bool:
        """Whether these people are simulated."""
        return bool(self.manifest["synthetic"])

    @property
    def verdict(self) -> str:
        """The fairness gate's verdict: pass, fail or cannot tell."""
        return str(self.manifest["fairness"]["verdict"])

    @property
    def verdict_in_words(self) -> str:
        """The verdict as a sentence."""
        return VERDICTS_IN_WORDS[self.verdict]

    @property
    def override(self) -> dict[str, str] | None:
        """Who released the lists in spite of the verdict (`owner`) and why (`reason`)."""
        return self.manifest["fairness"]["override"]

    @property
    def released_until(self) -> dt.date | None:
        """The last day of lists that the override releases; None without one, or in a week before that was asked for."""
        day = (self.override or {}).get("review_date")
        return dt.date.fromisoformat(day) if day else None

    @property
    def grade(self) -> str:
        """The evidence grade of the benefit."""
        return str(self.manifest["evidence"]["grade"])

    @property
    def grade_in_words(self) -> str:
        """The evidence grade as a sentence."""
        return GRADES_IN_WORDS[self.grade]

    @property
    def of_programmes(self) -> list[str]:
        """Where the benefit of each programme beside case management comes from, a sentence each; none where there is none."""
        return [str(told["sentence"]) for told in self.manifest.get("programmes", {}).values()]

    @property
    def missing(self) -> list[str]:
        """What no source held this week."""
        return list(self.manifest["missing"])

    @property
    def without(self) -> list[str]:
        """The sources that the scores do without, since their feeds have failed; none in a week before that was recorded."""
        return list(self.manifest["model"].get("without", []))

    def _programmes(self) -> dict[str, str]:
        """Return the code of each programme by what a list may call it: its title, its code, or nothing."""
        declared = self.manifest.get("settings", {}).get("programmes", {})
        titles = {clean(programme["title"]): code for code, programme in declared.items()}
        own = {"": CASE_MANAGEMENT, CASE_MANAGEMENT: CASE_MANAGEMENT, CASE_MANAGEMENT_TITLE: CASE_MANAGEMENT}
        return own | titles | {code: code for code in declared}

    def stems(self) -> list[str]:
        """Name the teams' list files, without ending, in order."""
        names = (Path(name) for name in self.manifest["files"])
        return sorted(name.stem for name in names if name.parent.name == "lists" and name.suffix == ".csv")

    def read(self, name: str) -> bytes:
        """Return a published file's bytes.

        Raises
        ------
        PlainMessageError
            It is gone, or is not what was published.
        """
        try:
            content = (self.folder / name).read_bytes()
        except OSError:
            content = b""
        if hashlib.sha256(content).hexdigest() != self.manifest["files"].get(name):
            raise PlainMessageError(
                "A file of this week is missing, or was changed after it was published, so it is not shown. "
                "If the week is being published now, try again in a minute.",
                409,
            )
        return content

    def team_list(self, stem: str) -> TeamList:
        """Return the list of the team whose file has this name.

        Raises
        ------
        PlainMessageError
            No such team this week, or the list is not as published.
        """
        if stem not in self.stems():
            raise PlainMessageError("There is no such team this week.", 404)
        content = self.read(f"lists/{stem}.csv")
        lines = csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""))
        if not set(lines.fieldnames or ()) >= _NEEDED:
            raise PlainMessageError(_ANOTHER_VERSION, 409)
        programmes = self._programmes()
        rows = tuple(_row({name: _as_written(cell) for name, cell in line.items()}, programmes) for line in lines)
        return TeamList(self, stem, hashlib.sha256(content).hexdigest(), rows)


def newest_week(data_dir: Path) -> Week | None:
    """Return the newest published week below the data folder, or None when there is none."""
    published = [
        manifest.parent
        for manifest in (data_dir / "cohorts").glob("*/manifest.json")
        if _DAY.fullmatch(manifest.parent.name)
    ]
    if not published:
        return None
    return _read_week(max(published, key=lambda path: path.name))


def week_of(data_dir: Path, day: str) -> Week | None:
    """Return the published week of a day (ISO), or None when there is none."""
    folder = data_dir / "cohorts" / day
    return _read_week(folder) if _DAY.fullmatch(day) and (folder / "manifest.json").is_file() else None


def _read_week(folder: Path) -> Week:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return Week(folder, dt.date.fromisoformat(folder.name), manifest)


def _row(cells: dict[str, str], programmes: dict[str, str]) -> Row:
    born, programme = cells["date_of_birth"], cells.get("programme", "")
    if programme not in programmes:
        raise PlainMessageError(_ANOTHER_VERSION, 409)
    return Row(
        rank=int(cells["rank"]),
        status=cells["status"],
        nhs_number="" if cells["nhs_number"] == NOT_RECORDED else cells["nhs_number"],
        name=cells["name"],
        born=None if born == NOT_RECORDED else dt.date.fromisoformat(born),
        practice=cells["practice"],
        source_record=cells.get("source_record", NOT_RECORDED),
        benefit=cells["benefit_band"],
        need=cells["need_band"],
        risk=cells["risk_band"],
        reasons=tuple(text for name, text in cells.items() if _REASON.fullmatch(name) and text),
        team_code=cells["team_code"],
        reference=cells["reference"],
        changed=cells.get("changed", ""),
        first_step=cells.get("first_step", ""),
        helped_by=cells.get("helped_by", ""),
        last_contact="; ".join(filter(None, [cells.get("last_contact", ""), cells.get("data_gaps", "")])),
        needs=cells.get("needs", ""),
        list_version=cells.get("list_version", ""),
        so_far=tuple(filter(None, cells.get("so_far", "").split(" | "))),
        owner=cells.get("owner", ""),
        progress=cells.get("progress", ""),
        programme=programmes[programme],
        offered=programme,
    )


def _as_written(cell: str) -> str:
    """Take off the apostrophe that keeps spreadsheets from reading a cell as a formula."""
    bare = cell.removeprefix("'")
    return bare if bare != cell and inert(bare) == cell else cell
