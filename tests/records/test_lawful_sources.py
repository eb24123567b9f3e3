"""What a source says of itself decides what is read of it, for which purpose, and of whom nothing is."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

import cohorts
import records
from casewell.errors import LawfulBasisError, SettingsError
from casewell.settings import load
from records import opening, span
from records.quality import check_sources
from tests.records.conftest import NUMBERS

AS_OF = dt.date(2022, 10, 13)
BASIS = {"reference": "test agreement", "purposes": ["direct_care"], "review_date": "2999-01-01"}


def changed(settings, name, **changes):
    source = settings.sources[name]
    new = type(source).model_validate({**source.model_dump(exclude_unset=True), **changes})
    return settings.model_copy(update={"sources": {**settings.sources, name: new}})


def test_a_user_can_describe_each_source_in_settings(tmp_path):
    (tmp_path / "settings.yaml").write_text(
        """
        name: described
        purpose: planning
        sources:
          gp:
            kind: extract
            table: gp_events
            path: feeds/gp.csv
            columns: {event_date: DateOfEvent}
            known_lag_days: 5
            expected_every_days: 7
            lawful_basis: {reference: DSA 2026/14, purposes: [planning, evaluation], review_date: 2027-03-31}
            enabled: false
          trust: {connection: TRUST_DATABASE, relation: sus.episodes, table: hospital_spells}
          cdm: {kind: omop, path: data/omop}
          open: {kind: meds, path: data/meds, codes: {VISIT: ADMISSION//21}}
        """
    )
    told = load(tmp_path / "settings.yaml").sources
    gp = told["gp"]
    assert (gp.kind, gp.table, gp.columns, gp.known_lag_days) == (
        "extract",
        "gp_events",
        {"event_date": "DateOfEvent"},
        5,
    )
    assert (gp.expected_every_days, gp.enabled) == (7, False)
    assert gp.lawful_basis.purposes == ["planning", "evaluation"]
    assert [told[name].kind for name in ("trust", "cdm", "open")] == ["extract", "omop", "meds"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "fhir"}, "sources.gp.kind"),
        ({"lawful_basis": {**BASIS, "purposes": ["research"]}}, "sources.gp.lawful_basis.purposes"),
        ({"lawful_basis": {**BASIS, "purposes": []}}, "sources.gp.lawful_basis.purposes"),
        ({"lawful_basis": {**BASIS, "review_date": "soon"}}, "sources.gp.lawful_basis.review_date"),
        ({"expected_every_days": 0}, "sources.gp.expected_every_days"),
        ({"enabld": False}, "did you mean 'enabled'"),
    ],
)
def test_a_description_that_cannot_be_meant_is_refused_by_its_key(tmp_path, changes, said):
    told = {"name": "wrong", "sources": {"gp": {"path": "x.csv", **changes}}}
    (tmp_path / "settings.yaml").write_text(str(told))
    with pytest.raises(SettingsError, match=said):
        load(tmp_path / "settings.yaml")


@pytest.mark.parametrize(
    ("basis", "purpose", "said"),
    [
        (None, "direct_care", "states no lawful basis"),
        (BASIS, "planning", "may be read for direct_care, not for planning"),
        ({**BASIS, "review_date": "2020-01-01"}, "direct_care", "was due for review on 2020-01-01"),
    ],
)
def test_without_a_basis_for_the_purpose_no_file_is_opened(
    system, settled, tmp_path, monkeypatch, basis, purpose, said
):
    def opened(*_):
        raise AssertionError("a source was opened")

    for place in (opening, span):
        for name in ("open_file", "open_source", "open_sources"):
            if hasattr(place, name):
                monkeypatch.setattr(place, name, opened)
    monkeypatch.setattr("records.extracts.open_source", opened)
    monkeypatch.setattr("records.linked.open_sources", opened)
    settings = changed(settled(system, purpose=purpose), "housing", lawful_basis=basis)
    for read in (lambda: records.inspect(settings), lambda: records.build(settings, AS_OF, tmp_path / "out")):
        with pytest.raises(LawfulBasisError, match=said):
            read()
    assert not (tmp_path / "out").exists()


def test_a_basis_holds_up_to_and_on_its_day_of_review(system, settled, tmp_path):
    settings = changed(settled(system), "housing", lawful_basis={**BASIS, "review_date": dt.date.today()})
    records.build(settings, AS_OF, tmp_path / "out")


def test_a_source_that_is_switched_off_is_not_read_and_needs_no_basis(system, settled, tmp_path):
    settings = changed(settled(system), "housing", lawful_basis=None, enabled=False)
    settings.sources["housing"].path.write_text("not a table")
    linked = records.build(settings, dt.date(2022, 7, 2), tmp_path / "out")
    assert "housing" not in set(pd.read_parquet(linked.source_counts)["source"])
    assert "HOUSING//ARREARS" not in set(pd.read_parquet(linked.events)["code"])


def test_the_check_says_how_each_source_identifies_people(system, settled):
    findings = check_sources(settled(system), AS_OF).findings
    told = findings[findings["check"] == "identification"].set_index("source")["sentence"].to_dict()
    # One of the forty is opted out, and one row of the hospital bears no number.
    assert told["gp_events"] == "gp_events.csv identifies people: 39 by NHS number."
    assert told["housing"] == "housing.csv identifies people: 40 by names with birth date or postcode."
    assert told["hospital_spells"] == (
        "hospital_spells.csv identifies people: 38 by NHS number, fewer than 8 by birth date, sex and postcode."
    )
    assert set(told) == {"demographics", "gp_events", "hospital_spells", "housing", "programme"}


# Opt-outs


@pytest.mark.parametrize(
    ("purpose", "gone"),
    [("direct_care", [NUMBERS[4]]), ("planning", NUMBERS[4:6]), ("evaluation", NUMBERS[4:6])],
)
def test_which_opt_outs_hold_depends_on_the_purpose(system, settled, tmp_path, purpose, gone):
    settings = settled(system, purpose=purpose)
    every = {**BASIS, "purposes": ["direct_care", "planning", "evaluation"]}
    for name in settings.sources:
        settings = changed(settings, name, lawful_basis=every)
    linked = records.build(settings, AS_OF, tmp_path / "out")
    assert not set(gone) & set(pd.read_parquet(linked.contacts)["nhs_number"])
    assert len(pd.read_parquet(linked.contacts)) == 40 - len(gone)
    removed = pd.read_parquet(linked.removed)
    assert set(removed["door"]) == {"opted_out"}
    # The fifth person is White and the sixth Asian; the housing list, without numbers, is recognised as theirs.
    assert removed["ethnic_group"].value_counts().to_dict() == dict.fromkeys(["White", "Asian"][: len(gone)], 1)
    counts = pd.read_parquet(linked.source_counts)
    rows = counts[counts["fate"] == "opted_out"].set_index("source")["rows"].to_dict()
    assert rows["housing"] == rows["gp_events"] == rows["demographics"] == len(gone)


def test_a_purpose_waived_in_settings_leaves_nobody_out(system, settled, tmp_path):
    linked = records.build(settled(system, opt_outs={"type_1": ["planning"]}), AS_OF, tmp_path / "out")
    assert pd.read_parquet(linked.removed).empty


def test_the_next_run_applies_the_opt_outs_of_its_day(system, settled, tmp_path):
    first = records.build(settled(system), AS_OF, tmp_path / "first")
    more = system["opt_outs"].iloc[[0]].assign(record_id="O9", nhs_number=NUMBERS[9], received_date="2022-10-12")
    system["opt_outs"] = pd.concat([system["opt_outs"], more])
    second = records.build(settled(system), AS_OF, tmp_path / "second")
    before, after = (set(pd.read_parquet(one.people)["person_id"]) for one in (first, second))
    assert len(before - after) == 1
    assert before - after <= set(pd.read_parquet(second.removed)["person_id"])


def test_the_opted_out_are_counted_by_group_in_the_ledger(system, settled, tmp_path):
    linked = records.build(settled(system), AS_OF, tmp_path / "out")
    people, removed = pd.read_parquet(linked.people), pd.read_parquet(linked.removed)
    routes = pd.DataFrame({"person_id": people["person_id"], "door": "not eligible", "why": "a test"})
    nobody = pd.DataFrame(
        {"person_id": pd.Series(dtype="int64"), "status": pd.Series(dtype="str"), "why": pd.Series(dtype="str")}
    )
    told = cohorts.counts(cohorts.ledger(people, removed, routes, nobody), AS_OF, synthetic=True)
    assert (told["people"], told["doors"]["opted out"]) == (40, 1)
    assert told["groups"]["ethnic_group"]["White"]["opted out"] == 1
    assert sum(group["opted out"] for group in told["groups"]["imd_decile"].values()) == 1
