"""OMOP tables as found: 150 people of GiBleed with their odd headers."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

import records
from casewell.errors import SourceError
from casewell.settings import Settings, load

REPOSITORY = Path(__file__).parents[2]
EXCERPT = REPOSITORY / "tests" / "data" / "omop_excerpt"


def settled(folder: Path, key: Path) -> Settings:
    settings = load(REPOSITORY / "config" / "omop.yaml")
    source = settings.sources["omop"].model_copy(update={"path": folder})
    return settings.model_copy(update={"sources": {"omop": source}, "pseudonym_key_file": key})


@pytest.fixture(scope="module")
def linked(tmp_path_factory):
    root = tmp_path_factory.mktemp("omop")
    settings = settled(EXCERPT, root / "key")
    return records.build(settings, records.inspect(settings).cut_off, root / "out")


def test_everybody_in_the_person_table_becomes_a_person(linked):
    people = pd.read_parquet(linked.people)
    assert len(people) == 150
    assert people["in_spine"].all()
    assert people["registered_from"].notna().all()
    assert set(people["ethnic_group"]) <= {"White", "Black", "Asian", "Other", "not known"}
    assert set(people["team_code"]) == {"all"}


def test_what_omop_does_not_hold_is_reported_missing_not_invented(linked):
    people = pd.read_parquet(linked.people)
    assert people["imd_decile"].isna().all()
    assert (people["lsoa"] == "").all()
    summary = json.loads(linked.summary.read_text())
    assert summary["missing"] == [
        "deprivation",
        "deaths",
        "case-management history",
        "admission method",
        "registrations",
    ]
    assert pd.read_parquet(linked.enrolments).empty


def test_rows_of_people_who_are_not_there_are_counted(linked):
    counts = pd.read_parquet(linked.source_counts).set_index(["source", "fate"])
    row = counts.loc[("omop/observation_period", "quarantined")]
    assert (row["why"], row["rows"]) == ("person not in the person table", 20)


def test_every_row_becomes_an_event_by_its_concept(linked):
    events = pd.read_parquet(linked.events)
    counts = pd.read_parquet(linked.source_counts).set_index(["source", "fate"])["rows"]
    visits = counts["omop/visit_occurrence", "used"]
    coded = ("condition_occurrence", "drug_exposure", "measurement", "procedure_occurrence", "observation")
    assert len(events) == sum(counts[f"omop/{table}", "used"] for table in coded) + 3 * visits
    assert {"SNOMED", "RxNorm", "LOINC"} <= set(events["code"].str.split("//").str[0])
    spells = events[events["code"] == "SPELL//OMOP_INPATIENT"]
    assert len(spells) == visits
    assert (spells["numeric_value"] == (spells["end"] - spells["time"]).dt.days).all()
    assert events.loc[events["code"] == "ADMISSION//OMOP_INPATIENT", "end"].isna().all()


def test_an_earlier_day_knows_less(linked, tmp_path):
    settings = settled(EXCERPT, tmp_path / "key")
    earlier = records.build(settings, dt.date(1990, 1, 1), tmp_path / "out")
    events = pd.read_parquet(earlier.events)
    assert 0 < len(events) < len(pd.read_parquet(linked.events))
    assert (events["known_at"] < "1990-01-01").all()
    assert (events["end"].dropna() < "1990-01-01").all()


def test_parquet_tables_with_plain_headers_read_the_same(linked, tmp_path):
    folder = tmp_path / "cdm"
    folder.mkdir()
    for path in EXCERPT.glob("*.csv.gz"):
        table = pd.read_csv(path, dtype=str)
        table.columns = [name.lower().removeprefix("date(").split(",")[0] for name in table.columns]
        table.to_parquet(folder / path.name.replace(".csv.gz", ".parquet"))
    settings = settled(folder, tmp_path / "key")
    key = linked.people.parents[1] / "key"
    shutil.copy(key, tmp_path / "key")
    again = records.build(settings, records.inspect(settings).cut_off, tmp_path / "out")
    for name in ("people", "events"):
        pd.testing.assert_frame_equal(pd.read_parquet(getattr(again, name)), pd.read_parquet(getattr(linked, name)))


def test_a_folder_without_a_person_table_is_refused(tmp_path):
    folder = shutil.copytree(EXCERPT, tmp_path / "cdm")
    (folder / "person.csv.gz").unlink()
    with pytest.raises(SourceError, match="no person table"):
        records.inspect(settled(folder, tmp_path / "key"))


def test_a_table_that_lacks_a_column_is_named(tmp_path):
    folder = shutil.copytree(EXCERPT, tmp_path / "cdm")
    (folder / "visit_occurrence.csv.gz").write_bytes(gzip.compress(b"visit_occurrence_id,person_id\n1,1\n"))
    with pytest.raises(SourceError, match=r"visit_occurrence.csv.gz\): missing column 'visit_concept_id'"):
        records.inspect(settled(folder, tmp_path / "key"))


def test_a_death_before_birth_is_named(tmp_path):
    folder = shutil.copytree(EXCERPT, tmp_path / "cdm")
    someone = pd.read_csv(folder / "person.csv.gz").rename(columns=str.lower)["person_id"].iloc[0]
    (folder / "death.csv.gz").unlink()
    (folder / "death.csv").write_text(f"person_id,death_date\n{someone},1850-01-01\n")
    settings = settled(folder, tmp_path / "key")
    with pytest.raises(
        SourceError, match=r"death.csv\): column death_date is earlier than the year of birth in 1 of 1"
    ):
        records.build(settings, records.inspect(settings).cut_off, tmp_path / "out")
