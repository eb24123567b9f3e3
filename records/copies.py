"""Private copies on the disk, for what DuckDB cannot read where it lies.

A copy holds people's records: it lies in a folder that only its owner can open, and is gone when nothing uses it
any more. What a killed process left behind is removed by the next one.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from casewell.processes import is_running

PREFIX = "casewell-copy-"


class Copy:
    """A private folder that lasts as long as this object."""

    def __init__(self) -> None:
        sweep()
        self._folder = tempfile.TemporaryDirectory(prefix=f"{PREFIX}{os.getpid()}-", ignore_cleanup_errors=True)
        self.path = Path(self._folder.name)

    def remove(self) -> None:
        """Remove the folder now."""
        self._folder.cleanup()


def sweep() -> None:
    """Remove copies whose process is gone."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        process = folder.name.removeprefix(PREFIX).split("-")[0]
        if process.isdigit() and not is_running(int(process)) and folder.stat().st_uid == os.getuid():
            shutil.rmtree(folder, ignore_errors=True)
