"""Who gets the places: the most benefit first, as the policy weighs it, within each team's places and above its floors."""

from __future__ import annotations

import difflib
import hashlib
import hmac
import math

import numpy as np
import pandas as pd

from casewell.doors import check
from casewell.errors import SettingsError
from casewell.settings import Policy, Teams
from cohorts.floors import choose_above
from cohorts.policy import asked, weights
from cohorts.tables import ALLOCATION, LISTED, RESERVE

NO_POLICY = Policy()


def allocate(
    scores: pd.DataFrame,
    people: pd.DataFrame,
    teams: Teams,
    tie_break_key: bytes,
    policy: Policy = NO_POLICY,
    groups: pd.DataFrame | None = None,
    need_share: float = 0.1,
) -> pd.DataFrame:
    """Offer each team's places to those of its people whom case management would help most, as the policy weighs it.

    Nobody is offered a place who is not expected to gain (`benefit` > 0). Equal benefits are
    ordered by a keyed hash of the pseudonym: no order of rows, records or names can favour
    anybody, and the same week gives the same list. With floors, nobody else could be chosen for more benefit, weighed,
    while every floor is met (`cohorts.solver`).

    Parameters
    ----------
    scores, people
        The tables of `models/` and `records/`.
    policy, groups
        Weights and floors, and `fairness.group_table` of everybody, by which they go; not needed where no rule is set.
    need_share
        The share of people, by need, who count as in high need (floors by share of need).

    Returns
    -------
    DataFrame
        The `allocation` table, sorted by team, rank and person: one row for each row of `scores`.

    Raises
    ------
    SettingsError
        When `teams.capacity` names a team that serves nobody, the policy a group that does not exist, or the floors
        cannot all be met; it says the nearest that can be.
    """
    _refuse_unknown_teams(people, teams)
    eligible = scores[["person_id", "benefit", "need"]].merge(
        people[["person_id", "team_code", "practice_code"]], on="person_id", validate="one_to_one"
    )
    if len(eligible) != len(scores) or (eligible["team_code"] == "").any():
        raise RuntimeError("somebody was scored who is not in `people` or whom no team serves")
    capacity, places = _places(eligible["team_code"], teams)
    eligible = eligible.assign(
        capacity=capacity, places=places, gains=eligible["benefit"] > 0, value=eligible["benefit"]
    )
    plain = _in_order(eligible, tie_break_key)
    if policy.chosen:
        ordered, listed = _under(policy, plain, groups, need_share, tie_break_key)
    else:
        ordered, listed = plain, plain["gains"] & (plain["position"] <= plain["capacity"])
    selected = ordered["gains"] & (ordered["position"] <= ordered["places"])
    allocation = pd.DataFrame(
        {
            "person_id": ordered["person_id"],
            "team_code": ordered["team_code"],
            "status": np.select([listed, selected], [LISTED, RESERVE], "not_selected"),
            "rank": ordered["position"].astype("Int64").where(selected),
            "why": _why(ordered, plain, listed, selected),
        }
    )
    return check(
        allocation.sort_values(["team_code", "rank", "person_id"], na_position="last", ignore_index=True), ALLOCATION
    )


def _under(
    policy: Policy, plain: pd.DataFrame, groups: pd.DataFrame | None, need_share: float, key: bytes
) -> tuple[pd.DataFrame, pd.Series]:
    """Return everybody in the policy's order, listed people of each team first, and who is listed."""
    if groups is None:
        raise RuntimeError("a policy that moves places needs everybody's groups")
    grouped = plain.drop(columns=["lot", "position"]).merge(groups, on="person_id", how="left", validate="one_to_one")
    weighed = grouped.assign(value=grouped["benefit"] * weights(grouped, policy))
    ordered = _in_order(weighed, key)
    if not asked(policy):
        return ordered, ordered["gains"] & (ordered["position"] <= ordered["capacity"])
    listed = choose_above(
        ordered, policy, need_share, lambda people: np.array([_lot(person, key) for person in people])
    )
    first = ordered.assign(listed=listed, later=~listed).sort_values(
        ["team_code", "later", "position"], ignore_index=True
    )
    first["position"] = first.groupby("team_code").cumcount() + 1
    return first, first["listed"]


def _why(ordered: pd.DataFrame, plain: pd.DataFrame, listed: pd.Series, selected: pd.Series) -> np.ndarray:
    by_benefit = plain.loc[plain["gains"] & (plain["position"] <= plain["capacity"]), "person_id"]
    first_by_benefit = ordered["person_id"].isin(by_benefit)
    return np.select(
        [
            listed & first_by_benefit,
            listed,
            selected & ~first_by_benefit,
            first_by_benefit,
            ~ordered["gains"],
            ordered["capacity"] == 0,
        ],
        [
            "among the most to gain for the team's places",
            "by the policy on places",
            "next, if somebody declines",
            "the policy on places gave the place to somebody else",
            "no gain expected",
            "the team has no places this week",
        ],
        "others had more to gain",
    )


def _refuse_unknown_teams(people: pd.DataFrame, teams: Teams) -> None:
    known = sorted(set(people["team_code"]) - {""})
    problems = []
    for code in sorted(set(teams.capacity) - set(known)):
        near = difflib.get_close_matches(code, known, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        problems.append(f"teams.capacity names {code!r}, a team that serves nobody{hint}")
    if problems:
        raise SettingsError(problems, f"Teams are by {teams.by!r} (teams.by); the codes come from the practices.")


def _places(team_code: pd.Series, teams: Teams) -> tuple[pd.Series, pd.Series]:
    capacity = team_code.map({team: teams.places(team) for team in team_code.unique()}).astype("int64")
    # Rounded first: 100 x 0.07 is 7.000000000000001 in floating point, which is not eight places.
    reserve = {places: math.ceil(round(places * teams.reserve_share, 9)) for places in capacity.unique()}
    return capacity, capacity + capacity.map(reserve).astype("int64")


def _in_order(eligible: pd.DataFrame, key: bytes) -> pd.DataFrame:
    """Sort by team and value, ties by lot; `position` is 1 for the first of a team."""
    ordered = eligible.sort_values(
        ["team_code", "value", "person_id"], ascending=[True, False, True], ignore_index=True
    )
    by_team = ordered.groupby("team_code")
    # A tie matters only where it begins among the places; hashing everybody would cost a loop over people.
    first_of_tie = by_team["value"].rank(method="min", ascending=False)
    tied = ordered.duplicated(["team_code", "value"], keep=False) & ordered["gains"]
    contested = (tied & (first_of_tie <= ordered["places"])).to_numpy()
    lot = np.full(len(ordered), "", dtype=object)
    lot[contested] = [_lot(person, key) for person in ordered.loc[contested, "person_id"]]
    ordered = ordered.assign(lot=lot).sort_values(
        ["team_code", "value", "lot", "person_id"], ascending=[True, False, True, True], ignore_index=True
    )
    return ordered.assign(position=ordered.groupby("team_code").cumcount() + 1)


def _lot(person_id: int, key: bytes) -> str:
    return hmac.digest(key, int(person_id).to_bytes(8, "big", signed=True), hashlib.sha256).hex()
