"""Places near the cut-off drawn by lot, where a team has declared it.

Of a team's places the last ones, in the order of the list, are drawn among the people who hold them and those
next in line. The lot is drawn within strata of people who are alike in everything a floor asks about, and each stratum
keeps as many places as it had, so that every draw meets every floor. Whoever is in the lot has a chance that is
written down: places over people, of the stratum. Nobody outside it is touched, but for people whom an earlier lot passed
over and whom the margin lets rest (`rest_days`): they have a place only where they stand above the places that are drawn.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from casewell.doors import check
from casewell.errors import SettingsError
from casewell.settings import Policy, Stability, Teams
from casewell.settings.margin import Margin
from cohorts.tables import LISTED, LOTS


def refuse_outdated_margins(teams: Teams, as_of: dt.date) -> None:
    """Refuse margins that were not approved yet, or are over.

    Raises
    ------
    SettingsError
        Naming each of them.
    """
    problems = [
        f"the margin of team {code!r} was approved on {margin.approved_on}, after {as_of}"
        for code, margin in sorted(teams.margins.items())
        if as_of < margin.approved_on
    ]
    problems += [
        f"the margin of team {code!r} ended on {margin.ends_on}, before {as_of}"
        for code, margin in sorted(teams.margins.items())
        if as_of > margin.ends_on
    ]
    if problems:
        raise SettingsError(problems, "Have it approved anew, or take it out of teams.margins.")


def strata(policy: Policy, stability: Stability) -> list[str]:
    """Return the columns in which the people of one stratum are alike: those that a floor asks about."""
    floors = policy.floors
    asked = ["core20"] if floors.core20 is not None else []
    asked += ["practice_code"] if floors.practice is not None else []
    asked += [grouping for grouping in floors.share_of_need if grouping not in asked]
    return asked + (["incumbent"] if stability.most_replaced < 1 else [])


def draw(
    ordered: pd.DataFrame,
    listed: np.ndarray,
    margins: dict[str, Margin],
    alike: Sequence[str],
    key: bytes,
    as_of: dt.date | None,
    resting: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the lots of every team that declared a margin.

    Parameters
    ----------
    ordered : `team_code`, `person_id`, `gains`, `position` (1 for the first of a team, listed people first), and the
        columns `alike`
    listed : who has a place without any lot
    key : the secret that makes the lot; the same key, day and people give the same draw
    resting : who was passed over by a lot and is in none until the team's `rest_days` are over (`resting_now`)

    Returns
    -------
    who has a place now, and each one's chance of one; the chance is missing for everybody who is in no lot.
    """
    drawn, chance = listed.copy(), np.full(len(ordered), np.nan)
    resting = np.zeros(len(ordered), dtype=bool) if resting is None else resting
    for code, margin in sorted(margins.items()):
        mine = np.flatnonzero((ordered["team_code"] == code) & ordered["gains"])
        mine = mine[np.argsort(ordered["position"].to_numpy()[mine], kind="stable")]
        holding = mine[listed[mine]]
        places = math.floor(round(len(holding) * margin.share, 9))
        if not places:
            continue
        offered = holding[-places:]
        waiting = mine[~listed[mine] & ~resting[mine]]
        stratum = _labels(ordered, alike)
        for label in np.unique(stratum[offered]):
            at_stake = offered[stratum[offered] == label]
            # At least one: in a stratum of few places rounding would leave a declared lot without anybody to draw among.
            more = max(1, round(len(at_stake) * margin.width) - len(at_stake))
            near = np.concatenate([at_stake[~resting[at_stake]], waiting[stratum[waiting] == label]])
            entered = near[: len(at_stake) + more]
            if len(entered) <= len(at_stake):
                continue  # nobody waits, so there is nothing to draw
            lots = [_lot(person, margin, key, as_of) for person in ordered["person_id"].to_numpy()[entered]]
            winners = entered[np.argsort(lots)[: len(at_stake)]]
            drawn[at_stake] = drawn[entered] = False
            drawn[winners] = True
            chance[entered] = len(at_stake) / len(entered)
    return drawn, chance


def resting_now(lots: pd.DataFrame, teams: Teams, as_of: dt.date) -> pd.DataFrame:
    """Return `person_id` and `team_code` of whoever earlier lots (`cohorts.tables.LOTS`) passed over and who still rests."""
    days = lots["team_code"].map({code: margin.rest_days for code, margin in teams.margins.items()}).fillna(0)
    rests = ~lots["drawn"] & (lots["as_of"] + pd.to_timedelta(days, unit="D") > pd.Timestamp(as_of))
    return lots.loc[rests, ["person_id", "team_code"]].drop_duplicates(ignore_index=True)


def lots(allocation: pd.DataFrame, teams: Teams, as_of: dt.date) -> pd.DataFrame:
    """Return the record of the week's lots, `cohorts.tables.LOTS`: everybody who was in one, drawn or not."""
    inside = allocation[allocation["chance"].notna()]
    approval = {code: margin.approval for code, margin in teams.margins.items()}
    table = pd.DataFrame(
        {
            "as_of": pd.Timestamp(as_of),
            "team_code": inside["team_code"],
            "person_id": inside["person_id"],
            "chance": inside["chance"],
            "drawn": inside["status"] == LISTED,
            "approval": inside["team_code"].map(approval),
        }
    )
    return check(table.sort_values(["team_code", "person_id"], ignore_index=True), LOTS)


def _labels(ordered: pd.DataFrame, alike: Sequence[str]) -> np.ndarray:
    return (
        ordered.groupby(list(alike), dropna=False).ngroup().to_numpy() if alike else np.zeros(len(ordered), dtype=int)
    )


def _lot(person: int, margin: Margin, key: bytes, as_of: dt.date | None) -> str:
    told = f"margin|{margin.approval}|{margin.seed}|{as_of}|{person}".encode()
    return hmac.digest(key, told, hashlib.sha256).hex()
