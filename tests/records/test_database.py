"""The working database, and what becomes of a build whose disk or memory does not suffice."""

import os
import tempfile
from pathlib import Path

import duckdb
import pytest

import records
import records.linked
from casewell.errors import SourceError, StorageError
from flows.workspace import disk
from records import copies
from records.database import batches, working_database


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of its own for private copies and working databases."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def left_in(folder):
    return list(folder.glob(f"{copies.PREFIX}*"))


def test_the_working_database_is_its_owners_alone_and_gone_afterwards(folder):
    with working_database() as con:
        con.execute("CREATE TABLE t AS SELECT range AS n FROM range(1000)")
        (private,) = left_in(folder)
        assert private.stat().st_mode & 0o077 == 0
        assert private.name.startswith(f"{copies.PREFIX}{os.getpid()}-")
        (listed,) = con.execute(
            "SELECT path FROM duckdb_databases() WHERE database_name = current_database()"
        ).fetchone()
        assert Path(listed).parent == private
        (spilled,) = con.execute("SELECT current_setting('temp_directory')").fetchone()
        assert Path(spilled).parent == private
    assert not left_in(folder)


def test_the_working_database_is_gone_after_a_mistake_though_something_still_holds_it(folder, monkeypatch):
    held = []
    monkeypatch.setattr("records.database.Copy", lambda: held.append(copies.Copy()) or held[0])
    with pytest.raises(duckdb.Error), working_database() as con:
        con.execute("SELECT * FROM nowhere")
    assert held
    assert not left_in(folder)


def test_the_working_database_reaches_for_no_extension(folder):
    with working_database() as con:
        settings = "'autoinstall_known_extensions', 'autoload_known_extensions'"
        told = con.execute(f"SELECT value FROM duckdb_settings() WHERE name IN ({settings})").fetchall()
    assert told == [("false",), ("false",)]


def test_what_memory_cannot_hold_goes_to_the_private_folder(folder):
    seen = []
    with working_database(memory=64) as con:
        con.execute("SET threads = 1")
        con.execute("CREATE TABLE t AS SELECT md5(range::VARCHAR) AS text FROM range(3_000_000)")
        for batch in batches(con, ["SELECT text FROM t ORDER BY text"]):
            seen.append(batch.num_rows)
            if len(seen) == 1:
                assert list(folder.glob(f"{copies.PREFIX}*/spilled/*")), "nothing was spilled"
    assert sum(seen) == 3_000_000


def test_a_build_leaves_no_working_database(system, settled, folder):
    settings = settled(system)
    records.build(settings, records.inspect(settings).cut_off, folder / "out")
    assert not left_in(folder)


def test_a_refused_build_leaves_no_working_database(system, settled, folder):
    system["gp_events"]["event_date"] = "once upon a time"
    settings = settled(system)
    with pytest.raises(SourceError):
        records.build(settings, records.inspect(settings).cut_off, folder / "out")
    assert not left_in(folder)


FULL = duckdb.IOException('IO Error: Could not write file "work.duckdb": No space left on device')
SPILLED = duckdb.OutOfMemoryException(
    "Out of Memory Error: failed to offload data block of size 160.0 KiB (0 bytes/0 bytes used).\n"
    "This limit was set by the 'max_temp_directory_size' setting."
)
MEMORY = duckdb.OutOfMemoryException("Out of Memory Error: could not allocate block of size 256.0 KiB")


@pytest.mark.parametrize(("error", "said"), [(FULL, "disk is full"), (SPILLED, "disk is full"), (MEMORY, "memory")])
def test_a_disk_that_fills_up_while_a_source_is_read_is_no_damaged_file(
    system, settled, folder, monkeypatch, error, said
):
    settings = settled(system)
    cut_off = records.inspect(settings).cut_off

    def full(*_):
        raise error

    monkeypatch.setattr("records.checking._decide_fates", full)
    with pytest.raises(StorageError, match=said), disk():
        records.build(settings, cut_off, folder / "out")
    assert not left_in(folder)


def test_reading_tells_of_each_source_and_its_rows(system, settled, folder):
    settings = settled(system)
    said = []
    records.build(settings, records.inspect(settings).cut_off, folder / "out", said.append)
    assert "read 40 rows of gp_events" in said
    assert [words for words in said if words in records.linked.STEPS] == list(records.linked.STEPS)
