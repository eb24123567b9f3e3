"""The tables that enter and leave `features/`."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import pandera.pandas as pa

from casewell.doors import column, door
from features.catalogue import CATALOGUE
from features.feature import Feature


def _is_midnight(dates: pd.Series) -> pd.Series:
    return dates == dates.dt.normalize()


POPULATION = door(
    "population",
    "a person to describe on an index date",
    {
        "index_date": column(
            "datetime64[us]",
            "Start of the day before which a fact must have been known",
            pa.Check(_is_midnight, name="midnight", error="a date without time of day"),
        ),
        "person_id": column("int64", "The person's pseudonym"),
    },
    unique=["index_date", "person_id"],
)


def matrix_door(features: Sequence[Feature] = CATALOGUE) -> pa.DataFrameSchema:
    """Declare the feature matrix: the population's columns, then one column a feature."""
    described = {
        feature.name: column("float32", f"{feature.description} ({feature.unit})", nullable=True)
        for feature in features
    }
    return door(
        "features",
        "a person's features on an index date",
        {
            "index_date": column("datetime64[us]", "Every value was known before this day"),
            "person_id": column("int64", "The person's pseudonym"),
            **described,
        },
        unique=["index_date", "person_id"],
    )


MATRIX = matrix_door()

_SHARE = pa.Check.in_range(0, 1)

REFERENCE = door(
    "reference",
    "a bin of a feature, in what a model learned from; kept with the model, without anybody's data",
    {
        "feature": column("str", "Name in the catalogue of that day"),
        "bin": column("int64", "0: no value; 1 and on: bins of rising values"),
        "above": column(
            "float64", "Values of the bin lie above this; missing for bin 0 and where there is no limit", nullable=True
        ),
        "up_to": column("float64", "Values of the bin do not exceed this; missing likewise", nullable=True),
        "share": column(
            "float64", "Share of the rows; bins of fewer than 10 people are merged, or told as none", _SHARE
        ),
        "zero": column("float64", "Share of the rows in which the feature is 0", _SHARE),
        "people": column("int64", "People in one snapshot, on average", pa.Check.ge(0)),
    },
    unique=["feature", "bin"],
)

PROFILE = door(
    "profile",
    "a feature of a built matrix, and how far it has moved since training",
    {
        "feature": column("str", "Name in the catalogue", unique=True),
        "source": column("str", "Where its events come from"),
        "in_model": column("bool", "Models use it"),
        "missing": column("float64", "Share of rows without a value", _SHARE),
        "zero": column("float64", "Share of rows in which it is 0", _SHARE),
        "low": column("float64", "At least 8 people have a value as low as this, or lower", nullable=True),
        "p05": column(
            "float64", "5 % of the values are this or lower; missing with fewer than 8 people there", nullable=True
        ),
        "p25": column("float64", "25 %", nullable=True),
        "median": column("float64", "50 %", nullable=True),
        "p75": column("float64", "75 %", nullable=True),
        "p95": column("float64", "95 %", nullable=True),
        "high": column("float64", "At least 8 people have a value as high as this, or higher", nullable=True),
        "training_missing": column("float64", "Share of training rows without a value", _SHARE, nullable=True),
        "training_zero": column("float64", "Share of training rows in which it was 0", _SHARE, nullable=True),
        "psi": column(
            "float64", "Population stability index against the champion's training", pa.Check.ge(0), nullable=True
        ),
        "psi_by_chance": column(
            "float64", "What chance alone exceeds one time in twenty", pa.Check.ge(0), nullable=True
        ),
        "shift": column("str", "What follows", pa.Check.isin(["none", "look", "shifted", "not compared"])),
    },
)

PROFILE_GROUPS = door(
    "profile_groups",
    "a feature in a group of people: how many have no value; under disclosure control",
    {
        "feature": column("str", "Name in the catalogue"),
        "source": column("str", "Where its events come from"),
        "grouping": column("str", "Deprivation fifth, or ethnic group"),
        "group": column("str", "The group; what is not recorded is one"),
        "people": column("float64", "People, to the nearest 5; missing where fewer than 8", nullable=True),
        "missing": column(
            "float64", "Of them without a value; missing where that tells of fewer than 8", nullable=True
        ),
        "share": column("float64", "Their share", _SHARE, nullable=True),
    },
    unique=["feature", "grouping", "group"],
)
