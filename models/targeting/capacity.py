"""What a rule gains with so many places, and whether it gains more than another."""

from __future__ import annotations

import numpy as np

from models.benefit.comparison import Estimate
from models.targeting.clusters import clustered_error

NEAR_THE_CUT = 0.2  # of the places, on either side of the cut-off
FEWEST_NEAR = 50


def gain_at_capacity(scores: np.ndarray, rule: np.ndarray, share: float, person: np.ndarray) -> Estimate:
    """Estimate E[G 1{chosen}]: benefit for each person in the population when the top `share` by `rule` are chosen.

    Parameters
    ----------
    scores : doubly robust score of each row, from models fitted on other people
    rule : what the rule orders by, highest first; ties are averaged, not broken
    share : between 0 and 1
    person : of each row
    """
    value, influence = _gain(scores, rule, share)
    return Estimate(value, clustered_error(influence, person))


def advantage(scores: np.ndarray, rule: np.ndarray, other: np.ndarray, share: float, person: np.ndarray) -> Estimate:
    """Estimate how much more `rule` gains than `other` with the same places; whoever is on both lists cancels out."""
    value, influence = _gain(scores, rule, share)
    less, its_influence = _gain(scores, other, share)
    return Estimate(value - less, clustered_error(influence - its_influence, person))


def _gain(scores: np.ndarray, rule: np.ndarray, share: float) -> tuple[float, np.ndarray]:
    if not 0 < share < 1:
        raise ValueError(f"share must lie between 0 and 1; it is {share}")
    order = np.argsort(-rule, kind="stable")
    number = len(rule)
    cut = rule[order[max(0, int(np.ceil(share * number)) - 1)]]
    above, tied = rule > cut, rule == cut
    # People tied at the cut-off share the places that are left.
    chosen = above + tied * (share - above.mean()) / tied.mean()
    near = order[_window(number, share)] if tied.mean() < NEAR_THE_CUT * share else np.flatnonzero(tied)
    at_the_cut = scores[near].mean()
    value = float((chosen * scores).mean())
    return value, chosen * (scores - at_the_cut) + share * at_the_cut - value


def _window(number: int, share: float) -> slice:
    middle, half = int(share * number), max(FEWEST_NEAR, int(NEAR_THE_CUT * share * number))
    return slice(max(0, middle - half), min(number, middle + half))
