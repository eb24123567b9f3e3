"""Who says yes: what became of each first offer of a programme, by group, apart from what it does for those who start.

Somebody who would gain is not somebody who would say yes. A logistic regression on the groups alone foretells who starts,
for people whom it has not seen; whether its chances are right is shown beside them, and nothing else uses them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binomtest
from sklearn.linear_model import LogisticRegression

from models.risk.calibration import log_odds, recalibrate
from models.risk.estimator import person_folds

FOLDS = 5
STARTED = "started"
FEWEST_OFFERS, FEWEST_EACH = 50, 10  # offers of a group; of them those who started, and those who did not


@dataclass(frozen=True)
class Uptake:
    """What became of offers.

    offers : people offered a place, each counted once
    outcomes : `outcome`, `people`
    groups : `grouping`, `group`, `offers`, `started`, `share`, `low`, `high` (Wilson's interval), `alike`: the share to
        be expected of people outside the group who are alike in the other groupings; figures are missing where too few tell
    slope : of who started on the log odds foretold, for people not seen; 1 is right, 0 says the groups foretell nothing
    """

    offers: int
    outcomes: pd.DataFrame
    groups: pd.DataFrame
    slope: float


def first_offers(offers: pd.DataFrame, begin: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    """Return each person's first offer in [begin, end) (those of one programme: `records.programmes.offers_of`), in order of person."""
    inside = offers[(offers["offered"] >= begin) & (offers["offered"] < end)]
    return inside.sort_values(["person_id", "offered", "outcome"]).drop_duplicates("person_id").reset_index(drop=True)


def uptake(offers: pd.DataFrame, groups: Mapping[str, np.ndarray], seed: int) -> Uptake | None:
    """Say who starts of those offered a place; None where fewer than 50 were.

    Parameters
    ----------
    offers : `first_offers`
    groups : grouping to the label of each offer
    """
    if len(offers) < FEWEST_OFFERS:
        return None
    started = (offers["outcome"] == STARTED).to_numpy()
    labels = pd.DataFrame({name: np.asarray(label, dtype=object) for name, label in groups.items()})
    outcomes = offers["outcome"].value_counts().rename_axis("outcome").rename("people").sort_index().reset_index()
    rows = []
    for grouping in labels:
        columns = pd.get_dummies(labels.drop(columns=grouping)).to_numpy("float64")
        for label in sorted(set(labels[grouping])):
            inside = (labels[grouping] == label).to_numpy()
            rows.append({"grouping": grouping, "group": label} | _share(started, inside, columns))
    foretold = _foretold(labels, started, offers["person_id"], seed)
    spread = foretold.std() > 0 and 0 < started.sum() < len(started)
    slope = recalibrate(log_odds(foretold), started)[1] if spread else float("nan")
    return Uptake(len(offers), outcomes, pd.DataFrame(rows), slope)


def _share(started: np.ndarray, inside: np.ndarray, columns: np.ndarray) -> dict[str, float]:
    number, yes = int(inside.sum()), int(started[inside].sum())
    told: dict[str, float] = {"offers": number, "started": yes}
    if number < FEWEST_OFFERS or not FEWEST_EACH <= yes <= number - FEWEST_EACH:
        return told | dict.fromkeys(("share", "low", "high", "alike"), float("nan"))
    low, high = wilson(yes, number)
    alike = _learned(columns[~inside], started[~inside], columns[inside]).mean() if not inside.all() else np.nan
    return told | {"share": yes / number, "low": low, "high": high, "alike": float(alike)}


def wilson(yes: int, number: int) -> tuple[float, float]:
    """Return the ends of Wilson's 95 % interval of a share."""
    ends = binomtest(yes, number).proportion_ci(method="wilson")
    return float(ends.low), float(ends.high)


def _foretold(labels: pd.DataFrame, started: np.ndarray, person: pd.Series, seed: int) -> np.ndarray:
    """Return each one's chance of starting from the labels alone, learned from other people."""
    columns = pd.get_dummies(labels).to_numpy("float64")
    folds = person_folds(person, FOLDS, seed)
    chance = np.empty(len(started))
    for fold in range(FOLDS):
        held = folds == fold
        chance[held] = _learned(columns[~held], started[~held], columns[held])
    return chance


def _learned(columns: np.ndarray, started: np.ndarray, of: np.ndarray) -> np.ndarray:
    """Return the chance of starting of some rows, learned from others."""
    if not columns.shape[1] or not 0 < started.sum() < len(started):
        return np.full(len(of), started.mean())
    chance: np.ndarray = LogisticRegression(C=1.0, max_iter=1000).fit(columns, started).predict_proba(of)[:, 1]
    return chance
