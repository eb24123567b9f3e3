"""Who a programme is for, by the rules that the settings declare over features; and which rules are none."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from casewell.errors import SettingsError
from casewell.settings import EligibleRule, OtherProgramme
from features import CATALOGUE, Feature
from features.sensitive import SENSITIVE_GROUPS


def meets(matrix: pd.DataFrame, rules: Sequence[EligibleRule]) -> np.ndarray:
    """Mark the rows (boolean) for which every rule holds; a missing value meets none."""
    held = np.ones(len(matrix), dtype=bool)
    for rule in rules:
        # Features are kept in this precision: compared in a finer one, 0.1 would lie above a maximum of 0.1.
        value = matrix[rule.feature].to_numpy("float32")
        held &= value >= np.float32(-np.inf if rule.minimum is None else rule.minimum)
        held &= value <= np.float32(np.inf if rule.maximum is None else rule.maximum)
    return held


def _gives_away(feature: Feature) -> bool:
    """Say whether a feature rests on nothing but what may never be shown; in a score of many parts no part can be told."""
    groups = feature.groups()
    return bool(groups) and groups <= set(SENSITIVE_GROUPS)


def refuse_programmes(programmes: Mapping[str, OtherProgramme], as_of: dt.date) -> None:
    """Refuse programmes whose review is overdue on a day, and rules on features that are unknown or would give somebody away.

    Raises
    ------
    SettingsError
        Every problem at once, with the nearest names of features.
    """
    known = {feature.name: feature for feature in CATALOGUE}
    problems = []
    for code, programme in programmes.items():
        if as_of > programme.review_date:
            problems.append(
                f"programmes.{code}.review_date was {programme.review_date}: {programme.owner} has not reviewed it since"
            )
        for rule in programme.eligible:
            if rule.feature not in known:
                near = difflib.get_close_matches(rule.feature, sorted(known), 3, cutoff=0.4)
                nearest = f"; the nearest are {', '.join(map(repr, near))}" if near else ""
                problems.append(f"programmes.{code}.eligible names {rule.feature!r}, which is no feature{nearest}")
            elif _gives_away(known[rule.feature]):
                problems.append(
                    f"programmes.{code}.eligible rests on {rule.feature!r}, which may not be shown: whoever stood on the "
                    "programme's list would be known by it"
                )
    if problems:
        raise SettingsError(
            problems,
            "Mend `programmes`; `casewell features list` prints every feature, docs/how-to/programmes.md the rules.",
        )
