"""Tables that Hypothesis draws, for tests that hold one engine against another."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from hypothesis import strategies as st

from tests.features.tiny import EVENT_COLUMNS, events_table, population_table


def tables_of(rows: st.SearchStrategy[dict], most: int) -> st.SearchStrategy[pd.DataFrame]:
    """Tables of up to `most` events, and up to 10 of them repeated."""

    def with_some_again(drawn: list[dict]) -> st.SearchStrategy[pd.DataFrame]:
        again = st.lists(st.sampled_from(drawn), max_size=10) if drawn else st.just([])
        return again.map(lambda twice: events_table(drawn + twice)[list(EVENT_COLUMNS)])

    return st.lists(rows, max_size=most).flatmap(with_some_again)


def populations_of(dates: Sequence[str], people: Sequence[int]) -> st.SearchStrategy[pd.DataFrame]:
    """Populations of some of the people on some of the index dates."""
    pairs = st.tuples(st.sampled_from(dates), st.sampled_from(people))
    return st.lists(pairs, unique=True, min_size=1).map(population_table)
