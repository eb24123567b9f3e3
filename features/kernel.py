"""Every aggregation, for every index date, from the coded events of some people.

`reference_engine` says in pandas what each aggregation means; this gives the same cells to the last bit, which the
tests hold it to. An event is visible on a run of a person's index dates (`visible`); counts are made along those
runs (`counting`), and what needs the single events walks through them (`listing`).
"""

from __future__ import annotations

import numpy as np

from features.coding import Events
from features.counting import count
from features.listing import walk_through
from features.plan import Plan
from features.visible import Asked, see


def aggregate(events: Events, asked: Asked, plan: Plan, out: np.ndarray) -> None:
    """Fill float32 `out` (features, rows), which holds `plan.empty`, at the places of the rows asked.

    Parameters
    ----------
    events
        Sorted by person and day; all that is known of each person asked for.
    """
    seen = see(events, asked)
    count(events, seen, asked, plan, out)
    walk_through(events, seen, asked, plan, out)
