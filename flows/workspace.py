"""Where things are kept, and the identity of what is kept there.

A stage's folder is named after everything that decides its content: the sources' bytes, the
settings, the date and the code. A folder that exists is whole (it got its name by a rename),
so a stage that was done before is not done again, and nothing stale is ever taken for new.
"""

from __future__ import annotations

import datetime as dt
import errno
import functools
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from casewell.errors import StorageError
from casewell.settings import Settings
from records.opening import server_digest
from records.pseudonyms import fingerprint
from records.reading import is_about_the_disk
from records.register import start_digest

HOUSE = Path(__file__).parents[1]
ROOMS = ("casewell", "records", "features", "models", "fairness", "cohorts", "monitoring", "flows", "data/reference")
STAGES_KEPT = 4


def digest_of(*parts: Any) -> str:
    """Return 12 hexadecimal digits that stand for plain values (anything JSON can hold, and paths and dates)."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:12]


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def code_digest() -> str:
    """Return a digest of the code, reference files and locked libraries that a result depends on."""
    files = sorted(
        path for room in ROOMS for path in (HOUSE / room).rglob("*") if path.suffix in {".py", ".csv", ".parquet"}
    )
    files.append(HOUSE / "requirements" / "run.lock")
    return digest_of([(str(path.relative_to(HOUSE)), file_digest(path)) for path in files])


def source_digests(settings: Settings) -> dict[str, str]:
    """Return each enabled source's name and the digest of its bytes, or of what was read from its server."""
    return {
        name: server_digest(name, source) if source.connection else _bytes_of(source.path)
        for name, source in sorted(settings.sources.items())
        if source.enabled
    }


def _bytes_of(path: Path) -> str:
    if path.is_dir():
        files = [file for file in sorted(path.rglob("*")) if file.is_file()]
        return digest_of([(str(file.relative_to(path)), _digest_once(file)) for file in files])
    return _digest_once(path)


def _digest_once(path: Path) -> str:
    """Read a file's bytes again only when its time or size has changed."""
    seen = path.stat()
    return _digest_at(path, seen.st_mtime_ns, seen.st_size)


@functools.cache
def _digest_at(path: Path, _modified: int, _size: int) -> str:
    return file_digest(path)


def stamped(settings: Settings) -> bool:
    """Say whether every enabled source lies in a folder stamped SYNTHETIC; a database on a server never does."""
    sources = [source for source in settings.sources.values() if source.enabled]
    paths = [source.path for source in sources]
    return not any(source.connection for source in sources) and all(
        ((path if path.is_dir() else path.parent) / "SYNTHETIC").is_file() for path in paths
    )


def identity(settings: Settings, as_of: dt.date, *sections: str) -> str:
    """Return the digest of sources, decisions, last week's linkage, code, key, date and the named sections of the settings."""
    chosen = settings.model_dump(mode="json")
    key = fingerprint(settings, stamped(settings))
    decided = settings.linkage.decisions
    decisions = file_digest(decided) if decided is not None and decided.is_file() else None
    earlier = start_digest(settings, stamped(settings), as_of)
    # Which programmes there are decides which rows of their records are used; the rest of `programmes` does not.
    told = {name: chosen[name] for name in sections} | {"programme codes": sorted(settings.programmes)}
    return digest_of(source_digests(settings), decisions, earlier, code_digest(), key, as_of, told)


def stage(folder: Path, build: Callable[[Path], Any]) -> Path:
    """Return the folder, having built it first if it is not there; a killed build leaves nothing under its name."""
    if folder.is_dir():
        os.utime(folder)
        return folder
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.parent.mkdir(parents=True, exist_ok=True)
    partial.mkdir(mode=0o700)
    build(partial)
    partial.rename(folder)
    return folder


def forget_old_stages(folders: Iterable[Path]) -> None:
    """Keep the newest stages of each kind; they can be made again, and hold people's records."""
    for kind in folders:
        done = [path for path in kind.glob("*") if path.is_dir()] if kind.is_dir() else []
        for path in sorted(done, key=lambda path: path.stat().st_mtime, reverse=True)[STAGES_KEPT:]:
            shutil.rmtree(path)


# The disk is full, may not be written, is worn out, or has a file where a folder belongs.
UNWRITABLE = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.EIO,
    errno.ENOTDIR,
    errno.EEXIST,
}
STILL = "Lists published before still stand. Free some space, or mend the permissions, and run again."
ENDED = "Lists published before still stand. Run again on a machine with 8 GB of memory or more, or end other programs."


@contextmanager
def disk() -> Iterator[None]:
    """Turn a full or forbidden disk, from whichever library reports it, into one clear refusal."""
    try:
        yield
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        where = f" ({error.filename})" if error.filename else ""
        raise StorageError(f"{os.strerror(error.errno)}{where}", STILL) from None
    except duckdb.Error as error:
        if is_about_the_disk(error):
            raise StorageError("the disk is full or cannot be written", STILL) from None
        if isinstance(error, duckdb.OutOfMemoryException):
            raise StorageError("the memory does not suffice for the working database", ENDED) from None
        raise
