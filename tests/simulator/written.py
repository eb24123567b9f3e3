"""Simulated sources read as an analyst would read them, rows sent twice once, beside the truth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pandas as pd

CUT_OFF = pd.Timestamp("2026-10-01")
EMERGENCY = ["21", "22", "23", "24", "25", "2A", "2D", "28"]
SPELL = ["provider_code", "spell_id"]
EPISODE = [*SPELL, "episode_order"]
CONSULTATION, DIABETES, HBA1C, HOUSEBOUND = "11429006", "44054006", "1003671000000109", "160689007"


@dataclass(frozen=True)
class Simulated:
    sources: Path
    truth: Path

    @cache
    def source(self, name: str) -> pd.DataFrame:
        """Rows of a source with the true person of each; dates as dates; rows sent twice once."""
        table = pd.read_parquet(self.sources / f"{name}.parquet")
        table = table.assign(**{column: pd.to_datetime(table[column]) for column in table if "date" in column})
        table = table.merge(self.identities[self.identities["source"] == name], on="record_id", validate="1:1")
        return table[~table.duplicated(table.columns.difference(["record_id"]))]

    @cached_property
    def identities(self) -> pd.DataFrame:
        return pd.read_parquet(self.truth / "identities.parquet")

    @cached_property
    def people(self) -> pd.DataFrame:
        table = pd.read_parquet(self.truth / "people.parquet").set_index("true_person_id")
        dates = ["date_of_birth", "moved_in", "moved_away", "moved_home", "died"]
        return table.assign(**{column: pd.to_datetime(table[column]) for column in dates})

    def of(self, table: pd.DataFrame, trait: str) -> pd.Series:
        """Something true of the person of each row."""
        return table["true_person_id"].map(self.people[trait])

    @cached_property
    def episodes(self) -> pd.DataFrame:
        """The newest version of each episode."""
        rows = self.source("hospital_spells").sort_values("received_date", na_position="first")
        return rows.drop_duplicates(EPISODE, keep="last").sort_values(EPISODE)

    @cached_property
    def spells(self) -> pd.DataFrame:
        return self.episodes.drop_duplicates(SPELL)
