"""From tables to people: cut at the day, accounted for, and the same whatever the order of rows."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as tuned
from hypothesis import strategies as st

import records

from .building import built
from .conftest import whole_system


def test_new_referrals_alone_do_not_make_the_data_look_fresh(system, settled):
    before = records.inspect(settled(system)).cut_off
    system["programme"]["received_date"] = "2022-12-01"
    assert records.inspect(settled(system)).cut_off == before


def test_the_span_runs_from_the_first_receipt_to_the_day_after_the_last(system, settled):
    assert records.inspect(settled(system)) == records.Span(dt.date(2022, 3, 5), dt.date(2022, 10, 13), False)


def test_everybody_who_came_in_is_a_person_or_was_removed(plain):
    # The national opt-out of person 5 does not apply to direct care.
    assert len(plain["people"]) == 39
    assert plain["removed"]["door"].tolist() == ["opted_out"]
    assert plain["removed"]["imd_decile"].notna().all()
    assert not set(plain["people"]["person_id"]) & set(plain["removed"]["person_id"])


def test_nothing_known_on_the_day_or_later_gets_out(system, settled, tmp_path):
    got = built(settled(system), tmp_path / "out", dt.date(2022, 6, 10))
    assert (got["events"]["known_at"] < "2022-06-10").all()
    codes = set(got["events"]["code"])
    assert "ADMISSION//21" in codes, "the admission was known while the person was in hospital"
    assert not codes & {"SPELL//21", "DISCHARGE//19", "ICD10//I500", "HOUSING//ARREARS", "DEATH"}
    assert got["enrolments"].empty
    assert got["people"]["died_on"].isna().all()
    counts = got["source_counts"].set_index(["source", "fate"])["rows"]
    assert counts["housing", "not_yet_known"] == 40


@pytest.mark.parametrize(("by", "teams"), [("network", {"N1"}), ("practice", {"P1", "P2"}), ("all", {"all"})])
def test_teams_follow_the_settings(system, settled, tmp_path, by, teams):
    people = built(settled(system, teams={"by": by}), tmp_path / "out")["people"]
    assert set(people["team_code"]) == teams


def test_simulated_people_are_marked(system, settled, tmp_path):
    settings = settled(system)
    (settings.sources["gp_events"].path.parent / "SYNTHETIC").write_text("")
    assert built(settings, tmp_path / "out")["people"]["synthetic"].all()
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["synthetic"] is True


@pytest.mark.parametrize("ending", ["parquet", "csv.gz"])
def test_parquet_and_gzipped_csv_with_other_names_read_the_same(plain, plain_files, system, settled, tmp_path, ending):
    settings = settled(system, pseudonym_key_file=plain_files.people.parents[1] / "key")
    path = tmp_path / f"gp.{ending}"
    other = system["gp_events"].rename(columns={"event_date": "EFFECTIVE"}).rename(columns=str.upper)
    if ending == "parquet":
        dates = {name: pd.to_datetime(other[name]) for name in ("EFFECTIVE", "RECORDED_DATE", "RECEIVED_DATE")}
        other.assign(**dates).to_parquet(path)
    else:
        other.to_csv(path, index=False)
    source = settings.sources["gp_events"].model_copy(update={"path": path, "columns": {"event_date": "Effective"}})
    again = settings.model_copy(update={"sources": {**settings.sources, "gp_events": source}})
    pd.testing.assert_frame_equal(built(again, tmp_path / "out")["events"], plain["events"])


def test_a_lag_stands_in_for_a_missing_day_of_receipt(system, settled, tmp_path):
    system["gp_events"] = system["gp_events"].drop(columns="received_date")
    settings = settled(system)
    source = settings.sources["gp_events"].model_copy(update={"known_lag_days": 7})
    settings = settings.model_copy(update={"sources": {**settings.sources, "gp_events": source}})
    events = built(settings, tmp_path / "out")["events"]
    assert set(events.loc[events["source"] == "gp_events", "known_at"]) == {pd.Timestamp("2022-03-08")}


@tuned(
    max_examples=2, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 10_000), copies=st.integers(0, 3))
def test_order_and_copies_of_rows_change_nothing_and_every_row_has_a_fate(
    plain, plain_files, settled, tmp_path, seed, copies
):
    system, key = whole_system(), plain_files.people.parents[1] / "key"
    chance = np.random.default_rng(seed)
    shuffled = {
        name: pd.concat([table, table.head(copies)]).iloc[chance.permutation(len(table) + min(copies, len(table)))]
        for name, table in system.items()
    }
    got = built(settled(shuffled, pseudonym_key_file=key), tmp_path / "shuffled")
    for name in ("people", "residences", "events", "enrolments", "identities", "contacts", "removed"):
        pd.testing.assert_frame_equal(got[name], plain[name])
    rows = got["source_counts"].groupby("source")["rows"].sum()
    assert rows.to_dict() == {name: len(table) for name, table in shuffled.items()}
