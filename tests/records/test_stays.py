"""Notices, episodes, resubmissions and transfers become stays in hospital, as they were known on each day."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import records
from casewell import doors
from features import map_codes
from records import tables
from records.events import events_queries, gather_events, hospital_queries
from records.reading import connect
from records.stays import find_stays, settle_rows

from .conftest import settle, whole_system

TYPES = {
    "record_id": "VARCHAR",
    "person": "VARCHAR",
    "number": "VARCHAR",
    "provider_code": "VARCHAR",
    "spell_id": "VARCHAR",
    "episode_order": "BIGINT",
    "admission_date": "DATE",
    "admission_method": "VARCHAR",
    "admission_received_date": "DATE",
    "discharge_date": "DATE",
    "discharge_destination": "VARCHAR",
    "primary_diagnosis": "VARCHAR",
    "secondary_diagnoses": "VARCHAR",
    "procedures": "VARCHAR",
    "received_date": "DATE",
}
EPISODE = {
    "person": "a",
    "provider_code": "RAA",
    "spell_id": "S1",
    "episode_order": 1,
    "admission_date": "2022-06-01",
    "admission_method": "21",
    "admission_received_date": "2022-06-02",
    "discharge_date": "2022-06-11",
    "discharge_destination": "19",
    "primary_diagnosis": "I500",
    "secondary_diagnoses": "E119",
    "received_date": "2022-07-01",
}
SECOND = EPISODE | {"episode_order": 2, "primary_diagnosis": "J440", "secondary_diagnoses": "E119;N183"}
AGAIN = EPISODE | {"primary_diagnosis": "J440", "received_date": "2022-08-01"}
MOVED = EPISODE | {"discharge_destination": "51"}
ELSEWHERE = EPISODE | {
    "provider_code": "RBB",
    "admission_date": "2022-06-11",
    "admission_method": "81",
    "admission_received_date": "2022-06-13",
    "discharge_date": "2022-06-20",
    "primary_diagnosis": "J180",
    "secondary_diagnoses": None,
    "received_date": "2022-07-10",
}
LATER = dt.date(2023, 1, 1)


def events(*rows: dict, as_of: dt.date = LATER) -> pd.DataFrame:
    """The hospital's events that hold, as known before a day."""
    return visible(versions(*rows, as_of=as_of), as_of)


def visible(table: pd.DataFrame, day: dt.date) -> pd.DataFrame:
    """The events that could be seen on a day, as the door says."""
    day = pd.Timestamp(day)
    until = table["known_until"].isna() | (table["known_until"] >= day)
    seen = table[(table["time"] < day) & (table["known_at"] < day) & until].drop(columns="known_until")
    return seen.astype({"code": "str", "source": "str"}).sort_values(list(seen.columns), ignore_index=True)


def versions(*rows: dict, as_of: dt.date = LATER) -> pd.DataFrame:
    """The hospital's events as known before a day, those too that hold no longer; `person` stands for linkage."""
    con = connect()
    numbered = [{"record_id": f"H{place}"} | row for place, row in enumerate(rows)]
    con.register("given", pd.DataFrame(numbered, columns=list(TYPES)).astype("str"))
    columns = ", ".join(f"CAST({name} AS {kind}) AS {name}" for name, kind in TYPES.items())
    con.execute(
        f"""CREATE TABLE rows_0 AS SELECT *, person AS who, '' AS why,
            if(admission_received_date < DATE '{as_of}', 'used', 'not_yet_known') AS fate
        FROM (SELECT {columns} FROM given)"""
    )
    con.execute(
        "CREATE TABLE persons AS SELECT DISTINCT who, ascii(who) AS person_id, true AS used, false AS opted FROM rows_0"
    )
    extract = SimpleNamespace(name="hospital_spells", table="hospital_spells", rows="rows_0")
    settle_rows(con, extract, as_of)
    find_stays(con, [extract], as_of)
    gather_events(con, hospital_queries(), as_of)
    return pd.concat([con.sql(query).df() for query in events_queries()], ignore_index=True)


def told(table: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """Each code with the day it happened and the day it was known."""
    days = table[["time", "known_at"]].apply(lambda column: column.dt.strftime("%Y-%m-%d"))
    assert table["code"].is_unique
    return dict(zip(table["code"], zip(days["time"], days["known_at"], strict=True), strict=True))


def codes(table: pd.DataFrame) -> set[str]:
    return set(told(table))


@pytest.mark.parametrize(
    ("as_of", "said", "not_said"),
    [
        (dt.date(2022, 7, 1), set(), {"ICD10//I500", "ICD10//J440", "SPELL//21"}),
        (dt.date(2022, 8, 1), {"ICD10_PRIMARY//I500", "ICD10//I500", "SPELL//21"}, {"ICD10//J440"}),
        (dt.date(2022, 8, 2), {"ICD10_PRIMARY//J440", "ICD10//J440", "SPELL//21"}, {"ICD10//I500"}),
    ],
)
def test_a_resubmitted_diagnosis_replaces_the_first_from_its_receipt_on_and_not_before(as_of, said, not_said):
    seen = codes(events(EPISODE, AGAIN, as_of=as_of))
    assert "ADMISSION//21" in seen
    assert said <= seen
    assert not not_said & seen


def test_procedures_are_known_with_their_episode_and_a_resubmission_replaces_them():
    done = EPISODE | {"procedures": "W371; Z942;"}
    again = AGAIN | {"procedures": "W381;Z942"}
    seen = told(events(done, again, as_of=dt.date(2022, 7, 2)))
    assert seen["OPCS4//W371"] == seen["OPCS4//Z942"] == ("2022-06-11", "2022-07-01")
    seen = told(events(done, again))
    assert seen["OPCS4//W381"] == ("2022-06-11", "2022-08-01")
    assert seen["OPCS4//Z942"] == ("2022-06-11", "2022-07-01")
    assert "OPCS4//W371" not in seen
    assert not any(code.startswith("OPCS4//") for code in codes(events(EPISODE, SECOND)))


def test_a_resubmission_changes_only_when_that_was_known_which_it_changed():
    seen = told(events(EPISODE, AGAIN))
    assert seen["ADMISSION//21"] == ("2022-06-01", "2022-06-02")
    assert seen["SPELL//21"] == ("2022-06-01", "2022-07-01")
    assert seen["ICD10//E119"] == ("2022-06-11", "2022-07-01")
    assert seen["ICD10//J440"] == seen["ICD10_PRIMARY//J440"] == ("2022-06-11", "2022-08-01")


def test_a_corrected_method_is_known_from_its_receipt():
    corrected = EPISODE | {"admission_method": "11", "received_date": "2022-08-01"}
    assert told(events(EPISODE, corrected, as_of=dt.date(2022, 8, 1)))["ADMISSION//21"][1] == "2022-06-02"
    seen = told(events(EPISODE, corrected))
    assert (seen["ADMISSION//11"][1], seen["SPELL//11"][1]) == ("2022-08-01", "2022-08-01")
    assert not {"ADMISSION//21", "SPELL//21"} & set(seen)


@pytest.mark.parametrize("episode", [EPISODE, SECOND], ids=["first", "second"])
def test_a_corrected_discharge_moves_the_end_of_the_stay_whichever_episode_tells_it(episode):
    corrected = episode | {"discharge_date": "2022-06-09", "received_date": "2022-08-01"}
    table = events(corrected, SECOND, EPISODE)
    assert table.loc[table["code"] == "SPELL//21", ["numeric_value", "end"]].values.tolist() == [
        [8, pd.Timestamp("2022-06-09")]
    ]
    assert told(table)["DISCHARGE//19"] == ("2022-06-09", "2022-08-01")


def test_two_episodes_are_one_admission_and_have_the_diagnoses_of_both():
    table = events(SECOND, EPISODE)
    assert told(table).keys() == {
        "ADMISSION//21",
        "SPELL//21",
        "DISCHARGE//19",
        "ICD10_PRIMARY//I500",
        "ICD10//I500",
        "ICD10//E119",
        "ICD10//J440",
        "ICD10//N183",
    }


def test_a_resubmission_with_the_right_number_gives_the_stay_to_the_right_person():
    table = events(EPISODE | {"person": "b"}, AGAIN)
    assert set(table["subject_id"]) == {ord("a")}
    assert "ADMISSION//21" in codes(table)


def test_the_same_version_twice_counts_once():
    pd.testing.assert_frame_equal(events(EPISODE, EPISODE, SECOND, SECOND), events(EPISODE, SECOND))


def test_one_spell_number_of_two_trusts_is_two_spells():
    other = EPISODE | {"provider_code": "RBB", "admission_date": "2022-06-15", "discharge_date": "2022-06-20"}
    assert (events(EPISODE, other)["code"] == "ADMISSION//21").sum() == 2


def test_an_admission_is_known_from_its_notice_until_the_episodes_come():
    notice = EPISODE | dict.fromkeys(["discharge_date", "discharge_destination", "primary_diagnosis", "received_date"])
    for rows in ([notice], [notice, EPISODE], [EPISODE, SECOND]):
        assert told(events(*rows, as_of=dt.date(2022, 6, 20))) == {"ADMISSION//21": ("2022-06-01", "2022-06-02")}
    assert events(notice, EPISODE)["code"].tolist() == events(EPISODE)["code"].tolist()


@pytest.mark.parametrize("method", ["81", "2B"])
@pytest.mark.parametrize("day", ["2022-06-11", "2022-06-12"])
@pytest.mark.parametrize("destination", ["51", "52", "84", "87"])
def test_a_transfer_is_one_stay(method, day, destination):
    table = events(
        MOVED | {"discharge_destination": destination},
        ELSEWHERE | {"admission_method": method, "admission_date": day},
    )
    seen = told(table)
    assert {code for code in seen if not code.startswith("ICD10")} == {"ADMISSION//21", "SPELL//21", "DISCHARGE//19"}
    assert table.set_index("code").loc["SPELL//21", "end"] == pd.Timestamp("2022-06-20")
    assert seen["SPELL//21"] == ("2022-06-01", "2022-07-10")
    assert seen["DISCHARGE//19"] == ("2022-06-20", "2022-07-10")
    assert {code for code in seen if code.startswith("ICD10_PRIMARY")} == {"ICD10_PRIMARY//I500"}
    assert seen["ICD10//J180"] == ("2022-06-20", "2022-07-10")


def test_a_stay_goes_on_while_the_second_hospital_has_not_discharged():
    seen = told(events(MOVED, ELSEWHERE, as_of=dt.date(2022, 7, 5)))
    assert "ADMISSION//21" in seen
    assert "ICD10//I500" in seen
    assert not {"SPELL//21", "DISCHARGE//51", "ADMISSION//81"} & set(seen)


def test_a_transfer_is_joined_once_the_discharge_before_it_is_known():
    assert told(events(MOVED, ELSEWHERE, as_of=dt.date(2022, 6, 20))) == {
        "ADMISSION//21": ("2022-06-01", "2022-06-02"),
        "ADMISSION//81": ("2022-06-11", "2022-06-13"),
    }


def test_a_hospital_left_on_the_day_it_was_reached_belongs_to_the_stay():
    passing = ELSEWHERE | {"provider_code": "RZZ", "discharge_date": "2022-06-11", "discharge_destination": "51"}
    table = events(MOVED, ELSEWHERE, passing)
    assert table["code"].str.startswith("ADMISSION").sum() == 1
    assert table.set_index("code").loc["SPELL//21", "end"] == pd.Timestamp("2022-06-20")


def test_a_third_hospital_belongs_to_the_stay_too():
    on = ELSEWHERE | {"discharge_destination": "51"}
    back = ELSEWHERE | {"provider_code": "RAA", "spell_id": "S2", "admission_date": "2022-06-20"}
    table = events(MOVED, on, back | {"admission_method": "2B", "discharge_date": "2022-06-30"})
    assert table.set_index("code").loc["SPELL//21", "numeric_value"] == 29
    assert table["code"].str.startswith("ADMISSION").sum() == 1


@pytest.mark.parametrize(
    "second",
    [
        {"person": "b"},
        {"admission_date": "2022-06-13"},
        {"admission_method": "21"},
    ],
    ids=["another person", "two days later", "an emergency of its own"],
)
def test_other_admissions_after_a_transfer_are_stays_of_their_own(second):
    table = events(MOVED, ELSEWHERE | second)
    assert table["code"].str.startswith("ADMISSION").sum() == 2
    assert "DISCHARGE//51" in set(table["code"])


@pytest.mark.parametrize("method", ["81", "2B", "2C", "83"])
def test_a_transfer_that_follows_no_stay_and_a_birth_are_admissions_but_no_emergencies(method):
    alone = codes(events(ELSEWHERE | {"admission_method": method}))
    assert {f"ADMISSION//{method}", f"SPELL//{method}", "ICD10_PRIMARY//J180"} <= alone
    assert "any_admission" in set(map_codes([f"ADMISSION//{method}"])["group"])
    assert "emergency_admission" not in set(map_codes([f"ADMISSION//{method}", f"SPELL//{method}"])["group"])


days = st.integers(0, 6)
lists_of_codes = st.lists(
    st.sampled_from(["I500", "J440", "E119", "N183", "S720"]), min_size=1, max_size=3, unique=True
)


@st.composite
def histories(draw):
    """True stays of two people, and the rows in which trusts tell them, mistakes first, in any order."""
    stays, rows = [], []
    for person in "ab":
        day = dt.date(2022, 1, 1)
        for _ in range(draw(st.integers(0, 3))):
            day += dt.timedelta(days=2 + draw(days))
            stay = {"person": person, "method": draw(st.sampled_from(["21", "2A", "11"])), "from": day, "codes": set()}
            for left in reversed(range(draw(st.integers(1, 3)))):
                spell = {
                    "person": person,
                    "provider_code": draw(st.sampled_from(["RAA", "RBB"])),
                    "spell_id": f"S{len(rows)}",
                    "admission_date": day,
                    "admission_method": draw(st.sampled_from(["81", "2B"])) if "to" in stay else stay["method"],
                    "admission_received_date": day + dt.timedelta(days=1),
                    "discharge_destination": draw(st.sampled_from(["51", "87"])) if left else "19",
                }
                day += dt.timedelta(days=draw(days) + ("to" in stay))
                rows += draw(tellings(spell | {"discharge_date": day}, stay))
                stay["to"] = day
            stays.append(stay)
    return stays, draw(st.permutations(rows))


@st.composite
def tellings(draw, spell, stay):
    """Versions of the episodes of a spell; the last of each is true, the others err in codes or discharge."""
    rows = []
    for order in range(1, draw(st.integers(1, 3)) + 1):
        received = spell["discharge_date"] + dt.timedelta(days=5 + draw(days))
        versions = draw(st.lists(lists_of_codes, min_size=1, max_size=3))
        for place, written in enumerate(versions):
            last = place == len(versions) - 1
            slip = dt.timedelta(days=0 if last else draw(st.integers(0, 2)))
            rows.append(
                spell
                | {
                    "episode_order": order,
                    "discharge_date": spell["discharge_date"] + slip,
                    "primary_diagnosis": written[0],
                    "secondary_diagnoses": ";".join(written[1:]) or None,
                    "received_date": received + dt.timedelta(days=60 * last + 10 * place),
                }
            )
            if last:
                stay["codes"] |= {(spell["spell_id"], code) for code in written}
    return rows


@settings(max_examples=30, deadline=None)
@given(histories())
def test_stays_are_found_however_they_were_told(history):
    stays, rows = history
    found = events(*rows)
    spells = found[found["code"].str.startswith("SPELL//")]
    assert sorted(zip(spells["subject_id"], spells["code"], spells["time"], spells["end"], strict=True)) == sorted(
        (ord(stay["person"]), f"SPELL//{stay['method']}", pd.Timestamp(stay["from"]), pd.Timestamp(stay["to"]))
        for stay in stays
    )
    kinds = found["code"].str.split("//").str[0].value_counts()
    assert {kinds.get(kind, 0) for kind in ("ADMISSION", "SPELL", "DISCHARGE", "ICD10_PRIMARY")} == {len(stays)}
    assert kinds.get("ICD10", 0) == sum(len(stay["codes"]) for stay in stays)


@settings(max_examples=30, deadline=None)
@given(histories(), st.dates(dt.date(2022, 1, 3), dt.date(2022, 3, 1)))
def test_the_past_is_rebuilt_as_it_was_known(history, as_of):
    _, rows = history
    named = [{"record_id": f"H{place}"} | row for place, row in enumerate(rows)]
    content = ["discharge_date", "discharge_destination", "primary_diagnosis", "secondary_diagnoses", "received_date"]
    # As the extract stood on that day: what came later is not there, or is told as if nothing had come.
    first = pd.DataFrame(named, columns=[*TYPES]).sort_values(["episode_order", "received_date", "record_id"])
    notices = set(first.groupby(["provider_code", "spell_id"])["record_id"].first())
    stood = [
        row if row["received_date"] < as_of else row | dict.fromkeys(content)
        for row in named
        if row["received_date"] < as_of or (row["record_id"] in notices and row["admission_received_date"] < as_of)
    ]
    pd.testing.assert_frame_equal(events(*named, as_of=as_of), events(*stood, as_of=as_of))
    if stood:
        assert (events(*named, as_of=as_of)["known_at"] < pd.Timestamp(as_of)).all()


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
