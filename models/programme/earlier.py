"""Did those who started differ in the year before last, which nothing later can have changed? Then like was not compared with like."""

from __future__ import annotations

import numpy as np
import pandas as pd

from models.benefit.comparison import Estimate
from models.programme.checks import known_from_one_year
from models.programme.effect import Nuisances, arms, effect, expected_without
from models.programme.outcomes import YEAR_DAYS

FEWEST_KNOWN = 50  # starters: fewer cannot tell of a year


def year_before_last(
    X: pd.DataFrame, then: np.ndarray, stayed: np.ndarray, person: np.ndarray, treated: np.ndarray, seed: int
) -> Estimate:
    """Return the difference in the share to whom something happened in the year before last, those who started less the others.

    Arms are made alike in what the last year shows alone; alike in that year too, they could not differ in it.

    Parameters
    ----------
    X : features on the day from which each row is followed
    then : boolean; it happened to the row in the year before last
    stayed : boolean; followed to the end
    person, treated : of each row; seed : of the folds
    """
    nuisances = Nuisances(X[known_from_one_year(list(X.columns))], person, seed)
    both = arms(nuisances, person, treated, stayed)
    happened = then.astype("float64")
    return effect(both, happened, expected_without(nuisances, happened, both)).difference


def on_record_two_years(index_date: pd.Series, treated: np.ndarray, begin: pd.Timestamp) -> np.ndarray:
    """Mark rows whose year before last is on record (boolean); none where too few of those who started are among them.

    Parameters
    ----------
    index_date, treated : of each row
    begin : the day from which there are data
    """
    known = (index_date - pd.Timedelta(days=2 * YEAR_DAYS) >= begin).to_numpy()
    return known & (np.count_nonzero(known & treated) >= FEWEST_KNOWN)


def fewest(happened: np.ndarray, person: np.ndarray, treated: np.ndarray) -> int:
    """Return how many people it happened to (boolean, one a row), in the arm with fewer of them."""
    return min(len(np.unique(person[happened & arm])) for arm in (treated, ~treated))
