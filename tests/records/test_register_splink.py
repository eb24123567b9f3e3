"""Weeks of a simulated population with Splink: only what is new is compared, and everybody else stays."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import records
from benchmarks.weekly_linkage import make_weeks, settings_for, touched
from casewell import doors
from records import linkage_report, register, tables

WEEKS = [dt.date(2026, 9, 17), dt.date(2026, 9, 24), dt.date(2026, 10, 1)]


def build(settings, place, out):
    folder = out / str(WEEKS[place])
    linked = records.build(settings, WEEKS[place], folder)
    people = pd.read_parquet(linked.identities).set_index(["source", "source_record"])["person_id"]
    return people, json.loads((folder / linkage_report.NAME).read_text())


@pytest.fixture(scope="module")
def weeks(tmp_path_factory):
    simulator = pytest.importorskip("simulator")
    root = tmp_path_factory.mktemp("weeks")
    simulator.simulate(1200, 11, root / "sources", root / "truth")
    settings = [settings_for(folder, root / "data") for folder in make_weeks(root / "sources", 11, root)]
    found = [build(settings[0], 0, root), build(settings[1], 1, root)]
    anew = settings[1].linkage.model_copy(update={"anew_on": WEEKS[2]})
    found.append(build(settings[1].model_copy(update={"linkage": anew}), 2, root))
    return root, settings, found


def test_only_new_descriptions_are_compared(weeks):
    _, _, found = weeks
    first, second = (told["linkage"] for _, told in found[:2])
    assert first["method_for_records_without_number"] == "splink"
    assert first["descriptions_known"] == 0
    assert 0 < second["descriptions_new"] < 0.1 * second["descriptions_known"]
    assert second["pairs_scored"] < 0.2 * second["pairs_remembered"]
    assert second["model_estimated_for"] == str(WEEKS[0])
    assert found[0][1]["model"] == found[1][1]["model"]


def test_a_week_that_compares_what_is_new_finds_the_people_that_comparing_everything_finds(
    weeks, tmp_path, monkeypatch
):
    """Of the week before only the model is remembered here, neither descriptions nor pairs."""
    root, settings, found = weeks
    memory = register.Entry.memory

    def of_the_model_alone(entry, nodes):
        told = memory(entry, nodes)
        return replace(told, known=np.zeros(len(nodes), dtype=bool), pairs=told.pairs.head(0))

    monkeypatch.setattr(register.Entry, "memory", of_the_model_alone)
    people, told = build(settings[1], 1, tmp_path)
    assert told["linkage"]["descriptions_known"] == told["linkage"]["pairs_remembered"] == 0
    assert told["model"] == found[1][1]["model"]
    pd.testing.assert_series_equal(people, found[1][0])
    for name in ("people.parquet", "identities.parquet", "doubtful.parquet", "changes.parquet"):
        assert (tmp_path / str(WEEKS[1]) / name).read_bytes() == (root / str(WEEKS[1]) / name).read_bytes()


def test_nobody_else_has_another_id_without_a_merge_or_split_on_record(weeks):
    root, _, found = weeks
    first, second = (people.rename("person_id").reset_index() for people, _ in found[:2])
    changes = doors.read(root / str(WEEKS[1]) / register.CHANGES, tables.CHANGES)
    told = touched(first, second, changes, [root / "first", root / "second"])
    assert told["other records"] > 50_000
    assert told["other records with another id"] < 0.001 * told["other records"]
    assert told["of them, without a merge or split on record"] == 0


def test_linking_anew_estimates_again_and_keeps_the_ids(weeks):
    _, _, found = weeks
    (second, before), (third, after) = found[1:]
    assert after["linkage"]["model_estimated_for"] == str(WEEKS[2])
    assert after["linkage"]["pairs_remembered"] == 0
    assert after["model"]["digest"] != before["model"]["digest"]
    both = second.index.intersection(third.index)
    assert (second[both] == third[both]).mean() > 0.999


def test_a_past_week_is_built_again_from_the_week_before_it(weeks, tmp_path):
    root, settings, found = weeks
    people, told = build(settings[1], 1, tmp_path)
    pd.testing.assert_series_equal(people, found[1][0])
    assert told["model"] == found[1][1]["model"]
    for name in ("people.parquet", "identities.parquet", "doubtful.parquet", "changes.parquet"):
        assert (tmp_path / str(WEEKS[1]) / name).read_bytes() == (root / str(WEEKS[1]) / name).read_bytes()


def test_doubtful_pairs_are_private_and_those_of_earlier_weeks_are_among_them(weeks):
    root, _, _ = weeks
    found = [doors.read(root / str(day) / "doubtful.parquet", tables.DOUBTFUL) for day in WEEKS[:2]]
    ends = ["left_source", "left_record", "right_source", "right_record"]
    assert (root / str(WEEKS[1]) / "doubtful.parquet").stat().st_mode & 0o077 == 0
    assert found[0]["probability"].between(0.01, 0.999).all()
    assert len(found[0].merge(found[1], on=ends)) > 0.7 * len(found[0]) > 0
    assert set(found[0]["linked"]) == {True, False}
