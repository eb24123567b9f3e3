"""What several programmes gain with one budget, each person having one at most.

Who gets what is the multi-armed knapsack of Sverdrup, Wu, Athey and Wager ("Qini curves for multi-armed treatment
rules", 2023). Of a person's programmes only those count that lie on the upper convex hull of benefit over cost; steps
along the hulls are bought from the steepest down. That is the best that the budget can buy, but for the last person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.benefit.comparison import Estimate
from models.targeting.budget import require_money
from models.targeting.spending import Bought, buy

TOGETHER = "all programmes"


@dataclass(frozen=True)
class Offered:
    """One programme; arrays of one length.

    scores : doubly robust score of each row, of this programme against none
    benefit : stated benefit, by models fitted on other people; nobody is offered what is not stated to help
    cost : pounds that a place for each row costs, above nought
    """

    scores: np.ndarray
    benefit: np.ndarray
    cost: np.ndarray


@dataclass(frozen=True)
class Steps:
    """Moves from one programme (or none) to the next along people's hulls: `row`, what is gained, its cost, its steepness."""

    row: np.ndarray
    scores: np.ndarray
    cost: np.ndarray
    steepness: np.ndarray


def steps(programmes: Sequence[Offered]) -> Steps:
    """Return the steps of everybody; within a person they become less steep, so that none is bought before its forerunner."""
    zero = np.zeros((len(programmes[0].scores), 1))
    # The first column is having none.
    scores, benefit, cost = (
        np.column_stack([zero, *(getattr(one, name) for one in programmes)]) for name in ("scores", "benefit", "cost")
    )
    row, at, found = np.arange(len(scores)), np.zeros(len(scores), dtype=int), []
    while len(row):
        dearer, better = cost[row] - cost[row, at][:, None], benefit[row] - benefit[row, at][:, None]
        steepness = np.where(dearer > 0, better / np.where(dearer > 0, dearer, 1.0), 0.0)
        best = steepness.max(axis=1)
        # Of two equally steep, the further.
        to = np.where(steepness == best[:, None], dearer, -1.0).argmax(axis=1)
        going = best > 0
        row, at, to, best = row[going], at[going], to[going], best[going]
        found.append((row, scores[row, to] - scores[row, at], cost[row, to] - cost[row, at], best))
        at = to
    return Steps(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def gain_of_programmes(programmes: Sequence[Offered], budget: float, person: np.ndarray) -> Estimate:
    """Estimate the benefit for each person in the population that `budget` pounds for each of them buy.

    Raises
    ------
    ValueError
        `budget` or a cost is not above nought.
    """
    return _bought(programmes, budget).estimate(person)


def advantage_of_programmes(
    programmes: Sequence[Offered], others: Sequence[Offered], budget: float, person: np.ndarray
) -> Estimate:
    """Estimate how much more the same money gains where `programmes` can be offered than where `others` can."""
    return _bought(programmes, budget).less(_bought(others, budget)).estimate(person)


def cost_curve(programmes: Mapping[str, Offered], budgets: Sequence[float], person: np.ndarray) -> pd.DataFrame:
    """Return what growing budgets gain, with all programmes together and with each alone.

    Returns
    -------
    DataFrame
        `rule` (`TOGETHER`, or the programme), `budget`, `spent` (pounds for each person; less than the budget where nobody
        else would gain), `gain`, `low`, `high` (95 %, each budget by itself).
    """
    _require(list(programmes.values()), min(budgets))
    rules = {TOGETHER: list(programmes.values())} | {name: [one] for name, one in programmes.items()}
    found = []
    for rule, offered in rules.items():
        walk = steps(offered)
        for budget in budgets:
            bought = _buy(walk, budget, len(person))
            gain = bought.estimate(person)
            low, high = gain.interval()
            found.append((rule, budget, bought.spent, gain.value, low, high))
    return pd.DataFrame(found, columns=["rule", "budget", "spent", "gain", "low", "high"])


def _bought(programmes: Sequence[Offered], budget: float) -> Bought:
    _require(programmes, budget)
    return _buy(steps(programmes), budget, len(programmes[0].scores))


def _buy(walk: Steps, budget: float, rows: int) -> Bought:
    return buy(walk.scores, walk.steepness, walk.cost, budget, walk.row, rows)


def _require(programmes: Sequence[Offered], budget: float) -> None:
    for one in programmes:
        require_money(one.cost, budget)
