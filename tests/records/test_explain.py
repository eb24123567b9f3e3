"""What makes a person up is told with its reasons, only where it may be, and every look is noted."""

from __future__ import annotations

import csv
import json
import stat

import pandas as pd
import pytest

from casewell import doors
from casewell.errors import AsOfError, SettingsError
from records import decisions, looking, pseudonyms
from records.comparing import COLUMNS
from records.explain import explain, person_of
from records.tables import DESCRIPTIONS, IDENTITIES

PERSON, OTHER = 11, 22


@pytest.fixture
def linked(tmp_path):
    """A linked week of two people: one with a number, a spelling of her name elsewhere, and an exact fit."""
    rows = [
        ("demographics", "D1", PERSON, "nhs_number", 1.0),
        ("gp_events", "G1", PERSON, "nhs_number", 1.0),
        ("gp_events", "G2", PERSON, "nhs_number", 1.0),
        ("hospital_spells", "H1", PERSON, "demographics", None),
        ("housing", "U1", PERSON, "splink", 0.999),
        ("housing", "U2", PERSON, "splink", 0.999),
        ("housing", "U9", OTHER, "alone", None),
    ]
    columns = ["source", "source_record", "person_id", "method", "match_probability"]
    folder = tmp_path / "linked"
    doors.write(pd.DataFrame(rows, columns=columns), IDENTITIES, folder / "identities.parquet")
    said = [
        ("demographics", "D1", PERSON, 1, True, "ADA", "ASHDOWN"),
        ("housing", "U1", PERSON, 2, False, "ADA", "ASHDON"),
        ("housing", "U2", PERSON, 3, False, "A", "ASHDON"),
        ("hospital_spells", "H1", PERSON, 4, False, "", ""),
        ("housing", "U9", OTHER, 5, False, "BOLA", "BELLO"),
    ]
    table = pd.DataFrame(
        said, columns=["source", "record", "person_id", "description", "numbered", "given_name", "family_name"]
    ).assign(date_of_birth=pd.Timestamp("1950-01-01"), sex="2", postcode="ZZ11AA", address="", match_probability=0.999)
    doors.write(table, DESCRIPTIONS, folder / "descriptions.parquet")
    (folder / "contacts.parquet").touch()
    stamp(folder, pseudonyms.DEMONSTRATION_KEY)
    return folder


def stamp(folder, key):
    told = {"linkage": {"pseudonym_key": pseudonyms.fingerprint_of(key)}}
    (folder / "summary.json").write_text(json.dumps(told))


def weigh(nodes, pairs):
    """Family names that are the same speak for, others against."""
    assert list(nodes) == list(COLUMNS)
    assert nodes["date_of_birth"].eq("1950-01-01").all()
    family = nodes["family_name"].fillna("").to_numpy()
    same = family[pairs["left"]] == family[pairs["right"]]
    bits = pd.Series(same).map({True: 9.0, False: 4.0})
    level = pd.Series(same).map(
        {True: "Exact match on family_name", False: "Jaro-Winkler distance of family_name >= 0.92"}
    )
    names = pairs.assign(comparison="family_name", level=level, bits=bits, frequency_bits=2.0, weight=bits + 2.0 - 5.0)
    address = names.assign(comparison="postcode", level="not compared", bits=0.0, frequency_bits=0.0)
    return pd.concat([names, address], ignore_index=True).assign(prior_bits=-5.0, probability=0.97)


def decided(*rows):
    table = pd.DataFrame(rows, columns=[*decisions.PAIR, "decision", "line"])
    return table.astype({"line": "int64"}).assign(decided_on=pd.Timestamp("2023-01-01"))


def test_every_record_of_the_person_is_counted_by_source_and_by_what_linked_it(linked):
    found = explain(linked, PERSON, decided(), weigh)
    assert found.sources[["source", "method", "records"]].to_numpy().tolist() == [
        ["demographics", "the person's NHS number", 1],
        ["gp_events", "the person's NHS number", 2],
        ["hospital_spells", "an exact fit with this person and nobody else", 1],
        ["housing", "what it says of the person", 2],
    ]
    assert found.others["record"].tolist() == ["H1"]


def test_a_record_linked_by_what_it_says_is_held_against_the_one_it_resembles_most(linked):
    links = explain(linked, PERSON, decided(), weigh).links.set_index("record")
    assert links.loc["U1", ["against_source", "against_record"]].tolist() == ["housing", "U2"]
    assert links.loc["U2", "against_record"] == "U1"
    assert links.loc["U1", "weight"] == 6.0
    assert links.loc["U1", "why"] == "family name: the same, and rare here (+11.0)"


def test_nobody_is_given_a_reason_that_was_not_kept(linked):
    links = explain(linked, PERSON, decided(), lambda nodes, pairs: None).links
    assert links["record"].tolist() == ["U1", "U2"]
    assert links["why"].isna().all()


def test_decisions_about_the_person_are_told_and_others_are_not(linked):
    about = decided(("housing", "U9", "gp_events", "G2", "different", 2), ("housing", "U9", "housing", "U8", "same", 3))
    assert explain(linked, PERSON, about, weigh).decided["line"].tolist() == [2]


def test_a_person_is_found_by_a_record_and_one_that_is_not_there_is_refused(linked):
    assert person_of(linked, "gp_events", "G2") == PERSON
    with pytest.raises(AsOfError, match="no record of that source"):
        person_of(linked, "gp_events", "G2' OR '1'='1")
    with pytest.raises(AsOfError, match="nobody who was linked"):
        explain(linked, 33, decided(), weigh)


def test_simulated_people_may_be_looked_at_without_a_key(settled, system, linked):
    looking.check_allowed(settled(system), linked)


def test_a_machine_without_the_key_is_refused_and_no_key_is_made(settled, system, linked, monkeypatch):
    monkeypatch.delenv(pseudonyms.ENVIRONMENT_VARIABLE, raising=False)
    settings = settled(system)
    stamp(linked, b"a key of real people, long enough")
    with pytest.raises(SettingsError, match="does not hold the pseudonym key"):
        looking.check_allowed(settings, linked)
    assert not settings.pseudonym_key_file.exists()


def test_a_machine_with_another_key_is_refused_and_one_with_the_key_is_not(settled, system, linked, monkeypatch):
    settings, key = settled(system), "a key of real people, that is long enough"
    stamp(linked, key.encode())
    monkeypatch.setenv(pseudonyms.ENVIRONMENT_VARIABLE, key + " but another")
    with pytest.raises(SettingsError, match="not the one these people were linked with"):
        looking.check_allowed(settings, linked)
    monkeypatch.setenv(pseudonyms.ENVIRONMENT_VARIABLE, key)
    looking.check_allowed(settings, linked)
    monkeypatch.delenv(pseudonyms.ENVIRONMENT_VARIABLE)
    settings.pseudonym_key_file.write_text(key)
    settings.pseudonym_key_file.chmod(0o600)
    looking.check_allowed(settings, linked)


def test_a_user_who_may_not_read_the_private_files_is_refused(settled, system, linked, monkeypatch):
    monkeypatch.setattr(looking.os, "access", lambda path, mode: path.name != "contacts.parquet")
    with pytest.raises(SettingsError, match=r"contacts\.parquet in .* may not be read by this user"):
        looking.check_allowed(settled(system), linked)


def test_a_week_that_an_earlier_version_linked_is_refused_in_words(tmp_path):
    (tmp_path / "summary.json").write_text('{"linkage": {}}')
    with pytest.raises(SettingsError, match="linked by an earlier version"):
        looking.is_demonstration(tmp_path)


def test_every_look_is_added_to_a_private_file(settled, system, tmp_path):
    settings = settled(system, data_dir=tmp_path / "data")
    looking.note(settings, "explain", PERSON)
    looking.note(settings, "review of 3 pairs")
    path = tmp_path / "data" / "links" / "test" / "looks.csv"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with path.open(newline="") as file:
        first, second = csv.DictReader(file)
    assert (first["what"], first["person_id"], first["settings"]) == ("explain", str(PERSON), "test")
    assert first["user"]
    assert (second["what"], second["person_id"]) == ("review of 3 pairs", "")
