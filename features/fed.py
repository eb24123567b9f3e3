"""Which sources a feature rests on, by what the data hold: the share of its events that each source sends."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import duckdb
import pandas as pd

from features.catalogue import CATALOGUE
from features.code_groups import map_codes
from features.feature import Feature

_BY_SOURCE = "SELECT code, source, count(*) AS rows FROM read_parquet(?) GROUP BY ALL ORDER BY ALL"
WHOLLY_WITHOUT = 0.1  # of its events: a feature of which a source sends more rests on it


def rests_on(events: Path, features: Sequence[Feature] = CATALOGUE) -> pd.DataFrame:
    """Return `feature`, `source`, `share` (of the events of the feature's code groups), a row a feature and source it has.

    A feature that counts no events (age, deprivation, registration) has none.
    """
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as database:
        counts = database.execute(_BY_SOURCE, [str(events)]).df()
    groups = counts.merge(map_codes(counts["code"].drop_duplicates()), on="code")
    by_group = groups.groupby(["group", "source"], as_index=False)["rows"].sum()
    pairs = pd.DataFrame(
        [(feature.name, group) for feature in features for group in sorted(feature.groups())],
        columns=["feature", "group"],
    )
    table = pairs.merge(by_group, on="group").groupby(["feature", "source"], as_index=False)["rows"].sum()
    table["share"] = table["rows"] / table.groupby("feature")["rows"].transform("sum")
    return table.drop(columns="rows")


def resting_on(found: pd.DataFrame, sources: Collection[str]) -> set[str]:
    """Return the features of `rests_on` that a model without these sources must not use."""
    return set(found.loc[found["source"].isin(sources) & (found["share"] > WHOLLY_WITHOUT), "feature"])
