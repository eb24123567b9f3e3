"""The command: this machine only, nothing to log in to, nothing left readable."""

from __future__ import annotations

import inspect
import os
import socket
import threading
import urllib.request

import pytest
from django.core.management import call_command
from typer.testing import CliRunner

from casewell.__main__ import app
from casewell.errors import SettingsError
from worklist import serving
from worklist.site import open_site

from .conftest import settings_in


@pytest.fixture
def already_open(monkeypatch):
    """Django is set up already: once for a process is the rule, and the session's fixture did it."""
    monkeypatch.setattr(serving, "open_site", lambda settings: settings.data_dir / "worklist")


def test_the_server_answers_on_this_machine_s_own_address_only(publish, data, already_open):
    publish()
    with serving.make_server(settings_in(data), 0) as server:
        assert server.server_address[0] == "127.0.0.1"
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/") as response:
            assert b"Teams this week" in response.read()
        thread.join()


def test_no_other_address_can_be_given():
    options = CliRunner().invoke(app, ["worklist", "--help"], env={"COLUMNS": "200"}).output
    assert "--port" in options
    assert "--host" not in options
    assert "no log-in" in options
    assert set(inspect.signature(serving.serve).parameters) == {"settings", "port", "say"}


def test_a_taken_port_is_said_plainly(data, already_open):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(SettingsError, match="cannot be used"):
            serving.make_server(settings_in(data), other.getsockname()[1])


def test_the_store_s_migration_is_up_to_date_with_the_model(data):
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_the_secret_key_is_random_and_refused_when_others_can_read_it(data, tmp_path):
    key = data / "worklist" / "secret.key"
    assert len(key.read_text()) >= 50
    (tmp_path / "worklist").mkdir()
    (tmp_path / "worklist" / "secret.key").write_text("known")
    os.chmod(tmp_path / "worklist" / "secret.key", 0o644)
    with pytest.raises(SettingsError, match="read by others"):
        open_site(settings_in(tmp_path))


def test_what_set_up_makes_is_its_owner_s_alone(opened):
    _, modes = opened
    assert modes == {"worklist": 0o700, "worklist.sqlite3": 0o600, "secret.key": 0o600}


@pytest.fixture
def command(data, tmp_path, already_open):
    settings = tmp_path / "settings.yaml"
    settings.write_text(f"name: test\ndata_dir: {data}\nsources: {{demographics: {{path: none.csv}}}}\n")
    return lambda: CliRunner().invoke(app, ["worklist", "--settings", str(settings), "--export"])


def test_export_writes_the_outcomes_anew(answer, publish, data, command):
    publish([{}, {"nhs_number": ""}])
    answer(rank=1, outcome="declined")
    answer(rank=2, outcome="declined")
    (data / "worklist" / "programme.csv").unlink()
    said = command().output
    assert "1 outcome(s) in" in said
    assert "1 outcome(s) left out" in said
    assert len((data / "worklist" / "programme.csv").read_text().splitlines()) == 2


def test_export_without_outcomes_writes_no_file_and_says_so(data, command):
    assert "no file written" in command().output
    assert not (data / "worklist" / "programme.csv").exists()
