"""Many made-up tables of events at once, each with people of its own: for engines that take long to begin."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings

from tests.features.test_kernel import event_tables, populations


def many_tables(number: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return events and population of so many tables that Hypothesis made."""
    made: list[tuple[pd.DataFrame, pd.DataFrame]] = []

    @settings(
        max_examples=number, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(events=event_tables, population=populations)
    def keep(events, population):
        made.append((events, population))

    keep()
    people: dict[tuple[int, int], int] = {}

    def own(table: int, ids: pd.Series) -> np.ndarray:
        # Spread over all the ranges of pseudonyms.
        mine = [people.setdefault((table, int(one)), (len(people) + 1) * 0x9E3779B97F4A7C15 % 2**63) for one in ids]
        return np.array(mine, dtype=np.int64)

    events = pd.concat([told.assign(subject_id=own(n, told["subject_id"])) for n, (told, _) in enumerate(made)])
    asked = pd.concat([told.assign(person_id=own(n, told["person_id"])) for n, (_, told) in enumerate(made)])
    assert len(set(events["subject_id"]) & set(asked["person_id"])) > number / 2  # else nothing would be compared
    return events.astype(made[0][0].dtypes), asked.astype(made[0][1].dtypes)
