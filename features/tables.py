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
