"""What a rule gains with so much money, where places differ in cost."""

from __future__ import annotations

import numpy as np

from models.benefit.comparison import Estimate
from models.targeting.spending import Bought, buy


def gain_at_budget(
    scores: np.ndarray, rule: np.ndarray, cost: np.ndarray, budget: float, person: np.ndarray
) -> Estimate:
    """Estimate E[G 1{chosen}]: benefit for each person in the population when places are bought by `rule` with `budget`.

    The rule that gains most orders by benefit over cost. A budget that pays for everybody buys everybody.

    Parameters
    ----------
    scores, rule, person : as for `gain_at_capacity`
    cost : pounds that a place for each row costs
    budget : pounds for each row: all the money over all the rows

    Raises
    ------
    ValueError
        `budget` or a cost is not above nought.
    """
    return _bought(scores, rule, cost, budget).estimate(person)


def advantage_at_budget(
    scores: np.ndarray, rule: np.ndarray, other: np.ndarray, cost: np.ndarray, budget: float, person: np.ndarray
) -> Estimate:
    """Estimate how much more `rule` gains than `other` with the same money; parameters as for `gain_at_budget`."""
    return _bought(scores, rule, cost, budget).less(_bought(scores, other, cost, budget)).estimate(person)


def net_benefit_at_budget(
    scores: np.ndarray, rule: np.ndarray, cost: np.ndarray, budget: float, worth: float, person: np.ndarray
) -> Estimate:
    """Estimate pounds gained less pounds spent, for each person in the population.

    worth : pounds that one unit of benefit (one outcome averted) is worth; other parameters as for `gain_at_budget`
    """
    if not worth > 0:
        raise ValueError(f"worth must be above 0; it is {worth}")
    bought = _bought(scores, rule, cost, budget)
    gained = bought.estimate(person)
    return Estimate(worth * gained.value - bought.spent, worth * gained.error)


def _bought(scores: np.ndarray, rule: np.ndarray, cost: np.ndarray, budget: float) -> Bought:
    require_money(cost, budget)
    return buy(scores, rule, cost, budget, np.arange(len(rule)), len(rule))


def require_money(cost: np.ndarray, budget: float) -> None:
    """Raise a ValueError unless every cost and the budget are above nought, and finite."""
    wrong = int((~(np.isfinite(cost) & (cost > 0))).sum())
    if wrong:
        raise ValueError(f"{wrong} of {len(cost)} costs are not above 0; leave out whoever costs nothing")
    if not 0 < budget < np.inf:
        raise ValueError(f"budget must be above 0; it is {budget}")
