"""One simulated population for all tests of the simulator, read as the pipeline would read it, beside its truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd
import pytest

from simulator import simulate

YEAR_BEFORE = pd.Timestamp("2025-10-01")
EMERGENCY = ["21", "22", "23", "24", "25", "2A", "2D", "28"]


@dataclass(frozen=True)
class Simulated:
    sources: Path
    truth: Path

    def source(self, name: str) -> pd.DataFrame:
        table = pd.read_parquet(self.sources / f"{name}.parquet")
        dates = [column for column in table if "date" in column]
        return table.assign(**{column: pd.to_datetime(table[column]) for column in dates})

    @cached_property
    def people(self) -> pd.DataFrame:
        return pd.read_parquet(self.truth / "people.parquet")

    @cached_property
    def identities(self) -> pd.DataFrame:
        return pd.read_parquet(self.truth / "identities.parquet")

    @cached_property
    def registered(self) -> pd.DataFrame:
        return self.people[self.people["registered"]]

    def outcomes(self, as_of: pd.Timestamp) -> pd.DataFrame:
        table = pd.read_parquet(self.truth / "outcomes.parquet")
        return table[table["as_of"] == as_of].set_index("true_person_id")

    def with_person(self, name: str) -> pd.DataFrame:
        who = self.identities[self.identities["source"] == name]
        return self.source(name).merge(who, on="record_id", validate="1:1")

    @cached_property
    def spells(self) -> pd.DataFrame:
        """One row a spell, as it was last submitted."""
        rows = self.with_person("hospital_spells").sort_values(["received_date", "episode_order"], na_position="first")
        first = rows[rows["episode_order"] == 1]
        return first.drop_duplicates(["provider_code", "spell_id"], keep="last")

    @cached_property
    def emergencies(self) -> pd.DataFrame:
        return self.spells[self.spells["admission_method"].isin(EMERGENCY)]

    @cached_property
    def starts(self) -> pd.DataFrame:
        referrals = self.with_person("programme")
        return referrals[referrals["outcome"] == "started"]


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    return _simulate(tmp_path_factory.mktemp("population"), 6_000, 7)


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Simulated]:
    """Simulate 2,500 people with wrongs planted; each choice of wrongs once a session."""
    made: dict[tuple[str, ...], Simulated] = {}

    def get(*scenarios: str) -> Simulated:
        if scenarios not in made:
            made[scenarios] = _simulate(tmp_path_factory.mktemp("planted"), 2_500, 11, scenarios)
        return made[scenarios]

    return get


def _simulate(root: Path, people: int, seed: int, scenarios: tuple[str, ...] = ()) -> Simulated:
    simulate(people, seed, root / "sources", root / "truth", scenario=scenarios)
    return Simulated(root / "sources", root / "truth")
