"""What a policy costs and what it moves: beside the list without it, and beside milder and sterner policies."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from casewell.settings import CASE_MANAGEMENT, Policy, Teams
from cohorts.allocation import allocate
from cohorts.policy import MOST_DEPRIVED
from cohorts.several import OtherProgrammes, as_offered
from cohorts.tables import LISTED
from fairness.disclosure import control
from fairness.groups import QUINTILES
from fairness.inequality import by_fifth, concentration_index
from fairness.places import in_high_need
from records.tables import NOT_RECORDED

AVERSIONS = (0.0, 1.0, 2.0, 4.0, 7.0, 10.95, 15.0, 20.0, 30.0)
"""Inequality aversion tried for the frontier; 10.95 is what a sample of the English public gave (Robson and others,
Health Economics 2017, doi 10.1002/hec.3430)."""


PROGRAMME_COLUMNS = ["programme", "places", "filled", "benefit", "pounds"]


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
    programmes
        With several programmes, or budgets, one row for each: `programme` (its code), `places` of all teams, `filled` (as listed),
        `benefit` (people expected to be spared by them) and `pounds` (0 where a place has no cost); else no row.
    budgets_cost
        People expected to be spared whom the teams' budgets cost, under the same policy; None without budgets.
    """

    frontier: pd.DataFrame
    fifths: pd.DataFrame
    programmes: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=PROGRAMME_COLUMNS))
    budgets_cost: float | None = None

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
    others: OtherProgrammes | None = None,
    held: pd.Series | None = None,
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
    others
        As `cohorts.allocate` was given them.
    held
        The programme of each of `listed`, by person_id; left out, case management.
    """
    table = scores[["person_id", "benefit", "need"]].merge(groups[["person_id", "imd_quintile"]], on="person_id")
    table = table.assign(high_need=in_high_need(table["need"], need_share))

    def listed_under(other: Policy, budgets: bool = True) -> tuple[np.ndarray, np.ndarray]:
        """Return who would be listed, and what each would gain by the place."""
        given = teams if budgets else teams.model_copy(update={"budgets": {}})
        found = allocate(scores, people, given, tie_break_key, other, groups, need_share, others=others)
        gains = as_offered(found, table, others)["benefit"].to_numpy()
        return table["person_id"].isin(found.loc[found["status"] == LISTED, "person_id"]).to_numpy(), gains

    before, before_gains = listed_under(Policy())
    after, after_gains = _as_listed(table, listed, held, others)
    chosen, chosen_gains = listed_under(policy) if beyond_policy else (after, after_gains)
    aversion = policy.inequality_aversion
    rows = [
        _row(table, "by benefit alone", 0.0, before, before, before_gains),
        _row(table, "chosen", aversion, chosen, before, chosen_gains),
    ]
    if (chosen != after).any():
        rows.append(_row(table, "as listed", aversion, after, chosen, after_gains))
    for tried in AVERSIONS:
        would, gains = listed_under(_with(policy, tried))
        rows.append(_row(table, "tried", tried, would, before, gains))
    frontier, fifths = pd.DataFrame(rows), _fifths(table, before, after)
    if others is None:
        return Price(frontier, fifths)
    by_programme = _programmes(table, after, after_gains, held, others, others.places(teams, _serving(scores, people)))
    if not teams.budgets:
        return Price(frontier, fifths, by_programme)
    free, free_gains = listed_under(policy, budgets=False)
    return Price(frontier, fifths, by_programme, float(free_gains[free].sum() - chosen_gains[chosen].sum()))


def _as_listed(
    table: pd.DataFrame, listed: np.ndarray, held: pd.Series | None, others: OtherProgrammes | None
) -> tuple[np.ndarray, np.ndarray]:
    after = table["person_id"].isin(listed).to_numpy()
    if held is None:
        return after, table["benefit"].to_numpy()
    places = pd.DataFrame({"person_id": held.index, "programme": held.to_numpy()})
    return after, as_offered(places, table, others)["benefit"].to_numpy()


def _serving(scores: pd.DataFrame, people: pd.DataFrame) -> list[str]:
    return sorted(set(people.loc[people["person_id"].isin(scores["person_id"]), "team_code"]))


def _programmes(
    table: pd.DataFrame,
    after: np.ndarray,
    gains: np.ndarray,
    held: pd.Series | None,
    others: OtherProgrammes,
    places: np.ndarray,
) -> pd.DataFrame:
    programme = np.full(len(table), CASE_MANAGEMENT) if held is None else held.reindex(table["person_id"]).to_numpy()
    sums = pd.DataFrame({"filled": after, "benefit": np.where(after, gains, 0.0)}).groupby(programme).sum()
    told = sums.reindex(others.codes, fill_value=0).rename_axis("programme").reset_index()
    return told.assign(places=places.sum(axis=0), pounds=told["filled"] * others.costs)[PROGRAMME_COLUMNS]


def _with(policy: Policy, aversion: float) -> Policy:
    # Nobody answers for a policy that is only tried.
    answered = {"owner": policy.owner or "nobody: tried only", "review_date": policy.review_date or "2999-01-01"}
    return Policy.model_validate(policy.model_dump() | answered | {"inequality_aversion": aversion})


def _row(
    table: pd.DataFrame,
    policy: str,
    aversion: float,
    listed: np.ndarray,
    against: np.ndarray,
    gains: np.ndarray | None = None,
) -> dict[str, object]:
    sums = by_fifth(table["imd_quintile"], pd.Series(listed), table["high_need"])
    places, need = (concentration_index(sums["people"].to_numpy(), sums[number].to_numpy()) for number in (0, 1))
    hidden = control(sums[[0, 1]].stack()).isna().any()
    return {
        "policy": policy,
        "inequality_aversion": aversion,
        "places": int(listed.sum()),
        "benefit": float((table["benefit"].to_numpy() if gains is None else gains)[listed].sum()),
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
