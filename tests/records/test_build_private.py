"""Who opted out is nowhere, and nobody is named outside the private tables."""

from __future__ import annotations

import stat

import pandas as pd
import pytest

import records
from casewell.errors import SettingsError

from .building import AS_OF, built
from .conftest import NUMBERS


def test_an_opted_out_person_has_no_event_and_no_name_from_any_source(plain):
    gone = set(plain["removed"]["person_id"])
    assert not gone & set(plain["events"]["subject_id"])
    assert NUMBERS[4] not in set(plain["contacts"]["nhs_number"])
    assert "U4" not in set(plain["identities"]["source_record"]), "the record without a number was not recognised"
    counts = plain["source_counts"].set_index(["source", "fate"])["rows"]
    assert counts["housing", "opted_out"] == 1
    assert counts["gp_events", "opted_out"] == 1


def test_an_opt_out_of_the_other_type_holds_for_planning(system, settled, tmp_path):
    got = built(settled(system, purpose="planning"), tmp_path / "out")
    assert len(got["removed"]) == 2


def test_an_opt_out_with_unreadable_type_still_holds(system, settled, tmp_path):
    system["opt_outs"].loc[1, "opt_out_type"] = "nationl"
    got = built(settled(system, quality={"max_bad_share": 0.5}), tmp_path / "out")
    assert len(got["removed"]) == 2


def test_an_opt_out_in_hand_holds_whatever_day_the_run_stands_on(system, settled, tmp_path):
    system["opt_outs"].loc[0, ["start_date", "received_date"]] = "2023-01-01"
    assert built(settled(system), tmp_path / "out")["removed"]["door"].tolist() == ["opted_out"]


def test_private_tables_are_readable_by_their_owner_only(plain_files):
    assert {stat.S_IMODE(path.stat().st_mode) for path in (plain_files.identities, plain_files.contacts)} == {0o600}
    assert stat.S_IMODE((plain_files.people.parents[1] / "key").stat().st_mode) == 0o600


def test_no_number_and_no_name_leaves_the_private_tables(plain_files):
    for path in (
        plain_files.people,
        plain_files.residences,
        plain_files.events,
        plain_files.removed,
        plain_files.enrolments,
    ):
        text = pd.read_parquet(path).to_csv()
        assert not any(number in text for number in NUMBERS)
        assert "Ashdown" not in text


def test_a_key_that_others_can_read_is_refused(system, settled, tmp_path):
    (tmp_path / "key").write_text("0" * 64)
    (tmp_path / "key").chmod(0o644)
    with pytest.raises(SettingsError, match="can be read by others"):
        records.build(settled(system), AS_OF, tmp_path / "out")


def test_another_key_gives_other_pseudonyms(plain, system, settled, tmp_path, monkeypatch):
    monkeypatch.setenv("CASEWELL_PSEUDONYM_KEY", "k" * 40)
    assert not set(plain["people"]["person_id"]) & set(built(settled(system), tmp_path / "out")["people"]["person_id"])
