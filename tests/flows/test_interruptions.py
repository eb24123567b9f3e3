"""Whatever stops a run half way, the lists published before stay whole and the next run is not in its way."""

import contextlib
import datetime as dt
import errno
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest
import yaml

from casewell.errors import OrchestrationError, SettingsError, StorageError, TrainingError
from casewell.settings import load
from flows.working import working
from tests.support import REPOSITORY, files_below


@pytest.fixture
def published(rehearsal, tmp_path):
    """A copy of the rehearsed week, with settings that ask for another list on the same date."""
    shutil.copytree(rehearsal.folder / "data", tmp_path / "data")
    told = yaml.safe_load(rehearsal.settings.read_text())
    told |= {"data_dir": str(tmp_path / "data"), "lists": {"reasons": 2}}
    settings = tmp_path / "settings.yaml"
    settings.write_text(yaml.safe_dump(told))
    return Published(settings, rehearsal.manifest["as_of"])


class Published:
    """A published week that a run under other settings would replace."""

    def __init__(self, settings, as_of):
        self.settings, self.as_of = settings, as_of
        self.data = settings.parent / "data"
        self.lists = self.data / "cohorts" / as_of
        self.before = self.content()

    def content(self):
        return {path.relative_to(self.lists): path.read_bytes() for path in files_below(self.lists)}

    def run(self):
        from flows.weekly import weekly_flow

        return weekly_flow(str(self.settings), self.as_of)

    def leftovers(self):
        return [*self.data.glob("*/*.partial"), *self.data.glob("cohorts/.*")]

    def change(self, **changes):
        self.settings.write_text(yaml.safe_dump(yaml.safe_load(self.settings.read_text()) | changes))


@pytest.mark.parametrize(
    "step", ["casewell.doors.parquet.write_table", "cohorts.write_lists", "flows.weekly.shutil.copy2"]
)
def test_a_full_disk_keeps_the_old_lists_whole(published, monkeypatch, step):
    def full(*_args, **_more):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(step, full)
        with pytest.raises(StorageError, match="No space left") as refusal:
            published.run()
    assert refusal.value.exit_code == 9
    assert published.content() == published.before


KILLED = """
import os, signal, sys
import cohorts
from casewell.environment import prepare
from pathlib import Path

prepare(Path.cwd())
# A shell's background job is born deaf to Ctrl-C; these tests may be one.
signal.signal(signal.SIGINT, signal.default_int_handler)
number = getattr(signal, sys.argv[1])
cohorts.write_lists = lambda *_: os.kill(os.getpid(), number)
sys.argv = ["casewell", "run", "--settings", sys.argv[2]]
from casewell.__main__ import main

main()
"""


@pytest.mark.parametrize(
    ("name", "code"), [("SIGKILL", -signal.SIGKILL), ("SIGTERM", 128 + signal.SIGTERM), ("SIGINT", 128 + signal.SIGINT)]
)
def test_a_kill_in_mid_run_keeps_the_old_lists_and_the_next_run_clears_up(published, tmp_path, name, code):
    words = tmp_path / "words"
    with words.open("w") as output:
        ended = subprocess.Popen(
            [sys.executable, "-c", KILLED, name, str(published.settings)],
            cwd=REPOSITORY,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        assert ended.wait(timeout=300) == code, words.read_text()
    # Nobody is left to stop the Prefect server of a process that was killed outright.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(ended.pid, signal.SIGKILL)
    assert "Traceback" not in words.read_text()
    assert "leaked" not in words.read_text()
    assert published.content() == published.before
    assert published.leftovers()
    if name != "SIGKILL":
        return  # the next run meets no more than after the hardest stop
    published.run()
    assert not published.leftovers()
    assert json.loads((published.lists / "manifest.json").read_text())["settings"]["lists"]["reasons"] == 2


def test_one_run_waits_for_another_in_the_same_folder(published, capsys):
    settings, order = load(published.settings), []
    lock = (published.data / ".lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)

    def first_ends():
        time.sleep(0.3)
        order.append("first ended")
        lock.close()

    first = threading.Thread(target=first_ends)
    first.start()
    with working(settings):
        order.append("second began")
    first.join()
    assert order == ["first ended", "second began"]
    assert "Another run is working" in capsys.readouterr().err


def test_a_folder_that_cannot_be_used_is_a_matter_of_the_disk(published, tmp_path):
    (tmp_path / "file").write_text("in the way")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        published.change(data_dir=str(place))
        with pytest.raises(StorageError), working(load(published.settings)):
            pytest.fail("the work began")


def test_a_store_that_sqlite_cannot_read_is_a_matter_of_the_disk(published, tmp_path):
    store = tmp_path / "mlruns"
    store.mkdir()
    (store / "mlflow.db").write_bytes(b"not a database " * 1000)
    published.change(mlruns_dir=str(store))
    with pytest.raises(StorageError, match="MLflow's store"):
        published.run()
    assert published.content() == published.before


def test_a_machine_too_busy_to_start_prefect_is_told_plainly(published):
    from prefect.server.api.server import SubprocessASGIServer

    # Another port, or the server that already runs for these tests would answer.
    server = SubprocessASGIServer(port=SubprocessASGIServer().find_available_port())
    with pytest.raises(OrchestrationError, match="did not answer in time"), working(load(published.settings)):
        server.start(timeout=0.01)
    server.stop()


def test_a_damaged_model_is_refused(published, tmp_path, monkeypatch):
    from flows import books

    whole = books.champion(load(published.settings), dt.date.fromisoformat(published.as_of))
    damaged = shutil.copytree(whole.folder, tmp_path / "models")
    # Trees or coefficients, whichever kind this population gave.
    [learned] = [file for file in damaged.iterdir() if file.stem == "risk"]
    learned.write_text("trees of another wood")
    monkeypatch.setattr(
        books, "champion", lambda *_: books.Registered(whole.version, whole.trained_as_of, whole.digest, damaged)
    )
    with pytest.raises(TrainingError, match="changed or damaged"):
        published.run()
    assert published.content() == published.before


def test_a_misspelt_outcome_group_is_refused_and_never_counts_as_nobody_admitted(published):
    from flows.training import train_flow

    published.change(outcome={"admission_group": "emergency_admissions"})
    with pytest.raises(SettingsError, match="did you mean 'emergency_admission'"):
        train_flow(str(published.settings), published.as_of)


def test_a_week_without_any_place_gives_empty_lists(published):
    told = yaml.safe_load(published.settings.read_text())
    published.change(teams=told["teams"] | {"default_capacity": 0})
    assert published.run()["doors"]["listed"] == 0
