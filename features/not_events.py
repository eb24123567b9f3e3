"""Features that do not come from a group of events: the person's own, and those made from other features.

Those of the household are in `features.households`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from casewell.errors import SettingsError
from features.catalogue import CATALOGUE
from features.feature import DERIVED, Feature

WEIGHTS_FILE = Path(__file__).resolve().parents[1] / "data" / "reference" / "cambridge_multimorbidity_score.csv"
DAYS_PER_YEAR = 365.25


def condition_features() -> dict[str, Feature]:
    """Say which feature tells whether each Cambridge Multimorbidity Score condition is present."""
    return {
        feature.group.removeprefix("cms_"): feature
        for feature in CATALOGUE
        if feature.group is not None and feature.group.startswith("cms_") and feature.aggregation == "any"
    }


@cache
def condition_weights() -> dict[str, float]:
    """Read the score's published weights: condition, weight.

    Raises
    ------
    SettingsError
        The file does not weigh exactly the conditions of the catalogue.
    """
    table = pd.read_csv(WEIGHTS_FILE)
    weights = dict(zip(table["condition"], table["general_outcome_weight"].astype(float), strict=True))
    wrong = sorted(set(weights) ^ set(condition_features()))
    if wrong:
        raise SettingsError(
            [f"{WEIGHTS_FILE.name}: condition {name!r} is not in both the file and the catalogue" for name in wrong]
        )
    return weights


def needed_for(features: Sequence[Feature]) -> list[Feature]:
    """Add the features that the derived ones are made from."""
    wanted = {feature.name: feature for feature in features}
    if any(feature.aggregation in DERIVED for feature in features):
        wanted |= {feature.name: feature for feature in condition_features().values()}
    return list(wanted.values())


def derived_column(feature: Feature, matrix: Mapping[str, np.ndarray]) -> np.ndarray:
    """Sum the conditions present, weighted or not."""
    weights = condition_weights()
    total = np.zeros(len(next(iter(matrix.values()))))
    for name, flag in sorted(condition_features().items()):
        total += matrix[flag.name] * (weights[name] if feature.aggregation == "condition_score" else 1.0)
    return total.astype(np.float32)


def static_column(feature: Feature, persons: pd.DataFrame) -> np.ndarray:
    """Compute age or sex from index_date, birth_month and sex; missing when not known."""
    if feature.aggregation == "age":
        born = persons["birth_month"].astype("datetime64[us]")
        values = (persons["index_date"] - born).dt.days / DAYS_PER_YEAR
    else:
        values = persons["sex"].map({"female": 1.0, "male": 0.0})
    return values.to_numpy(dtype=np.float32, na_value=np.nan)
