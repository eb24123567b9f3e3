"""Features that do not come from a group of events: the person's own, and those made from other features.

Those of the household and of the area lived in are in `features.households` and `features.registrations`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from features.feature import DERIVED, Feature, Part

DAYS_PER_YEAR = 365.25
DECIMALS = 6  # of a sum, so that points written in tenths reach a threshold written in tenths


def needed_for(features: Sequence[Feature]) -> list[Feature]:
    """Add the features that the derived ones are made from, and those that these are made from."""
    wanted: dict[str, Feature] = {}
    waiting = list(features)
    while waiting:
        feature = waiting.pop(0)
        if feature.name not in wanted:
            wanted[feature.name] = feature
            waiting += feature.made_of()
    return list(wanted.values())


def derived_column(feature: Feature, matrix: Mapping[str, np.ndarray]) -> np.ndarray:
    """Make a derived feature (float32) from the columns of what it is made of; sums are in the order of its parts."""
    addends = [_addend(part, matrix) for part in feature.parts]
    total = np.round(np.add.accumulate(addends)[-1], DECIMALS)
    if feature.aggregation == "share":
        with np.errstate(divide="ignore", invalid="ignore"):
            values = np.where(total == 0, np.nan, addends[0] / total)
    elif feature.aggregation == "reaches":
        values = total >= feature.threshold
    else:
        values = total
    return values.astype(np.float32)


def _addend(part: Part, matrix: Mapping[str, np.ndarray]) -> np.ndarray:
    values = _column(part.feature, matrix).astype(np.float64) * part.weight
    return values if part.unless is None else values * (_column(part.unless, matrix) == 0)


def _column(feature: Feature, matrix: Mapping[str, np.ndarray]) -> np.ndarray:
    known = feature.name in matrix or feature.aggregation not in DERIVED
    return matrix[feature.name] if known else derived_column(feature, matrix)


def static_column(feature: Feature, persons: pd.DataFrame) -> np.ndarray:
    """Compute age or sex from index_date, birth_month and sex; missing when not known."""
    if feature.aggregation == "age":
        born = persons["birth_month"].astype("datetime64[us]")
        values = (persons["index_date"] - born).dt.days / DAYS_PER_YEAR
    else:
        values = persons["sex"].map({"female": 1.0, "male": 0.0})
    return values.to_numpy(dtype=np.float32, na_value=np.nan)
