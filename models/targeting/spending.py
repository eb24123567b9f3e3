"""What money buys when purchases are made in order until it is spent, and how far another draw of people would change that."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.benefit.comparison import Estimate
from models.targeting.clusters import clustered_error

NEAR_THE_CUT = 0.2  # of the purchases, on either side of the cut-off
FEWEST_NEAR = 50


@dataclass(frozen=True)
class Bought:
    """What was bought.

    value : mean over the population of what the purchases gain
    influence : of each row of the population on it; its mean is nought
    spent : mean over the population; less than the budget where there was nothing more to buy
    """

    value: float
    influence: np.ndarray
    spent: float

    def estimate(self, person: np.ndarray) -> Estimate:
        """Return the value with its error, clustered by the person of each row."""
        return Estimate(self.value, clustered_error(self.influence, person))

    def less(self, other: Bought) -> Bought:
        """Return the difference; what both bought cancels out."""
        return Bought(self.value - other.value, self.influence - other.influence, self.spent - other.spent)


def buy(scores: np.ndarray, order: np.ndarray, cost: np.ndarray, budget: float, row: np.ndarray, rows: int) -> Bought:
    """Buy from the highest `order` down until `budget` is spent.

    Parameters
    ----------
    scores : what each purchase gains; doubly robust
    order : higher first; equals share the money that is left, so the order of rows cannot matter
    cost : of each purchase, above nought
    budget : money for each row of the population
    row : of the population, to which each purchase belongs
    rows : of the population
    """
    money = budget * rows
    if cost.sum() <= money * (1 + 1e-12):
        gains = np.bincount(row, weights=scores, minlength=rows)
        return Bought(float(gains.mean()), gains - gains.mean(), float(cost.sum()) / rows)
    ranked = np.argsort(-order, kind="stable")
    last = int(np.searchsorted(np.cumsum(cost[ranked]), money * (1 - 1e-12)))
    cut = order[ranked[last]]
    above, tied = order > cut, order == cut
    part = above + tied * (money - cost[above].sum()) / cost[tied].sum()
    near = ranked[_window(last, len(order))] if tied.sum() < NEAR_THE_CUT * (last + 1) else np.flatnonzero(tied)
    # A row that takes money takes it from purchases at the cut-off.
    price = scores[near].sum() / cost[near].sum()
    kept = np.bincount(row, weights=part * (scores - price * cost), minlength=rows)
    return Bought(float((part * scores).sum() / rows), kept - kept.mean(), budget)


def _window(middle: int, number: int) -> slice:
    half = max(FEWEST_NEAR, int(NEAR_THE_CUT * middle))
    return slice(max(0, middle - half), min(number, middle + half))
