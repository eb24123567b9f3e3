"""How well a rule ranks people by benefit, over all capacities at once (Yadlowsky and others, JASA 2025)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from models.benefit.comparison import Estimate

HALF_SAMPLES = 200


@dataclass(frozen=True)
class Rate(Estimate):
    """A rank-weighted average treatment effect; nought for a rule that tells nobody from anybody."""


def area_under_toc(scores: np.ndarray, rule: np.ndarray, person: np.ndarray, seed: int = 0) -> Rate:
    """Estimate AUTOC, the area under TOC(q) = E[G | top q] - E[G]: it rewards finding the few who gain most."""
    return _rate(scores, rule, person, lambda u: -np.log(u) - 1, seed)


def qini(scores: np.ndarray, rule: np.ndarray, person: np.ndarray, seed: int = 0) -> Rate:
    """Estimate the Qini coefficient, the area under q TOC(q): it rewards effects that reach many."""
    return _rate(scores, rule, person, lambda u: 0.5 - u, seed)


def _rate(
    scores: np.ndarray, rule: np.ndarray, person: np.ndarray, weight: Callable[[np.ndarray], np.ndarray], seed: int
) -> Rate:
    """Weigh scores by rank; the error is the spread over half-samples of people, drawn without replacement."""
    order, ends = _sorted(rule)
    sorted_scores = scores[order]
    _, people = np.unique(person[order], return_inverse=True)
    number = people.max() + 1

    def value(counted: np.ndarray) -> float:
        # Mid-ranks among those counted; ties share one.
        rank = (np.cumsum(counted) - 0.5) / counted.sum()
        weights = _level(weight(np.clip(rank, 0.5 / counted.sum(), 1)), ends, counted)
        centred = weights - np.average(weights, weights=counted)
        return float((counted * centred * sorted_scores).sum() / counted.sum())

    random = np.random.default_rng(seed)
    halves = []
    for _ in range(HALF_SAMPLES):
        half = np.zeros(number, dtype="float64")
        half[random.permutation(number)[: number // 2]] = 1.0
        halves.append(value(half[people]))
    return Rate(value(np.ones(len(rule))), float(np.std(halves)))


def _sorted(rule: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the order, highest first, and where each run of ties begins."""
    order = np.argsort(-rule, kind="stable")
    return order, np.flatnonzero(np.r_[True, np.diff(rule[order]) != 0])


def _level(values: np.ndarray, begins: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Average values within runs of ties, over the rows that count."""
    totals, sizes = np.add.reduceat(values * counted, begins), np.add.reduceat(counted, begins)
    lengths = np.diff(np.r_[begins, len(values)])
    return np.repeat(totals / np.maximum(sizes, 1e-12), lengths)
