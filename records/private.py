"""Files that only their owner may read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from casewell.errors import SettingsError


def check_that_only_its_owner_reads(path: Path, what: str, advice: str = "") -> None:
    """Refuse a private file that others than its owner can read.

    Raises
    ------
    SettingsError
        Readable, writable or executable by others; the words name the file as `what`.
    """
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise SettingsError(f"{what} {str(path)!r} can be read by others", f"Run `chmod 600 {path}`{advice}.")


def write_private(path: Path, content: bytes) -> Path:
    """Write a file anew that only its owner can read at any moment, in a folder that only the owner can open."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    return path
