"""PostgreSQL tables, against a real server that these tests start and stop themselves."""

from __future__ import annotations

import logging
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import psycopg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import records
from casewell.errors import SourceError
from casewell.settings import Settings, Source
from flows import workspace
from records import copies, opening, postgres
from records.reading import UnreadableError
from tests.records.readings import AS_OF, counts_of, quarantined, tables_of

BINARIES = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)
SECRET = "s3cret-word"
pytestmark = [
    pytest.mark.skipif(
        BINARIES is None or not (BINARIES / "initdb").is_file(), reason="no PostgreSQL server is installed"
    ),
    pytest.mark.xdist_group("postgres"),
]


class Server:
    """A PostgreSQL server with a data folder of its own, run as a user who is not root."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        words = folder / "password"
        words.write_text(SECRET)
        if os.getuid() == 0:
            for path in (folder, words):
                shutil.chown(path, "postgres")
        self._as_owner(
            f"initdb -D {folder}/data -U owner --pwfile={words} -A scram-sha-256 -E UTF8 --locale=C --no-sync"
        )

    def start(self) -> None:
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off -c autovacuum=off"
        self._as_owner(f'pg_ctl -D {self.folder}/data -l {self.folder}/log -w -o "{options}" start')

    def stop(self) -> None:
        self._as_owner(f"pg_ctl -D {self.folder}/data -m immediate -w stop")

    def string(self, user: str = "owner", password: str = SECRET) -> str:
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/postgres"

    def run(self, *statements: str) -> None:
        with psycopg.connect(self.string(), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def fill(self, name: str, table: pd.DataFrame, **types: str) -> None:
        columns = ", ".join(f'"{column}" {types.get(column, "text")}' for column in table.columns)
        self.run(f"DROP TABLE IF EXISTS {name}", f"CREATE TABLE {name} ({columns})")
        with psycopg.connect(self.string()) as connection, connection.cursor().copy(f"COPY {name} FROM STDIN") as rows:
            for row in table.astype(object).where(table.notna(), None).itertuples(index=False):
                rows.write_row(row)

    def _as_owner(self, command: str) -> None:
        # initdb refuses root; the working folder must be one that the other user may enter.
        user = "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
        ids = {"user": user, "group": pwd.getpwnam(user).pw_gid} if os.getuid() == 0 else {}
        done = subprocess.run(
            f"{BINARIES}/{command}", shell=True, cwd=self.folder, capture_output=True, text=True, timeout=60,
            extra_groups=[] if ids else None, **ids,
        )  # fmt: skip
        assert done.returncode == 0 or "stop" in command, done.stderr


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    if os.getuid() == 0 and "postgres" not in {entry.pw_name for entry in pwd.getpwall()}:
        pytest.skip("a PostgreSQL server does not run as root, and there is no user for it")
    folder = Path(tempfile.mkdtemp(prefix="casewell-pg-"))
    folder.chmod(0o700)
    server = Server(folder)
    server.start()
    try:
        server.run(
            "CREATE SCHEMA feeds",
            f"CREATE ROLE reader LOGIN PASSWORD '{SECRET}'",
            "GRANT USAGE ON SCHEMA feeds TO reader",
            "ALTER DEFAULT PRIVILEGES IN SCHEMA feeds GRANT SELECT ON TABLES TO reader",
            "CREATE TABLE feeds.many AS SELECT n::text AS record_id, repeat('x', 100) AS code "
            "FROM generate_series(1, 300000) AS n",
            "CREATE VIEW feeds.slow AS SELECT 'r' || n AS record_id, pg_sleep(0.2)::text AS code "
            "FROM generate_series(1, 600) AS n",
        )
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def connected(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("FEEDS", server.string("reader"))
    yield
    postgres.forget()


def on_server(settings: Settings, name: str, **changes: object) -> Settings:
    source = settings.sources[name].model_dump(exclude_unset=True, exclude={"path"})
    new = Source.model_validate({**source, "connection": "FEEDS", "relation": f"feeds.{name}", **changes})
    return settings.model_copy(update={"sources": {**settings.sources, name: new}})


def source(**changes: object) -> Source:
    return Source.model_validate({"connection": "FEEDS", "relation": "feeds.many", "table": "gp_events", **changes})


def refused(source: Source, caplog: pytest.LogCaptureFixture) -> str:
    """Return the words of the refusal, in which nothing of the connection may stand."""
    before = len(list(Path(tempfile.gettempdir()).glob(f"{copies.PREFIX}{os.getpid()}-*")))
    with caplog.at_level(logging.DEBUG), pytest.raises(UnreadableError) as caught:
        postgres.copy_of(source, {"record_id", "code"})
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    for secret in (SECRET, "127.0.0.1", "reader", "wrong-word", "postgresql://"):
        assert secret not in str(caught.value) + caplog.text
    assert len(list(Path(tempfile.gettempdir()).glob(f"{copies.PREFIX}{os.getpid()}-*"))) == before, "a copy was left"
    return str(caught.value)


@pytest.fixture
def system(system):
    system["hospital_spells"].loc[0, "nhs_number"] = system["demographics"].loc[0, "nhs_number"]
    del system["housing"]
    system["gp_events"]["unit"] = ['mm "Hg", \\N', "", None, "é\nü"] * 10
    return system


def test_a_table_reads_as_the_file_does(server, system, settled, tmp_path):
    settings = settled(system)
    expected = tables_of(settings, tmp_path / "file")
    server.fill(
        "feeds.gp_events", system["gp_events"], event_date="date", received_date="timestamptz", numeric_value="numeric"
    )
    server.fill("feeds.demographics", system["demographics"], date_of_birth="date")
    both = on_server(on_server(settings, "gp_events"), "demographics")
    for one, other in zip(expected, tables_of(both, tmp_path / "server"), strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_a_day_with_a_time_zone_stays_that_day(server):
    server.run(
        "DROP TABLE IF EXISTS feeds.moments",
        "CREATE TABLE feeds.moments AS SELECT '1' AS record_id, timestamptz '2022-06-01 00:30+01' AS code",
    )
    copied = postgres.copy_of(source(relation="feeds.moments"), {"record_id", "code"})
    assert pd.read_parquet(copied.folder)["code"].tolist() == ["2022-06-01 00:30:00+01"]


def test_only_the_columns_of_the_contract_are_read(server):
    server.run("DROP TABLE IF EXISTS feeds.wide", "CREATE TABLE feeds.wide AS SELECT '1' AS record_id, 'x' AS diary")
    copied = postgres.copy_of(source(relation="feeds.wide"), {"record_id", "code"})
    assert copied.columns == ["record_id", "diary"]
    assert list(pd.read_parquet(copied.folder).columns) == ["record_id"]


def test_a_table_larger_than_a_piece_is_whole(server, monkeypatch):
    monkeypatch.setattr(postgres, "PIECE", 5 << 20)
    copied = postgres.copy_of(source(), {"record_id", "code"})
    assert len(list(copied.folder.iterdir())) > 3
    assert copied.rows == 300_000
    assert pd.read_parquet(copied.folder)["record_id"].astype(int).sort_values().tolist() == list(range(1, 300_001))


def test_a_table_is_read_once_while_the_database_does_not_change_and_again_when_it_does(server):
    server.fill("feeds.few", pd.DataFrame({"record_id": ["1"], "code": ["A"]}))
    few = source(relation="feeds.few")
    first = postgres.copy_of(few, {"record_id", "code"})
    assert postgres.copy_of(few, {"record_id", "code"}) is first
    server.run("INSERT INTO feeds.few VALUES ('2', 'B')")
    second = postgres.copy_of(few, {"record_id", "code"})
    assert (first.rows, second.rows) == (1, 2)
    assert first.digest != second.digest
    assert opening.server_digest("few", few) == postgres.copy_of(few, opening.columns_wanted("few", few)).digest


def test_rows_set_aside_come_back_when_the_table_is_corrected(server, system, settled, tmp_path):
    system["gp_events"].loc[7, "event_date"] = "around Easter"
    server.fill("feeds.gp_events", system["gp_events"])
    settings = on_server(settled(system), "gp_events")
    linked = records.build(settings, AS_OF, tmp_path / "out")
    assert quarantined(linked, "gp_events")["as_read"].tolist() == ["event_date=around Easter"]
    server.run("UPDATE feeds.gp_events SET event_date = '2022-03-01' WHERE event_date = 'around Easter'")
    again = records.build(settings, AS_OF, tmp_path / "again")
    assert counts_of(again, "gp_events") == {"opted_out": 1, "used": 39}


def test_the_server_cannot_be_written_to(server):
    connection = postgres._connect(server.string())
    postgres._begin(connection, 1)
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        connection.execute("CREATE TABLE feeds.trace (x int)")
    connection.close()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"relation": "feeds.nothing"}, "the database has no such table; write it as schema.name"),
        ({"relation": "fields.many"}, "the database has no such"),
        ({"relation": "pg_catalog.pg_authid"}, "the log-in may not read the table"),
        ({"connection": "NOT_SET"}, "the environment variable NOT_SET does not hold a connection string"),
    ],
)
def test_what_cannot_be_read_is_said_in_plain_words(server, caplog, changes, said):
    assert said in refused(source(**changes), caplog)


@pytest.mark.parametrize(
    ("string", "said"),
    [
        ("postgresql://reader:wrong-word@127.0.0.1:{port}/postgres", "the server refuses the log-in"),
        ("postgresql://reader:{word}@127.0.0.1:{port}/nowhere", "the server has no such database"),
        ("postgresql://reader:{word}@127.0.0.1:1/postgres", "the server cannot be reached"),
        ("host=127.0.0.1 password={word} nonsense", "the connection string cannot be understood"),
    ],
)
def test_no_word_of_the_connection_string_gets_out(server, caplog, monkeypatch, string, said):
    monkeypatch.setenv("FEEDS", string.format(port=server.port, word=SECRET))
    assert said in refused(source(), caplog)


def test_a_table_that_takes_too_long_is_given_up(server, caplog, monkeypatch):
    begin = postgres._begin

    def impatient(connection, minutes):
        moment = begin(connection, minutes)
        connection.execute("SET statement_timeout TO '300ms'")
        return moment

    monkeypatch.setattr(postgres, "_begin", impatient)
    said = refused(source(relation="feeds.slow"), caplog)
    assert "reading took longer than 120 minute(s) and was given up; raise `timeout_minutes`" in said


@pytest.mark.parametrize("how", ["ended by its keeper", "killed"])
def test_the_server_gone_in_mid_read_leaves_nothing_half_read(server, system, settled, tmp_path, caplog, how):
    def end() -> None:
        time.sleep(1)
        if how == "killed":
            server.stop()
        else:
            server.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'casewell'")

    ending = threading.Thread(target=end)
    ending.start()
    try:
        settings = on_server(settled(system), "gp_events", relation="feeds.slow")
        with caplog.at_level(logging.DEBUG), pytest.raises(SourceError) as caught:
            records.build(settings, AS_OF, tmp_path / "out")
    finally:
        ending.join()
        if how == "killed":
            server.start()
    said = str(caught.value)
    assert "source 'gp_events' (feeds.slow): the server went away after" in said
    assert "nothing of them is kept; run again" in said
    assert SECRET not in said + caplog.text
    assert not (tmp_path / "out").exists()
    assert not list(Path(tempfile.gettempdir()).glob(f"{copies.PREFIX}{os.getpid()}-*"))


def test_the_settings_keep_only_the_name_of_the_variable(server):
    assert SECRET not in source().model_dump_json()
    with pytest.raises(ValueError, match="never the connection string itself") as caught:
        source(connection=server.string())
    assert SECRET not in caught.value.errors()[0]["msg"]


@hypothesis_settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=("Cs",)))))
def test_any_text_comes_through_as_it_is(server, values):
    server.fill("feeds.texts", pd.DataFrame({"record_id": values, "code": "A"}, dtype="str"))
    copied = postgres.copy_of(source(relation="feeds.texts"), {"record_id", "code"})
    assert pd.read_parquet(copied.folder)["record_id"].tolist() == values


def test_a_runs_identity_follows_the_tables_content_and_is_never_synthetic(server, system, settled):
    settings = on_server(settled(system), "gp_events")
    server.fill("feeds.gp_events", system["gp_events"])
    before = workspace.source_digests(settings)
    assert workspace.source_digests(settings) == before
    assert not workspace.stamped(settings)
    server.run("UPDATE feeds.gp_events SET code = 'other' WHERE record_id = 'G3'")
    after = workspace.source_digests(settings)
    assert {name for name in before if before[name] != after[name]} == {"gp_events"}
    server.run("DROP TABLE feeds.gp_events")
    with pytest.raises(SourceError, match=r"source 'gp_events' \(feeds.gp_events\): the database has no such table"):
        workspace.source_digests(settings)
