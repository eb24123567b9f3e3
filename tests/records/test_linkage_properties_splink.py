"""The same properties where parameters are estimated and Splink decides: too many descriptions for exact agreement alone."""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import records
from records.probabilistic import MINIMUM_RECORDS
from tests.records.conftest import GIVEN, number, settle, whole_system

AS_OF = dt.date(2022, 10, 5)
REGISTERED, HOUSED, CARED_FOR, STRANGERS = 420, 170, 120, 30
NUMBERS = np.array([number(first) for first in range(1000, 1000 + REGISTERED)])
GIVEN_NAMES = [*GIVEN, "Ines", "Jamal", "Kofi", "Lena", "Mina", "Noor", "Olu", "Priya", "Rosa", "Sami", "Tess", "Yusuf"]
FAMILY_NAMES = [
    f"{start}{end}" for start in ("Ash", "Bel", "Cor", "Dun", "Ever", "Fair") for end in ("by", "ton", "wick")
]


def everybody(chance):
    """Registered people: some of one household, some twins, some of one name; nobody wholly like another."""
    people = pd.DataFrame(
        {
            "given_name": chance.choice(GIVEN_NAMES, REGISTERED),
            "family_name": chance.choice(FAMILY_NAMES, REGISTERED),
            "date_of_birth": pd.Timestamp("1930-01-01") + pd.to_timedelta(chance.integers(0, 28_000, REGISTERED), "D"),
            "sex": chance.choice(["1", "2"], REGISTERED),
            "postcode": [f"ZZ{n // 4} {n % 9}AA" for n in chance.integers(0, REGISTERED, REGISTERED)],
        }
    )
    twins, namesakes = slice(0, 20), slice(20, 40)
    for name in ("family_name", "date_of_birth", "postcode"):
        people.loc[np.arange(200, 220), name] = people.loc[twins, name].to_numpy()[:20]
    for name in ("given_name", "family_name", "postcode"):
        people.loc[np.arange(220, 240), name] = people.loc[namesakes, name].to_numpy()[:20]
    people["date_of_birth"] = people["date_of_birth"].dt.strftime("%Y-%m-%d")
    return people.assign(nhs_number=NUMBERS, address_line=[f"{n % 37} High Street" for n in range(REGISTERED)])


def told_otherwise(people, chance, share):
    """Rows about people as another service writes them: slips in names, birth dates and postcodes."""
    told = people.copy()
    for name, change in (
        ("given_name", lambda text: text[:2] + text[3:]),
        ("family_name", lambda text: text[:-1]),
        ("date_of_birth", lambda text: f"{text[:8]}{int(text[8:]) % 28 + 1:02}"),
    ):
        rows = chance.random(len(told)) < share
        told.loc[rows, name] = told.loc[rows, name].map(change)
    told.loc[chance.random(len(told)) < share, "postcode"] = None
    return told


def world(seed, share):
    """A system whose sources speak of the same people, and who each row is; `share` of what is told is told wrong."""
    chance = np.random.default_rng(seed)
    whole, people = whole_system(), everybody(chance)
    register = people.assign(
        record_id=[f"D{n}" for n in people.index],
        **{
            name: whole["demographics"][name].iloc[0]
            for name in whole["demographics"]
            if name not in people and name != "record_id"
        },
    )
    housed, cared = (chance.choice(REGISTERED, size, replace=False) for size in (HOUSED, CARED_FOR))
    strangers = everybody(np.random.default_rng(chance.integers(1 << 30))).head(STRANGERS)
    housing = pd.concat([told_otherwise(people.iloc[housed], chance, share), strangers], ignore_index=True)
    housing = housing.drop(columns=["nhs_number", "sex"]).assign(
        record_id=[f"U{n}" for n in housing.index],
        event_type="arrears",
        event_date="2022-08-01",
        received_date="2022-09-01",
    )
    care = told_otherwise(people.iloc[cared], chance, share).reset_index(drop=True)
    known = chance.random(len(care)) < 0.4
    # A number stands only where the rest of the row agrees: what such rows keep apart, nothing may join.
    care.loc[known] = people.iloc[cared].reset_index(drop=True).loc[known]
    care = care.assign(
        nhs_number=care["nhs_number"].where(known),
        record_id=[f"S{n}" for n in care.index],
        event_type="request",
        service_type=None,
        start_date="2022-05-01",
        end_date=None,
        received_date="2022-09-01",
    ).drop(columns="address_line")
    events = whole["gp_events"].assign(nhs_number=NUMBERS[:40])
    events.loc[39, "received_date"] = AS_OF.isoformat()  # or the records would end before the list's date
    tables = {
        "demographics": register,
        "practices": whole["practices"],
        "gp_events": events,
        "housing": housing,
        "social_care": care,
    }
    by_number = {f"D{n}": {f"D{n}"} for n in range(REGISTERED)}
    for row in np.flatnonzero(known):
        by_number[f"D{cared[row]}"].add(f"S{row}")
    for row in range(40):
        by_number[f"D{row}"].add(f"G{row}")
    return tables, by_number


def linked(tables, names=None):
    """Link tables and return the partition of their records, by Splink."""
    with tempfile.TemporaryDirectory() as folder:
        told = settle(Path(folder), tables)
        sources = {
            (names or {}).get(name, name): source.model_copy(update={"table": name})
            for name, source in told.sources.items()
        }
        built = records.build(told.model_copy(update={"sources": sources}), AS_OF, Path(folder) / "linked")
        figures = json.loads(built.summary.read_text())["linkage"]
        assert figures["method_for_records_without_number"] == "splink"
        found = pd.read_parquet(built.identities)
    return {frozenset(part) for _, part in found.groupby("person_id")["source_record"]}


def test_there_are_enough_descriptions_to_estimate_on():
    assert REGISTERED + HOUSED - 20 > MINIMUM_RECORDS


# Each build estimates parameters, which takes seconds: a world with few slips and one with many are linked once.
@pytest.fixture(scope="module", params=[(3, 0.05, "housing"), (4, 0.2, "social_care")], ids=["few slips", "many"])
def case(request):
    seed, share, taken = request.param
    tables, by_number = world(seed, share)
    return tables, by_number, linked(tables), taken


def test_the_order_of_rows_and_of_sources_does_not_change_who_is_joined(case):
    tables, _, whole, taken = case
    mixed = {name: table.sample(frac=1, random_state=len(taken)) for name, table in reversed(tables.items())}
    names = {"demographics": "zz_register", "housing": "aa_homes", "social_care": "mm_care"}
    assert whole == linked(mixed, names)


def test_another_source_joins_nobody_whom_numbers_keep_apart_and_its_loss_splits_nobody(case):
    tables, by_number, whole, taken = case
    fewer = linked({name: table for name, table in tables.items() if name != taken})
    for parts in (whole, fewer):
        # Linking is transitive: the parts share no record, and none is left out.
        assert sum(map(len, parts)) == len(frozenset().union(*parts))
        person_of = {record: part for part in parts for record in part}
        for part in parts:
            assert sum(record.startswith("D") for record in part) <= 1, "two registered people were joined"
        for register, rows in by_number.items():
            there = rows & person_of.keys()
            assert there <= person_of[register], "rows of one number were split"
    assert any(part >= {"D0", "G0"} for part in whole)
    assert sum(any(r.startswith("D") for r in part) and any(r.startswith("U") for r in part) for part in whole) > 100
