"""People to judge rules by, checked: every problem is named at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from casewell.errors import CasewellError
from models.benefit.estimator import BenefitEstimator

FEWEST_PEOPLE = 100
FEWEST_IN_AN_ARM = 20


class TargetingInputError(CasewellError, ValueError):
    """What was given cannot judge a rule; also a `ValueError`, as scikit-learn's users expect."""

    exit_code = 7
    heading = "No rule can be judged by this"


@dataclass(frozen=True)
class Compared:
    """Who was treated, by what chance, and what became of them; arrays of one length (boolean, number, boolean)."""

    treated: np.ndarray
    propensity: np.ndarray
    outcome: np.ndarray


@dataclass(frozen=True)
class Scored:
    """Rows to judge by.

    scores : doubly robust, in units of the outcome; positive is benefit
    person : a number a row; rows of one person are not independent
    compared : None where only scores were given; then overlap, placebos and hidden causes cannot be judged
    placebos : name to 0 or 1 a row: outcomes that treatment cannot change, such as another illness or one before it
    """

    scores: np.ndarray
    person: np.ndarray
    compared: Compared | None = None
    placebos: Mapping[str, np.ndarray] = field(default_factory=dict)


def scored(
    scores: Any,
    *,
    person: Any = None,
    treatment: Any = None,
    propensity: Any = None,
    outcome: Any = None,
    placebos: Mapping[str, Any] | None = None,
) -> Scored:
    """Check scores that were made elsewhere, by models that did not see the row.

    Parameters
    ----------
    scores : doubly robust score of each row (`models.benefit.doubly_robust`)
    person : of each row; each row is somebody else unless given
    treatment, propensity, outcome : 0 or 1, the chance of treatment, and 0 or 1, of each row; all three or none
    placebos : name to 0 or 1 a row; needs the three

    Raises
    ------
    TargetingInputError
        Every problem found, with counts.
    """
    values = _numbers(scores)
    problems = _not_numbers("scores", values, None)
    person = np.arange(len(values)) if person is None else np.asarray(person)
    if person.shape != values.shape:
        problems.append(f"`person` has {person.size} values; there are {len(values)} rows")
    elif missing := int(pd.isna(person).sum()):
        problems.append(f"`person` names nobody in {missing} row(s)")
    elif (people := len(pd.unique(person))) < FEWEST_PEOPLE:
        problems.append(f"there are {people} people; {FEWEST_PEOPLE} are the least that an interval can be told from")
    found = {"treatment": treatment, "propensity": propensity, "outcome": outcome}
    given = {name: _numbers(value) for name, value in found.items() if value is not None}
    if given and (absent := [name for name in found if name not in given]):
        problems.append(f"`{'` and `'.join(absent)}` must be given too: treatment, propensity and outcome go together")
    if placebos and not given:
        problems.append("`placebos` need `treatment`, `propensity` and `outcome` beside them")
    told = {name: _numbers(value) for name, value in (placebos or {}).items()}
    for name, one in (given | told).items():
        problems += _chances(one, len(values)) if name == "propensity" else _two_valued(name, one, len(values))
    if not problems and given:
        treated = given["treatment"] == 1
        problems += _arms(treated)
    if problems:
        raise TargetingInputError(problems, "docs/how-to/benefit.md says what each must be.")
    compared = Compared(treated, given["propensity"], given["outcome"] == 1) if given else None
    return Scored(values, pd.factorize(person)[0], compared, {name: one == 1 for name, one in told.items()})


def scored_by_history(
    X: Any,
    treatment: Any,
    outcome: Any,
    *,
    propensity: Any = None,
    randomised: Any = None,
    groups: Any = None,
    placebos: Mapping[str, Any] | None = None,
) -> Scored:
    """Make the scores from a table, by a `BenefitEstimator` of these rows alone.

    They must be people whom the rules to be judged did not learn from. Parameters are those of `BenefitEstimator.fit`,
    and `placebos` as for `scored`.

    Raises
    ------
    BenefitInputError
        The table cannot teach the scores.
    TargetingInputError
        As for `scored`.
    """
    learned = BenefitEstimator().fit(X, treatment, outcome, propensity=propensity, randomised=randomised, groups=groups)
    return scored(
        learned.scores_,
        person=groups,
        treatment=np.asarray(treatment, dtype="float64"),
        propensity=learned.propensity_,
        outcome=np.asarray(outcome, dtype="float64"),
        placebos=placebos,
    )


def column(name: str, values: Any, rows: int) -> np.ndarray:
    """Return one number a row (one number for all may be given once).

    Raises
    ------
    TargetingInputError
        Of another length, or not all finite numbers.
    """
    found = _numbers(values)
    found = np.full(rows, float(found)) if found.ndim == 0 else found
    if problems := _not_numbers(name, found, rows):
        raise TargetingInputError(problems)
    return found


def _numbers(values: Any) -> np.ndarray:
    try:
        return np.asarray(values, dtype="float64")
    except (TypeError, ValueError):
        return np.full(np.shape(values), np.nan)


def _not_numbers(name: str, values: np.ndarray, rows: int | None) -> list[str]:
    if values.ndim != 1 or (rows is not None and len(values) != rows):
        return [
            f"`{name}` has shape {values.shape}; one number a row is needed" + (f", for {rows} rows" if rows else "")
        ]
    if wrong := int((~np.isfinite(values)).sum()):
        return [f"`{name}` is not a finite number in {wrong} of {len(values)} rows"]
    return []


def _two_valued(name: str, values: np.ndarray, rows: int) -> list[str]:
    if values.shape == (rows,) and np.isin(values, (0, 1)).all():
        return []
    return [f"`{name}` must be 0 or 1 for each of the {rows} rows"]


def _chances(values: np.ndarray, rows: int) -> list[str]:
    if values.shape != (rows,):
        return [f"`propensity` has {values.size} values; there are {rows} rows"]
    wrong = int((~((values > 0) & (values < 1))).sum())
    return (
        [f"`propensity` does not lie between 0 and 1 in {wrong} rows; who was certain of either tells nothing"]
        if wrong
        else []
    )


def _arms(treated: np.ndarray) -> list[str]:
    sizes = {"treated": int(treated.sum()), "untreated": int((~treated).sum())}
    return [
        f"nobody was {arm}" if not size else f"{size} rows are {arm}, {FEWEST_IN_AN_ARM} are needed"
        for arm, size in sizes.items()
        if size < FEWEST_IN_AN_ARM
    ]
