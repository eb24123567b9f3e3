"""What a team has done already for the people on its list: who owns each, how far it is, and what became of it."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from casewell.settings import CASE_MANAGEMENT
from cohorts.team_lists import NOT_RECORDED

SHOWN = 3
"""So many entries stand beside a person, the newest first; the worklist's pages show all."""
_ROW, _LIST = "row", ["row", "list_as_of", "team_code"]


def work_so_far(rows: pd.DataFrame, work: pd.DataFrame, as_of: dt.date) -> pd.DataFrame:
    """Find what teams recorded about people on this list and on lists before it.

    A person is known again by NHS number or, without one, by the source's own record. Owner and progress are those of the
    newest list on which the same team said anything, progress if it was of the same programme's offer; what another team wrote in its own words is not shown, only what
    became of its offer.

    Parameters
    ----------
    rows
        `team_code`, `nhs_number` and `source_record`, as `team_lists.named` writes them, and `programme` where there are several.
    work
        The `work` table.
    as_of
        The day of the list. What was recorded about later lists is left out, so that a past week can be made again.

    Returns
    -------
    DataFrame
        With the index of `rows`: `owner`, `progress` and `so_far` (one entry a line, the newest first); each empty where
        nothing is known.
    """
    people = pd.DataFrame({_ROW: rows.index, "key": _key(rows), "here": rows["team_code"].to_numpy()})
    people["offered"] = rows["programme"].to_numpy() if "programme" in rows else CASE_MANAGEMENT
    told = work[work["list_as_of"] <= pd.Timestamp(as_of)]
    told = told.assign(key=_key(told).to_numpy())
    found = people[people["key"] != ""].merge(told, on="key").sort_values(["list_as_of", "number"], ignore_index=True)
    found["own"] = found["team_code"] == found["here"]
    found["of"] = found["programme"].fillna(CASE_MANAGEMENT) if "programme" in found else CASE_MANAGEMENT
    # How far the offer of one programme is says nothing of the offer of another.
    found["progress"] = found["progress"].where(found["offered"] == found["of"], "")
    standing = found[found["own"]].groupby(_ROW)[["owner", "progress"]].last()
    entries = _entries(found).sort_values("number", ascending=False)
    told_of = entries[entries["entry"] != ""].groupby(_ROW).head(SHOWN).groupby(_ROW)["entry"].agg("\n".join)
    return standing.reindex(rows.index).assign(so_far=told_of.reindex(rows.index)).fillna("").astype("str")


def _key(table: pd.DataFrame) -> pd.Series:
    number, record = (table[name].mask(table[name] == NOT_RECORDED, "") for name in ("nhs_number", "source_record"))
    return number.mask((number == "") & (record != ""), "record " + record).reset_index(drop=True)


def _entries(found: pd.DataFrame) -> pd.DataFrame:
    """Add `entry`: the day and what was new on it; empty where a record only repeats what was said of the same list."""
    programme = _programme(found)
    named = found["outcome"] + programme.where(found["outcome"] != "", "")
    outcome = named + _day(found["start"], ", from ") + _day(found["offer_again"], ", offer again from ")
    note = found["note"].where(found["own"], "")
    new = [words.where(_is_new(found, words), "") for words in (outcome, note)]
    new[1] += programme.where((new[0] == "") & (new[1] != ""), "")
    said = new[0] + ((new[0] != "") & (new[1] != "")).map({True: "; ", False: ""}) + new[1]
    who = (", " + found["owner"]).where(found["own"] & (found["owner"] != ""), "")
    who = who.where(found["own"], ", team " + found["team_code"])
    entry = _day(found["recorded_on"], "") + who + ": " + said
    return found[[_ROW, "number"]].assign(entry=entry.mask(said == "", ""))


def _programme(found: pd.DataFrame) -> pd.Series:
    """Name the programme of each offer, unless it and the row's are both case management: a no to one is no other's."""
    plain = (found["of"] == CASE_MANAGEMENT) & (found["offered"] == CASE_MANAGEMENT)
    return (" (" + found["of"].str.replace("_", " ") + ")").mask(plain, "")


def _day(days: pd.Series, before: str) -> pd.Series:
    written = before + days.dt.day.astype("Int64").astype("str") + days.dt.strftime(" %B %Y")
    return written.where(days.notna(), "")


def _is_new(found: pd.DataFrame, words: pd.Series) -> pd.Series:
    """Mark words that differ from the last ones said of the same person on the same list."""
    keys = [found[name] for name in _LIST]
    before = words.mask(words == "").groupby(keys).ffill().groupby(keys).shift()
    return words != before.fillna("")
