"""Each kind of file reads alike, and each kind of damage has its answer, with nothing lost."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import re
import tempfile
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import records
from casewell.errors import SourceError
from casewell.settings import Settings, Source
from records import copies
from records.opening import open_file
from records.reading import UnreadableError, connect

AS_OF = dt.date(2022, 7, 2)


@pytest.fixture
def system(system):
    """Everybody has a number, so that nothing has to be linked by name."""
    system["hospital_spells"].loc[0, "nhs_number"] = system["demographics"].loc[0, "nhs_number"]
    del system["housing"]
    return system


def changed(settings: Settings, name: str, **changes: object) -> Settings:
    source = settings.sources[name]
    new = type(source).model_validate({**source.model_dump(exclude_unset=True), **changes})
    return settings.model_copy(update={"sources": {**settings.sources, name: new}})


def tables_of(settings: Settings, out: Path) -> tuple[pd.DataFrame, ...]:
    linked = records.build(settings, AS_OF, out)
    return tuple(map(pd.read_parquet, (linked.people, linked.events, linked.contacts)))


def refused(settings: Settings, out: Path) -> str:
    with pytest.raises(SourceError) as caught:
        records.build(settings, AS_OF, out)
    assert not out.exists()
    assert "999" not in str(caught.value), "a message holds an NHS number"
    return "\n".join(caught.value.problems)


def counts_of(linked: records.Linked, source: str) -> dict[str, int]:
    counts = pd.read_parquet(linked.source_counts)
    return counts[counts["source"] == source].groupby("fate")["rows"].sum().to_dict()


def quarantined(linked: records.Linked, name: str) -> pd.DataFrame:
    return pd.read_parquet(linked.people.parent / "quarantine" / f"{name}.parquet")


# Every kind of file


@pytest.mark.parametrize(
    ("ending", "changes"),
    [
        ("parquet", {}),
        ("csv", {"delimiter": ";", "encoding": "cp1252"}),
        ("csv", {"delimiter": "tab", "encoding": "utf-16"}),
        ("csv.gz", {"delimiter": "|", "encoding": "latin-1"}),
        ("duckdb", {"relation": "feeds.people"}),
    ],
)
def test_every_kind_of_file_reads_the_same(system, settled, tmp_path, ending, changes):
    system["demographics"]["family_name"] = (
        "Zoë-O'Neill, née “Müller”" if changes.get("encoding") != "latin-1" else "Zoë"
    )
    settings = settled(system)
    expected = tables_of(settings, tmp_path / "plain")
    path = tmp_path / f"people.{ending}"
    if ending == "parquet":
        system["demographics"].to_parquet(path)
    elif ending == "duckdb":
        with duckdb.connect(str(path)) as con:
            con.register("people", system["demographics"])
            con.execute(
                "CREATE SCHEMA feeds; CREATE TABLE feeds.people AS SELECT * REPLACE (date_of_birth::DATE AS "
                "date_of_birth, sex::ENUM('1', '2') AS sex) FROM people"
            )
    else:
        separator = {"tab": "\t"}.get(changes["delimiter"], changes["delimiter"])
        system["demographics"].to_csv(path, index=False, sep=separator, encoding=changes["encoding"])
    read = tables_of(changed(settings, "demographics", path=path, **changes), tmp_path / "out")
    for one, other in zip(expected, read, strict=True):
        pd.testing.assert_frame_equal(one, other)


CELLS = st.text(st.characters(codec="cp1252", exclude_characters="\x00\r\n", exclude_categories=("Cc",)), max_size=8)
MORE_CELLS = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=("Cs", "Cc")), max_size=8
)


@hypothesis_settings(max_examples=40, deadline=None)
@given(data=st.data(), delimiter=st.sampled_from(",;\t|^~"), ending=st.sampled_from(["csv", "csv.gz"]))
def test_a_csv_file_in_any_declared_way_reads_back_as_the_parquet_file(data, delimiter, ending):
    encoding = data.draw(st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-be", "utf-32"]))
    cell = CELLS if encoding == "cp1252" else MORE_CELLS
    rows = data.draw(st.lists(st.tuples(cell, cell, cell), max_size=6))
    table = pd.DataFrame(rows, columns=["first", "second", "third"], dtype="str")
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([table.columns, *rows])
    content = text.getvalue().encode(encoding)
    if encoding == "cp1252" and not content.isascii() and _is_utf8(content):
        return  # What could be either is refused, by a test below.
    with tempfile.TemporaryDirectory() as folder:
        path, parquet = Path(folder) / f"t.{ending}", Path(folder) / "t.parquet"
        path.write_bytes(gzip.compress(content) if ending == "csv.gz" else content)
        table.to_parquet(parquet)
        con = connect()
        read = []
        for file in (path, parquet):
            opened = open_file(con, file, delimiter, encoding, tolerant=True)
            columns = "coalesce(first, ''), coalesce(second, ''), coalesce(third, '')"
            read.append(con.execute(f"SELECT {columns} FROM {opened.relation}").fetchall())
        con.close()
    assert read[0] == read[1] == rows


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


# Encodings


def test_a_wrongly_declared_encoding_is_named_with_its_line(system, settled, tmp_path):
    settings = settled(system)
    path = settings.sources["demographics"].path
    path.write_bytes(path.read_bytes().replace(b"Bello", b"B\x81llo", 1))
    said = refused(changed(settings, "demographics", encoding="cp1252"), tmp_path / "out")
    assert (
        "'demographics' (demographics.csv): near line 3 the file is not cp1252 text; declare another `encoding`" in said
    )


def test_utf8_declared_as_something_else_is_refused_not_garbled(system, settled, tmp_path):
    system["demographics"]["family_name"] = "Zoë"
    said = refused(changed(settled(system), "demographics", encoding="latin-1"), tmp_path / "out")
    assert "the file is UTF-8 text, not latin-1" in said


def test_utf16_is_recognised(system, settled, tmp_path):
    settings = settled(system)
    system["demographics"].to_csv(settings.sources["demographics"].path, index=False, encoding="utf-16")
    assert "the file is UTF-16 text; declare `encoding: utf-16`" in refused(settings, tmp_path / "out")


# Lines that are not rows


def test_a_line_with_too_many_columns_is_kept_whole_and_comes_back_when_mended(system, settled, tmp_path):
    settings = settled(system)
    path = settings.sources["gp_events"].path
    whole = path.read_text()
    before = tables_of(settings, tmp_path / "before")
    path.write_text(whole.replace("mmHg\n", "mmHg,and,more\n", 1))
    linked = records.build(settings, AS_OF, tmp_path / "out")
    assert counts_of(linked, "gp_events") == {"opted_out": 1, "quarantined": 1, "used": 38}
    (row,) = quarantined(linked, "gp_events").itertuples()
    assert row.reason == "the line has more columns than the header"
    assert row.as_read.startswith("G0,")
    assert row.as_read.endswith("and,more")
    path.write_text(whole)
    for one, other in zip(before, tables_of(settings, tmp_path / "again"), strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_a_broken_line_of_somebody_who_opted_out_is_not_kept(system, settled, tmp_path):
    settings = settled(system)
    path = settings.sources["gp_events"].path
    lines = path.read_text().splitlines()
    lines[5] += ",and,more"  # The fifth person opted out.
    path.write_text("\n".join(lines) + "\n")
    linked = records.build(settings, AS_OF, tmp_path / "out")
    assert counts_of(linked, "gp_events") == {"opted_out": 1, "used": 39}
    assert not (tmp_path / "out" / "quarantine" / "gp_events.parquet").exists()


def test_a_broken_line_of_the_opt_outs_stops_the_run(system, settled, tmp_path):
    settings = settled(system)
    path = settings.sources["opt_outs"].path
    path.write_text(path.read_text() + "O9,type_1\n")
    said = refused(settings, tmp_path / "out")
    assert "'opt_outs' (opt_outs.csv): 1 line(s) cannot be split into columns, the first is line 4" in said


def test_too_many_short_lines_stop_the_run_with_the_first_line(system, settled, tmp_path):
    settings = settled(system)
    path = settings.sources["gp_events"].path
    path.write_text(path.read_text().replace(",mmHg\n", "\n", 10))
    said = refused(settings, tmp_path / "out")
    assert "the line has fewer columns than the header in 9 of 39 row(s)" in said
    assert "the first is line 2" in said


def test_a_quotation_mark_that_swallows_lines_stops_the_run(system, settled, tmp_path):
    settings = settled(system)
    path = settings.sources["gp_events"].path
    path.write_text(path.read_text().replace("mmHg", '"mmHg', 1))
    said = refused(settings, tmp_path / "out")
    assert "a quotation mark in line 2 does not close, and swallows 39 line(s) after it" in said


def test_a_file_without_a_header_is_named(system, settled, tmp_path):
    settings = settled(system)
    settings.sources["demographics"].path.write_text("\n\n")
    assert "the file has no header" in refused(settings, tmp_path / "out")


# Columns


def test_a_renamed_column_is_answered_with_the_nearest(system, settled, tmp_path):
    system["demographics"] = system["demographics"].rename(columns={"postcode": "post_code"})
    said = refused(settled(system), tmp_path / "out")
    assert "(demographics.csv): missing column 'postcode'; the nearest there is 'post_code'" in said
    assert "map it with `columns: {postcode: post_code}`" in said


def test_an_optional_column_that_is_misspelled_is_not_missed_without_a_word(system, settled, tmp_path):
    system["gp_events"] = system["gp_events"].rename(columns={"received_date": "recieved_date"})
    said = refused(settled(system), tmp_path / "out")
    assert "missing column 'received_date'; the nearest there is 'recieved_date'" in said


def test_a_mapping_to_a_column_that_is_gone_is_named(system, settled, tmp_path):
    system["gp_events"] = system["gp_events"].rename(columns={"received_date": "Date Received"})
    settings = changed(settled(system), "gp_events", columns={"received_date": "date_recieved"})
    said = refused(settings, tmp_path / "out")
    assert "settings map 'received_date' to the column 'date_recieved', which is not there" in said
    assert "the nearest there is 'date received'" in said
    mapped = changed(settings, "gp_events", columns={"received_date": "Date Received"})
    records.build(mapped, AS_OF, tmp_path / "out")


# Dates


def with_dates(table: pd.DataFrame, column: str, dates: list[str]) -> pd.DataFrame:
    return table.assign(**{column: (dates * 40)[: len(table)]})


def test_a_declared_date_format_reads_as_iso_does(system, settled, tmp_path):
    expected = tables_of(settled(system), tmp_path / "iso")
    for column in ("event_date", "recorded_date", "received_date"):
        system["gp_events"][column] = pd.to_datetime(system["gp_events"][column]).dt.strftime("%d/%m/%Y")
    settings = changed(settled(system), "gp_events", date_format="%d/%m/%Y")
    for one, other in zip(expected, tables_of(settings, tmp_path / "out"), strict=True):
        pd.testing.assert_frame_equal(one, other)


@pytest.mark.parametrize(
    ("dates", "advice"),
    [
        (["01/03/2022", "25/02/2022"], "40 look like DD/MM: if that is right, declare `date_format: '%d/%m/%Y'`"),
        (["03/01/2022", "02/25/2022"], "40 look like MM/DD: if that is right, declare `date_format: '%m/%d/%Y'`"),
        (["01.03.22", "25.02.22"], "declare `date_format: '%d.%m.%y'`"),
        (["01/03/2022", "02/02/2022"], "40 can be read as DD/MM and as MM/DD: ask the supplier which"),
        (["25/02/2022", "02/25/2022"], "20 can only be DD/MM and 20 only MM/DD"),
    ],
)
def test_dates_that_are_not_iso_are_answered_with_the_format_to_declare(system, settled, tmp_path, dates, advice):
    system["gp_events"] = with_dates(system["gp_events"], "event_date", dates)
    said = refused(settled(system), tmp_path / "out")
    assert "column event_date is not a date (YYYY-MM-DD) in 39 of 39 row(s)" in said
    assert advice in said


def test_a_few_dates_in_another_format_are_kept_as_they_were_read(system, settled, tmp_path):
    system["gp_events"].loc[7, "event_date"] = "around Easter"
    linked = records.build(settled(system), AS_OF, tmp_path / "out")
    (row,) = quarantined(linked, "gp_events").itertuples()
    assert row.reason == "column event_date is not a date (YYYY-MM-DD)"
    assert row.as_read == "event_date=around Easter"
    assert row.record_id == "G7"


@pytest.mark.parametrize(
    ("date_format", "dates"),
    [
        ("%d/%m/%Y", ["25/02/2022", "03/02/2022", *["20/02/2022"] * 37, "02/25/2022"]),
        (None, ["2022-02-25", "2022-02-03", *["2022-02-20"] * 37, "2022-25-02"]),
    ],
)
def test_days_and_months_in_both_orders_stop_the_run_though_most_dates_can_be_read(
    system, settled, tmp_path, date_format, dates
):
    system["gp_events"] = with_dates(system["gp_events"], "event_date", dates)
    settings = changed(settled(system), "gp_events", date_format=date_format)
    said = refused(settings, tmp_path / "out")
    assert "'gp_events' (gp_events.csv): column event_date has day and month in both orders: in 1 of 40 date(s)" in said
    assert "1 date(s) which read either way cannot be trusted" in said


# A month sent twice


def test_a_month_sent_twice_under_new_record_ids_counts_once(system, settled, tmp_path):
    expected = tables_of(settled(system), tmp_path / "once")
    again = system["gp_events"].assign(record_id=lambda rows: "X" + rows["record_id"], received_date="2022-04-05")
    system["gp_events"] = pd.concat([again, system["gp_events"]])
    linked = records.build(settled(system), AS_OF, tmp_path / "twice")
    counts = pd.read_parquet(linked.source_counts)
    twice = counts[counts["why"].str.startswith("sent twice")]
    assert (twice["source"].tolist(), twice["fate"].tolist(), twice["rows"].tolist()) == (
        ["gp_events"],
        ["duplicate"],
        [39],
    )
    read = tuple(map(pd.read_parquet, (linked.people, linked.events, linked.contacts)))
    for one, other in zip(expected, read, strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_two_equal_rows_alone_are_two_contacts(system, settled, tmp_path):
    twin = system["gp_events"].iloc[[0]].assign(record_id="X0")
    system["gp_events"] = pd.concat([system["gp_events"], twin])
    linked = records.build(settled(system), AS_OF, tmp_path / "out")
    assert counts_of(linked, "gp_events") == {"opted_out": 1, "used": 40}


# Births and deaths


def test_a_death_before_birth_is_set_aside_and_comes_back_when_mended(system, settled, tmp_path):
    whole = system["demographics"].copy()
    system["demographics"].loc[39, "date_of_death"] = "1919-05-01"
    linked = records.build(settled(system), AS_OF, tmp_path / "out")
    (row,) = quarantined(linked, "demographics").itertuples()
    assert (row.record_id, row.reason) == ("D39", "column date_of_birth is later than date_of_death")
    assert str(row.date_of_death)[:10] == "1919-05-01"
    system["demographics"] = whole
    assert (
        counts_of(records.build(settled(system), AS_OF, tmp_path / "again"), "demographics").get("quarantined", 0) == 0
    )


# Databases and damage


def test_a_parquet_file_that_was_cut_off_says_so(system, settled, tmp_path):
    path = tmp_path / "demographics.parquet"
    system["demographics"].to_parquet(path)
    path.write_bytes(path.read_bytes()[:-100])
    said = refused(changed(settled(system), "demographics", path=path), tmp_path / "out")
    assert "(demographics.parquet): the file was cut off" in said


def test_a_gzipped_file_that_was_cut_off_says_so(system, settled, tmp_path):
    path = tmp_path / "demographics.csv.gz"
    pd.concat([system["demographics"]] * 300).to_csv(path, index=False)
    path.write_bytes(path.read_bytes()[:-500])
    said = refused(changed(settled(system), "demographics", path=path), tmp_path / "out")
    assert "(demographics.csv.gz): the file was cut off" in said


@pytest.mark.parametrize(
    ("relation", "said"),
    [
        (None, "the file is a database; say which table to read with `relation:`"),
        ("peoples", "the database has no table 'peoples'; the nearest there is 'people'"),
    ],
)
def test_a_duckdb_file_needs_a_table_that_is_there(system, settled, tmp_path, relation, said):
    path = tmp_path / "demographics.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("CREATE TABLE people AS SELECT 1 AS record_id")
    assert said in refused(changed(settled(system), "demographics", path=path, relation=relation), tmp_path / "out")


def test_a_damaged_duckdb_file_is_named(system, settled, tmp_path):
    path = tmp_path / "demographics.duckdb"
    path.write_bytes(b"not a database")
    said = refused(changed(settled(system), "demographics", path=path, relation="demographics"), tmp_path / "out")
    assert "cannot be opened as a DuckDB database" in said


def test_private_copies_go_with_what_uses_them_and_after_a_killed_process(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = tmp_path / f"{copies.PREFIX}999999999-x"
    left.mkdir()
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,é\n", encoding="cp1252")
    con = connect()
    file = open_file(con, path, encoding="cp1252")
    (folder,) = tmp_path.glob(f"{copies.PREFIX}*")
    assert folder.stat().st_mode & 0o077 == 0
    assert con.execute(f"SELECT b FROM {file.relation}").fetchone() == ("é",)
    del file
    assert not list(tmp_path.glob(f"{copies.PREFIX}*"))


def test_two_columns_of_one_name_are_refused(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("Code, code\n1,2\n")
    with pytest.raises(UnreadableError, match="two columns are both named 'code'"):
        open_file(connect(), path)


def test_mixed_line_endings_are_named(system, settled, tmp_path):
    settings = settled(system)
    path = settings.sources["gp_events"].path
    path.write_bytes(path.read_bytes().replace(b"mmHg\n", b"mmHg\r\n", 1).replace(b"mmHg\n", b"mmHg\r", 1))
    assert "it may mix kinds of line ending" in refused(settings, tmp_path / "out")


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({}, "give either `path` or, for PostgreSQL, `connection`"),
        ({"path": "x.csv", "connection": "FEEDS", "relation": "x"}, "give either `path` or"),
        ({"connection": "FEEDS"}, "`connection` needs `relation`"),
        ({"path": "x.csv", "relation": "a.b.c"}, "must be written as schema.name or name"),
        ({"path": "x.csv", "delimiter": "::"}, "must be one plain character"),
        ({"path": "x.csv", "encoding": "klingon"}, "unknown encoding 'klingon'"),
        ({"path": "x.csv", "date_format": "DD/MM/YYYY"}, "must say day, month and year, for example %d/%m/%Y"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(told, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        Source.model_validate(told)
