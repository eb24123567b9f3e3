"""Who gets the places: the most benefit first, team by team, up to each team's capacity."""

from __future__ import annotations

import difflib
import hashlib
import hmac
import math

import numpy as np
import pandas as pd

from casewell.doors import check
from casewell.errors import SettingsError
from casewell.settings import Teams
from cohorts.tables import ALLOCATION, LISTED, RESERVE


def allocate(scores: pd.DataFrame, people: pd.DataFrame, teams: Teams, tie_break_key: bytes) -> pd.DataFrame:
    """Offer each team's places to those of its people whom case management would help most.

    Nobody is offered a place who is not expected to gain (`benefit` > 0). Equal benefits are
    ordered by a keyed hash of the pseudonym: no order of rows, records or names can favour
    anybody, and the same week gives the same list.

    Returns
    -------
    DataFrame
        The `allocation` table, sorted by team, rank and person: one row for each row of `scores`.

    Raises
    ------
    SettingsError
        When `teams.capacity` names a team that serves nobody.
    """
    _refuse_unknown_teams(people, teams)
    eligible = scores[["person_id", "benefit"]].merge(
        people[["person_id", "team_code"]], on="person_id", validate="one_to_one"
    )
    if len(eligible) != len(scores) or (eligible["team_code"] == "").any():
        raise RuntimeError("somebody was scored who is not in `people` or whom no team serves")
    capacity, places = _places(eligible["team_code"], teams)
    ordered = _in_order(eligible.assign(capacity=capacity, places=places), tie_break_key)
    position = ordered.groupby("team_code").cumcount() + 1
    gains = ordered["benefit"] > 0
    listed = gains & (position <= ordered["capacity"])
    selected = gains & (position <= ordered["places"])
    status = np.select([listed, selected], [LISTED, RESERVE], "not_selected")
    allocation = pd.DataFrame(
        {
            "person_id": ordered["person_id"],
            "team_code": ordered["team_code"],
            "status": status,
            "rank": position.astype("Int64").where(selected),
            "why": np.select(
                [listed, selected, ~gains, ordered["capacity"] == 0],
                [
                    "among the most to gain for the team's places",
                    "next, if somebody declines",
                    "no gain expected",
                    "the team has no places this week",
                ],
                "others had more to gain",
            ),
        }
    )
    return check(
        allocation.sort_values(["team_code", "rank", "person_id"], na_position="last", ignore_index=True), ALLOCATION
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
    capacity = team_code.map(teams.capacity).fillna(teams.default_capacity).astype("int64")
    # Rounded first: 100 x 0.07 is 7.000000000000001 in floating point, which is not eight places.
    reserve = {places: math.ceil(round(places * teams.reserve_share, 9)) for places in capacity.unique()}
    return capacity, capacity + capacity.map(reserve).astype("int64")


def _in_order(eligible: pd.DataFrame, key: bytes) -> pd.DataFrame:
    ordered = eligible.sort_values(
        ["team_code", "benefit", "person_id"], ascending=[True, False, True], ignore_index=True
    )
    by_team = ordered.groupby("team_code")
    # A tie matters only where it begins among the places; hashing everybody would cost a loop over people.
    first_of_tie = by_team["benefit"].rank(method="min", ascending=False)
    tied = ordered.duplicated(["team_code", "benefit"], keep=False) & (ordered["benefit"] > 0)
    contested = (tied & (first_of_tie <= ordered["places"])).to_numpy()
    lot = np.full(len(ordered), "", dtype=object)
    lot[contested] = [_lot(person, key) for person in ordered.loc[contested, "person_id"]]
    return ordered.assign(lot=lot).sort_values(
        ["team_code", "benefit", "lot", "person_id"], ascending=[True, False, True, True], ignore_index=True
    )


def _lot(person_id: int, key: bytes) -> str:
    return hmac.digest(key, int(person_id).to_bytes(8, "big", signed=True), hashlib.sha256).hex()
