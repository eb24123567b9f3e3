"""The scenario `linkage_bias` shows in the audit, and its absence does, from sources to page: nothing is told but records."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

import records
import simulator
from casewell import doors
from casewell.settings import Fairness, load
from fairness.gate import decide
from fairness.page import write_page
from fairness.record import to_json
from records.tables import LINKAGE

DEMONSTRATION = Path(__file__).parents[2] / "config" / "demo.yaml"
FOUND_NOBODY = "Ethnic group, lost before any model (a record that found no person)"


@pytest.fixture(scope="module", params=[[], ["linkage_bias"]], ids=["usual faults", "linkage_bias"])
def audited(request, tools, fair, tmp_path_factory):
    """A list that is fair to all who reach it, on the linkage of 5,000 simulated people on a seed of their own."""
    folder = tmp_path_factory.mktemp("lost")
    simulator.simulate(5_000, 61, folder / "sources", folder / "truth", scenario=request.param)
    told = load(DEMONSTRATION)
    sources = {
        name: source.model_copy(update={"path": folder / "sources" / source.path.name})
        for name, source in told.sources.items()
    }
    records.build(
        told.model_copy(update={"sources": sources, "data_dir": folder / "data"}),
        dt.date(2026, 10, 1),
        folder / "linked",
    )
    lost = doors.read(folder / "linked" / "linkage.parquet", LINKAGE)
    found = tools["with_lost"](fair, lost)
    verdict = decide(found, Fairness())
    page = write_page(
        found,
        verdict,
        folder / "fairness.html",
        title="Northshire",
        as_of=dt.date(2026, 10, 1),
        synthetic=True,
        evidence_grade="assumed",
    )
    return bool(request.param), found, verdict, to_json(found, verdict), page.read_text()


def test_the_gate_fails_by_name_where_linkage_is_biased_and_not_where_it_is_not(audited):
    biased, _, verdict, record, page = audited
    told = [reason for reason in verdict.reasons if reason.startswith(FOUND_NOBODY) and "more than the 2" in reason]
    assert bool(told) == biased
    assert (verdict.verdict == "fail") == biased
    assert all(reason in record["reasons"] and reason in page for reason in told)


def test_the_difference_and_its_interval_are_in_the_record_and_on_the_page(audited):
    biased, found, _, record, page = audited
    (row,) = [
        row
        for row in record["lost_before_any_model"]["differences"]
        if (row["grouping"], row["measure"]) == ("ethnic_group", "no_person_found")
    ]
    if biased:
        assert row["low"] > 0.05
        assert (row["best"], row["verdict"]) == ("White", "fail")
        assert f"{100 * row['value']:.1f} percentage points above White" in page
    else:
        assert row["low"] < 0.02
        assert row["verdict"] != "fail"
    assert "<h2>Lost before any model</h2>" in page
    assert found.lost["count"].sum() > 0
