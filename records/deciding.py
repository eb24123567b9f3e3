"""Decisions that a person filled in are checked and added to the file of decisions."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from casewell.errors import SourceError
from records import decisions, review
from records.decisions import COLUMNS, DIFFERENT, MARK, PAIR, SAME
from records.private import check_that_only_its_owner_reads, write_private


@dataclass(frozen=True)
class Taken:
    """How many filled-in pairs were the same person, different people, undecided, or in the file before.

    `newest` is the last day on which one of those that were added was decided; None where nothing was.
    """

    same: int
    different: int
    undecided: int
    before: int
    newest: dt.date | None


def take_in(filled: Path, kept: Path, sources: Collection[str], today: dt.date) -> Taken:
    """Add the decisions of a filled-in file to the file of decisions, which is made if it is not there.

    What the file holds already is not added again, so the same file may be given twice.

    Parameters
    ----------
    filled
        What `casewell link review` wrote, or any CSV file with `decisions.COLUMNS`. Lines without a decision are left.
    kept
        The file of decisions; written anew whole, or not at all.
    sources
        Names of the sources in the settings.
    today
        Nobody can have decided after it.

    Raises
    ------
    SourceError
        Every wrong line of the file at once, and decisions that contradict each other or earlier ones.
    SettingsError
        Others can read the file of decisions.
    """
    rows = filled_in(filled)
    decided = rows[rows["decision"] != ""].reset_index(drop=True)
    problems = decisions.problems_in(decided, sources) + _more_problems(rows, decided, today)
    if problems:
        raise SourceError([f"{filled.name!r}: {problem}" for problem in problems], decisions.ADVICE)
    held = held_in(kept)
    problems = decisions.problems_in(held, sources)
    if problems:
        raise SourceError([f"decisions file {kept.name!r}: {problem}" for problem in problems], decisions.ADVICE)
    new = not_held(decided, held)
    both = pd.concat([held, new.assign(line=new["line"] + _last(held))], ignore_index=True)
    named = "line " + pd.concat(
        [held["line"].astype("str") + f" of {kept.name!r}", new["line"].astype("str") + f" of {filled.name!r}"],
        ignore_index=True,
    )
    newest = decisions.newest(both.assign(named=named))
    problems = decisions.contradictions(newest, newest["named"])
    if problems:
        raise SourceError(problems, decisions.ADVICE)
    if len(new):
        _write(both, kept)
    counts = new["decision"].value_counts()
    return Taken(
        same=int(counts.get(SAME, 0)),
        different=int(counts.get(DIFFERENT, 0)),
        undecided=len(rows) - len(decided),
        before=len(decided) - len(new),
        newest=new["decided_on"].max().date() if len(new) else None,
    )


def filled_in(path: Path) -> pd.DataFrame:
    """Return the lines of a filled-in file, identifiers as they were before a spreadsheet saw them."""
    rows = decisions.read_file(path)
    return rows.assign(**{name: review.as_written(rows[name]) for name in ("record_1", "record_2")})


def held_in(path: Path) -> pd.DataFrame:
    """Return the lines of the file of decisions; none if it is not there."""
    if not path.exists():
        return decisions.nothing()
    check_that_only_its_owner_reads(path, "decisions file")
    return decisions.read_file(path)[[*COLUMNS, "line"]]


def not_held(decided: pd.DataFrame, held: pd.DataFrame) -> pd.DataFrame:
    """Return the decisions that the file does not hold: of that pair, in either order, that day, and so decided."""
    keys = ["decision", "decided_on"]
    turned = held.rename(columns=dict(zip(PAIR, [*PAIR[2:], *PAIR[:2]], strict=True)))
    there = pd.concat([held, turned])[[*PAIR, *keys]]
    new = ~pd.MultiIndex.from_frame(decided[[*PAIR, *keys]]).isin(pd.MultiIndex.from_frame(there))
    return decided.loc[new, [*COLUMNS, "line"]].reset_index(drop=True)


def _more_problems(rows: pd.DataFrame, decided: pd.DataFrame, today: dt.date) -> list[str]:
    half = (rows["decision"] == "") & ((rows["reason"] != "") | (rows["decided_by"] != "") | rows["decided_on"].notna())
    late = decided["decided_on"] > pd.Timestamp(today)
    broken = {
        "column 'decision' is empty though others beside it are filled in": rows.loc[half, "line"],
        "column 'decided_on' lies in the future": decided.loc[late, "line"],
    }
    if MARK in decided:
        broken["the sources or records are not those that were written; a spreadsheet may have changed them"] = (
            decided.loc[review.mark(decided) != decided[MARK], "line"]
        )
    return [f"{words}, in {decisions.in_lines(lines)}" for words, lines in broken.items() if len(lines)]


def _last(held: pd.DataFrame) -> int:
    return int(held["line"].max()) if len(held) else 1


def _write(rows: pd.DataFrame, path: Path) -> None:
    days = rows["decided_on"].dt.strftime("%Y-%m-%d").fillna("")
    text = rows.assign(decided_on=days)[list(COLUMNS)].to_csv(index=False, lineterminator="\n")
    partial = write_private(path.with_name(f".{path.name}.partial"), text.encode())
    os.replace(partial, path)


def begin(kept: Path) -> bool:
    """Make the file of decisions, without any; return False if it is there already."""
    if kept.exists():
        return False
    _write(decisions.nothing(), kept)
    return True


def unread(filled: Path, kept: Path | None) -> bool:
    """Say whether a file holds decisions that the file of decisions does not."""
    rows = filled_in(filled)
    held = decisions.nothing() if kept is None else held_in(kept)
    return bool(len(not_held(rows[rows["decision"] != ""], held)))
