"""How something falls along deprivation: slope and relative index of inequality, and the concentration index.

People are lined up from the most to the least deprived by national fifth; each fifth stands at the middle of its
share of the people (its ridit). Whoever has no known area is left out.

- *Slope index* (SII): the difference between the two ends of a line fitted to the fifths' means, each weighed by its
  people: most deprived less least deprived. *Relative index* (RII): the ratio of the same two ends, as NHS England's
  health inequality indicators have it.
- *Concentration index* (Kakwani, Wagstaff and van Doorslaer, Journal of Econometrics 1997): from -1 (all with the
  most deprived) to 1. That of places less that of need is *horizontal inequity*: below 0, places lean to the most
  deprived by more than need does.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fairness.groups import QUINTILES

Numbers = NDArray[np.float64]


class Slope(NamedTuple):
    """The two indices, and the ends of the fitted line they come from."""

    slope_index: Numbers
    relative_index: Numbers
    most_deprived: Numbers
    least_deprived: Numbers


def by_fifth(fifth: pd.Series, *amounts: pd.Series) -> pd.DataFrame:
    """Return people and the sums of `amounts` (columns 0, 1, ...) for every fifth, the most deprived first.

    `fifth` holds labels of `fairness.groups.QUINTILES`; other labels are left out.
    """
    table = pd.DataFrame({"fifth": fifth.to_numpy(), "people": 1.0})
    table = table.assign(**{str(number): np.asarray(amount, dtype="float64") for number, amount in enumerate(amounts)})
    sums = table.groupby("fifth").sum().reindex(list(QUINTILES.values()), fill_value=0.0)
    return sums.rename(columns={str(number): number for number in range(len(amounts))})


def concentration_index(people: Numbers, amount: Numbers) -> Numbers:
    """Return the concentration index of an amount over groups from most to least deprived; NaN where there is none.

    The last axis is that of the groups; others, such as draws of a bootstrap, stay.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        part = amount / amount.sum(axis=-1, keepdims=True)
        return 2 * (part * _ridit(people)).sum(axis=-1) - 1


def slope(people: Numbers, amount: Numbers) -> Slope:
    """Return the slope and the relative index of an amount a person; NaN with fewer than two groups of people.

    The last axis is that of the groups, the most deprived first.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        share = people / people.sum(axis=-1, keepdims=True)
        mean = np.where(people > 0, amount / np.where(people > 0, people, 1), 0)
        from_centre = _ridit(people) - 0.5
        level = (share * mean).sum(axis=-1)
        gradient = (share * from_centre * mean).sum(axis=-1) / (share * from_centre**2).sum(axis=-1)
        most, least = level - gradient / 2, level + gradient / 2
        # A fitted end at or below nil has no ratio.
        return Slope(most - least, np.where((least > 0) & (most > 0), most / least, np.nan), most, least)


def ratio_of_ends(people: Numbers, mean: Numbers) -> Numbers:
    """Return the relative index of means above nil, from a line through their logarithms: it always has two ends.

    The last axis is that of the groups, the most deprived first, each with some people.
    """
    return np.exp(slope(people, people * np.log(mean)).slope_index)


def _ridit(people: Numbers) -> Numbers:
    return (np.cumsum(people, axis=-1) - people / 2) / people.sum(axis=-1, keepdims=True)
