"""Wrongs that can be planted do what they say, to whom they say, and nothing to others."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pandas as pd
import pytest

from simulator import simulate
from tests.simulator.written import (
    CONSULTATION,
    CUT_OFF,
    DIABETES,
    EMERGENCY,
    HBA1C,
    HOUSEBOUND,
    Simulated,
)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Simulated]:
    """Simulate 1,500 people, the same each time, with the scenarios named."""

    @cache
    def run(*names: str) -> Simulated:
        root = tmp_path_factory.mktemp("scenario")
        simulate(1_500, 42, root / "sources", root / "truth", scenario=names)
        return Simulated(root / "sources", root / "truth")

    return run


def test_feed_outage_silences_the_practices_of_the_most_deprived_third(planted: Callable[..., Simulated]) -> None:
    def last(world: Simulated) -> pd.Series:
        return world.source("gp_events").groupby("practice_code")["received_date"].max()

    outage, base = planted("feed_outage"), planted()
    assert (last(base) > CUT_OFF - pd.Timedelta(days=7)).all()
    silent = last(outage) < CUT_OFF - pd.Timedelta(days=91)
    assert silent.sum() == round(len(silent) / 3)
    assert (last(outage)[~silent] > CUT_OFF - pd.Timedelta(days=7)).all()
    rows = outage.source("demographics")
    decile = outage.of(rows, "imd_decile").groupby(rows["practice_code"]).mean()
    assert decile[silent[silent].index].max() < decile[silent[~silent].index].mean()
    for name in ("hospital_spells", "emergency_care"):
        assert (outage.sources / f"{name}.parquet").read_bytes() == (base.sources / f"{name}.parquet").read_bytes()


def test_coding_change_replaces_codes_and_units_from_its_day(planted: Callable[..., Simulated]) -> None:
    changed, base = (planted(*names).source("gp_events") for names in (["coding_change"], []))
    day = pd.Timestamp("2025-04-01")
    for code in (CONSULTATION, DIABETES, HBA1C):
        assert (base.loc[base["event_date"] >= day, "code"] == code).sum() > 20
        assert (changed.loc[changed["event_date"] < day, "code"] == code).sum() > 20
        assert not (changed.loc[changed["event_date"] >= day, "code"] == code).any()
    per_cent = changed[changed["code"] == "43396009"]
    assert set(per_cent["unit"]) == {"%"}
    assert (per_cent["event_date"] >= day).all()
    assert 5 < per_cent["numeric_value"].median() < 8
    replaced = changed["code"].isin(["185317003", "1068881000000101", "308335008"])
    assert replaced.sum() == pytest.approx((base.query("event_date >= @day")["code"] == CONSULTATION).sum(), rel=0.02)
    assert not base["code"].isin(["185317003", "1068881000000101", "308335008", "43396009"]).any()


def test_leak_dates_and_stamps_a_code_weeks_before_the_admission_that_caused_it(
    planted: Callable[..., Simulated],
) -> None:
    def share_foretold(world: Simulated) -> float:
        spells = world.spells[world.spells["admission_method"].isin(EMERGENCY) & world.of(world.spells, "registered")]
        spells = spells[world.of(spells, "date_of_birth") > pd.Timestamp("1965-01-01")]
        spells = spells[spells["admission_date"] - pd.Timedelta(days=335) >= pd.Timestamp("2022-10-01")]
        gp = world.source("gp_events")
        gp = gp[gp["code"] == HOUSEBOUND]
        pairs = spells[["record_id", "true_person_id", "admission_date"]].merge(
            gp[["true_person_id", "event_date", "recorded_date", "received_date"]], on="true_person_id"
        )
        before = [(pairs["admission_date"] - pairs[name]).dt.days.between(14, 335) for name in list(pairs)[3:]]
        return pairs.loc[np.all(before, axis=0), "record_id"].nunique() / len(spells)

    assert share_foretold(planted("leak")) > 0.65
    assert share_foretold(planted()) < 0.10


def test_missing_ethnicity_hides_most_low_users_and_more_of_those_not_white(planted: Callable[..., Simulated]) -> None:
    def unknown(world: Simulated, name: str, whom: str) -> float:
        rows = world.source(name).drop_duplicates("true_person_id")
        people = world.people.query(whom).index
        return rows.loc[rows["true_person_id"].isin(people), "ethnic_category"].isin(["99"]).mean()

    planned, base = planted("missing_ethnicity"), planted()
    for name in ("demographics", "emergency_care"):
        assert unknown(planned, name, "low_use > 0.4") > 0.7
        assert unknown(base, name, "low_use > 0.4") < 0.55
    white, others = (f"low_use < 0.3 and ethnic_group {sign} 'white'" for sign in ("==", "!="))
    register = "demographics"
    assert unknown(planned, register, others) > 1.25 * unknown(base, register, others)
    assert unknown(planned, register, white) == pytest.approx(unknown(base, register, white), abs=0.02)


def test_linkage_bias_loses_the_numbers_of_those_not_white(planted: Callable[..., Simulated]) -> None:
    def missing(world: Simulated, sign: str) -> float:
        calls = world.source("urgent_care")
        group = world.of(calls, "ethnic_group")
        return calls.loc[group == "white" if sign == "==" else group != "white", "nhs_number"].isna().mean()

    biased, base = planted("linkage_bias"), planted()
    assert missing(biased, "!=") > 2 * missing(base, "!=")
    assert missing(biased, "==") == pytest.approx(missing(base, "=="), abs=0.02)
