from __future__ import annotations

import errno
import importlib
import os
import shutil
import signal
import stat
from pathlib import Path

import pytest

from casewell.errors import StorageError
from cohorts import clear_leftovers, publish, stage

publishing = importlib.import_module("cohorts.publish")


@pytest.fixture
def final(tmp_path: Path) -> Path:
    return tmp_path / "cohorts" / "2026-09-28"


def prepared(final: Path, content: str) -> Path:
    folder = stage(final)
    (folder / "lists").mkdir()
    (folder / "lists" / "T1.csv").write_text(content)
    (folder / "manifest.json").write_text("{}")
    return folder


def content(final: Path) -> str:
    return (final / "lists" / "T1.csv").read_text()


@pytest.fixture(params=["exchange", "rename aside"])
def way(request, monkeypatch) -> str:
    """Both ways of replacing a folder: with the exchange, and on a system that lacks it."""
    if request.param == "rename aside":
        monkeypatch.setattr(publishing, "_exchange", lambda *_: False)
    return request.param


def test_a_folder_appears_whole_and_private(final):
    assert publish(prepared(final, "new"), final) == final
    assert content(final) == "new"
    assert os.listdir(final.parent) == ["2026-09-28"]
    assert stat.S_IMODE(final.stat().st_mode) == 0o700


def test_a_second_run_replaces_the_folder_and_leaves_nothing_behind(final, way):
    publish(prepared(final, "old"), final)
    publish(prepared(final, "new"), final)
    assert content(final) == "new"
    assert os.listdir(final.parent) == ["2026-09-28"]


def test_an_unfinished_folder_is_refused(final):
    publish(prepared(final, "old"), final)
    unfinished = prepared(final, "new")
    (unfinished / "manifest.json").unlink()
    with pytest.raises(StorageError, match=r"no manifest\.json"):
        publish(unfinished, final)
    assert content(final) == "old"


@pytest.mark.parametrize("fails_at", [1, 2])
@pytest.mark.parametrize("cause", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_a_disk_that_refuses_a_rename_leaves_the_old_folder_whole(final, fails_at, cause, monkeypatch):
    publish(prepared(final, "old"), final)
    new = prepared(final, "new")
    monkeypatch.setattr(publishing, "_exchange", lambda *_: False)
    calls = []
    rename = os.rename

    def refuse(source: Path, target: Path) -> None:
        calls.append(source)
        if len(calls) == fails_at:
            raise OSError(cause, os.strerror(cause))
        rename(source, target)

    monkeypatch.setattr(os, "rename", refuse)
    with pytest.raises(StorageError, match=os.strerror(cause)) as caught:
        publish(new, final)
    assert "still stand" in caught.value.advice
    assert content(final) == "old"


@pytest.mark.parametrize("step", ["_flush", "_exchange"])
def test_a_disk_that_fills_up_leaves_the_old_folder_whole(final, step, monkeypatch):
    publish(prepared(final, "old"), final)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(publishing, step, full)
    with pytest.raises(StorageError, match="No space left"):
        publish(prepared(final, "new"), final)
    assert content(final) == "old"


def test_an_interruption_between_the_two_renames_puts_the_old_folder_back(final, monkeypatch):
    publish(prepared(final, "old"), final)
    new = prepared(final, "new")
    monkeypatch.setattr(publishing, "_exchange", lambda *_: False)
    rename = os.rename

    def interrupted(source: Path, target: Path) -> None:
        if source == new:
            raise KeyboardInterrupt
        rename(source, target)

    monkeypatch.setattr(os, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        publish(new, final)
    assert content(final) == "old"


@pytest.mark.parametrize(
    "tidy_up", [lambda final: clear_leftovers(final.parent), lambda final: publish(prepared(final, "old"), final)]
)
def test_a_kill_between_the_two_renames_is_mended_by_the_next_run(final, tidy_up):
    publish(prepared(final, "old"), final)
    os.rename(final, final.with_name(".replaced-2026-09-28"))
    tidy_up(final)
    assert content(final) == "old"
    assert os.listdir(final.parent) == ["2026-09-28"]


@pytest.mark.parametrize(
    ("module", "step", "expected"),
    [(publishing, "_flush", "old"), (publishing, "_exchange", "old"), (shutil, "rmtree", "new")],
    ids=["while writing", "before the exchange", "after the exchange"],
)
def test_a_kill_leaves_one_whole_folder_and_its_remains_are_cleared(final, module, step, expected):
    publish(prepared(final, "old"), final)
    process = os.fork()
    if process == 0:
        setattr(module, step, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
        publish(prepared(final, "new"), final)
        os._exit(0)
    assert os.WTERMSIG(os.waitpid(process, 0)[1]) == signal.SIGKILL
    assert content(final) == expected
    assert len(os.listdir(final.parent)) == 2
    clear_leftovers(final.parent)
    assert os.listdir(final.parent) == ["2026-09-28"]


def test_the_folder_of_a_run_that_is_still_going_is_left_alone(final):
    going = prepared(final, "new")
    clear_leftovers(final.parent)
    assert going.exists()
    os.utime(going, (0, 0))
    clear_leftovers(final.parent)
    assert not going.exists()


def test_a_folder_of_lists_that_cannot_be_made_is_said_plainly(tmp_path):
    (tmp_path / "cohorts").write_text("a file where the folder should be")
    with pytest.raises(StorageError, match="no folder could be made"):
        stage(tmp_path / "cohorts" / "2026-09-28")
