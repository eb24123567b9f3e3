"""What a built matrix looks like, feature by feature, and how far it has moved since the champion was trained."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from casewell import doors
from features.catalogue import CATALOGUE
from features.drift import (
    FEWEST,
    LARGE,
    LOOK,
    NONE,
    NOT_COMPARED,
    SHIFTED,
    SOME,
    Then,
    by_chance,
    own_bins,
    psi,
    then_by_feature,
)
from features.feature import Feature
from features.matrix import Matrix
from features.tables import PROFILE, PROFILE_GROUPS, REFERENCE
from features.tally import Tally, coarse, in_bins, tally

SMALLEST_SHOWN = 8  # no figure rests on fewer people, as in the audit of fairness
QUANTILES = {"p05": 0.05, "p25": 0.25, "median": 0.5, "p75": 0.75, "p95": 0.95}


@dataclass(frozen=True)
class Profile:
    """What was found in one walk through a matrix.

    Attributes
    ----------
    features
        `features.tables.PROFILE`.
    bins
        `REFERENCE` of the features compared, with `now`, the share of the matrix's rows in each bin. Bins of fewer than
        SMALLEST_SHOWN people are told as none, and left out of what the others are a share of, which would tell of them.
    reference
        `REFERENCE` of this matrix, for later ones to be compared with.
    people
        People in one snapshot, on average.
    """

    features: pd.DataFrame
    bins: pd.DataFrame
    reference: pd.DataFrame
    people: float


def profile(matrix: Matrix, against: pd.DataFrame | None = None, features: Sequence[Feature] = CATALOGUE) -> Profile:
    """Describe a matrix, and compare it with what a champion learned from.

    Parameters
    ----------
    against
        `REFERENCE` that was kept with the champion; without one nothing is compared.
    features
        Say where each column comes from.
    """
    declared = {feature.name: feature for feature in features}
    then = {} if against is None else then_by_feature(against)
    rows, compared, own = [], [], []
    for name, column in matrix.columns():
        found = tally(column)
        about = {"feature": name, "source": declared[name].source, "in_model": declared[name].in_model}
        rows.append(about | _described(found, matrix.dates) | _compared(found, matrix.people, then.get(name)))
        own.append(own_bins(name, found, matrix.people, matrix.dates))
        if name in then:
            compared.append(then[name].rows.assign(now=_shown(found, then[name].inner, matrix.dates)))
    nothing = doors.empty(REFERENCE)
    return Profile(
        doors.check(pd.DataFrame(rows, columns=list(PROFILE.columns)), PROFILE),
        pd.concat([nothing.assign(now=pd.Series(dtype="float64")), *compared], ignore_index=True),
        doors.check(pd.concat([nothing, *own], ignore_index=True), REFERENCE),
        matrix.people,
    )


def reference(matrix: Matrix, features: Sequence[Feature] = CATALOGUE) -> pd.DataFrame:
    """Summarise a matrix that a model learns from, so that later ones can be compared with it: `REFERENCE`."""
    return profile(matrix, features=features).reference


def compare(against: pd.DataFrame, matrix: Matrix, features: Sequence[Feature] = CATALOGUE) -> pd.DataFrame:
    """Return `PROFILE` of a matrix, compared with a `REFERENCE`."""
    return profile(matrix, against, features).features


def _described(found: Tally, dates: int) -> dict[str, float]:
    """Return shares and quantiles that each rest on at least SMALLEST_SHOWN people; others are missing."""
    fewest, present = SMALLEST_SHOWN * dates, found.present
    told = {"missing": coarse(found.missing, found.rows, fewest), "zero": coarse(found.zeros, found.rows, fewest)}
    ranks = {name: (math.ceil(share * present), min(share, 1 - share) * present) for name, share in QUANTILES.items()}
    ranks |= {"low": (fewest, present), "high": (present - fewest + 1, present)}
    for name, (rank, beyond) in ranks.items():
        told[name] = found.ranked(rank) if beyond >= fewest else np.nan
    return told


def _compared(found: Tally, people: float, then: Then | None) -> dict[str, float | str]:
    """Return what a feature's bins of training say, if they were kept and hold anybody."""
    if then is None or not found.rows or then.people < FEWEST:
        return {"shift": NOT_COMPARED}
    moved = psi(then.shares, _shares(found, then.inner), min(then.people, people))
    chance = by_chance(len(then.shares), then.people, people)
    beyond = NONE if moved <= max(LOOK, chance) else SOME if moved <= SHIFTED else LARGE
    return {
        "training_missing": float(then.shares[0]),
        "training_zero": then.zero,
        "psi": moved,
        "psi_by_chance": chance,
        "shift": beyond,
    }


def _shares(found: Tally, inner: np.ndarray) -> np.ndarray:
    rows = in_bins(found, inner)
    return rows / max(rows.sum(), 1.0)


def _shown(found: Tally, inner: np.ndarray, dates: int) -> np.ndarray:
    rows = in_bins(found, inner)
    told = np.where(rows < SMALLEST_SHOWN * dates, 0.0, rows)
    return told / max(told.sum(), 1.0)


def missing_by_group(matrix: Matrix, groups: pd.DataFrame, features: Sequence[Feature] = CATALOGUE) -> pd.DataFrame:
    """Count who has no value, by group: `PROFILE_GROUPS` with exact counts, to be put under disclosure control.

    Parameters
    ----------
    groups
        `person_id`, then a text label a grouping. Everybody of the matrix must be in it.

    Returns
    -------
    One row a feature, grouping and group, of features that anybody lacks; people of one snapshot, on average.
    """
    sources = {feature.name: feature.source for feature in features}
    labels = {name: pd.Categorical(groups[name]) for name in groups.columns.drop("person_id")}
    places = pd.Index(groups["person_id"]).get_indexer(matrix.person_ids())
    codes = {name: group.codes[places] for name, group in labels.items()}
    people = {name: np.bincount(codes[name], minlength=len(group.categories)) for name, group in labels.items()}
    parts = []
    for name, column in matrix.columns():
        lacking = ~np.isfinite(column.to_numpy())
        if not lacking.any():
            continue
        for grouping, group in labels.items():
            missing = np.bincount(codes[grouping][lacking], minlength=len(group.categories))
            counts = {"people": people[grouping] / matrix.dates, "missing": missing / matrix.dates}
            told = {"feature": name, "source": sources[name], "grouping": grouping, "group": group.categories}
            parts.append(pd.DataFrame(told | counts))
    return pd.concat([doors.empty(PROFILE_GROUPS).drop(columns="share"), *parts], ignore_index=True)


def by_source(groups: pd.DataFrame) -> pd.DataFrame:
    """Return what `missing_by_group` gives as means over the features of a source; `feature` is then the source's name."""
    keys = ["source", "grouping", "group"]
    means = groups.groupby(keys, sort=True)[["people", "missing"]].mean().reset_index()
    return means.assign(feature=means["source"])[["feature", *keys, "people", "missing"]]
