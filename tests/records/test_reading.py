"""Each kind of file reads alike, and each kind of damage has its answer, with nothing lost."""

from __future__ import annotations

import csv
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

from casewell.settings import Source
from records import copies
from records.opening import open_file
from records.quality import check_sources
from records.quality.findings import STOP
from records.reading import UnreadableError, connect
from tests.records.checks import found
from tests.records.readings import AS_OF, changed, everybody_numbered, refused, tables_of


@pytest.fixture
def system(system):
    return everybody_numbered(system)


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


# Databases and damage


def test_a_parquet_file_that_was_cut_off_says_so(system, settled, tmp_path):
    path = tmp_path / "demographics.parquet"
    system["demographics"].to_parquet(path)
    path.write_bytes(path.read_bytes()[:-100])
    said = refused(changed(settled(system), "demographics", path=path), tmp_path / "out")
    assert "(demographics.parquet): the file was cut off" in said


@pytest.mark.parametrize("part", ["rows", "footer"])
def test_a_parquet_file_that_was_overwritten_inside_is_named_by_run_and_check(system, settled, tmp_path, part):
    path = tmp_path / "emergency_care.parquet"
    attendances = system["hospital_spells"].assign(arrival_date="2022-06-01", arrival_mode="ambulance", acuity="1")
    attendances = attendances.assign(chief_complaint="1", discharge_destination="home")
    attendances.to_parquet(path, compression="zstd")
    content = bytearray(path.read_bytes())
    begin, end = (4, len(content) // 3) if part == "rows" else (len(content) * 2 // 3, len(content) - 8)
    content[begin:end] = (byte ^ 0x5A for byte in content[begin:end])
    path.write_bytes(content)
    system["emergency_care"] = attendances
    settings = changed(settled(system), "emergency_care", path=path)
    said = refused(settings, tmp_path / "out")
    assert said.startswith("source 'emergency_care' (emergency_care.parquet): the file")
    (told,) = found(check_sources(settings, AS_OF), source="emergency_care", severity=STOP)["sentence"]
    assert "cannot be read" in told


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
