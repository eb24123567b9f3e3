"""Simulated trusts resubmit, correct and pass patients on; a later build still shows each earlier day as it was.

Who a record is of is always as known today, so that here every row carries its person's own number: otherwise
the builds of two days may differ in whom they took a record to be.
"""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

import features
import models
import records
from casewell.settings import Eligibility
from features import CATALOGUE

from .conftest import number, settle
from .hospital import visible

LAST = dt.date(2026, 10, 1)
EARLIER = [dt.date(2025, 3, 3), dt.date(2026, 2, 1)]
SOURCES = ["demographics", "hospital_spells", "emergency_care", "social_care", "practices"]


@pytest.fixture(scope="module")
def rebuilt(population, tmp_path_factory):
    """The linked tables of the last day and of the earlier ones."""
    folder = tmp_path_factory.mktemp("versions")
    truth = pd.read_parquet(population.parent / "truth" / "identities.parquet")
    tables = {name: pd.read_parquet(population / f"{name}.parquet") for name in SOURCES}
    known = settle(folder, {name: numbered(name, table, truth) for name, table in tables.items()})
    return {day: records.build(known, day, folder / str(day)) for day in [LAST, *EARLIER]}


def numbered(source: str, table: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Give every row its person's number, and nothing else that could speak against it."""
    if "nhs_number" not in table:
        return table
    whose = truth[truth["source"] == source].set_index("record_id")["true_person_id"]
    person = table["record_id"].map(whose)
    rows = table[person.notna()].assign(nhs_number=person.dropna().map(lambda true: number(int(true) + 1)))
    birth = {"date_of_birth": "1900-01-01"} if "date_of_birth" in rows else {}
    return rows.assign(**birth).drop_duplicates("record_id")


@pytest.fixture(scope="module")
def last(rebuilt):
    return pd.read_parquet(rebuilt[LAST].events)


def test_the_population_has_superseded_versions_of_every_kind(last):
    superseded = last[last["known_until"].notna()]
    kinds = set(superseded["code"].str.split("//").str[0])
    assert kinds == {"ADMISSION", "SPELL", "DISCHARGE", "ICD10", "ICD10_PRIMARY", "OPCS4", "SOCIAL_CARE_SERVICE"}
    assert (superseded["known_until"] > superseded["known_at"]).all()


@pytest.mark.parametrize("day", EARLIER)
def test_the_last_build_shows_of_an_earlier_day_what_the_build_of_that_day_told(rebuilt, last, day):
    then = pd.read_parquet(rebuilt[day].events)
    assert then["known_until"].notna().any()
    pd.testing.assert_frame_equal(visible(last, day), visible(then, day))


def contents(folder):
    """The bytes of every file in a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("day", EARLIER)
def test_a_training_snapshot_is_what_would_have_been_scored_on_its_day(rebuilt, tmp_path, day):
    chosen = [feature for feature in CATALOGUE if feature.group]
    people = models.population(
        rebuilt[day].people, rebuilt[day].enrolments, [pd.Timestamp(day).as_unit("us")], Eligibility()
    )
    scored, learned = (
        contents(
            features.build(people, build.events, build.people, build.residences, tmp_path / f"{name}.parquet", chosen)
        )
        for name, build in (("scored", rebuilt[day]), ("learned", rebuilt[LAST]))
    )
    assert len(people) > 1000
    assert scored
    assert scored == learned
