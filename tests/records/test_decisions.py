"""The file of people's decisions: read whole or refused with every line that is wrong."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from casewell.errors import SettingsError, SourceError
from records import decisions

HEADER = "source_1,record_1,source_2,record_2,decision,reason,decided_by,decided_on"
AS_OF = dt.date(2023, 6, 1)


def line(left, right, decision="same", reason="seen both", by="A Clerk", on="2023-05-01"):
    one, other = left.split(":"), right.split(":")
    return ",".join([*one, *other, decision, reason, by, on])


@pytest.fixture
def read(settled, system, tmp_path):
    """Write lines into a private file and read them as of a day."""
    path = tmp_path / "decisions.csv"

    def read(*lines, as_of=AS_OF, header=HEADER, content=None, mode=0o600):
        path.write_bytes(content if content is not None else "\n".join([header, *lines, ""]).encode())
        path.chmod(mode)
        return decisions.read(settled(system, linkage={"decisions": path}), as_of)

    return read


def pairs(table):
    return [tuple(row) for row in table[[*decisions.PAIR, "decision"]].itertuples(index=False)]


def test_without_a_file_in_the_settings_nobody_decided_anything(settled, system):
    found = decisions.read(settled(system), AS_OF)
    assert found.empty
    assert list(found) == ["source_1", "record_1", "source_2", "record_2", "decision", "decided_on", "line"]


def test_decisions_are_read_with_the_line_they_stand_in(read):
    found = read(line("housing:U1", "demographics:D1"), "", line("housing:U2", "demographics:D1", "Different"))
    assert pairs(found) == [
        ("housing", "U1", "demographics", "D1", "same"),
        ("housing", "U2", "demographics", "D1", "different"),
    ]
    assert found["line"].tolist() == [2, 4]


def test_only_what_was_decided_before_the_day_counts(read):
    lines = [
        line("housing:U1", "demographics:D1", on="2023-05-31"),
        line("housing:U2", "demographics:D2", on="2023-06-01"),
    ]
    assert read(*lines)["record_1"].tolist() == ["U1"]
    assert len(read(*lines, as_of=dt.date(2023, 6, 2))) == 2


def test_the_order_of_lines_does_not_matter(read):
    lines = [line(f"housing:U{n}", "demographics:D1") for n in range(5)]
    assert pairs(read(*lines)) == pairs(read(*lines[::-1]))


def test_the_newest_line_about_a_pair_replaces_the_others_and_the_past_stays_as_it_was(read):
    lines = [
        line("demographics:D1", "housing:U1", "different", on="2023-05-20"),
        line("housing:U1", "demographics:D1", "same", on="2023-05-01"),
    ]
    assert pairs(read(*lines)) == [("demographics", "D1", "housing", "U1", "different")]
    assert pairs(read(*lines, as_of=dt.date(2023, 5, 10))) == [("housing", "U1", "demographics", "D1", "same")]


@pytest.mark.parametrize(
    "content",
    [
        (
            "\ufeff"
            + HEADER.replace(",", ";")
            + "\r\nhousing;U1;demographics;D1;same;caf\u00e9;Zo\u00eb;01/05/2023\r\n;;;;;;;\r\n"
        ).encode(),
        (HEADER + "\r\nhousing,U1,demographics,D1,same,caf\u00e9,Zo\u00eb,2023-05-01\r\n,,,,,,,\r\n").encode("cp1252"),
        (HEADER.replace(",", "\t") + "\nhousing\tU1\tdemographics\tD1\tSAME \tcafe\tZoe\t2023-05-01\n").encode(),
    ],
)
def test_what_spreadsheets_save_is_read(read, content):
    found = read(content=content)
    assert pairs(found) == [("housing", "U1", "demographics", "D1", "same")]
    assert found["decided_on"].tolist() == [pd.Timestamp("2023-05-01")]


def test_every_wrong_line_is_named_at_once_and_no_value_of_a_person(read):
    with pytest.raises(SourceError) as refusal:
        read(
            line("housing:U1", "demographics:D1", decision="perhaps"),
            line("nowhere:U1", "demographics:", on="soon"),
            line("housing:Secret", "housing:Secret", reason="", by=""),
            line("housing:U4", "demographics:D4", decision="maybe"),
        )
    told = refusal.value.problems
    assert "decisions file 'decisions.csv': column 'decision' must be same or different, in lines 2 and 5" in told
    assert "decisions file 'decisions.csv': column 'record_2' is empty, in line 3" in told
    assert any("'source_1' names no source of the settings" in words and "in line 3" in words for words in told)
    assert any("'decided_on' must be a day" in words and "in line 3" in words for words in told)
    for words in (
        "'reason' is empty, in line 4",
        "'decided_by' is empty, in line 4",
        "both records are one, in line 4",
    ):
        assert any(words in problem for problem in told)
    assert len(told) == 7
    assert not any(secret in " ".join(told) for secret in ("Secret", "nowhere", "perhaps", "maybe", "soon"))


@pytest.mark.parametrize(
    ("header", "lines", "said"),
    [
        (HEADER.replace("reason,", ""), [], "missing column 'reason'"),
        (HEADER, ["housing,U1,demographics"], "line 2: more or fewer cells than the header"),
        (HEADER, ['housing,"U1,demographics,D1,same,x,y,2023-05-01'], "not a CSV file"),
    ],
)
def test_a_file_of_another_shape_is_refused(read, header, lines, said):
    with pytest.raises(SourceError) as refusal:
        read(*lines, header=header)
    assert said in refusal.value.problems[0]


def test_decisions_that_contradict_each_other_through_others_are_refused_with_their_lines(read):
    with pytest.raises(SourceError) as refusal:
        read(
            line("housing:U1", "demographics:D1"),
            line("housing:U3", "demographics:D3"),
            line("housing:U1", "demographics:D2"),
            line("demographics:D1", "demographics:D2", "different"),
        )
    assert refusal.value.problems == [
        "decisions file 'decisions.csv': line 5 says different, but by line 2 and line 4 the two records are the same; "
        "decide the wrong one again in a later line"
    ]


def test_a_contradiction_is_mended_by_deciding_the_wrong_one_again(read):
    lines = [
        line("housing:U1", "demographics:D1"),
        line("housing:U1", "demographics:D2"),
        line("demographics:D1", "demographics:D2", "different"),
        line("demographics:D2", "housing:U1", "different"),
    ]
    assert [row[-1] for row in pairs(read(*lines))] == ["different", "different", "same"]


def test_a_file_that_is_lost_stops_instead_of_undoing_what_was_decided(settled, system, tmp_path):
    with pytest.raises(SettingsError, match="does not exist"):
        decisions.read(settled(system, linkage={"decisions": tmp_path / "gone.csv"}), AS_OF)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_can_read_is_refused(read, mode):
    with pytest.raises(SettingsError, match="can be read by others"):
        read(line("housing:U1", "demographics:D1"), mode=mode)
