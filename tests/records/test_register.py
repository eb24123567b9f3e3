"""People keep their identity from week to week; merges and splits are recorded, and a decision undoes them."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import random
import shutil

import pandas as pd
import pytest

import records
from casewell import doors
from casewell.errors import SettingsError, SourceError
from records import decisions, identity, pseudonyms, register, tables
from records.keyed import keyed_hashes
from records.reading import connect
from tests.records.conftest import NUMBERS, number

WEEKS = [dt.date(2022, 9, 22) + dt.timedelta(days=7 * n) for n in range(4)]
# Somebody whom no registration holds.
STRANGER = {"given_name": "Zebedee", "family_name": "Quill", "date_of_birth": "1971-11-23", "postcode": "ZZ99 9ZZ"}


@pytest.fixture
def week(settled, tmp_path):
    """Build one week from tables, and return who each record is, with what was recorded as changed."""

    def run(place, tables_of, out=None, **changes):
        folder = tmp_path / "linked" / (out or str(WEEKS[place]))
        shutil.rmtree(folder, ignore_errors=True)
        linked = records.build(settled(tables_of, **changes), WEEKS[place], folder)
        people = pd.read_parquet(linked.identities).set_index(["source", "source_record"])["person_id"]
        return people, doors.read(folder / register.CHANGES, tables.CHANGES)

    return run


@pytest.fixture
def decide(tmp_path):
    """Write a decisions file, and return the settings that name it."""

    def write(*rows):
        path = tmp_path / "decisions.csv"
        table = pd.DataFrame(rows, columns=[*decisions.PAIR, "decision", "decided_on"])
        table = table.assign(reason="looked at the letters", decided_by="A. Clerk")
        table[list(decisions.COLUMNS)].to_csv(path, index=False)
        path.chmod(0o600)
        return {"linkage": {"decisions": path}}

    return write


def altered(system, source, row, **changes):
    table = system[source].copy()
    for column, value in changes.items():
        table.loc[row, column] = value
    return {**system, source: table}


def with_row(system, source, row, **changes):
    table = system[source]
    return {**system, source: pd.concat([table, pd.DataFrame([table.loc[row].to_dict() | changes])], ignore_index=True)}


def changes_in_words(changes):
    return [(row.kind, row.reason) for row in changes.itertuples()]


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


def merged_by_a_correction(week, system):
    """A misspelled record is alone in the first week; corrected, it joins its person in the second."""
    wrong = altered(system, "housing", 3, family_name="Quill")
    first, _ = week(0, wrong)
    second, changes = week(1, system)
    assert first["housing", "U3"] != first["demographics", "D3"] == second["housing", "U3"]
    return first, changes


def test_a_merge_says_what_joined_the_two(week, system):
    first, changes = merged_by_a_correction(week, system)
    assert changes[["kind", "person_id", "other_person_id"]].values.tolist() == [
        ["merged", first["demographics", "D3"], first["housing", "U3"]]
    ]
    assert changes["reason"].tolist() == ["what the records say fits exactly one person"]


def test_a_decision_undoes_a_merge_and_gives_the_id_back(week, system, decide):
    first, _ = merged_by_a_correction(week, system)
    told = decide(("demographics", "D3", "housing", "U3", "different", "2022-10-05"))
    third, changes = week(2, system, **told)
    assert third["housing", "U3"] == first["housing", "U3"]
    assert third["demographics", "D3"] == first["demographics", "D3"]
    assert changes_in_words(changes) == [("split", "a person's decision")]
    fourth, changes = week(3, system, **told)
    assert fourth[third.index].equals(third)
    assert changes.empty


def test_a_decision_of_the_day_itself_does_not_count_yet(week, system, decide):
    told = decide(("demographics", "D3", "housing", "U3", "different", str(WEEKS[0])))
    people, _ = week(0, system, **told)
    assert people["demographics", "D3"] == people["housing", "U3"]


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (("demographics", "D3"), ("gp_events", "G3")),  # one number
        (("demographics", "D3"), ("hospital_spells", "H3")),  # one number, and a birth date
        (("demographics", "D0"), ("hospital_spells", "H0")),  # birth date, sex and postcode
        (("demographics", "D3"), ("housing", "U3")),  # names
        (("housing", "U3"), ("demographics", "D3")),
    ],
)
def test_different_holds_whatever_links_the_two(week, system, decide, one, two):
    first, _ = week(0, system)
    assert first[one] == first[two]
    second, changes = week(1, system, **decide((*one, *two, "different", "2022-09-23")))
    assert second[one] != second[two]
    others = second.drop([one, two])
    assert (others == first[others.index]).all()
    assert [kind for kind, _ in changes_in_words(changes)] == ["split"]
    assert set(changes["reason"]) == {"a person's decision"}


def test_a_row_that_nothing_keeps_apart_any_more_is_on_record_as_merged(week, system, decide):
    """An event of a GP says nothing but its number, so that nothing else of it could be recognised."""
    one, two = ("demographics", "D3"), ("gp_events", "G3")
    first, _ = week(0, system)
    parted, _ = week(1, system, **decide((*one, *two, "different", "2022-09-23")))
    assert parted[two] != first[two]
    undone = decide((*one, *two, "different", "2022-09-23"), (*one, *two, "same", "2022-10-03"))
    third, changes = week(2, system, **undone)
    assert third.equals(first)
    assert changes[["kind", "person_id", "other_person_id", "records"]].values.tolist() == [
        ["merged", first[one], parted[two], 1]
    ]
    assert changes["reason"].tolist() == ["what kept them apart no longer holds"]


def test_same_joins_two_people_whom_numbers_keep_apart(week, system, decide):
    first, _ = week(0, system)
    second, changes = week(1, system, **decide(("demographics", "D3", "demographics", "D8", "same", "2022-09-23")))
    assert second["demographics", "D3"] == second["demographics", "D8"] == second["gp_events", "G8"]
    assert second["demographics", "D3"] in {first["demographics", "D3"], first["demographics", "D8"]}
    assert changes_in_words(changes) == [("merged", "a person's decision")]
    third, changes = week(2, system)
    assert third.equals(first)
    assert [kind for kind, _ in changes_in_words(changes)] == ["split"]


def test_a_record_that_a_decision_joins_to_another_person_leaves_its_own_by_that_decision(week, system, decide):
    first, _ = week(0, system)
    assert first["housing", "U3"] == first["demographics", "D3"]
    second, changes = week(1, system, **decide(("demographics", "D8", "housing", "U3", "same", "2022-09-23")))
    assert second["housing", "U3"] == first["demographics", "D8"]
    assert second.drop([("housing", "U3")]).equals(first.drop([("housing", "U3")]))
    assert changes_in_words(changes) == [("moved", "a person's decision")]


def test_same_and_different_hold_together(week, system, decide):
    told = decide(
        ("demographics", "D3", "demographics", "D8", "same", "2022-09-01"),
        ("demographics", "D8", "housing", "U3", "different", "2022-09-01"),
    )
    people, _ = week(0, system, **told)
    assert people["demographics", "D3"] == people["demographics", "D8"] != people["housing", "U3"]


def test_a_decision_whose_record_is_gone_is_counted(week, system, decide, tmp_path):
    people, _ = week(0, system, **decide(("demographics", "D3", "housing", "gone", "same", "2022-09-01")))
    summary = pd.read_json(tmp_path / "linked" / str(WEEKS[0]) / "summary.json", typ="series")
    assert summary["linkage"]["decisions_without_their_record"] == 1
    assert people["demographics", "D3"] == people["gp_events", "G3"]


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
