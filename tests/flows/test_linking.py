"""`casewell link` from end to end: uncertain pairs out, decisions back, a person explained, changes listed."""

from __future__ import annotations

import csv
import json
import stat

import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from casewell import __main__ as front_door
from casewell.errors import AsOfError, SettingsError
from records.review import COLUMNS
from tests.support import demonstration_settings

WEEK = "2026-10-01"


def casewell(*arguments):
    """Run a command in this process; return what it printed, or raise what it refused with."""
    outcome = CliRunner().invoke(front_door.app, ["link", *map(str, arguments)])
    if outcome.exception is not None and not isinstance(outcome.exception, SystemExit):
        raise outcome.exception
    assert outcome.exit_code == 0, outcome.output
    return " ".join(outcome.output.split())


@pytest.fixture(scope="module")
def settings(population, tmp_path_factory):
    """Settings of the simulated population, linked once by the first command that needs it."""
    folder = tmp_path_factory.mktemp("linking")
    path = demonstration_settings(folder, population, linkage={"decisions": str(folder / "decisions.csv")})
    assert "is made" in casewell("decide", "--settings", path)
    assert stat.S_IMODE((folder / "decisions.csv").stat().st_mode) == 0o600
    assert "was there before" in casewell("decide", "--settings", path)
    return path


@pytest.fixture(scope="module")
def reviewed(settings):
    """The file of uncertain pairs."""
    path = settings.parent / "review.csv"
    casewell("review", "--settings", settings, "--as-of", WEEK, "--out", path, "--most", 6)
    return path


def rows_of(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def linked_folder(settings):
    (folder,) = (settings.parent / "data" / "linked").glob(f"{WEEK}-*")
    return folder


def test_uncertain_pairs_are_written_with_reasons_for_their_owner_only(settings, reviewed):
    rows = rows_of(reviewed)
    assert len(rows) == 6
    assert list(rows[0]) == list(COLUMNS)
    assert stat.S_IMODE(reviewed.stat().st_mode) == 0o600
    assert all("birth date: " in row["why"] and row["probability"] for row in rows)
    doubtful = pd.read_parquet(linked_folder(settings) / "doubtful.parquet")
    asked = {(row["source_1"], row["record_1"]) for row in rows} | {(row["source_2"], row["record_2"]) for row in rows}
    assert asked <= {*zip(doubtful["left_source"], doubtful["left_record"], strict=True)} | {
        *zip(doubtful["right_source"], doubtful["right_record"], strict=True)
    }


def test_nobody_who_opted_out_is_in_any_file_that_a_person_looks_at(settings, reviewed):
    folder = linked_folder(settings)
    described = pd.read_parquet(folder / "descriptions.parquet")
    removed = pd.read_parquet(folder / "removed.parquet")
    assert len(described) > 500
    assert not described["person_id"].isin(removed["person_id"]).any()
    assert stat.S_IMODE((folder / "descriptions.parquet").stat().st_mode) == 0o600


def test_decisions_are_read_back_once_and_their_pairs_are_not_asked_again(settings, reviewed, tmp_path):
    rows = rows_of(reviewed)
    filled = tmp_path / "filled.csv"
    for row, decision in zip(rows, ("same", "different", "", "", "", ""), strict=True):
        if decision:
            row |= {"decision": decision, "reason": "asked both", "decided_by": "A Clerk", "decided_on": "02/01/2025"}
    with filled.open("w", encoding="cp1252", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, delimiter=";")
        writer.writeheader()
        writer.writerows(rows)
    said = casewell("decide", filled, "--settings", settings)
    assert "1 pair(s) the same person, 1 different" in said
    assert "0 were there before, 4 left undecided" in said
    assert "from 2025-01-03 on" in said
    assert "2 were there before" in casewell("decide", filled, "--settings", settings)
    again = tmp_path / "again.csv"
    casewell("review", "--settings", settings, "--as-of", WEEK, "--out", again)
    decided, open_still = ({row["pair"] for row in part} for part in (rows[:2], rows[2:]))
    asked = {row["pair"] for row in rows_of(again)}
    assert not asked & decided
    assert asked >= open_still


def test_a_review_that_was_filled_in_is_not_written_over_before_it_is_read_back(settings, reviewed, tmp_path):
    filled = tmp_path / "filled.csv"
    rows = rows_of(reviewed)
    rows[3] |= {"decision": "same", "reason": "asked both", "decided_by": "A Clerk", "decided_on": "2025-01-02"}
    with filled.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    before = filled.read_bytes()
    with pytest.raises(SettingsError, match="not read back"):
        casewell("review", "--settings", settings, "--as-of", WEEK, "--out", filled)
    assert filled.read_bytes() == before


def test_without_a_place_for_decisions_the_lines_to_add_are_said(settings, reviewed, tmp_path):
    told = yaml.safe_load(settings.read_text())
    bare = tmp_path / "settings.yaml"
    bare.write_text(yaml.safe_dump(told | {"linkage": {}}))
    with pytest.raises(SettingsError) as refusal:
        casewell("decide", reviewed, "--settings", bare)
    assert "linkage:\n  decisions: " in refusal.value.advice


def test_a_person_is_explained_from_a_record_without_names_unless_asked(settings, reviewed):
    identities = pd.read_parquet(linked_folder(settings) / "identities.parquet")
    described = pd.read_parquet(linked_folder(settings) / "descriptions.parquet")
    row = identities[identities["method"] == "splink"].iloc[0]
    names = described.loc[described["person_id"] == row["person_id"], "family_name"]
    arguments = ("explain", "--settings", settings, "--as-of", WEEK)
    said = casewell(*arguments, "--source", row["source"], "--record", row["source_record"])
    assert f"Person {row['person_id']}" in said
    assert f"{row['source']}, record {row['source_record']} resembles" in said
    assert "family name: " in said
    assert "any two records (-" in said
    assert not any(name in said for name in names if name)
    shown = casewell(*arguments, "--show-names", "--", row["person_id"])
    assert any(name in shown for name in names if name)
    looks = rows_of(settings.parent / "data" / "links" / "demo" / "looks.csv")
    assert [look["what"] for look in looks if look["person_id"] == str(row["person_id"])] == [
        "explain",
        "explain, with names",
    ]


def test_what_the_weights_add_up_to_is_the_weight_that_linked(settings, reviewed):
    """The words come from the model of that very week: the bits of a pair sum to the doubtful pair's own weight."""
    doubtful = pd.read_parquet(linked_folder(settings) / "doubtful.parquet")
    for row in rows_of(reviewed):
        ends = {(row["source_1"], row["record_1"].lstrip("'")), (row["source_2"], row["record_2"].lstrip("'"))}
        mine = [
            pair.probability
            for pair in doubtful.itertuples()
            if {(pair.left_source, pair.left_record), (pair.right_source, pair.right_record)} == ends
        ]
        assert mine == [pytest.approx(float(row["probability"]), abs=0.0006)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--source", "housing", "--record", "nothing"), "no record of that source"),
        (("1",), "nobody who was linked"),
        (("1", "--as-of", "soon"), "not a date"),
    ],
)
def test_nobody_is_explained_who_is_not_there(settings, reviewed, arguments, said):
    with pytest.raises(AsOfError, match=said):
        casewell("explain", "--settings", settings, *arguments)


@pytest.mark.parametrize("arguments", [(), ("--source", "housing"), ("1", "--source", "housing", "--record", "U1")])
def test_a_person_or_a_record_must_be_named_and_not_both(settings, arguments):
    outcome = CliRunner().invoke(front_door.app, ["link", "explain", "--settings", str(settings), *arguments])
    assert outcome.exit_code == 2


def test_changes_are_listed_as_a_table_and_as_json(settings, reviewed):
    assert casewell("changes", "--settings", settings) == "No merge or split is recorded"
    assert json.loads(casewell("changes", "--settings", settings, "--json")) == []


def test_merges_and_splits_are_told_in_words_from_the_day_asked_for(settings, reviewed, monkeypatch):
    table = pd.DataFrame(
        [
            (pd.Timestamp("2026-09-01"), "merged", 11, 22, "a person's decision", 3),
            (pd.Timestamp("2026-09-08"), "split", 11, 33, "what joined them is no longer there", 2),
        ],
        columns=["as_of", "kind", "person_id", "other_person_id", "reason", "records"],
    )
    monkeypatch.setattr("records.register.changes", lambda settings: table)
    said = casewell("changes", "--settings", settings)
    assert "2026-09-01: 11 took in 22, 3 record(s): a person's decision" in said
    assert "2026-09-08: records left 11 and are 33 now, 2 record(s)" in said
    (told,) = json.loads(casewell("changes", "--settings", settings, "--json", "--since", "2026-09-02"))
    assert (told["as_of"], told["kind"], told["other_person_id"]) == ("2026-09-08", "split", 33)
