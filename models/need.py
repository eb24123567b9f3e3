"""Need as it would be recorded if everybody had been looked at alike: recorded need, and what is likely to be missing.

Illness that nobody wrote down does not count in a score made of what was. How much is missing shows where somebody looks a second
time: a hospital writes down what it finds in whom it admits, whether a GP had or not. Of the conditions that a hospital found, the
share that was on record elsewhere *before* says how complete the record is (recapture: Chapman 1951; Hook and Regal, Epidemiol Rev
17, 1995), and for whom: by age, sex, deprivation, contacts with the practice, time registered, and practice.

Then, for each person, with X what is known of them apart from diagnoses and medicines (both follow from being diagnosed):

    expected number not on record = (1 - D) x L(X),     where     E[number on record | X] = D x L(X),

D is the person's completeness, and L the number that people alike have. If conditions come independently, given X, at some
rate, and each is written down with probability D, then those written down and those not are independent of each other (thinning
of a Poisson process), so that the one may be added to the other: times the mean points of a condition, to recorded need, which
is never lowered. X is age, sex, deprivation, contacts and urgent care, and whether a hospital looked.

Assumed, and stated wherever the number is shown: that hospitals look at everybody they admit alike; that people who were not
admitted are recorded like those who were, given X; that a condition on record is there. Where hospitals overlook somebody
too, or a group with much unrecorded illness is not told apart by X, too little is added. Ethnicity is not used.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
from scipy import sparse
from scipy.special import expit
from sklearn.linear_model import LogisticRegression, PoissonRegressor

from features.code_groups import map_codes
from features.scores import read_score

SCORE, NEED, NUMBER = "cambridge_multimorbidity", "cms_score", "cms_conditions"
SECOND_LOOK = ("ICD10//", "ICD10_PRIMARY//")
"""Hospital diagnoses: written down by whoever examined a person who was admitted."""
FEWEST_LOOKS, LEAST_COMPLETE = 200, 0.2
PASSING = {"cms_cancer_last_5y": "cms_cancer_last_5y_any_1826d"}
"""Conditions that count for some years only, and their features: found where they began, they say nothing of completeness."""
CONTACTS = "gp_contact_count_1095d"
COUNTED = (
    CONTACTS,
    "registered_days",
    "ed_attendance_count_1095d",
    "emergency_admission_count_1095d",
    "urgent_call_count_365d",
)
"""What tells of illness, or of being seen, without a diagnosis; on the scale of logarithms."""
RIDGE = 0.1  # inverse strength; completeness differs little between people, and practices are small

_LOOKED_AT = """
    SELECT subject_id AS person_id, max(time) AS last FROM read_parquet($events)
    WHERE code IN (SELECT code FROM looks) AND known_at < $as_of
    GROUP BY ALL ORDER BY ALL
"""
_LOOKS = """
    WITH seen AS (
        SELECT subject_id AS person_id, "group" AS condition,
               min(time) FILTER (second) AS second, min(time) FILTER (NOT second) AS first
        FROM read_parquet($events) JOIN conditions USING (code)
        WHERE known_at < $as_of AND coalesce(known_until >= $as_of, TRUE)
        GROUP BY ALL
    )
    SELECT person_id, condition, coalesce(first < coalesce(second, last), FALSE) AS first, second IS NOT NULL AS second
    FROM seen JOIN looked_at USING (person_id)
    WHERE coalesce(first < last, FALSE) OR second IS NOT NULL
    ORDER BY person_id, condition
"""


@dataclass(frozen=True)
class Looks:
    """What hospitals found in whom they looked at.

    Attributes
    ----------
    conditions
        `person_id`, `condition` (code group), `first` (on record elsewhere before), `second` (a hospital wrote it down).
    people
        Everybody with a hospital's diagnosis, whatever it was.
    """

    conditions: pd.DataFrame
    people: np.ndarray

    def found(self) -> pd.DataFrame:
        """Return the conditions that a hospital wrote down: `person_id`, `condition`, `first`."""
        return self.conditions.loc[self.conditions["second"], ["person_id", "condition", "first"]]


@dataclass(frozen=True)
class Completeness:
    """How complete the records of conditions are.

    Attributes
    ----------
    share
        For each person, the probability that a condition is on record, averaged over conditions as they weigh in need.
    looked_at
        For each person, whether a hospital looked.
    """

    share: np.ndarray
    looked_at: np.ndarray


def second_looks(events: Path, as_of: dt.date) -> Looks:
    """List the lasting conditions of the score in people whom a hospital looked at."""
    points = {point.group for point in read_score(SCORE)} - set(PASSING)
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as database:
        codes = database.execute("SELECT DISTINCT code FROM read_parquet(?)", [str(events)]).df()["code"]
        mapped = map_codes(codes)
        conditions = mapped[mapped["group"].isin(points)]
        database.register("conditions", conditions.assign(second=conditions["code"].str.startswith(SECOND_LOOK)))
        database.register("looks", codes[codes.str.startswith(SECOND_LOOK)].to_frame())
        told = {"events": str(events), "as_of": pd.Timestamp(as_of)}
        looked_at = database.execute(_LOOKED_AT, told).df()
        database.register("looked_at", looked_at)
        return Looks(database.execute(_LOOKS, told).df(), looked_at["person_id"].to_numpy())


def completeness(looks: Looks, matrix: pd.DataFrame, practice: pd.Series) -> Completeness:
    """Estimate for each row of a feature matrix how complete the person's record of conditions is.

    Parameters
    ----------
    looks
        From `second_looks`.
    matrix
        One row a person on the day.
    practice
        The practice of each row.

    Returns
    -------
    Completeness, 1 for everybody where there are fewer than FEWEST_LOOKS second looks: then nothing is known of it.
    """
    row = pd.Series(np.arange(len(matrix)), index=matrix["person_id"].to_numpy())
    looked_at = matrix["person_id"].isin(looks.people).to_numpy()
    conditions = looks.conditions[looks.conditions["person_id"].isin(row.index)]
    found = looks.found()
    found = found[found["person_id"].isin(row.index)]
    if len(found) < FEWEST_LOOKS or found["first"].nunique() < 2:
        return Completeness(np.ones(len(matrix)), looked_at)
    weight = {point.group: abs(point.points) for point in read_score(SCORE)}
    names = sorted(set(found["condition"]))
    about, places = _about(matrix), pd.Categorical(practice)
    at = row.loc[found["person_id"]].to_numpy()
    which = [(pd.Categorical(found["condition"], names).codes, len(names)), (places.codes[at], len(places.categories))]
    design = sparse.hstack([about[at], *[_one_hot(codes, width) for codes, width in which]], format="csr")
    fitted = LogisticRegression(C=RIDGE, max_iter=500).fit(design, found["first"])
    of_about, of_condition, of_practice = np.split(fitted.coef_[0], [about.shape[1], about.shape[1] + len(names)])
    own = about @ of_about + np.append(of_practice, 0.0)[places.codes] + fitted.intercept_[0]
    odds = own[:, None] + of_condition
    common = np.array([weight[name] * (conditions["condition"] == name).sum() for name in names], dtype="float64")
    share = expit(odds) @ (common / common.sum())
    # Of what was on record before, how much does a hospital write down again? Whom it looked at has had a second chance.
    again = conditions.loc[conditions["first"], "second"].mean()
    missed = (1 - share) * (1 - again * looked_at)
    return Completeness(np.clip(1 - missed, LEAST_COMPLETE, 1), looked_at)


def _one_hot(codes: np.ndarray, width: int) -> sparse.csr_matrix:
    """Return a column a code; a row without one (-1) is empty."""
    rows = np.flatnonzero(codes >= 0)
    return sparse.csr_matrix((np.ones(len(rows)), (rows, codes[rows])), shape=(len(codes), width))


def _about(matrix: pd.DataFrame) -> np.ndarray:
    """Return what completeness may depend on, a column each, about 0 and of like size."""
    fifth = np.ceil(matrix["imd_decile"].to_numpy("float64") / 2)
    columns = [
        *_of_age_and_sex(matrix),
        *[fifth == number for number in range(1, 6)],
        *[_standard(np.log1p(_known(matrix[name]))) for name in (CONTACTS, "registered_days")],
    ]
    return np.column_stack(columns).astype("float64")


def _of_age_and_sex(matrix: pd.DataFrame) -> list[np.ndarray]:
    age = matrix["age"].to_numpy("float64")
    female = np.nan_to_num(matrix["sex_female"].to_numpy("float64"), nan=0.5)
    return [(age - 50) / 20, np.maximum(age - 60, 0) / 20, female - 0.5]


def _known(column: pd.Series) -> np.ndarray:
    return np.nan_to_num(column.to_numpy("float64"))


def _standard(values: np.ndarray) -> np.ndarray:
    return (values - values.mean()) / max(values.std(), 1e-9)


def expected_need(matrix: pd.DataFrame, known: Completeness) -> np.ndarray:
    """Return recorded need with what is likely to be missing, one a row of a feature matrix; never below what is recorded."""
    need = matrix[NEED].to_numpy("float64")
    if (known.share == 1).all():
        return need
    points = {point.group: point.points for point in read_score(SCORE)}
    passing = {name: _known(matrix[feature]) for name, feature in PASSING.items()}
    number = matrix[NUMBER].to_numpy("float64") - sum(passing.values())
    lasting = need - sum(points[name] * has for name, has in passing.items())
    missing = (1 - known.share) * number_had(matrix, number, known)
    return need + missing * lasting.sum() / max(number.sum(), 1.0)


def number_had(matrix: pd.DataFrame, number: np.ndarray, known: Completeness) -> np.ndarray:
    """Return how many conditions people alike have, by a Poisson regression of the `number` on record over completeness.

    What completeness depends on is part of how people are alike: whoever seldom comes may be well.
    """
    fifth = np.ceil(matrix["imd_decile"].to_numpy("float64") / 2)
    design = np.column_stack(
        [
            *_of_age_and_sex(matrix),
            ((matrix["age"].to_numpy("float64") - 50) / 20) ** 2,
            *[fifth == number for number in range(1, 6)],
            *[_standard(np.log1p(_known(matrix[name]))) for name in COUNTED],
            known.looked_at,
        ]
    ).astype("float64")
    # Weights and a ratio, which is the offset log(share) that the library does not have.
    had = PoissonRegressor(alpha=1e-3, max_iter=300)
    return had.fit(design, number / known.share, sample_weight=known.share).predict(design)
