"""Episodes and spells of a whole system, built."""

from __future__ import annotations

import datetime as dt

import pandas as pd

import records
from casewell import doors
from records import tables
from tests.records.conftest import settle, whole_system


def as_episodes(spells: pd.DataFrame, **columns: object) -> pd.DataFrame:
    """Spells of the tiny system with the columns of episodes."""
    return spells.assign(
        spell_id=[f"S{n}" for n in range(len(spells))],
        episode_order=1,
        episode_start_date=spells["admission_date"],
        episode_end_date=spells["discharge_date"],
        treatment_function_code="300",
    ).assign(**columns)


def built(settled_system, out, as_of=dt.date(2022, 10, 13)):
    linked = records.build(settled_system, as_of, out)
    names = ("events", "identities", "source_counts")
    return {name: doors.read(getattr(linked, name), getattr(tables, name.upper())) for name in names}


def test_an_extract_with_and_without_spell_ids_reads_the_same(tmp_path):
    system = whole_system()
    plain = built(settle(tmp_path, system), tmp_path / "plain")
    for episodes in (as_episodes(system["hospital_spells"]), as_episodes(system["hospital_spells"], spell_id=None)):
        other = built(settle(tmp_path, system | {"hospital_spells": episodes}), tmp_path / "other")
        pd.testing.assert_frame_equal(plain["events"], other["events"])
        pd.testing.assert_frame_equal(plain["source_counts"], other["source_counts"])


def test_a_later_episode_needs_no_notice_of_its_own(tmp_path):
    system = whole_system()
    first = as_episodes(system["hospital_spells"])
    second = first.assign(record_id="X" + first["record_id"], episode_order=2, admission_received_date=None)
    system["hospital_spells"] = pd.concat([first, second.assign(primary_diagnosis="J440")])
    table = built(settle(tmp_path, system), tmp_path / "out")["events"]
    assert table["code"].value_counts()[["ADMISSION//21", "ICD10//J440"]].tolist() == [39, 39]


def test_a_version_received_later_is_counted_as_not_yet_known(tmp_path):
    system = whole_system()
    first = as_episodes(system["hospital_spells"])
    again = first.assign(record_id="X" + first["record_id"], received_date="2022-09-01", primary_diagnosis="J440")
    system["hospital_spells"] = pd.concat([first, again])
    got = built(settle(tmp_path, system), tmp_path / "out", dt.date(2022, 8, 1))
    counts = got["source_counts"].set_index(["source", "fate"])["rows"]
    assert counts["hospital_spells", "not_yet_known"] == 39
    assert not got["identities"]["source_record"].str.startswith("X").any()
    assert "ICD10//J440" not in set(got["events"]["code"])


def test_a_row_without_a_number_belongs_to_the_person_of_its_spell(tmp_path):
    system = whole_system()
    first = as_episodes(system["hospital_spells"])
    again = first.assign(record_id="X" + first["record_id"], received_date="2022-08-01", nhs_number=None, postcode=None)
    system["hospital_spells"] = pd.concat([first, again])
    got = built(settle(tmp_path, system), tmp_path / "out")
    people = got["identities"].query("source == 'hospital_spells'").set_index("source_record")["person_id"]
    assert people["XH7"] == people["H7"]
    assert "XH4" not in people, "a row of an opted-out person's spell was used"
    assert (got["events"].query("known_until.isna()")["code"] == "ADMISSION//21").sum() == 39
