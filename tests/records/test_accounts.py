"""The accounts add up, by source and by group, and nothing is published that does not."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest

import cohorts
import records
from records import ledger
from tests import accounts
from tests.records.conftest import NUMBERS, settle, whole_system

AS_OF = dt.date(2022, 10, 13)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A build in which every fate occurs."""
    root = tmp_path_factory.mktemp("accounts")
    system = whole_system()
    system["gp_events"].loc[7, "event_date"] = "around Easter"
    system["gp_events"].loc[8, "received_date"] = "2022-12-01"
    system["gp_events"] = pd.concat([system["gp_events"], system["gp_events"].iloc[[9]]])
    settings = settle(root, system)
    return settings, records.build(settings, AS_OF, root / "out")


def copied(linked, folder: Path):
    """Copy the tables of a build, to spoil one of them."""
    import dataclasses
    import shutil

    shutil.copytree(linked.people.parent, folder)
    return type(linked)(**{name: folder / path.name for name, path in dataclasses.asdict(linked).items()})


def test_every_fate_of_a_row_is_counted_by_source(whole):
    _, linked = whole
    counts = pd.read_parquet(linked.source_counts).set_index(["source", "fate"])["rows"]
    assert counts["gp_events"].to_dict() == {
        "used": 37,
        "opted_out": 1,
        "quarantined": 1,
        "duplicate": 1,
        "not_yet_known": 1,
    }


def test_people_in_by_group_are_those_of_the_registrations(whole):
    settings, linked = whole
    letters = pd.read_csv(settings.sources["demographics"].path, dtype=str, keep_default_na=False)["ethnic_category"]
    groups = letters.map({"A": "White", "H": "Asian", "N": "Black"}).value_counts()
    out = pd.concat([pd.read_parquet(linked.people), pd.read_parquet(linked.removed)])["ethnic_group"].value_counts()
    assert {group: out[group] for group in groups.index} == groups.to_dict()
    assert out.sum() == len(letters)


def spoiled(name, change):
    def spoil(linked):
        path = getattr(linked, name)
        change(pd.read_parquet(path)).to_parquet(path, index=False)

    return spoil


def lose_the_reasons(linked):
    path = linked.people.parent / "quarantine" / "gp_events.parquet"
    pd.read_parquet(path).assign(reason=None).to_parquet(path)


def lose_the_quarantine(linked):
    (linked.people.parent / "quarantine" / "gp_events.parquet").unlink()


@pytest.mark.parametrize(
    "spoil",
    [
        spoiled("identities", lambda t: t.iloc[1:]),
        spoiled("identities", lambda t: pd.concat([t, t.head(1)])),
        spoiled("people", lambda t: t.iloc[1:]),
        spoiled("removed", lambda t: t.assign(person_id=pd.NA).head(0)),
        spoiled("source_counts", lambda t: t.assign(rows=t["rows"].where(t["fate"] != "not_yet_known", 0))),
        spoiled("source_counts", lambda t: t[t["source"] != "housing"]),
        lose_the_reasons,
        lose_the_quarantine,
    ],
)
def test_the_check_behind_every_test_sees_what_is_lost(whole, tmp_path, spoil):
    settings, linked = whole
    copy = copied(linked, tmp_path / "copy")
    accounts.check_build(settings, copy, AS_OF)
    spoil(copy)
    with pytest.raises(AssertionError):
        accounts.check_build(settings, copy, AS_OF)


def test_builds_and_ledgers_are_checked_in_every_test():
    assert records.build.__wrapped__ is not records.build
    assert cohorts.ledger.__wrapped__ is not cohorts.ledger


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("fates_query", "'gp_events' has 41 rows and fates for"),
        ("identities_query", "used rows and people for"),
    ],
)
def test_a_build_whose_accounts_do_not_add_up_is_not_published(settled, tmp_path, monkeypatch, query, said):
    system = whole_system()
    system["gp_events"] = pd.concat([system["gp_events"], system["gp_events"].iloc[[9]]])
    whole_query = getattr(ledger, query)
    monkeypatch.setattr(ledger, query, lambda extract: f"SELECT * FROM ({whole_query(extract)} LIMIT 1)")
    with pytest.raises(RuntimeError, match="the accounts do not add up") as caught:
        records.build(settled(system), AS_OF, tmp_path / "out")
    assert said in str(caught.value)
    assert not any(number in str(caught.value) for number in NUMBERS)


def test_somebody_whose_only_record_is_set_aside_is_counted(settled, tmp_path):
    system = whole_system()
    alone = (
        system["demographics"].iloc[[7]].assign(record_id="D99", nhs_number="9434765919", date_of_birth="2020-01-01")
    )
    system["demographics"] = pd.concat([system["demographics"], alone.assign(registration_start_date="someday")])
    linked = records.build(settled(system), AS_OF, tmp_path / "out")
    assert pd.read_parquet(linked.removed)["door"].value_counts().to_dict() == {"opted_out": 1, "quarantined": 1}
