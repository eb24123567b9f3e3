"""Doubly robust scores: one number a person, whose mean over any group is the group's average benefit."""

from __future__ import annotations

import numpy as np

NEAREST = 0.01


def doubly_robust_scores(
    treated: np.ndarray, outcome: np.ndarray, propensity: np.ndarray, without: np.ndarray, with_treatment: np.ndarray
) -> np.ndarray:
    """Return G = (mu0 - mu1) - [W (Y - mu1) / e - (1 - W)(Y - mu0) / (1 - e)] (Robins, Rotnitzky and Zhao 1994).

    All arrays have one length; chances must come from models that did not see the row. Chances of
    treatment are kept within 0.01 and 0.99: beyond, one person would outweigh a hundred, and the
    average is then of mu0 - mu1 rather than of what happened.
    """
    chance = np.clip(propensity, NEAREST, 1 - NEAREST)
    treated_part = treated * (outcome - with_treatment) / chance
    untreated_part = ~treated * (outcome - without) / (1 - chance)
    return without - with_treatment - (treated_part - untreated_part)


def scores_by_programme(
    given: np.ndarray, outcome: np.ndarray, chances: np.ndarray, expected: np.ndarray
) -> np.ndarray:
    """Return (rows, programmes): the doubly robust score of each of several programmes, against none of them.

    Parameters
    ----------
    given : 0 for none, or the number of the programme that the row had
    outcome : of each row
    chances, expected : (rows, 1 + programmes): chance of each, and of the outcome with each, none first; from models that
        did not see the row
    """
    arms = np.arange(chances.shape[1])
    had = given[:, None] == arms
    found = expected + had * (outcome[:, None] - expected) / np.maximum(chances, NEAREST)
    return found[:, :1] - found[:, 1:]
