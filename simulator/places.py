"""Where people live and which practice they are registered with: real places of one integrated care board."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

REFERENCE = Path(__file__).resolve().parent.parent / "data" / "reference"
PEOPLE_PER_PRACTICE = 1_800
GROUPS = ("white", "asian", "black", "mixed", "other")


@dataclass(frozen=True)
class Places:
    """Practices taken part, and the areas they draw their lists from."""

    practices: pd.DataFrame  # practice_code, practice_name, pcn_code, pcn_name
    network_of_practice: np.ndarray  # index of the network, by practice
    areas: pd.DataFrame  # lsoa21_code, imd_decile, and the share of residents in each ethnic group
    catchment: np.ndarray  # practice x area: the chance that one of the practice's people lives there


def choose(people: int) -> Places:
    """Take practices in proportion to `people`, in networks spread evenly from the most to the least deprived."""
    areas = pd.read_parquet(REFERENCE / "demonstration_areas.parquet")
    practices = pd.read_parquet(REFERENCE / "demonstration_practices.parquet")
    wanted = min(max(round(people / PEOPLE_PER_PRACTICE), 6), len(practices))
    networks = _spread(areas, practices, max(3, wanted // 2))
    inside = practices[practices["pcn_code"].isin(networks)].sort_values("practice_code")
    turn = inside.groupby("pcn_code").cumcount()
    chosen = inside.assign(turn=turn).sort_values(["turn", "practice_code"]).head(wanted)
    chosen = chosen.sort_values(["pcn_code", "practice_code"], ignore_index=True)
    areas = areas[areas["pcn_code"].isin(chosen["pcn_code"])].reset_index(drop=True)
    residents = areas[list(GROUPS)].sum(axis=1)
    shares = areas[list(GROUPS)].div(residents, axis=0)
    kept = pd.concat([areas[["lsoa21_code", "imd_decile"]], shares], axis=1)
    columns = ["practice_code", "practice_name", "pcn_code", "pcn_name"]
    network = chosen["pcn_code"].factorize(sort=True)[0]
    return Places(chosen[columns], network, kept, _catchments(chosen, areas, residents.to_numpy(float)))


def _spread(areas: pd.DataFrame, practices: pd.DataFrame, count: int) -> list[str]:
    """Networks of two practices or more, at even steps along the order of deprivation."""
    sizes = practices["pcn_code"].value_counts()
    order = areas.groupby("pcn_code")["imd_rank"].mean().sort_values(kind="stable").index
    order = [code for code in order if sizes.get(code, 0) >= 2]
    steps = np.linspace(0, len(order) - 1, min(count, len(order))).round().astype(int)
    return [order[step] for step in steps]


def _catchments(practices: pd.DataFrame, areas: pd.DataFrame, residents: np.ndarray) -> np.ndarray:
    """Most of a practice's people live in its own stretch of the network's areas, some in the rest of them."""
    catchment = np.zeros((len(practices), len(areas)))
    for _, rows in practices.groupby("pcn_code"):
        near = np.flatnonzero(areas["pcn_code"] == practices.loc[rows.index[0], "pcn_code"])
        stretches = np.array_split(near, len(rows))
        for practice, stretch in zip(rows.index, stretches, strict=True):
            catchment[practice, near] = residents[near] * 0.3
            catchment[practice, stretch] = residents[stretch]
    return catchment / catchment.sum(axis=1, keepdims=True)
