"""Who gets the places: the most benefit first, as the policy weighs it, within each team's places and above its floors."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pandas as pd

from casewell.doors import check
from casewell.settings import Policy, Stability, Teams
from cohorts.floors import choose_above
from cohorts.known_teams import refuse_unknown_teams
from cohorts.margin import draw, strata
from cohorts.policy import KEPT, asked, weights
from cohorts.several import OtherProgrammes, allocate_among
from cohorts.tables import ALLOCATION, LISTED, RESERVE
from cohorts.ties import tie_lot
from cohorts.whys import why

NO_POLICY = Policy()
NO_LIMIT = Stability()


def allocate(
    scores: pd.DataFrame,
    people: pd.DataFrame,
    teams: Teams,
    tie_break_key: bytes,
    policy: Policy = NO_POLICY,
    groups: pd.DataFrame | None = None,
    need_share: float = 0.1,
    stability: Stability = NO_LIMIT,
    last: pd.DataFrame | None = None,
    as_of: dt.date | None = None,
    others: OtherProgrammes | None = None,
    resting: pd.DataFrame | None = None,
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
    stability, last
        What keeps places with those who have them, and `person_id` and `team_code` of those listed last; None in a first
        week, when nothing is kept.
    as_of
        The day of the list, by which the lots of declared margins are drawn (`cohorts.margin`); without it none is.
    others
        What teams can offer beside case management, and what places cost (`cohorts.several`); None where there is nothing
        else, and no budget.
    resting
        Whom an earlier lot of which team passed over, and lets rest (`cohorts.resting_now`).

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
    refuse_unknown_teams(set(people["team_code"]), teams, others.programmes if others else {})
    eligible = scores[["person_id", "benefit", "need"]].merge(
        people[["person_id", "team_code", "practice_code"]], on="person_id", validate="one_to_one"
    )
    if len(eligible) != len(scores) or (eligible["team_code"] == "").any():
        raise RuntimeError("somebody was scored who is not in `people` or whom no team serves")
    eligible = eligible.assign(incumbent=_among(eligible, last), resting=_among(eligible, resting))
    if others is not None:
        return _checked(
            allocate_among(eligible, others, teams, tie_break_key, policy, groups, need_share, stability, as_of)
        )
    capacity, places = _places(eligible["team_code"], teams)
    eligible = eligible.assign(
        capacity=capacity, places=places, gains=eligible["benefit"] > 0, value=eligible["benefit"]
    )
    plain = _in_order(eligible, tie_break_key)
    freely = _under(policy, NO_LIMIT, plain, groups, need_share, tie_break_key)
    ordered, listed = freely
    if stability.chosen and eligible["incumbent"].any():
        ordered, listed = _under(policy, stability, plain, groups, need_share, tie_break_key)
    margins = teams.margins if as_of is not None else {}
    rests = ordered["resting"].to_numpy()
    drawn, chance = draw(ordered, listed.to_numpy(), margins, strata(policy, stability), tie_break_key, as_of, rests)
    ordered = _drawn_first(ordered.assign(listed=drawn, chance=chance, lost=(rests | ~np.isnan(chance)) & ~drawn))
    listed = ordered["listed"]
    # Whoever was not drawn is not next in line either, or the lot would not decide.
    selected = ordered["gains"] & (ordered["position"] <= ordered["places"]) & ~ordered["lost"]
    by_benefit = plain.loc[plain["gains"] & (plain["position"] <= plain["capacity"]), "person_id"]
    allocation = pd.DataFrame(
        {
            "person_id": ordered["person_id"],
            "team_code": ordered["team_code"],
            "status": np.select([listed, selected], [LISTED, RESERVE], "not_selected"),
            "rank": ordered["position"].astype("Int64").where(selected),
            "why": why(
                ordered,
                listed,
                selected,
                ordered["person_id"].isin(by_benefit),
                ordered["person_id"].isin(freely[0].loc[freely[1], "person_id"]),
            ),
            "chance": ordered["chance"],
        }
    )
    return _checked(allocation)


def _checked(allocation: pd.DataFrame) -> pd.DataFrame:
    return check(
        allocation.sort_values(["team_code", "rank", "person_id"], na_position="last", ignore_index=True), ALLOCATION
    )


def _among(eligible: pd.DataFrame, pairs: pd.DataFrame | None) -> np.ndarray:
    """Mark whoever is among `pairs` of `person_id` and `team_code`, with the team that serves them now."""
    if pairs is None:
        return np.zeros(len(eligible), dtype=bool)
    mine = pd.MultiIndex.from_frame(eligible[["person_id", "team_code"]])
    return mine.isin(pd.MultiIndex.from_frame(pairs[["person_id", "team_code"]]))


def _under(
    policy: Policy,
    stability: Stability,
    plain: pd.DataFrame,
    groups: pd.DataFrame | None,
    need_share: float,
    key: bytes,
) -> tuple[pd.DataFrame, pd.Series]:
    """Return everybody in the order of what their benefit counts for, listed people of each team first, and who is listed."""
    ordered = plain
    if policy.chosen:
        if groups is None:
            raise RuntimeError("a policy that moves places needs everybody's groups")
        grouped = plain.drop(columns=["lot", "position"]).merge(
            groups, on="person_id", how="left", validate="one_to_one"
        )
        ordered = _in_order(grouped.assign(value=grouped["benefit"] * weights(grouped, policy)), key)
    if stability.keep_within:
        kept = ordered["value"] * (1 + stability.keep_within * ordered["incumbent"])
        ordered = _in_order(ordered.drop(columns=["lot", "position"]).assign(value=kept), key)
    values = asked(policy)
    if stability.most_replaced < 1:
        values = values | {KEPT: 1 - stability.most_replaced}
    if not values:
        return ordered, ordered["gains"] & (ordered["position"] <= ordered["capacity"])
    listed = choose_above(
        ordered, values, need_share, lambda people: np.array([tie_lot(person, key) for person in people])
    )
    first = ordered.assign(listed=listed, later=~listed).sort_values(
        ["team_code", "later", "position"], ignore_index=True
    )
    first["position"] = first.groupby("team_code").cumcount() + 1
    return first, first["listed"]


def _drawn_first(ordered: pd.DataFrame) -> pd.DataFrame:
    """Put listed people of each team first and those whom a lot passed over last, each in the order they had."""
    turn = np.select([ordered["listed"], ordered["lost"]], [0, 2], 1)
    again = ordered.assign(turn=turn).sort_values(["team_code", "turn", "position"], ignore_index=True)
    return again.assign(position=again.groupby("team_code").cumcount() + 1)


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
    lot[contested] = [tie_lot(person, key) for person in ordered.loc[contested, "person_id"]]
    ordered = ordered.assign(lot=lot).sort_values(
        ["team_code", "value", "lot", "person_id"], ascending=[True, False, True, True], ignore_index=True
    )
    return ordered.assign(position=ordered.groupby("team_code").cumcount() + 1)
