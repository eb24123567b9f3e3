"""Uncertain pairs are written for a person, who decides, and what was decided is read back once."""

from __future__ import annotations

import csv
import datetime as dt
import stat

import pandas as pd
import pytest

from casewell.errors import SettingsError, SourceError
from records import deciding, decisions, review
from records.comparing import COLUMNS, compared, settings_for
from records.probabilistic import NOT_COMPARED
from records.words import LEVELS, sentences

TODAY = dt.date(2023, 6, 1)
SOURCES = ("demographics", "housing")


def descriptions(*rows):
    """One row a record: source:record, person, and what it says."""
    told = []
    for description, (name, person, *said) in enumerate(rows):
        source, record = name.split(":")
        told.append((source, record, person, said[0] if said else description))
    table = pd.DataFrame(told, columns=["source", "record", "person_id", "description"])
    return table.assign(
        match_probability=(table["source"] == "demographics").map({True: 1.0, False: 0.999}),
        numbered=table["source"] == "demographics",
        given_name="ADA",
        family_name="ASHDOWN",
        date_of_birth=pd.Timestamp("1950-01-01"),
        sex="2",
        postcode="ZZ11AA",
        address="1 HIGH STREET",
    )


def doubtful(*rows):
    """One row a pair: both records and the weight in bits."""
    told = [(*left.split(":"), *right.split(":"), weight) for left, right, weight in rows]
    table = pd.DataFrame(told, columns=["left_source", "left_record", "right_source", "right_record", "weight"])
    return table.assign(probability=1 / (1 + 2.0 ** -table["weight"]), linked=False)


def decided(*rows):
    table = pd.DataFrame(
        [(*left.split(":"), *right.split(":"), decision) for left, right, decision in rows],
        columns=[*decisions.PAIR, "decision"],
    )
    return table.assign(decided_on=pd.Timestamp("2023-01-01"), line=2)


def chosen(pairs, people, answers=None, most=100):
    answers = decided() if answers is None else answers
    found = review.uncertain(pairs, people, answers, 0.99, most)
    return list(zip(found["left_record"], found["right_record"], strict=True))


PEOPLE = descriptions(*[(f"demographics:D{n}", n) for n in range(9)], *[(f"housing:U{n}", 100 + n) for n in range(9)])
# The threshold of 0.99 lies at 6.63 bits.
FIVE = doubtful(
    ("demographics:D1", "housing:U1", 0.0),
    ("demographics:D2", "housing:U2", 6.0),
    ("demographics:D3", "housing:U3", 9.5),
    ("demographics:D4", "housing:U4", 8.0),
    ("demographics:D5", "housing:U5", -3.0),
)


def test_likely_pairs_that_are_not_linked_come_first_and_then_those_nearest_to_the_threshold():
    assert chosen(FIVE, PEOPLE) == [("D4", "U4"), ("D3", "U3"), ("D2", "U2"), ("D1", "U1"), ("D5", "U5")]


def test_pairs_that_other_evidence_joined_come_last():
    people = PEOPLE.assign(person_id=PEOPLE["person_id"].replace({102: 2, 104: 4}))
    assert chosen(FIVE, people) == [("D3", "U3"), ("D4", "U4"), ("D1", "U1"), ("D5", "U5"), ("D2", "U2")]


def test_no_more_pairs_than_asked_for_are_chosen():
    assert chosen(FIVE, PEOPLE, most=2) == [("D4", "U4"), ("D3", "U3")]
    assert chosen(FIVE.head(0), PEOPLE) == []


@pytest.mark.parametrize("decision", ["same", "different"])
def test_a_pair_that_was_decided_is_not_asked_again_whichever_record_stood_first(decision):
    assert ("D4", "U4") not in chosen(FIVE, PEOPLE, decided(("housing:U4", "demographics:D4", decision)))


def test_a_pair_decided_through_another_record_that_says_the_same_is_not_asked_again():
    people = pd.concat([PEOPLE, descriptions(("housing:U40", 104, 13))], ignore_index=True)
    assert PEOPLE.set_index("record").loc["U4", "description"] == 13
    assert ("D4", "U4") not in chosen(FIVE, people, decided(("housing:U40", "demographics:D4", "different")))


def test_a_decision_about_two_people_settles_their_other_pairs_but_not_those_within_one_person():
    people = descriptions(("demographics:D1", 1), ("housing:U1", 2), ("housing:U2", 2), ("housing:U3", 1))
    pairs = doubtful(("demographics:D1", "housing:U2", 7.0), ("demographics:D1", "housing:U3", 7.0))
    assert chosen(pairs, people, decided(("demographics:D1", "housing:U1", "different"))) == [("D1", "U3")]


def test_a_decision_within_one_person_settles_that_pair_alone():
    people = descriptions(("demographics:D1", 1), ("housing:U1", 1), ("housing:U2", 1))
    pairs = doubtful(("demographics:D1", "housing:U1", 7.0), ("demographics:D1", "housing:U2", 7.0))
    assert chosen(pairs, people, decided(("housing:U1", "demographics:D1", "same"))) == [("D1", "U2")]


def test_of_the_pairs_that_two_people_share_the_likeliest_is_asked():
    people = descriptions(("demographics:D1", 1), ("demographics:D2", 1), ("housing:U1", 2))
    pairs = doubtful(("demographics:D1", "housing:U1", 2.0), ("demographics:D2", "housing:U1", 5.0))
    assert chosen(pairs, people) == [("D2", "U1")]


def test_the_record_that_is_surer_of_its_person_stands_first_so_that_the_other_would_leave():
    people = descriptions(("housing:U1", 1), ("demographics:D1", 1), ("housing:U2", 1), ("housing:U3", 1))
    people.loc[people["record"] == "U3", "match_probability"] = 0.9999
    pairs = doubtful(("housing:U1", "demographics:D1", 8.0), ("housing:U2", "housing:U3", 9.0))
    assert chosen(pairs, people) == [("D1", "U1"), ("U3", "U2")]


def test_pairs_of_people_who_may_not_be_looked_at_are_left_out():
    assert chosen(FIVE, PEOPLE[PEOPLE["record"] != "D4"].reset_index(drop=True))[0] == ("D3", "U3")


def test_weights_are_told_in_words_what_says_most_first():
    weights = pd.DataFrame(
        [
            (0, 1, "sex", "Exact match on sex", 1.0, 0.0),
            (0, 1, "family_name", "Exact match on family_name", 8.13, 3.1),
            (0, 1, "given_name", "Jaro-Winkler distance of given_name >= 0.92", 4.0, 0.0),
            (0, 1, "postcode", NOT_COMPARED, 0.0, 0.0),
            (2, 0, "date_of_birth", "one digit, or day and month changed over", 4.1, 0.0),
            (2, 0, "postcode", "All other comparisons", -6.0, 0.0),
            (2, 0, "given_name", "Exact match on given_name", 5.0, -2.0),
        ],
        columns=["left", "right", "comparison", "level", "bits", "frequency_bits"],
    )
    assert sentences(weights).to_dict() == {
        (
            0,
            1,
        ): "family name: the same, and rare here (+11.2); given name: nearly the same (+4.0); sex: the same (+1.0)",
        (2, 0): "postcode: different (-6.0); birth date: one digit differs, or day and month changed over (+4.1); "
        "given name: the same, but common here (+3.0)",
    }


def test_every_level_that_linkage_compares_has_words_of_its_own():
    nodes = pd.DataFrame({name: ["1", "2"] for name in COLUMNS})
    told = settings_for(compared(nodes)).get_settings("duckdb").as_dict()["comparisons"]
    labels = {
        level["label_for_charts"].lower()
        for comparison in told
        for level in comparison["comparison_levels"]
        if not level.get("is_null_level")
    }
    plain = {"alike", "something alike", "written in the other's place"}
    assert {label for label in labels - plain if not label.startswith(tuple(LEVELS))} == set()


def written(path, records=("D4", "U4")):
    people = descriptions((f"demographics:{records[0]}", 1), (f"housing:{records[1]}", 2))
    pairs = doubtful((f"demographics:{records[0]}", f"housing:{records[1]}", 6.0))
    found = review.uncertain(pairs, people, decided(), 0.99, 9)
    review.write(review.side_by_side(found, people, pd.Series(["because"])), path)
    return path


def fill_in(path, **cells):
    """Fill in every line as a spreadsheet would, which drops what it takes for a leading nought."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        table = list(csv.DictReader(file))
    for row in table:
        row |= {"decision": "same", "reason": "seen both", "decided_by": "A Clerk", "decided_on": "01/05/2023"} | cells
    with path.open("w", encoding="cp1252", newline="") as file:
        writer = csv.DictWriter(file, table[0], delimiter=";")
        writer.writeheader()
        writer.writerows(table)
    return path


def test_the_pairs_are_written_side_by_side_for_their_owner_only(tmp_path):
    path = written(tmp_path / "review.csv")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    told = pd.read_csv(path, dtype="str", keep_default_na=False)
    assert list(told) == list(review.COLUMNS)
    row = told.iloc[0]
    assert (row["record_1"], row["record_2"], row["now_linked"], row["why"]) == ("D4", "U4", "no", "because")
    assert (row["nhs_number_1"], row["nhs_number_2"], row["sex_1"]) == ("has one", "none", "female")
    assert row["decision"] == row["decided_on"] == ""


def test_what_was_decided_is_added_once_and_read_by_the_next_run(settled, system, tmp_path):
    filled, kept = fill_in(written(tmp_path / "review.csv")), tmp_path / "decisions.csv"
    assert deciding.take_in(filled, kept, SOURCES, TODAY) == deciding.Taken(1, 0, 0, 0, dt.date(2023, 5, 1))
    first = kept.read_bytes()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert deciding.take_in(filled, kept, SOURCES, TODAY) == deciding.Taken(0, 0, 0, 1, None)
    assert kept.read_bytes() == first
    found = decisions.read(settled(system, linkage={"decisions": kept}), TODAY)
    assert found[[*decisions.PAIR, "decision"]].to_numpy().tolist() == [["demographics", "D4", "housing", "U4", "same"]]


@pytest.mark.parametrize("records", [("0123", "1E5"), ("=1+1", "MAR1"), ("'07", "TRUE"), ("-5", "2023-01-02")])
def test_identifiers_that_a_spreadsheet_would_change_come_back_as_they_were(tmp_path, records):
    filled, kept = fill_in(written(tmp_path / "review.csv", records)), tmp_path / "decisions.csv"
    told = pd.read_csv(filled, sep=";", dtype="str").iloc[0]
    assert told["record_1"] == f"'{records[0]}"
    assert told["record_2"] == f"'{records[1]}"
    deciding.take_in(filled, kept, SOURCES, TODAY)
    kept_rows = decisions.read_file(kept)
    assert (kept_rows["record_1"][0], kept_rows["record_2"][0]) == records


def test_lines_whose_records_were_changed_are_refused_and_nothing_is_written(tmp_path):
    filled, kept = fill_in(written(tmp_path / "review.csv"), record_1="D5"), tmp_path / "decisions.csv"
    with pytest.raises(SourceError, match=r"not those that were written.*in line 2"):
        deciding.take_in(filled, kept, SOURCES, TODAY)
    assert not kept.exists()


def test_lines_left_open_are_counted_and_half_filled_ones_refused(tmp_path):
    filled, kept = written(tmp_path / "review.csv"), tmp_path / "decisions.csv"
    assert deciding.take_in(filled, kept, SOURCES, TODAY) == deciding.Taken(0, 0, 1, 0, None)
    assert not kept.exists()
    with pytest.raises(SourceError, match="'decision' is empty though others"):
        deciding.take_in(fill_in(filled, decision=""), kept, SOURCES, TODAY)


def test_nobody_decides_in_the_future(tmp_path):
    filled = fill_in(written(tmp_path / "review.csv"), decided_on="2023-06-02")
    with pytest.raises(SourceError, match="lies in the future, in line 2"):
        deciding.take_in(filled, tmp_path / "decisions.csv", SOURCES, TODAY)


def test_what_contradicts_an_earlier_decision_is_refused_with_both_lines_and_the_file_stays(tmp_path):
    kept = tmp_path / "decisions.csv"
    header = ",".join(decisions.COLUMNS)
    kept.write_text(
        f"{header}\ndemographics,D4,housing,U9,same,x,y,2023-01-01\nhousing,U4,housing,U9,different,x,y,2023-01-01\n"
    )
    kept.chmod(0o600)
    before = kept.read_bytes()
    with pytest.raises(SourceError) as refusal:
        deciding.take_in(fill_in(written(tmp_path / "review.csv")), kept, SOURCES, TODAY)
    assert "line 3 of 'decisions.csv' says different" in refusal.value.problems[0]
    assert (
        "by line 2 of 'review.csv' and line 2 of 'decisions.csv' the two records are the same"
        in refusal.value.problems[0]
    )
    assert kept.read_bytes() == before


def test_a_correction_by_hand_without_marks_is_added_beside_what_is_there(tmp_path):
    kept, by_hand = tmp_path / "decisions.csv", tmp_path / "by_hand.csv"
    deciding.take_in(fill_in(written(tmp_path / "review.csv")), kept, SOURCES, TODAY)
    by_hand.write_text(
        f"{','.join(decisions.COLUMNS)}\nhousing,U4,demographics,D4,different,other birth date,A Clerk,2023-05-09\n"
    )
    assert deciding.take_in(by_hand, kept, SOURCES, TODAY) == deciding.Taken(0, 1, 0, 0, dt.date(2023, 5, 9))
    assert decisions.read_file(kept)["decision"].tolist() == ["same", "different"]


def test_a_file_of_decisions_that_others_can_read_is_not_added_to(tmp_path):
    filled, kept = fill_in(written(tmp_path / "review.csv")), tmp_path / "decisions.csv"
    kept.write_text(",".join(decisions.COLUMNS) + "\n")
    kept.chmod(0o644)
    with pytest.raises(SettingsError, match="can be read by others"):
        deciding.take_in(filled, kept, SOURCES, TODAY)
