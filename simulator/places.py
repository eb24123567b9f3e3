"""Where people live and which practice they are registered with: real places of one integrated care board.

The places are real; their people are reweighted, so that deprivation and ethnicity are jointly those
of all England and not only of this board.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

REFERENCE = Path(__file__).resolve().parent.parent / "data" / "reference"
PEOPLE_PER_PRACTICE = 1_800
GROUPS = ("white", "asian", "black", "mixed", "other")
OWN_STRETCH, REST_OF_NETWORK = 1.0, 0.3  # how readily people register with the nearest practice, and with another
YOUNGER = {"white": 0.0, "asian": 0.026, "black": 0.028, "mixed": 0.045, "other": 0.026}  # a year of age, log odds
RAKING_ROUNDS = 25


@dataclass(frozen=True)
class Places:
    """Practices taken part, the areas they draw their lists from, and who lives in such areas."""

    practices: pd.DataFrame  # practice_code, practice_name, pcn_code, pcn_name; in order of network
    network_of_practice: np.ndarray  # index of the network, by practice
    areas: pd.DataFrame  # lsoa21_code, imd_decile
    network_of_area: np.ndarray
    residents: np.ndarray  # area x ethnic group, as weights
    nearness: np.ndarray  # practice x area, as weights
    ages: np.ndarray  # decile x ethnic group x single year of age, as weights

    @property
    def networks(self) -> int:
        """How many networks take part."""
        return int(self.network_of_practice.max()) + 1

    def sizes(self, people: int) -> np.ndarray:
        """Share people out among the networks, in proportion to their residents; the sum is exact."""
        weight = np.bincount(self.network_of_area, self.residents.sum(axis=1), self.networks)
        edges = np.round(np.cumsum(weight) / weight.sum() * people).astype(int)
        return np.diff(edges, prepend=0)


def choose_places(people: int) -> Places:
    """Take practices in proportion to `people`, in networks spread evenly from the most to the least deprived."""
    areas = pd.read_parquet(REFERENCE / "demonstration_areas.parquet")
    practices = pd.read_parquet(REFERENCE / "demonstration_practices.parquet")
    wanted = min(max(round(people / PEOPLE_PER_PRACTICE), 6), len(practices))
    networks = _spread(areas, practices, max(3, wanted // 2))
    inside = practices[practices["pcn_code"].isin(networks)].sort_values("practice_code")
    turn = inside.groupby("pcn_code").cumcount()
    taken = inside.assign(turn=turn).sort_values(["turn", "practice_code"]).head(wanted)
    taken = taken.sort_values(["pcn_code", "practice_code"], ignore_index=True)
    areas = areas[areas["pcn_code"].isin(taken["pcn_code"])].reset_index(drop=True)
    codes = np.unique(taken["pcn_code"])
    return Places(
        practices=taken[["practice_code", "practice_name", "pcn_code", "pcn_name"]],
        network_of_practice=np.searchsorted(codes, taken["pcn_code"]),
        areas=areas[["lsoa21_code", "imd_decile"]],
        network_of_area=np.searchsorted(codes, areas["pcn_code"]),
        residents=_as_in_england(areas),
        nearness=_nearness(taken, areas),
        ages=_ages(),
    )


def _spread(areas: pd.DataFrame, practices: pd.DataFrame, count: int) -> list[str]:
    """Networks of two practices or more, at even steps along the order of deprivation."""
    sizes = practices["pcn_code"].value_counts()
    order = areas.groupby("pcn_code")["imd_rank"].mean().sort_values(kind="stable").index
    order = [code for code in order if sizes.get(code, 0) >= 2]
    steps = np.linspace(0, len(order) - 1, min(count, len(order))).round().astype(int)
    return [order[step] for step in steps]


def _england() -> pd.DataFrame:
    """England's residents by deprivation decile and ethnic group."""
    table = pd.read_parquet(REFERENCE / "population_ethnicity_by_decile.parquet")
    return table.set_index("imd_decile").sort_index()[list(GROUPS)]


def _as_in_england(areas: pd.DataFrame) -> np.ndarray:
    """Census residents of the areas, weighted so that each decile's ethnic groups are as many as in England."""
    decile = areas["imd_decile"].to_numpy()
    census = areas[list(GROUPS)].to_numpy(float) + 0.5
    here = areas[list(GROUPS)].add(0.5).groupby(decile).sum().reindex(range(1, 11), fill_value=1.0)
    factor = _england().to_numpy() / here.to_numpy()
    return census * factor[decile - 1]


def _ages() -> np.ndarray:
    """Weights of single years of age by decile and ethnic group: England's margins, minority groups younger."""
    table = pd.read_parquet(REFERENCE / "population_age_by_decile.parquet")
    by_age = table.pivot_table(index="imd_decile", columns="age", values="people").sort_index().to_numpy()
    by_age = by_age / by_age.sum(axis=1, keepdims=True)
    by_group = _england().to_numpy()
    by_group = by_group / by_group.sum(axis=1, keepdims=True)
    tilt = np.array([YOUNGER[group] for group in GROUPS])[:, None]
    weights = np.exp(-tilt * np.arange(by_age.shape[1])[None, :])[None, :, :] * by_age[:, None, :]
    for _ in range(RAKING_ROUNDS):
        weights *= (by_group / weights.sum(axis=2))[:, :, None]
        weights *= (by_age / weights.sum(axis=1))[:, None, :]
    return weights


def _nearness(practices: pd.DataFrame, areas: pd.DataFrame) -> np.ndarray:
    """Each practice has its own stretch of its network's areas, and draws fewer people from the rest of them."""
    near = np.zeros((len(practices), len(areas)))
    for code, rows in practices.groupby("pcn_code"):
        inside = np.flatnonzero(areas["pcn_code"] == code)
        for practice, stretch in zip(rows.index, np.array_split(inside, len(rows)), strict=True):
            near[practice, inside] = REST_OF_NETWORK
            near[practice, stretch] = OWN_STRETCH
    return near
