"""What a rule gains with so many places, and whether it gains more than another."""

from __future__ import annotations

import numpy as np

from models.benefit.comparison import Estimate
from models.targeting.clusters import clustered_error
from models.targeting.spending import Bought, buy


def gain_at_capacity(scores: np.ndarray, rule: np.ndarray, share: float, person: np.ndarray) -> Estimate:
    """Estimate E[G 1{chosen}]: benefit for each person in the population when the top `share` by `rule` are chosen.

    Parameters
    ----------
    scores : doubly robust score of each row, from models fitted on other people
    rule : what the rule orders by, highest first; ties are averaged, not broken
    share : between 0 and 1
    person : of each row
    """
    return _chosen(scores, rule, share).estimate(person)


def advantage(scores: np.ndarray, rule: np.ndarray, other: np.ndarray, share: float, person: np.ndarray) -> Estimate:
    """Estimate how much more `rule` gains than `other` with the same places; whoever is on both lists cancels out."""
    return _chosen(scores, rule, share).less(_chosen(scores, other, share)).estimate(person)


def targeting_operator(scores: np.ndarray, rule: np.ndarray, share: float, person: np.ndarray) -> Estimate:
    """Estimate TOC(share) = E[G | top share] - E[G]: how much more the chosen gain than people at large, one by one."""
    chosen = _chosen(scores, rule, share)
    influence = chosen.influence / share - (scores - scores.mean())
    return Estimate(chosen.value / share - float(scores.mean()), clustered_error(influence, person))


def gain_per_pound(
    scores: np.ndarray, rule: np.ndarray, cost: np.ndarray, share: float, person: np.ndarray
) -> Estimate:
    """Estimate E[G 1{chosen}] / E[C 1{chosen}]: benefit for each pound when the top `share` by `rule` are chosen.

    cost : pounds that a place for each row costs, above nought
    """
    gained, spent = _chosen(scores, rule, share), _chosen(cost, rule, share)
    ratio = gained.value / spent.value
    return Estimate(ratio, clustered_error((gained.influence - ratio * spent.influence) / spent.value, person))


def _chosen(scores: np.ndarray, rule: np.ndarray, share: float) -> Bought:
    if not 0 < share < 1:
        raise ValueError(f"share must lie between 0 and 1; it is {share}")
    return buy(scores, rule, np.ones(len(rule)), share, np.arange(len(rule)), len(rule))
