"""Every fault of a source is answered with its name, its rule and a number of rows, and nothing is written."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest

import records
from casewell.errors import AsOfError, LawfulBasisError, SourceError

EXCERPT = Path(__file__).parents[1] / "data" / "omop_excerpt"
AS_OF = dt.date(2023, 8, 1)


def refuse(settings, out, error=SourceError, as_of=dt.date(2022, 9, 2)):
    with pytest.raises(error) as caught:
        records.build(settings, as_of, out)
    assert not out.exists()
    assert "999" not in str(caught.value).replace("2999", ""), "a message holds an NHS number"
    return str(caught.value)


def with_column(table, name, value, rows=40):
    table = table.astype({name: "object"})
    table.loc[: rows - 1, name] = value
    return table


def test_a_missing_file_is_named(system, settled, tmp_path):
    settings = settled(system)
    settings.sources["gp_events"].path.unlink()
    assert "'gp_events'" in (said := refuse(settings, tmp_path / "out"))
    assert "does not exist" in said


def test_a_file_that_is_not_parquet_is_named(system, settled, tmp_path):
    settings = settled(system)
    path = tmp_path / "gp_events.parquet"
    path.write_text("not parquet")
    sources = {**settings.sources, "gp_events": settings.sources["gp_events"].model_copy(update={"path": path})}
    said = refuse(settings.model_copy(update={"sources": sources}), tmp_path / "out")
    assert "cannot be read as Parquet" in said


def test_a_missing_column_is_named(system, settled, tmp_path):
    system["housing"] = system["housing"].drop(columns="event_type")
    said = refuse(settled(system), tmp_path / "out")
    assert "'housing' (housing.csv): missing column 'event_type'" in said


def test_a_wrong_delimiter_is_named_once(system, settled, tmp_path):
    settings = settled(system)
    system["gp_events"].to_csv(settings.sources["gp_events"].path, index=False, sep=";")
    said = refuse(settings, tmp_path / "out")
    assert "(gp_events.csv): its columns are separated by ';', not ','; declare `delimiter: ';'`" in said
    assert "missing column" not in said


@pytest.mark.parametrize(
    ("table", "column", "value", "rule"),
    [
        ("gp_events", "event_date", "01/03/2022", "column event_date is not a date (YYYY-MM-DD)"),
        ("gp_events", "numeric_value", "high", "column numeric_value is not a number"),
        ("gp_events", "event_date", "2022-04-01", "column event_date is later than received_date"),
        ("gp_events", "received_date", "2999-01-01", "column received_date lies in the future"),
        ("gp_events", "code", None, "column code is empty"),
        ("gp_events", "record_id", "G0", "column record_id names rows that differ"),
        ("hospital_spells", "admission_method", "99", "column admission_method holds a value that is not allowed"),
        ("demographics", "date_of_birth", "2020-01-01", "column date_of_birth is later than registration_start_date"),
        ("demographics", "date_of_death", "1900-01-01", "column date_of_birth is later than date_of_death"),
    ],
)
def test_too_many_rows_that_break_a_rule_stop_the_run(system, settled, tmp_path, table, column, value, rule):
    system[table] = with_column(system[table], column, value, rows=10)
    said = refuse(settled(system), tmp_path / "out")
    assert f"source '{table}' ({table}.csv): {rule} in " in said
    assert "row(s); at most 5% may be set aside" in said


def test_too_many_numbers_that_fail_their_check_digit_stop_the_run(system, settled, tmp_path):
    wrong = [n[:-1] + str((int(n[-1]) + 1) % 10) for n in system["gp_events"]["nhs_number"][:10]]
    system["gp_events"].loc[:9, "nhs_number"] = wrong
    said = refuse(settled(system), tmp_path / "out")
    assert "column nhs_number fails its check digit, or is a known dummy, in 10 of" in said


def test_an_empty_table_is_named(system, settled, tmp_path):
    system["programme"] = system["programme"].head(0)
    assert "'programme' (programme.csv): has no rows" in refuse(settled(system), tmp_path / "out")


def test_a_parquet_column_of_the_wrong_type_is_named(system, settled, tmp_path):
    settings = settled(system)
    path = tmp_path / "gp_events.parquet"
    system["gp_events"].assign(event_date=20220301).to_parquet(path)
    sources = {**settings.sources, "gp_events": settings.sources["gp_events"].model_copy(update={"path": path})}
    said = refuse(settings.model_copy(update={"sources": sources}), tmp_path / "out")
    assert "column 'event_date' is not a date (YYYY-MM-DD) but BIGINT, in 40 row(s)" in said


@pytest.mark.parametrize("ending", ["parquet", "csv.gz"])
def test_a_file_that_was_cut_off_is_named(system, settled, tmp_path, ending):
    settings = settled(system)
    path = tmp_path / f"gp_events.{ending}"
    many = pd.concat([system["gp_events"]] * 500)
    many.to_parquet(path) if ending == "parquet" else many.to_csv(path, index=False)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    sources = {**settings.sources, "gp_events": settings.sources["gp_events"].model_copy(update={"path": path})}
    said = refuse(settings.model_copy(update={"sources": sources}), tmp_path / "out")
    assert f"source 'gp_events' (gp_events.{ending}): the file" in said


def test_a_file_that_is_not_utf8_is_named(system, settled, tmp_path):
    settings = settled(system)
    system["housing"]["family_name"] = "Zoë"
    system["housing"].to_csv(settings.sources["housing"].path, index=False, encoding="latin-1")
    said = refuse(settings, tmp_path / "out")
    assert "'housing' (housing.csv): the line is not UTF-8 text" in said
    assert "such as cp1252, in 40 of 40 row(s)" in said
    assert "the first is line 2" in said


def test_opt_outs_cannot_be_kept_from_omop_tables(system, settled, tmp_path):
    settings = settled(system)
    omop = {"kind": "omop", "path": EXCERPT, "lawful_basis": settings.sources["housing"].lawful_basis}
    sources = {**settings.sources, "cdm": type(settings.sources["housing"]).model_validate(omop)}
    said = refuse(settings.model_copy(update={"sources": sources}), tmp_path / "out")
    assert "source 'cdm': opt-outs go by NHS number" in said


def test_the_problems_of_all_sources_come_together(system, settled, tmp_path):
    system["housing"] = system["housing"].drop(columns="event_type")
    system["gp_events"] = with_column(system["gp_events"], "code_system", "READ")
    settings = settled(system)
    settings.sources["programme"].path.unlink()
    with pytest.raises(SourceError) as caught:
        records.build(settings, AS_OF, tmp_path / "out")
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize(
    ("basis", "said"),
    [
        (None, "states no lawful basis"),
        ({"purposes": ["evaluation"]}, "may be read for evaluation, not for direct_care"),
        ({"review_date": "2020-01-01"}, "was due for review on 2020-01-01"),
    ],
)
def test_a_source_that_may_not_be_read_is_not_opened(system, settled, tmp_path, basis, said):
    settings = settled(system)
    source = settings.sources["housing"]
    kept = source.model_dump()["lawful_basis"]
    changed = type(source).model_validate(
        {**source.model_dump(), "lawful_basis": None if basis is None else {**kept, **basis}}
    )
    # The file is gone as well: a basis is looked at before any file is.
    source.path.unlink()
    settings = settings.model_copy(update={"sources": {**settings.sources, "housing": changed}})
    assert said in refuse(settings, tmp_path / "out", LawfulBasisError)


@pytest.mark.parametrize("as_of", [dt.date(2001, 1, 1), dt.date(2030, 1, 1)])
def test_a_day_outside_the_records_is_refused_with_the_span(system, settled, tmp_path, as_of):
    said = refuse(settled(system), tmp_path / "out", AsOfError, as_of)
    assert "the sources cover 2022-03-05 to 2022-10-13" in said


@pytest.mark.parametrize("fault", ["missing", "empty"])
def test_opt_outs_fail_closed(system, settled, tmp_path, fault):
    if fault == "empty":
        system["opt_outs"] = system["opt_outs"].head(0)
    settings = settled(system)
    if fault == "missing":
        settings.sources["opt_outs"].path.unlink()
    assert "'opt_outs'" in refuse(settings, tmp_path / "out")


def test_teams_by_network_need_to_know_the_networks(system, settled, tmp_path):
    del system["practices"]
    assert "no source of the kind 'practices'" in refuse(settled(system), tmp_path / "out")
