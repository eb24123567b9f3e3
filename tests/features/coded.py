"""The kernel and the reference engine, each on a table of events, for tests that compare them."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from features import Feature, load_code_groups, store
from features.from_events import describe
from features.pieces import Pieces
from features.plan import KINDS
from features.population import lay_out
from features.reference_engine import ROW, build_in_memory
from features.rules import OF_STAYS
from tests.features.tiny import feature, people_table, residences_of

# Groups whose codes overlap, so that an event is often in several.
VALUED, STAYS, CODED = "bp_systolic", "home_support", "any_gp_event"
GROUPS = {"distinct_codes": CODED, "days_spent": STAYS, "days_running": STAYS, "running": STAYS}
WINDOWS = (1, 30, 90, None)
FEATURES = [
    feature(how, window, group)
    for how in KINDS
    for window in WINDOWS
    for group in {GROUPS.get(how, VALUED), STAYS if how in OF_STAYS else CODED}
    if not (how == "change" and window is None) and not (how == "periods_with" and window in (1, None))
]
CODES = [
    "SNOMED//271649006",
    "SOCIAL_CARE_SERVICE//HOME_SUPPORT",
    "BNF//0106A",
    "SNOMED//84114007",
    "SNOMED//in-no-narrow-group",
    "NOTHING//known",
]


def expected(population: pd.DataFrame, events: pd.DataFrame, features: Sequence[Feature] = FEATURES) -> np.ndarray:
    """What the reference says: float32 (features, rows sorted by index date and person)."""
    matrix = build_in_memory(population, events, people_table(), residences_of(people_table()), features)
    return matrix.drop(columns=ROW).to_numpy().T


def from_store(population: pd.DataFrame, coded: store.Store, features: Sequence[Feature] = FEATURES) -> np.ndarray:
    """What the kernel says, in the same form."""
    answer = np.full((len(features), len(population)), -1, dtype=np.float32)
    with tempfile.TemporaryDirectory() as folder:
        pieces = Pieces(lay_out(population, Path(folder)), len(features))
        for piece, values in describe(pieces, coded, features, load_code_groups()):
            answer[:, piece.rows] = values
    return answer


def from_events(population: pd.DataFrame, events: pd.DataFrame, features: Sequence[Feature] = FEATURES) -> np.ndarray:
    """Code the events in a store of their own, and say what the kernel makes of it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.parquet"
        events.sort_values(["subject_id", "time"]).to_parquet(path, index=False)
        return from_store(population, store.refresh(path, Path(folder) / "store", load_code_groups()), features)
