"""Procedures and clinicians: what is written of them, and that nothing else that is simulated hangs on how they are drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from simulator import clinicians, procedures, simulate
from tests.simulator.conftest import Simulated


def tables(folder: Path, without: set[str]) -> dict[str, pd.DataFrame]:
    found = {path.stem: pd.read_parquet(path) for path in folder.rglob("*.parquet")}
    return {name: table.drop(columns=without & set(table)) for name, table in found.items()}


def test_other_draws_of_procedures_and_clinicians_change_no_other_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    simulate(300, 5, tmp_path / "one" / "sources", tmp_path / "one" / "truth")

    def nothing(world, person, *_):
        world.streams("procedures").random(10)
        return np.full(len(person), "", dtype=object)

    monkeypatch.setattr(procedures, "of_spells", nothing)
    monkeypatch.setattr(clinicians, "of_contacts", lambda world, person, *_: np.full(len(person), clinicians.NOBODY))
    simulate(300, 5, tmp_path / "two" / "sources", tmp_path / "two" / "truth")
    one, two = (tables(tmp_path / name, {"procedures", "clinician_code"}) for name in ("one", "two"))
    assert one.keys() == two.keys()
    for name in one:
        pd.testing.assert_frame_equal(one[name], two[name])
    assert pd.read_parquet(tmp_path / "one" / "sources" / "hospital_spells.parquet")["procedures"].notna().any()
    assert pd.read_parquet(tmp_path / "two" / "sources" / "hospital_spells.parquet")["procedures"].isna().all()


def test_what_was_done_fits_why_the_person_was_there(simulated: Simulated):
    spells = simulated.spells.dropna(subset=["primary_diagnosis"])
    done = spells["procedures"].fillna("")
    cataracts, births = spells["primary_diagnosis"] == "H269", spells["primary_diagnosis"] == "Z380"
    assert cataracts.sum() > 50
    assert done[cataracts].str.startswith("C712").mean() > 0.9
    assert not done[births].any()
    assert 0.15 < (done != "").mean() < 0.7


def test_most_contacts_are_with_the_clinician_usually_seen_and_only_contacts_name_one(simulated: Simulated):
    rows = simulated.with_person("gp_events")
    named = rows["clinician_code"].notna()
    assert (rows.loc[named, "code"] == "11429006").all()
    assert 0.93 < named[rows["code"] == "11429006"].mean() < 0.99
    year = rows[named & (rows["event_date"] >= "2025-10-01")]
    visits = year.groupby(["true_person_id", "practice_code", "clinician_code"]).size()
    by_person = visits.groupby("true_person_id")
    index = (by_person.max() / by_person.sum())[by_person.sum() >= 4]
    assert 0.5 < index.mean() < 0.75  # 0.61 in England (Barker and others, BMJ 2017;356:j84)
    assert index.std() > 0.1
