"""What a board's policy asks of the places: what each person's benefit counts for, and what no group may fall below.

The weights are those of distributional cost-effectiveness analysis (Asaria, Griffin and Cookson, Medical Decision
Making 2016, doi 10.1177/0272989X15583266). Under Atkinson's social welfare function with inequality aversion `e`, a
little health given to somebody in a group with mean health `h` is worth `h` to the power of `-e`; under Kolm's, which looks
at differences instead of ratios, `exp(-e h)`. Weights are put against the healthiest fifth, which counts 1.
"""

from __future__ import annotations

import datetime as dt
import difflib
import math
from typing import NamedTuple

import numpy as np
import pandas as pd

from casewell.errors import SettingsError
from casewell.settings import Policy
from fairness.groups import GROUPING_NAMES, QUINTILES
from fairness.places import in_high_need

MOST_DEPRIVED = QUINTILES[1.0]
FLOORS = "policy.floors."
KEPT = "stability.most_replaced"
"""Not a floor of the policy, but met in the same way: so many of those on the last list keep their places."""


class Floor(NamedTuple):
    """One rule of the settings, as the least number of places of each group of people.

    Attributes
    ----------
    key, value
        The rule's key in the settings, and the value asked for.
    group
        For each eligible person the number of the group, -1 for a group without a floor.
    least
        Places that each group must have, by its number.
    """

    key: str
    value: float
    group: np.ndarray
    least: np.ndarray


def deprivation_weights(policy: Policy) -> dict[str, float]:
    """Return the weight of each deprivation fifth; a person without one has the weight of the middle of all.

    >>> deprivation_weights(Policy())["1 most deprived"]
    1.0
    """
    health = np.array(policy.baseline_health)
    aversion, healthiest = policy.inequality_aversion, health.max()
    weights = (
        np.exp(aversion * (healthiest - health)) if policy.welfare == "kolm" else (health / healthiest) ** -aversion
    )
    return {label: float(weight) for label, weight in zip(QUINTILES.values(), weights, strict=True)}


def weights(groups: pd.DataFrame, policy: Policy) -> np.ndarray:
    """Return what each person's benefit is multiplied by: the weight of the fifth, times those of the groups.

    `groups` is `fairness.group_table` of the people in question. Somebody whose area is not known has the mean
    weight of everybody else: not knowing must neither help nor harm.

    Raises
    ------
    SettingsError
        When `policy.group_weights` names a group that does not exist.
    """
    _refuse_unknown_groups(groups, policy)
    known = groups["imd_quintile"].map(deprivation_weights(policy))
    product = known.fillna(known.mean() if known.notna().any() else 1.0).to_numpy(dtype="float64")
    for grouping, given in sorted(policy.group_weights.items()):
        product = product * groups[grouping].map(given).fillna(1.0).to_numpy(dtype="float64")
    return product


def asked(policy: Policy) -> dict[str, float]:
    """Return each floor's key in the settings, and its value."""
    given = policy.floors
    plain = {FLOORS + "core20": given.core20, FLOORS + "practice": given.practice}
    by_need = {f"{FLOORS}share_of_need.{grouping}": ratio for grouping, ratio in sorted(given.share_of_need.items())}
    return {key: value for key, value in plain.items() if value is not None} | by_need


def floors_of(eligible: pd.DataFrame, values: dict[str, float], need_share: float) -> list[Floor]:
    """Return floors in places; those that ask for no whole place are left out.

    Parameters
    ----------
    eligible
        One row for each person who competes: `team_code`, `practice_code`, `need`, `capacity` (of the person's team),
        `gains` (somebody who would not gain is offered no place), the labels of `fairness.group_table` and, for KEPT,
        `incumbent` (was listed by the same team).
    values
        As `asked` returns them, and for KEPT the share of a team's places that may not be taken from incumbents.
    need_share
        The share of people, by need, who count as in high need.
    """
    made = [_floor(eligible, key, value, need_share) for key, value in values.items()]
    return [floor for floor in made if floor.least.any()]


def _floor(eligible: pd.DataFrame, key: str, value: float, need_share: float) -> Floor:
    places = _places_to_fill(eligible)
    if key == KEPT:
        team, codes = pd.factorize(eligible["team_code"], sort=True)
        staying = (eligible["incumbent"] & eligible["gains"]).groupby(eligible["team_code"]).sum().reindex(codes)
        capacity = eligible.groupby("team_code")["capacity"].first().reindex(codes)
        may_go = np.floor(np.round((1 - value) * capacity, 9))
        least = np.maximum(np.minimum(staying, capacity) - may_go, 0).to_numpy()
        return _without_the_empty(key, value, np.where(eligible["incumbent"] & eligible["gains"], team, -1), least)
    if key == FLOORS + "core20":
        group = np.where(eligible["imd_quintile"] == MOST_DEPRIVED, 0, -1)
        return Floor(key, value, group, np.array([_up(value * places.sum())]))
    if key == FLOORS + "practice":
        pairs = pd.MultiIndex.from_frame(eligible[["team_code", "practice_code"]])
        group, practices = pd.factorize(pairs, sort=True)
        of_team = pd.Series(group).groupby(eligible["team_code"].to_numpy()).transform("size")
        share = pd.Series(1 / of_team.to_numpy()).groupby(group).sum().to_numpy()
        filled = places.reindex(practices.get_level_values(0)).to_numpy()
        return _without_the_empty(key, value, group, np.floor(np.round(value * share * filled, 9)))
    grouping = key.removeprefix(FLOORS + "share_of_need.")
    group, labels = pd.factorize(eligible[grouping], sort=True)
    high = in_high_need(eligible["need"], need_share).to_numpy()
    share = np.bincount(group[high], minlength=len(labels)) / max(high.sum(), 1)
    return _without_the_empty(key, value, group, np.array([_up(value * part * places.sum()) for part in share]))


def _without_the_empty(key: str, value: float, group: np.ndarray, least: np.ndarray) -> Floor:
    needed = (group >= 0) & (least[group] > 0)
    return Floor(key, value, np.where(needed, group, -1), least.astype("int64"))


def _places_to_fill(eligible: pd.DataFrame) -> pd.Series:
    """Return how many places each team will fill: its capacity, or all who would gain where they are fewer."""
    teams = eligible.groupby("team_code").agg(capacity=("capacity", "first"), gains=("gains", "sum"))
    return teams.min(axis=1).astype("int64")


def _up(places: float) -> int:
    return math.ceil(round(places, 9))


def refuse_outdated(policy: Policy, as_of: dt.date) -> None:
    """Refuse a policy whose review is overdue: nobody answers for it any longer.

    Raises
    ------
    SettingsError
        When the list's date lies after `policy.review_date` and a rule is set.
    """
    if policy.chosen and policy.review_date is not None and as_of > policy.review_date:
        raise SettingsError(
            f"policy.review_date was {policy.review_date}: the policy of {policy.owner} has not been reviewed since",
            "Have it reviewed and give the next date, or take the policy out of the settings.",
        )


def _refuse_unknown_groups(groups: pd.DataFrame, policy: Policy) -> None:
    problems = []
    for grouping, given in sorted(policy.group_weights.items()):
        known = sorted(set(groups[grouping]) | (set(QUINTILES.values()) if grouping == "imd_quintile" else set()))
        for label in sorted(set(given) - set(known)):
            near = difflib.get_close_matches(label, known, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            name = GROUPING_NAMES[grouping].lower()
            problems.append(
                f"policy.group_weights.{grouping} names {label!r}, a group that nobody is in ({name}){hint}"
            )
    if problems:
        raise SettingsError(problems, "The groups are those of fairness.html.")
