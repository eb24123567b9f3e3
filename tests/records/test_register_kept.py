"""What the register keeps is private, whole, and makes every past week again as it was."""

from __future__ import annotations

import random
import shutil

import pandas as pd
import pytest

import records
from casewell.errors import SettingsError, SourceError
from records import pseudonyms, register
from tests.records.conftest import NUMBERS, WEEKS
from tests.records.weeks import STRANGER, altered, with_row


def files_of(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_past_week_is_built_again_as_it_was(week, system, tmp_path):
    unknown = altered(with_row(system, "housing", 0, record_id="U99", **STRANGER), "housing", 3, family_name="Quill")
    week(0, unknown)
    week(1, system)
    week(2, unknown)
    entries = files_of(tmp_path / "data" / "links")
    week(1, system, out="again")
    assert files_of(tmp_path / "linked" / "again") == files_of(tmp_path / "linked" / str(WEEKS[1]))
    assert files_of(tmp_path / "data" / "links") == entries


def test_neither_the_order_of_rows_nor_of_sources_matters_to_the_register(week, system, tmp_path):
    wrong = altered(system, "housing", 3, family_name="Quill")
    week(0, wrong)
    people, _ = week(1, system)
    entry = files_of(tmp_path / "data" / "links" / "test" / str(WEEKS[1]))
    names = list(system)
    random.Random(3).shuffle(names)
    shuffled = {name: system[name].sample(frac=1, random_state=4) for name in names}
    again, _ = week(1, shuffled, out="again")
    assert again.sort_index().equals(people.sort_index())
    assert files_of(tmp_path / "data" / "links" / "test" / str(WEEKS[1])) == entry


def test_the_register_is_private_and_holds_no_name_nor_number(week, system, tmp_path):
    week(0, system)
    home = tmp_path / "data" / "links" / "test"
    for path in home.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0
    whole = b"".join(files_of(home).values())
    assert not [word for word in (*NUMBERS, "Chowdhury", "CHOWDHURY") if word.encode() in whole]


def test_a_damaged_register_is_named_and_removing_it_helps(week, system, tmp_path):
    week(0, system)
    folder = tmp_path / "data" / "links" / "test" / str(WEEKS[0])
    handles = folder / "handles.parquet"
    handles.write_bytes(handles.read_bytes()[:-9])
    with pytest.raises(SourceError, match=r"register of linkage is damaged: handles\.parquet"):
        week(1, system)
    shutil.rmtree(folder)
    week(1, system)


def test_a_damaged_description_of_an_entry_is_named(week, system, tmp_path):
    week(0, system)
    (tmp_path / "data" / "links" / "test" / str(WEEKS[0]) / register.META).write_text("{", encoding="utf-8")
    with pytest.raises(SourceError, match=r"register of linkage is damaged: entry\.json"):
        week(1, system)


def test_a_lost_key_is_refused_instead_of_giving_everybody_a_new_id(week, system, tmp_path):
    first, _ = week(0, system)
    (tmp_path / "other").write_text("o" * 64)
    (tmp_path / "other").chmod(0o600)
    with pytest.raises(SettingsError, match="everybody would get a new id") as refused:
        week(1, system, pseudonym_key_file=tmp_path / "other")
    assert "previous_pseudonym_key_file" in refused.value.advice
    assert "move the folder away" in refused.value.advice
    (tmp_path / "data" / "links" / "test").rename(tmp_path / "moved")
    second, changes = week(1, system, pseudonym_key_file=tmp_path / "other")
    assert changes.empty
    assert not set(first) & set(second)


def test_what_was_linked_with_the_demonstration_s_key_does_not_count_as_a_lost_one(week, system, tmp_path, monkeypatch):
    monkeypatch.setattr(pseudonyms, "DEMONSTRATION_KEY", (tmp_path / "demonstration").name.encode() * 4)
    monkeypatch.setenv(pseudonyms.ENVIRONMENT_VARIABLE, pseudonyms.DEMONSTRATION_KEY.decode())
    first, _ = week(0, system)
    monkeypatch.setenv(pseudonyms.ENVIRONMENT_VARIABLE, "r" * 40)
    second, _ = week(1, system)
    assert not set(first) & set(second)


def test_a_source_with_one_row_a_person_never_has_two(week, system, settled, tmp_path):
    twice = with_row(system, "housing", 3, record_id="U99")
    settings = settled(twice)
    housing = settings.sources["housing"].model_copy(update={"one_row_a_person": True})
    settings = settings.model_copy(update={"sources": {**settings.sources, "housing": housing}})
    linked = records.build(settings, WEEKS[0], tmp_path / "linked" / "single")
    people = pd.read_parquet(linked.identities).set_index(["source", "source_record"])["person_id"]
    assert people["housing"].is_unique
    assert people["housing", "U3"] == people["demographics", "D3"]


def test_a_build_for_the_past_leaves_no_entry(week, system, tmp_path):
    week(2, system)
    week(0, system)
    assert [path.name for path in (tmp_path / "data" / "links" / "test").iterdir()] == [str(WEEKS[2])]


def test_a_stage_goes_also_by_the_entry_it_starts_from(settled, system, tmp_path):
    from flows.workspace import identity

    settings = settled(system)
    before = [identity(settings, day, "linkage") for day in WEEKS[:2]]
    records.build(settings, WEEKS[0], tmp_path / "linked" / "now")
    after = [identity(settings, day, "linkage") for day in WEEKS[:2]]
    assert after[0] == before[0]
    assert after[1] != before[1]
