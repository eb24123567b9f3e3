"""What a history must hold before a benefit can be learned from it; every problem is named at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from casewell.errors import TrainingError

MINIMUM_TREATED = 20
MINIMUM_OUTCOMES = 10
MINIMUM_RANDOMISED = 100
MINIMUM_RANDOMISED_ARM = 20
MINIMUM_OVERLAP = 10.0


class BenefitInputError(TrainingError, ValueError):
    """The history cannot support a benefit; also a `ValueError`, as scikit-learn's users expect."""


@dataclass(frozen=True)
class Input:
    """A checked history: arrays of one length, and the features' names if they have any."""

    X: np.ndarray
    treated: np.ndarray
    outcome: np.ndarray
    given: np.ndarray
    randomised: np.ndarray
    person: np.ndarray
    weight: np.ndarray
    names: tuple[str, ...] | None

    def where(self, rows: np.ndarray) -> Input:
        """Return the history of some rows (boolean)."""
        return Input(*(values if name == "names" else values[rows] for name, values in vars(self).items()))

    def chance(self, learned: np.ndarray) -> np.ndarray:
        """Return each row's chance of treatment: as given, else the lot's share for the randomised, else as learned."""
        chance = learned
        if self.randomised.any():
            chance = np.where(self.randomised, self.treated[self.randomised].mean(), chance)
        return np.clip(np.where(np.isnan(self.given), chance, self.given), 1e-4, 1 - 1e-4)


def as_features(X: Any, names: tuple[str, ...] | None = None) -> np.ndarray:
    """Return features as a float32 array of shape (rows, features); a table's columns are taken by name.

    Raises
    ------
    BenefitInputError
        Not numbers, infinite, not two-dimensional, or columns that are missing.
    """
    if isinstance(X, pd.DataFrame):
        if names is not None and (gone := [name for name in names if name not in X.columns]):
            raise BenefitInputError(
                f"{len(gone)} column(s) the benefit was learned from are missing, among them {gone[0]!r}"
            )
        X = X if names is None else X[list(names)]
        if words := [str(name) for name in X.columns if not pd.api.types.is_numeric_dtype(X[name])]:
            raise BenefitInputError(
                f"{len(words)} column(s) are not numbers, among them {words[0]!r}", "Encode them as numbers first."
            )
        values = X.to_numpy("float32", na_value=np.nan)
    else:
        try:
            values = np.asarray(X, dtype="float32")
        except (TypeError, ValueError):
            raise BenefitInputError("X holds values that are not numbers", "Encode them as numbers first.") from None
    if values.ndim != 2:
        raise BenefitInputError(f"X must have rows and columns; it has {values.ndim} dimension(s)")
    if values.shape[1] == 0:
        raise BenefitInputError("X has no columns, so nothing is known that a benefit could differ by")
    if names is not None and values.shape[1] != len(names):
        raise BenefitInputError(f"X has {values.shape[1]} columns; the benefit was learned from {len(names)}")
    if infinite := int(np.isinf(values).sum()):
        raise BenefitInputError(f"X holds {infinite} infinite value(s)", "Replace them, or mark them missing (NaN).")
    return values


def checked(
    X: Any,
    treatment: object,
    outcome: object,
    propensity: object,
    randomised: object,
    groups: object,
    sample_weight: object,
    folds: int,
) -> Input:
    """Check everything `fit` is given.

    Raises
    ------
    BenefitInputError
        Every problem found, with counts.
    """
    values = as_features(X)
    rows = len(values)
    defaults = {
        "propensity": np.full(rows, np.nan),
        "randomised": np.zeros(rows, dtype=bool),
        "groups": np.arange(rows),
        "sample_weight": np.ones(rows),
    }
    told = {"propensity": propensity, "randomised": randomised, "groups": groups, "sample_weight": sample_weight}
    arrays = {name: defaults[name] if value is None else np.asarray(value) for name, value in told.items()}
    arrays = {"treatment": np.asarray(treatment), "outcome": np.asarray(outcome)} | arrays
    problems = [
        f"{name} has shape {value.shape}; X has {rows} rows" for name, value in arrays.items() if value.shape != (rows,)
    ]
    problems += [
        f"{name} must be 0 or 1 (or true or false) in every row"
        for name in ("treatment", "outcome", "randomised")
        if not _two_valued(arrays[name])
    ]
    if nobody := int(pd.isna(arrays["groups"]).sum()):
        problems.append(f"groups names no person in {nobody} row(s)")
    if problems:
        raise BenefitInputError(problems)
    person, people = pd.factorize(arrays["groups"], sort=True)
    treated, happened, drawn = (arrays[name].astype(bool) for name in ("treatment", "outcome", "randomised"))
    given, weight = arrays["propensity"].astype("float64"), arrays["sample_weight"].astype("float64")
    problems = _too_little(treated, happened, person) + _lottery(treated, drawn, given)
    if not (np.isfinite(weight).all() and (weight >= 0).all() and weight.sum() > 0):
        problems.append("sample_weight must be finite, not negative, and not all nought")
    if not 2 <= folds <= len(people):
        problems.append(f"{len(people)} people cannot be cut into {folds} fold(s); 2 folds are the least")
    if problems:
        raise BenefitInputError(problems, "Give more history, or a comparison in which both could happen.")
    names = tuple(str(name) for name in X.columns) if isinstance(X, pd.DataFrame) else None
    return Input(values, treated, happened, given, drawn, person, weight / weight.mean(), names)


def require_overlap(treated: np.ndarray, chance: np.ndarray, X: np.ndarray, names: tuple[str, ...] | None) -> None:
    """Refuse a history in which what is known separates the treated from the others.

    X : features, (rows, features); `names` are theirs, if they have any.

    Raises
    ------
    BenefitInputError
        Fewer than ten treated people's worth of overlap.
    """
    shared = float((1 - chance[treated]).sum())
    if shared < MINIMUM_OVERLAP:
        values = np.nan_to_num(X.astype("float64"))
        apart = np.abs(values[treated].mean(axis=0) - values[~treated].mean(axis=0)) / (values.std(axis=0) + 1e-9)
        furthest = int(apart.argmax())
        named = repr(names[furthest]) if names else f"{furthest}, counted from 0,"
        raise BenefitInputError(
            f"features separate treated and untreated people all but perfectly (overlap of {shared:.1f} treated people, "
            f"{MINIMUM_OVERLAP:.0f} are needed; feature {named} is the furthest apart)",
            "Leave out features that are known only once treatment is decided.",
        )


def _two_valued(values: np.ndarray) -> bool:
    return values.dtype == bool or (np.issubdtype(values.dtype, np.number) and bool(np.isin(values, (0, 1)).all()))


def _too_little(treated: np.ndarray, happened: np.ndarray, person: np.ndarray) -> list[str]:
    problems = []
    # People, not rows: each arm must be found again when a fold of people is held out.
    for arm, rows in (("treated", treated), ("untreated", ~treated)):
        number = len(np.unique(person[rows]))
        if number == 0:
            problems.append(f"nobody was {arm}")
        elif number < MINIMUM_TREATED:
            problems.append(f"{number} people are {arm}, {MINIMUM_TREATED} are needed")
    if not happened.any() or happened.all():
        return [*problems, f"the outcome is {int(happened.all())} in every row, so nothing can have changed it"]
    for arm, rows in (("treated", treated), ("untreated", ~treated)):
        if rows.sum() >= MINIMUM_TREATED and (seen := int(happened[rows].sum())) < MINIMUM_OUTCOMES:
            problems.append(f"{seen} outcomes among the {arm}, {MINIMUM_OUTCOMES} are needed")
    return problems


def _lottery(treated: np.ndarray, drawn: np.ndarray, given: np.ndarray) -> list[str]:
    known = given[~np.isnan(given)]
    problems = []
    if certain := int(((known <= 0) | (known >= 1)).sum()):
        problems.append(
            f"{certain} given propensities are not between 0 and 1; who was certain of either was not drawn by lot"
        )
    arms = (int((drawn & treated).sum()), int((drawn & ~treated).sum()))
    if drawn.any() and (sum(arms) < MINIMUM_RANDOMISED or min(arms) < MINIMUM_RANDOMISED_ARM):
        problems.append(
            f"{sum(arms)} rows are randomised ({arms[0]} treated); {MINIMUM_RANDOMISED} with {MINIMUM_RANDOMISED_ARM} in "
            "each arm are needed to tell benefit from bias: leave `randomised` out until there are"
        )
    return problems
