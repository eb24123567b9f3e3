"""What changed since the last list: for each person on it, and for the list as a whole.

Compared with is the last list that was published, as its folder holds it: what coordinators saw. In a first week, or
after a gap longer than `stability.compared_days`, there is none, and every line says so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from casewell.doors import check, empty
from casewell.settings import OtherProgramme
from cohorts.answers import DECLINED
from cohorts.tables import (
    LISTED,
    NEED_BANDS,
    NOT_ELIGIBLE,
    OPTED_OUT,
    QUARANTINED,
    RESERVE,
    RISK_BANDS,
    ROUTED_ELSEWHERE,
    TURNOVER,
)
from cohorts.whys import BY_POLICY, BY_POLICY_NOT, DRAWN, KEEPS, KEPT_OUT, NO_GAIN, NOT_DRAWN, RESTS

FIRST, NOTHING = "first list", "no change"
_BANDS = {"risk_band": ("risk", RISK_BANDS), "need_band": ("illness burden", NEED_BANDS)}
_POLICY = (BY_POLICY, BY_POLICY_NOT)


@dataclass(frozen=True)
class Earlier:
    """The last list, under this week's pseudonyms.

    Attributes
    ----------
    as_of
        Its day.
    cohort
        `person_id`, `team_code`, `status`, `programme`, `risk_band` and `need_band` of those listed or in reserve.
    places
        Team code: places of that week, of case management.
    doors
        `person_id`, `door` and `why` of everybody in that week's ledger; empty where it is no longer kept.
    others, budgets
        The programmes beside case management, and the teams' budgets, of that week.
    """

    as_of: dt.date
    cohort: pd.DataFrame
    places: dict[str, int]
    doors: pd.DataFrame
    others: Mapping[str, OtherProgramme] = field(default_factory=dict)
    budgets: Mapping[str, float] = field(default_factory=dict)

    def all_places(self) -> dict[str, int]:
        """Return the places of that week by team, of all programmes."""
        return {
            team: number + sum(other.places_of(team) for other in self.others.values())
            for team, number in self.places.items()
        }


def personal_changes(
    cohort: pd.DataFrame, news: pd.DataFrame, earlier: Earlier | None, titles: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Say of each person on the list what changed.

    Parameters
    ----------
    cohort
        `person_id`, `team_code`, `status`, `risk_band` and `need_band` of this week, and `programme` where there are several.
    news
        `person_id`, `label` and `news`: what was recorded since, of what a reason of the person's rests on, and its day.
    titles
        What each programme is called, by code; needed where there are several.

    Returns
    -------
    DataFrame
        `person_id` and `changed`: plain words, parts set apart by semicolons; never empty.
    """
    if earlier is None:
        return cohort[["person_id"]].assign(changed=FIRST)
    was = earlier.cohort.add_suffix("_was").rename(columns={"person_id_was": "person_id"})
    table = cohort.merge(was, on="person_id", how="left", validate="one_to_one")
    moved = [_programme(table, titles or {})] if "programme" in table else []
    parts = [_place(table), *moved, *[_band(table, name) for name in _BANDS], _news(table["person_id"], news)]
    said = parts[0]
    for part in parts[1:]:
        said = said + np.where((said != "") & (part != ""), "; ", "") + part
    return pd.DataFrame({"person_id": table["person_id"], "changed": said.mask(said == "", NOTHING)})


def _place(table: pd.DataFrame) -> pd.Series:
    now, was = table["status"], table["status_was"]
    moved = was.notna() & (table["team_code_was"] != table["team_code"])
    words = np.select(
        [
            moved,
            was.isna() & (now == LISTED),
            was.isna(),
            (was == RESERVE) & (now == LISTED),
            (was == LISTED) & (now == RESERVE),
        ],
        ["new to this team", "new on the list", "new in reserve", "was in reserve", "was listed, now in reserve"],
        "",
    )
    return pd.Series(words, index=table.index, dtype="str")


def _programme(table: pd.DataFrame, titles: Mapping[str, str]) -> pd.Series:
    """Say what somebody was listed for, who is listed by the same team for something else now: neither leaving nor entering."""
    return ("was listed for " + table["programme_was"].map(dict(titles)).fillna("another programme")).where(
        _other_programme(table), ""
    )


def _other_programme(table: pd.DataFrame) -> pd.Series:
    both = (
        (table["status"] == LISTED) & (table["status_was"] == LISTED) & (table["team_code"] == table["team_code_was"])
    )
    return both & (table["programme"] != table["programme_was"])


def moved_between_programmes(allocation: pd.DataFrame, earlier: Earlier) -> int:
    """Count the people whom the same team lists, as last week, but for another programme."""
    was = earlier.cohort[["person_id", "team_code", "status", "programme"]].add_suffix("_was")
    table = allocation.merge(was, left_on="person_id", right_on="person_id_was")
    return int(_other_programme(table).sum())


def _band(table: pd.DataFrame, name: str) -> pd.Series:
    subject, bands = _BANDS[name]
    order = {band: place for place, band in enumerate(bands)}
    now, was = table[name].map(order), table[f"{name}_was"].map(order)
    direction = pd.Series(np.select([now < was, now > was], [f"{subject} up", f"{subject} down"], ""), dtype="str")
    return direction.mask(direction != "", direction + ", was " + table[f"{name}_was"].astype("str"))


def _news(people: pd.Series, news: pd.DataFrame) -> pd.Series:
    told = news.dropna(subset=["news", "label"]).sort_values(
        ["person_id", "news", "label"], ascending=[True, False, True]
    )
    day = told["news"].dt.day.astype("str") + told["news"].dt.strftime(" %B %Y")
    words = ("new " + told["label"] + " on " + day).groupby(told["person_id"]).agg("; ".join)
    return words.reindex(people).fillna("").set_axis(people.index).astype("str")


def turnover(
    ledger: pd.DataFrame,
    allocation: pd.DataFrame,
    scores: pd.DataFrame,
    places: dict[str, int],
    earlier: Earlier | None,
    with_last_places: Collection[int] | None = None,
    closed: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Say who came onto the list and who left it since the last one, and why.

    Parameters
    ----------
    ledger, allocation, scores
        This week's tables; `scores` of everybody who competed.
    places
        Team code: places of this week, of all programmes.
    with_last_places
        `person_id` of those who would be listed this week if every team had the places of the last
        (`cohorts.listed_with`), which tells a change of places apart from a change of scores. Left out, people are told
        apart by where they stand by benefit alone.
    closed
        `person_id`, `programme` and `why` (of `cohorts.answers`) of those to whom a programme is not open for that reason;
        left out, nobody.

    Returns
    -------
    DataFrame
        The `turnover` table, sorted by team, movement and person; empty in a first week.
    """
    told = ["person_id", "team_code", *(["programme"] if "programme" in allocation else [])]
    now = allocation.loc[allocation["status"] == LISTED, told]
    if earlier is None:
        return check(empty(TURNOVER), TURNOVER)
    was = earlier.cohort.loc[earlier.cohort["status"] == LISTED, told]
    pairs_now, pairs_was = (pd.MultiIndex.from_frame(table[["person_id", "team_code"]]) for table in (now, was))
    competing = _competing(allocation, scores, places, earlier.all_places(), with_last_places)
    entered = _why_entered(now[~pairs_now.isin(pairs_was)], competing, earlier)
    left = _why_left(was[~pairs_was.isin(pairs_now)], competing, ledger, now, closed)
    table = pd.concat([entered.assign(movement="entered"), left.assign(movement="left")], ignore_index=True)
    order = table.sort_values(["team_code", "movement", "person_id"], ignore_index=True)
    return check(order[[name for name in TURNOVER.columns if name in order]], TURNOVER)


def _competing(
    allocation: pd.DataFrame,
    scores: pd.DataFrame,
    places: dict[str, int],
    places_was: dict[str, int],
    with_last_places: Collection[int] | None,
) -> pd.DataFrame:
    """Return why each person has or lacks a place, and whether they would be listed with the last week's places."""
    table = allocation[["person_id", "team_code", "status", "why"]].merge(
        scores[["person_id", "benefit"]], on="person_id"
    )
    team = table["team_code"]
    now = team.map(places).fillna(0)
    was = team.map(places_was).fillna(now)
    if with_last_places is None:
        then = table.groupby("team_code")["benefit"].rank(method="min", ascending=False) <= was
    else:
        then = table["person_id"].isin(list(with_last_places))
    return table.assign(then=then, more=now > was, fewer=now < was).drop(columns="team_code")


def _why_entered(entered: pd.DataFrame, competing: pd.DataFrame, earlier: Earlier) -> pd.DataFrame:
    before = earlier.doors.rename(columns={"door": "door_was", "why": "why_was"})
    on_a_list = earlier.cohort[["person_id", "status"]].rename(columns={"status": "status_was"})
    table = entered.merge(competing, on="person_id").merge(before, on="person_id", how="left")
    table = table.merge(on_a_list, on="person_id", how="left")
    known = len(earlier.doors) > 0
    grown = table["more"] & ~table["then"]
    rules = [
        (table["status_was"] == LISTED, "moved", "came from another team's list"),
        (table["door_was"] == ROUTED_ELSEWHERE, "routed", "no longer: " + table["why_was"].astype("str")),
        (table["door_was"] == NOT_ELIGIBLE, "eligible now", "no longer: " + table["why_was"].astype("str")),
        (table["door_was"].isna() & known & table["status_was"].isna(), "new here", "was not in the records"),
        (table["why"] == DRAWN, "lot", DRAWN),
        (table["why"] == KEEPS, "limit on changes", KEEPS),
        (table["why"] == _POLICY[0], "policy", _POLICY[0]),
        (grown, "capacity", "the team has more places"),
        (table["status_was"] == RESERVE, "score", "was in reserve; more to gain than others, or a place came free"),
    ]
    return _first_that_holds(table, rules, ("score", "more to gain than others now, or a place came free"))


def _why_left(
    left: pd.DataFrame,
    competing: pd.DataFrame,
    ledger: pd.DataFrame,
    now: pd.DataFrame,
    closed: pd.DataFrame | None,
) -> pd.DataFrame:
    table = left.merge(ledger[["person_id", "door", "why"]], on="person_id", how="left", suffixes=("", "_ledger"))
    table = table.merge(competing.drop(columns=["status", "why"]), on="person_id", how="left")
    fewer = table["fewer"].eq(True) & table["then"].eq(True)  # missing of those who do not compete
    why = table["why"].astype("str")
    answered = pd.Series(np.nan, index=table.index, dtype="object")
    if closed is not None and "programme" in table:
        told = closed.drop_duplicates(["person_id", "programme"]).set_index(["person_id", "programme"])["why"]
        answered = pd.Series(told.reindex(pd.MultiIndex.from_frame(table[["person_id", "programme"]])).to_numpy())
    rules = [
        (table["person_id"].isin(now["person_id"]), "moved", "is on another team's list"),
        (table["door"].isna(), "records", "records were joined to another person's, or are no longer received"),
        (table["why"] == "died", "died", "died"),
        (table["why"] == "moved away", "moved", "moved away"),
        (table["door"] == NOT_ELIGIBLE, "not eligible", why),
        (table["why"] == DECLINED, "declined", why),
        (table["door"] == ROUTED_ELSEWHERE, "routed", why),
        (table["door"] == OPTED_OUT, "opted out", "an opt-out holds"),
        (table["door"] == QUARANTINED, "records", "no record passed its checks"),
        (answered == DECLINED, "declined", DECLINED),
        (answered.notna(), "routed", answered),
        (table["why"] == _POLICY[1], "policy", why),
        (table["why"].isin([NOT_DRAWN, RESTS]), "lot", why),
        (table["why"] == KEPT_OUT, "limit on changes", why),
        (fewer, "capacity", "the team has fewer places"),
        (table["why"].str.endswith(NO_GAIN).eq(True), "score", "no gain is expected any more"),
    ]
    found = _first_that_holds(table, rules, ("score", "others have more to gain now"))
    waits = (table["door"] == RESERVE).to_numpy()
    return found.assign(why=found["why"] + np.where(waits, "; now in reserve", ""))


def _first_that_holds(
    table: pd.DataFrame, rules: list[tuple[pd.Series, str, str | pd.Series]], otherwise: tuple[str, str]
) -> pd.DataFrame:
    holds = [mask.to_numpy(dtype=bool) for mask, _, _ in rules]
    causes = [cause for _, cause, _ in rules]
    whys = [np.broadcast_to(why, len(table)) if isinstance(why, str) else why.to_numpy(object) for _, _, why in rules]
    return table[[name for name in ("person_id", "team_code", "programme") if name in table]].assign(
        cause=np.select(holds, causes, otherwise[0]), why=np.select(holds, whys, otherwise[1])
    )
