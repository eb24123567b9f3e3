"""A tiny integrated care system, whole and without a fault, that each test bends in one place."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

import records
from casewell import doors
from casewell.settings import Settings
from records import decisions, register, tables

from .building import AS_OF, tables_of

Tables = dict[str, pd.DataFrame]
WEEKS = [dt.date(2022, 9, 22) + dt.timedelta(days=7 * n) for n in range(4)]
BASIS = {"reference": "test agreement", "purposes": ["direct_care", "planning"], "review_date": "2999-01-01"}


def number(first: int) -> str:
    """A valid number of the 999 range, which is for tests only."""
    nine = f"999{first:06d}"
    digit = (11 - sum(int(d) * w for d, w in zip(nine, range(10, 1, -1), strict=True)) % 11) % 11
    return number(first + 500_000) if digit == 10 else f"{nine}{digit}"


NUMBERS = [number(n) for n in range(1, 41)]
GIVEN = ["Ada", "Bola", "Chen", "Dev", "Elsa", "Farah", "Gwen", "Hugo"]
FAMILY = ["Ashdown", "Bello", "Chowdhury", "Draper", "Eze"]


def whole_system() -> Tables:
    """Forty people, each with a few records; dates are text, as in CSV."""
    people = pd.DataFrame({"nhs_number": NUMBERS})
    place = people.index.to_series()
    people["given_name"] = [GIVEN[n % 8] for n in place]
    people["family_name"] = [FAMILY[n % 5] for n in place]
    people["date_of_birth"] = [f"19{30 + n}-0{1 + n % 9}-1{n % 10}" for n in place]
    people["sex"] = [str(1 + n % 2) for n in place]
    people["postcode"] = [f"ZZ{n} 1AA" for n in place]
    demographics = people.assign(
        record_id=[f"D{n}" for n in place],
        ethnic_category=["A", "H", "N", "Z"] * 10,
        address_line="1 High Street",
        lsoa="E01000001",
        practice_code=["P1", "P2"] * 20,
        registration_start_date="2010-01-01",
        registration_end_date=None,
        registration_end_received_date=None,
        date_of_death=[None] * 39 + ["2023-05-01"],
        death_received_date=[None] * 39 + ["2023-05-20"],
    )
    gp = pd.DataFrame(
        {
            "record_id": [f"G{n}" for n in range(40)],
            "nhs_number": NUMBERS,
            "practice_code": "P1",
            "event_date": "2022-03-01",
            "recorded_date": "2022-03-02",
            "received_date": "2022-03-05",
            "code_system": "SNOMED",
            "code": "38341003",
            "numeric_value": 1.5,
            "unit": "mmHg",
        }
    )
    spells = people[["nhs_number", "date_of_birth", "sex", "postcode"]].assign(
        record_id=[f"H{n}" for n in place],
        provider_code="RAA",
        admission_date="2022-06-01",
        admission_method="21",
        admission_received_date="2022-06-02",
        discharge_date="2022-06-11",
        discharge_destination="19",
        primary_diagnosis="I500",
        secondary_diagnoses="E119;N183",
        received_date="2022-07-01",
    )
    spells.loc[0, "nhs_number"] = None
    housing = people[["given_name", "family_name", "date_of_birth", "postcode"]].assign(
        record_id=[f"U{n}" for n in place],
        address_line="1 High Street",
        event_type="arrears",
        event_date="2022-08-01",
        received_date=["2022-09-01"] * 39 + ["2022-10-12"],
    )
    programme = pd.DataFrame(
        {
            "record_id": ["C0", "C1"],
            "nhs_number": NUMBERS[:2],
            "team_code": "N1",
            "referral_date": "2022-10-01",
            "referral_route": "gp_discretion",
            "start_date": ["2022-10-10", None],
            "end_date": ["2023-06-01", None],
            "outcome": ["started", "declined"],
            "received_date": "2022-10-12",
        }
    )
    opt_outs = pd.DataFrame(
        {
            "record_id": ["O0", "O1"],
            "nhs_number": NUMBERS[4:6],
            "opt_out_type": ["type_1", "national"],
            "start_date": "2020-01-01",
            "received_date": "2020-01-02",
        }
    )
    practices = pd.DataFrame(
        {"practice_code": ["P1", "P2"], "practice_name": ["One", "Two"], "pcn_code": "N1", "pcn_name": "North"}
    )
    return {
        "demographics": demographics,
        "gp_events": gp,
        "hospital_spells": spells,
        "housing": housing,
        "programme": programme,
        "opt_outs": opt_outs,
        "practices": practices,
    }


@pytest.fixture
def system() -> Tables:
    return whole_system()


def settle(root: Path, tables: Tables, folder: str = "sources", **changes: object) -> Settings:
    """Write tables as CSV and return settings that name them; keywords replace settings."""
    (root / folder).mkdir(exist_ok=True)
    sources = {}
    for name, table in tables.items():
        path = root / folder / f"{name}.csv"
        table.to_csv(path, index=False)
        sources[name] = {"path": path, "lawful_basis": BASIS}
    own = {"name": "test", "data_dir": root / "data", "pseudonym_key_file": root / "key"}
    return Settings.model_validate({**own, "sources": sources, **changes})


@pytest.fixture
def settled(tmp_path: Path) -> Callable[..., Settings]:
    return partial(settle, tmp_path)


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


@pytest.fixture(scope="session")
def plain_files(tmp_path_factory):
    """The system as it is, built once for the tests that only look."""
    root = tmp_path_factory.mktemp("plain")
    return records.build(settle(root, whole_system()), AS_OF, root / "out")


@pytest.fixture(scope="session")
def plain(plain_files):
    return tables_of(plain_files)
