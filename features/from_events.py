"""Features of events, shard by shard, from the coded store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from features import store
from features.feature import Feature
from features.kernel import aggregate
from features.plan import plan
from features.store import SHARDS, Store
from features.visible import Asked


@dataclass(frozen=True)
class Block:
    """Some rows of the population, and their features: float32 (features, rows)."""

    rows: np.ndarray
    values: np.ndarray


def blocks(rows: pd.DataFrame, coded: Store, features: Sequence[Feature], code_groups: pd.DataFrame) -> Iterator[Block]:
    """Describe the people of the population, one range of pseudonyms after the other.

    Parameters
    ----------
    rows
        `features.tables.POPULATION`, sorted by index_date and person_id. Each block's row numbers are sorted too,
        and on one index date a later block's come after an earlier one's.
    features
        Features with a group; a block's values are in this order.
    """
    codes = coded.codes
    compiled = plan(features, codes, code_groups)
    person = rows["person_id"].to_numpy()
    day = rows["index_date"].to_numpy().astype("datetime64[D]").astype(np.int64)
    dates = np.flatnonzero(np.diff(day, prepend=day[:1] - 1))
    spans = list(zip(dates, np.append(dates[1:], len(day)), strict=True))
    edges = [
        first + np.searchsorted(store.shard_of(person[first:last]), np.arange(SHARDS + 1)) for first, last in spans
    ]
    for shard in range(SHARDS):
        chosen = np.concatenate([np.arange(edge[shard], edge[shard + 1]) for edge in edges])
        if len(chosen) == 0:
            continue
        order = np.argsort(person[chosen], kind="stable")
        asked = Asked(person[chosen][order], day[chosen][order], order)
        yield Block(chosen, aggregate(store.read(coded, shard), asked, compiled))
