"""Falsification: in the year before last nothing can have been changed by what came later."""

from __future__ import annotations

import numpy as np
import pandas as pd

from models.benefit.comparison import Estimate
from models.benefit.evidence import Check
from models.programme.checks import check_year_before_last
from models.programme.cohort import COMPARED_EACH, MOST_COMPARED
from models.programme.earlier import fewest, year_before_last
from models.programme.outcomes import YEAR_DAYS

TWO_YEARS, LAST_YEAR = "emergency_admission_count_730d", "emergency_admission_count_365d"
FEWEST_STARTERS = 50
UNKNOWN = Estimate(float("nan"), float("nan"))


def pre_period(rows: pd.DataFrame, matrix: pd.DataFrame, begin: pd.Timestamp, seed: int) -> Check:
    """Compare those who started with the others, made alike in what the last year shows, in the year before it.

    The check fails where it cannot be made: too few starts or admissions, or data that begin less than two years before
    nearly all index dates.

    Parameters
    ----------
    rows : `index_date`, `person_id`, `treated`, and emergency admissions of one and two years; both arms as benefit is judged on
    matrix : features of the same rows to make the arms alike by, of which those that tell more than the last year are left out
    begin : the day from which there are data
    """
    known = rows["index_date"] >= begin + pd.Timedelta(days=2 * YEAR_DAYS)
    compared = known.to_numpy() & _sampled(rows, seed)
    told = rows[compared]
    treated, person = told["treated"].to_numpy(), told["person_id"].to_numpy()
    if known.any() and treated.sum() < FEWEST_STARTERS:
        return Check(
            "the year before last",
            False,
            f"fewer than {FEWEST_STARTERS} people started in the months whose year before last is on record, so that year "
            "cannot be checked",
        )
    if not known.any():
        return check_year_before_last(UNKNOWN, 0, two_years=False)
    then = (told[TWO_YEARS] > told[LAST_YEAR]).to_numpy()
    stayed = np.ones(len(told), dtype=bool)
    found = year_before_last(matrix[compared], then, stayed, person, treated, seed)
    return check_year_before_last(found, fewest(then, person, treated), two_years=True)


def _sampled(rows: pd.DataFrame, seed: int) -> np.ndarray:
    """Mark every start, and so many others for each as the account of a programme compares, by a hash with the seed in it."""
    treated = rows["treated"].to_numpy()
    keyed = rows[["person_id", "index_date"]].assign(seed=seed)
    turn = pd.util.hash_pandas_object(keyed, index=False).to_numpy() / 2.0**64
    wanted = min(COMPARED_EACH * int(treated.sum()), MOST_COMPARED)
    return treated | (turn < wanted / max(int((~treated).sum()), 1))
