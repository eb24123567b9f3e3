"""Features of events by the embedded engine: from the coded store, piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow

from features import store
from features.feature import Feature
from features.kernel import aggregate
from features.listing import is_compiled
from features.pieces import Piece, Pieces
from features.plan import plan
from features.store import Store
from features.visible import Asked


def from_store(
    pieces: Pieces, events: Path, features: Sequence[Feature], code_groups: pd.DataFrame, say: Callable[[str], None]
) -> Iterator[tuple[Piece, np.ndarray]]:
    """Bring the coded store up to date, which lies beside the events, and describe everybody from it (`describe`).

    Raises
    ------
    SourceError
        The events lack a column.
    """
    if not is_compiled():
        say("Compiling the feature kernel, once on this machine: about ten seconds")
    coded = store.refresh(events, events.with_name("coded_events"), code_groups)
    pyarrow.default_memory_pool().release_unused()  # what reading them all took, for what follows
    return describe(pieces, coded, features, code_groups)


def describe(
    pieces: Pieces, coded: Store, features: Sequence[Feature], code_groups: pd.DataFrame
) -> Iterator[tuple[Piece, np.ndarray]]:
    """Give each piece with float32 (features, rows of the piece), good until the next is asked for; features have a group."""
    compiled = plan(features, coded.codes, code_groups)
    held, events = -1, None  # a range of the store may belong to several pieces
    room = np.empty(len(features) * pieces.largest, dtype=np.float32)  # once: new memory for each would cost more
    for piece in pieces:
        out = room[: len(features) * len(piece.rows)].reshape(len(features), len(piece.rows))
        out[:] = compiled.empty[:, None]
        ranges, day = store.shard_of(piece.person, coded.shards), piece.day
        for shard in np.unique(ranges):
            if events is None or shard != held:
                held, events = shard, store.read(coded, shard)
            places = np.flatnonzero(ranges == shard)
            places = places[np.argsort(piece.person[places], kind="stable")]
            aggregate(events, Asked(piece.person[places], day[places], places), compiled, out)
        yield piece, out
