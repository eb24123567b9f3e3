"""Publishing: the week's folder appears whole, by one rename, or not at all.

A folder that replaces an earlier one for the same date is exchanged with it: Linux swaps two
names in one step (`renameat2`), so that at every moment, and after a kill or a power cut at any
moment, the date's name leads to one whole folder. A symbolic link would do so on every system,
but lists are copied and shared by people, and links break when copied. Where the exchange does
not exist the old folder is renamed aside and the new one in; a kill between the two leaves no
folder under the date's name, and the next run puts the old one back (`clear_leftovers`).
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import shutil
import tempfile
import time
from pathlib import Path

from casewell.errors import StorageError
from casewell.processes import is_running
from cohorts.storage import disk

_STAGING = ".staging-"
_REPLACED = ".replaced-"
_LONGEST_RUN_SECONDS = 24 * 60 * 60
_AT_WORKING_DIRECTORY = -100
_EXCHANGE = 2
_NOT_SUPPORTED = {errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP}


def stage(final: Path) -> Path:
    """Make an empty folder, beside the final one and readable by its owner only, to write the lists into."""
    with disk(f"no folder could be made beside {str(final)!r}"):
        final.parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=f"{_STAGING}{final.name}-{os.getpid()}-", dir=final.parent))


def publish(staged: Path, final: Path) -> Path:
    """Give a finished folder its final name, in place of any earlier folder of that name.

    Raises
    ------
    StorageError
        When `staged` holds no `manifest.json` (it is not finished) or the disk refuses; whatever
        was published before still stands.
    """
    if not (staged / "manifest.json").is_file():
        raise StorageError(
            f"{str(final)!r} is not published: the folder prepared for it holds no manifest.json, so it is not finished",
            "Run again; lists published before still stand.",
        )
    with disk(f"the lists could not be published to {str(final)!r}"):
        final.parent.mkdir(parents=True, exist_ok=True)
        _put_back(final)
        _flush(staged)
        if not final.exists():
            os.rename(staged, final)
        elif _exchange(staged, final):
            shutil.rmtree(staged, ignore_errors=True)
        else:
            _replace(staged, final)
        _flush_folder(final.parent)
    return final


def clear_leftovers(parent: Path) -> None:
    """Tidy what killed runs left in the folder of published lists.

    Staging folders whose process has ended are removed, and an old folder that was set aside
    but never replaced gets its name back. Folders of a run that is still going are left alone.
    """
    with disk(f"{str(parent)!r} could not be tidied"):
        for leftover in sorted(parent.glob(f"{_REPLACED}*")):
            _put_back(parent / leftover.name.removeprefix(_REPLACED))
        for leftover in sorted(parent.glob(f"{_STAGING}*")):
            if _abandoned(leftover):
                shutil.rmtree(leftover, ignore_errors=True)


def _exchange(staged: Path, final: Path) -> bool:
    swap = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if swap is None:
        return False
    here = _AT_WORKING_DIRECTORY
    if swap(here, os.fsencode(staged), here, os.fsencode(final), _EXCHANGE) == 0:
        return True
    cause = ctypes.get_errno()
    if cause in _NOT_SUPPORTED:
        return False
    raise OSError(cause, os.strerror(cause))


def _replace(staged: Path, final: Path) -> None:
    aside = _aside(final)
    os.rename(final, aside)
    try:
        os.rename(staged, final)
    except BaseException:
        os.rename(aside, final)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _put_back(final: Path) -> None:
    aside = _aside(final)
    if aside.exists() and final.exists():
        shutil.rmtree(aside, ignore_errors=True)
    elif aside.exists():
        os.rename(aside, final)


def _aside(final: Path) -> Path:
    return final.with_name(f"{_REPLACED}{final.name}")


def _abandoned(folder: Path) -> bool:
    process = re.fullmatch(r".*-(\d+)-[^-]+", folder.name)
    # A process number is used again in time, so age decides besides.
    old = time.time() - folder.stat().st_mtime > _LONGEST_RUN_SECONDS
    return old or process is None or not is_running(int(process[1]))


def _flush(folder: Path) -> None:
    for root, _, files in os.walk(folder):
        for name in files:
            with open(os.path.join(root, name), "rb") as file:
                os.fsync(file.fileno())
        _flush_folder(Path(root))


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
