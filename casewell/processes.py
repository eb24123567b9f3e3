"""What other processes on this machine are doing."""

from __future__ import annotations

import os


def is_running(process: int) -> bool:
    """Say whether a process of this number runs on this machine, whoever owns it."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
