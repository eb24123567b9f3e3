"""People keep their identity from week to week; merges and splits are recorded."""

from __future__ import annotations

import hashlib
import hmac

import pandas as pd

from records import identity, register
from records.keyed import keyed_hashes
from records.reading import connect
from tests.records.conftest import NUMBERS, number
from tests.records.weeks import STRANGER, altered, changes_in_words, merged_by_a_correction, with_row


def test_keyed_hashes_are_hmac_sha_256():
    for key in (b"k" * 32, b"long" * 40):
        with connect() as con:
            got = keyed_hashes(con, key, pd.Series(["n|9990000018", "", "É"]))
        told = [hmac.digest(key, text.encode(), hashlib.sha256) for text in ("n|9990000018", "", "É")]
        assert got.tolist() == [int.from_bytes(digest[:8], "big") & 0x7FFF_FFFF_FFFF_FFFF for digest in told]


def test_a_second_week_leaves_every_other_id_untouched(week, system):
    first, _ = week(0, system)
    more = with_row(system, "demographics", 0, record_id="D99", nhs_number=number(77), **STRANGER)
    second, changes = week(1, with_row(more, "housing", 0, record_id="U99"))
    assert second[first.index].equals(first)
    assert second["demographics", "D99"] not in set(first)
    assert second["housing", "U99"] == first["demographics", "D0"]
    assert changes.empty


def test_who_gets_a_number_later_keeps_the_id(week, system):
    unknown = with_row(system, "housing", 0, record_id="U99", **STRANGER)
    first, _ = week(0, unknown)
    registered = with_row(unknown, "demographics", 0, record_id="D99", nhs_number=number(77), **STRANGER)
    second, changes = week(1, registered)
    assert second["demographics", "D99"] == second["housing", "U99"] == first["housing", "U99"]
    assert changes.empty
    third, _ = week(2, registered)
    assert third.equals(second)


def test_a_record_that_bears_a_known_number_now_merges_its_person_and_says_so(week, system):
    unnumbered = altered(system, "demographics", 3, nhs_number=None, family_name="Quill")
    first, _ = week(0, unnumbered)
    assert first["demographics", "D3"] != first["gp_events", "G3"]
    second, changes = week(1, altered(unnumbered, "demographics", 3, nhs_number=NUMBERS[3]))
    assert second["demographics", "D3"] == second["gp_events", "G3"] == first["gp_events", "G3"]
    assert changes[["kind", "person_id", "other_person_id", "records"]].values.tolist() == [
        ["merged", first["gp_events", "G3"], first["demographics", "D3"], 1]
    ]
    assert changes["reason"].tolist() == ["a record without a number has one now"]


def test_a_merge_says_what_joined_the_two(week, system):
    first, changes = merged_by_a_correction(week, system)
    assert changes[["kind", "person_id", "other_person_id"]].values.tolist() == [
        ["merged", first["demographics", "D3"], first["housing", "U3"]]
    ]
    assert changes["reason"].tolist() == ["what the records say fits exactly one person"]


def test_a_person_without_a_number_who_changes_name_keeps_the_id(week, system):
    unknown = with_row(system, "housing", 0, record_id="U99", **STRANGER)
    first, _ = week(0, unknown)
    second, changes = week(1, altered(unknown, "housing", 40, family_name="Married"))
    assert second.equals(first)
    assert changes.empty


def test_a_description_that_fits_two_people_now_leaves_with_the_reason(week, system):
    first, _ = week(0, system)
    assert first["hospital_spells", "H0"] == first["demographics", "D0"]
    twin = {"given_name": "Twin", "record_id": "D99", "nhs_number": number(77)}
    second, changes = week(1, with_row(system, "demographics", 0, **twin))
    assert second["hospital_spells", "H0"] not in {second["demographics", "D0"], second["demographics", "D99"]}
    assert changes[["kind", "person_id", "other_person_id", "reason"]].values.tolist() == [
        [
            "split",
            first["demographics", "D0"],
            second["hospital_spells", "H0"],
            "what they say fits several people now",
        ]
    ]


def test_rows_that_fit_one_person_alone_again_are_each_on_record_as_merged(week, system):
    twin = {"given_name": "Twin", "record_id": "D99", "nhs_number": number(77)}
    both = with_row(system, "hospital_spells", 0, record_id="H98", spell_id="another")
    rows = [("hospital_spells", name) for name in ("H0", "H98")]
    first, _ = week(0, with_row(both, "demographics", 0, **twin))
    assert first[rows].nunique() == 2
    second, changes = week(1, both)
    home = second["demographics", "D0"]
    assert set(second[rows]) == {home}
    merged = changes[changes["kind"] == "merged"]
    assert set(merged["other_person_id"]) == set(first[rows])
    assert set(merged["person_id"]) == {home}
    assert changes_in_words(merged) == [("merged", "what the records say fits exactly one person")] * 2
    assert merged["records"].tolist() == [1, 1]
    third, again = week(2, both)
    assert third.equals(second)
    assert again.empty


def test_a_row_whose_spell_has_a_number_now_is_on_record_as_merged(week, system):
    bare = {"date_of_birth": None, "sex": None, "postcode": None, "provider_code": "RAA", "spell_id": "S"}
    before = with_row(system, "hospital_spells", 0, record_id="H98", **bare)
    first, _ = week(0, before)
    after = with_row(before, "hospital_spells", 7, record_id="H99", episode_order=2, **bare)
    second, changes = week(1, after)
    assert second["hospital_spells", "H98"] == first["demographics", "D7"] != first["hospital_spells", "H98"]
    assert changes[["person_id", "other_person_id", "records"]].values.tolist() == [
        [first["demographics", "D7"], first["hospital_spells", "H98"], 1]
    ]
    assert changes_in_words(changes) == [("merged", "a record without a number has one now")]


def test_ids_that_a_float_cannot_hold_stay_whole_where_others_are_missing(tmp_path):
    large = 2**62
    rows = [[1, large + 1, "alone", large + 3, "2022-09-22"], [2, large + 2, "alone", pd.NA, "2022-09-22"]]
    handles = pd.DataFrame(rows, columns=list(identity.EARLIER)).astype(identity.EARLIER)
    handles.to_parquet(tmp_path / "handles.parquet", index=False)
    entry = register.Entry(tmp_path, b"k" * 32, {"as_of": "2022-09-22"})
    with connect() as con:
        identity.remember(con, entry.table("handles"))
        found = con.execute("SELECT person_id, formerly FROM earlier ORDER BY handle").fetchall()
    assert found == [(large + 1, large + 3), (large + 2, None)]


def test_who_is_missing_for_a_week_comes_back_as_before(week, system):
    unknown = with_row(system, "housing", 0, record_id="U99", **STRANGER)
    registered = with_row(unknown, "demographics", 0, record_id="D99", nhs_number=number(77), **STRANGER)
    week(0, unknown)
    second, _ = week(1, registered)
    without, _ = week(2, system)
    assert ("demographics", "D99") not in without.index
    fourth, _ = week(3, registered)
    assert fourth[second.index].equals(second)


def test_a_number_that_is_no_longer_believed_splits_with_the_reason(week, system):
    twice = with_row(system, "demographics", 3, record_id="D99", registration_start_date="2015-01-01")
    first, _ = week(0, twice)
    assert first["demographics", "D99"] == first["demographics", "D3"]
    # The number's first record turns out to be somebody else's.
    second, changes = week(1, altered(twice, "demographics", 3, **{**STRANGER, "postcode": "ZZ3 1AA"}))
    assert second["demographics", "D3"] == first["demographics", "D3"] != second["demographics", "D99"]
    split = changes[changes["reason"] == "the number is no longer believed: another birth date, and both names differ"]
    assert split[["kind", "person_id", "other_person_id"]].values.tolist() == [
        ["split", first["demographics", "D3"], second["demographics", "D99"]]
    ]
    _, changes = week(2, altered(twice, "demographics", 3, **{**STRANGER, "postcode": "ZZ3 1AA"}))
    assert changes.empty
