"""A published week of the tests' own, and the pages over it; Django is set up once for the session."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import shutil
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import cohorts
from casewell import doors
from casewell.settings import Settings
from cohorts.tables import CIRCUMSTANCES, TURNOVER, WORK
from worklist.site import open_site, private_file

AS_OF = dt.date(2022, 10, 13)
HOSTILE = "<script>alert('name')</script>"
_BASIS = {"reference": "test agreement", "purposes": ["direct_care"], "review_date": "2999-01-01"}


def settings_in(root: Path, **sources: Path) -> Settings:
    named = {name: {"path": path, "lawful_basis": _BASIS} for name, path in sources.items()}
    named = named or {"demographics": {"path": root / "none.csv"}}
    return Settings.model_validate(
        {"name": "test", "data_dir": root, "pseudonym_key_file": root / "key", "sources": named}
    )


@pytest.fixture(scope="session")
def opened(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, int]]:
    """The data folder after the one set-up of the process, and the modes of what it made."""
    root = tmp_path_factory.mktemp("house")
    folder = open_site(settings_in(root))
    return root, {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}


@pytest.fixture(scope="session")
def house(opened: tuple[Path, dict[str, int]]) -> Path:
    return opened[0]


@pytest.fixture
def data(house: Path) -> Path:
    """The data folder, with an empty store and nothing published."""
    from django.core.management import call_command
    from django.db import connections

    connections.close_all()
    shutil.rmtree(house / "cohorts", ignore_errors=True)
    shutil.rmtree(house / "worklist" / "returned", ignore_errors=True)
    for file in (house / "worklist").iterdir():
        if file.name != "secret.key":
            file.unlink()
    private_file(house / "worklist" / "worklist.sqlite3")
    call_command("migrate", verbosity=0)
    return house


@pytest.fixture
def client(data: Path) -> Any:
    from django.test import Client

    return Client(enforce_csrf_checks=True, SERVER_NAME="127.0.0.1")


Publish = Callable[..., Path]


@pytest.fixture
def publish(data: Path) -> Publish:
    """Publish a week as the weekly flow does: `people` on the list of team N1, and an empty list of team N2."""

    def put(
        people: list[dict[str, Any]] | int = 3,
        as_of: dt.date = AS_OF,
        verdict: str = "cannot tell",
        synthetic: bool = False,
        without: tuple[str, ...] = (),
        left: Sequence[int] = (),
    ) -> Path:
        rows = [{}] * people if isinstance(people, int) else people
        contacts = pd.DataFrame([_contact(number, row) for number, row in enumerate(rows, 1)])
        contacts["date_of_birth"] = pd.to_datetime(contacts["date_of_birth"])
        cohort = pd.DataFrame([_listed(number, as_of) for number in range(1, len(rows) + 1)])
        practices = pd.DataFrame(
            {"practice_code": ["P1", "P2"], "team_code": ["N1", "N2"], "team_name": ["North", "South"]}
        )
        final = data / "cohorts" / str(as_of)
        staged = cohorts.stage(final)
        override = {
            "owner": "Dr Owner",
            "reason": "A reason in a sentence",
            "review_date": "2027-03-31",
            "covers": "cannot_tell",
        }
        until = dt.date.fromisoformat(override["review_date"])
        heading = cohorts.Heading(as_of, verdict, override["owner"], override["reason"], until, without=without)
        work = data / "worklist" / "work.parquet"
        known = [_contact(number, {}) for number in left]
        contacts = pd.concat([contacts, pd.DataFrame(known)]).astype(contacts.dtypes)
        cohorts.write_lists(
            cohort,
            contacts,
            practices,
            heading,
            staged / "lists",
            synthetic,
            turnover=_turnover(left),
            work=doors.read(work, WORK) if work.is_file() else None,
        )
        for name, title in (("fairness.html", "The audit"), ("fairness_tables.html", "The tables")):
            (staged / name).write_text(f"<!DOCTYPE html><title>{title}</title>", encoding="utf-8")
        manifest = {
            "as_of": str(as_of),
            "synthetic": synthetic,
            "missing": ["ethnicity"],
            "model": {"without": list(without)},
            "evidence": {"grade": "assumed", "sentence": ""},
            "fairness": {"verdict": verdict, "released": True, "override": None if verdict == "pass" else override},
            "files": {str(path.relative_to(staged)): _digest(path) for path in staged.rglob("*") if path.is_file()},
        }
        (staged / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        return cohorts.publish(staged, final)

    return put


def _turnover(left: Sequence[int]) -> pd.DataFrame:
    rows = {"person_id": list(left), "team_code": "N1", "movement": "left", "cause": "score", "why": "others gain more"}
    return doors.check(pd.DataFrame(rows), TURNOVER)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _contact(number: int, changes: dict[str, Any]) -> dict[str, Any]:
    return {
        "person_id": number,
        "nhs_number": f"99900{number:05d}",
        "given_name": "Ada",
        "family_name": f"Family{number}",
        "date_of_birth": "1950-03-04",
        "practice_code": "P1",
        "practice_name": "The Practice",
        "source_record": f"D{number}",
        **changes,
    }


def _listed(number: int, as_of: dt.date) -> dict[str, Any]:
    return {
        "as_of": pd.Timestamp(as_of),
        "team_code": "N1",
        "rank": number,
        "status": "listed" if number < 40 else "reserve",
        "person_id": number,
        "risk": 0.6,
        "risk_band": "more than 1 in 2",
        "need": 2.0,
        "need_band": "highest tenth",
        "benefit": 0.02,
        "benefit_band": "Unsure",
        "evidence_grade": "assumed",
        "supported": True,
        "changed": "no change",
        **dict.fromkeys(CIRCUMSTANCES, ""),
        **{f"reason_{n}": f"Reason {n} of {number}" if n < 3 else "" for n in range(1, 6)},
    }


@pytest.fixture
def answer(client: Any) -> Callable[..., Any]:
    """Open a person's page, fill in the form as shown and send it; keywords replace fields."""

    def send(rank: int = 1, day: dt.date = AS_OF, **fields: str) -> Any:
        address = f"/{day}/lists/N1/{rank}/"
        return client.post(address, shown_fields(client, address) | fields)

    return send


def shown_fields(client: Any, address: str) -> dict[str, str]:
    page = client.get(address).content.decode("utf-8")
    return dict(re.findall(r'<input type="hidden" name="([\w-]+)" value="([^"]+)"', page))
