"""What a policy costs and what it moves: beside the list without it, and beside milder and sterner policies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from casewell.settings import Policy, Teams
from cohorts.allocation import allocate
from cohorts.policy import MOST_DEPRIVED
from cohorts.tables import LISTED
from fairness.disclosure import control
from fairness.groups import QUINTILES
from fairness.inequality import by_fifth, concentration_index
from fairness.places import in_high_need
from records.tables import NOT_RECORDED

AVERSIONS = (0.0, 1.0, 2.0, 4.0, 7.0, 10.95, 15.0, 20.0, 30.0)
"""Inequality aversion tried for the frontier; 10.95 is what a sample of the English public gave (Robson and others,
Health Economics 2017, doi 10.1002/hec.3430)."""


@dataclass(frozen=True)
class Price:
    """Exact figures: show counts only through `fairness.disclosure`.

    Attributes
    ----------
    frontier
        One row for each inequality aversion tried, under the policy's other rules, for the list by benefit alone, for the
        one by the policy alone (chosen) and, where the limit on changes or a lot had a hand in it, for the list as it is:
        `policy` (by benefit alone, chosen, as listed or tried), `inequality_aversion`, `places`, `benefit` (people expected
        to be spared the outcome), `core20` (places of the most deprived fifth), `moved` (places that are not somebody's
        by benefit alone; of the list as it is, not by the policy alone), `concentration` (index of places along
        deprivation), `inequity` (that, less the index of high need) and `small` (some fifth has so few places, or people
        in high need, that its count is hidden, and could be reckoned back from the indices).
    fifths
        One row for each deprivation fifth and for people without one: `people`, `high_need`, places `before` (by
        benefit alone) and `after` (as listed), `entered` and `left`.
    """

    frontier: pd.DataFrame
    fifths: pd.DataFrame

    def row(self, policy: str) -> pd.Series:
        """Return the frontier's row of `chosen`, `as listed` or `by benefit alone`."""
        return self.frontier[self.frontier["policy"] == policy].iloc[0]


def price(
    listed: np.ndarray,
    scores: pd.DataFrame,
    people: pd.DataFrame,
    groups: pd.DataFrame,
    teams: Teams,
    policy: Policy,
    need_share: float,
    tie_break_key: bytes,
    beyond_policy: bool = False,
) -> Price:
    """Work out a week's choices again without the policy, and with others, and hold them against each other.

    Parameters
    ----------
    listed
        person_id of those whom `cohorts.allocate` listed this week, given what follows.
    scores
        Of everybody who could have had a place.
    beyond_policy
        The limit on changes or a lot may have moved places besides: what they moved and cost is no price of the policy.
    """
    table = scores[["person_id", "benefit", "need"]].merge(groups[["person_id", "imd_quintile"]], on="person_id")
    table = table.assign(high_need=in_high_need(table["need"], need_share))

    def listed_under(other: Policy) -> np.ndarray:
        found = allocate(scores, people, teams, tie_break_key, other, groups, need_share)
        return table["person_id"].isin(found.loc[found["status"] == LISTED, "person_id"]).to_numpy()

    before, after = listed_under(Policy()), table["person_id"].isin(listed).to_numpy()
    chosen, aversion = listed_under(policy) if beyond_policy else after, policy.inequality_aversion
    rows = [_row(table, "by benefit alone", 0.0, before, before), _row(table, "chosen", aversion, chosen, before)]
    if (chosen != after).any():
        rows.append(_row(table, "as listed", aversion, after, chosen))
    rows += [_row(table, "tried", tried, listed_under(_with(policy, tried)), before) for tried in AVERSIONS]
    return Price(pd.DataFrame(rows), _fifths(table, before, after))


def _with(policy: Policy, aversion: float) -> Policy:
    # Nobody answers for a policy that is only tried.
    answered = {"owner": policy.owner or "nobody: tried only", "review_date": policy.review_date or "2999-01-01"}
    return Policy.model_validate(policy.model_dump() | answered | {"inequality_aversion": aversion})


def _row(
    table: pd.DataFrame, policy: str, aversion: float, listed: np.ndarray, against: np.ndarray
) -> dict[str, object]:
    sums = by_fifth(table["imd_quintile"], pd.Series(listed), table["high_need"])
    places, need = (concentration_index(sums["people"].to_numpy(), sums[number].to_numpy()) for number in (0, 1))
    hidden = control(sums[[0, 1]].stack()).isna().any()
    return {
        "policy": policy,
        "inequality_aversion": aversion,
        "places": int(listed.sum()),
        "benefit": float(table.loc[listed, "benefit"].sum()),
        "core20": int(sums[0].loc[MOST_DEPRIVED]),
        "moved": int((listed & ~against).sum()),
        "concentration": places,
        "inequity": places - need,
        "small": bool(hidden),
    }


def _fifths(table: pd.DataFrame, before: np.ndarray, after: np.ndarray) -> pd.DataFrame:
    flags = {
        "people": np.ones(len(table), dtype=bool),
        "high_need": table["high_need"].to_numpy(),
        "before": before,
        "after": after,
        "entered": after & ~before,
        "left": before & ~after,
    }
    sums = pd.DataFrame(flags).groupby(table["imd_quintile"].to_numpy()).sum()
    return sums.reindex([*QUINTILES.values(), NOT_RECORDED], fill_value=0).rename_axis("fifth").reset_index()
