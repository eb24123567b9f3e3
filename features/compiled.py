"""Compile a loop to machine code.

Numba keeps what it compiled, in the folder NUMBA_CACHE_DIR if that is set, otherwise beside the source, or in the
user's cache where the source cannot be written. Machine code holds nothing of any person.

What Numba keeps is out of date once its own file has changed, and only then: a compiled function calls none of
another file, and takes what another file declares as an argument. Arrays in a tuple are counted each time they are
taken from it: take them before the loop.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a function on its first call, and keep the result if there is a folder to keep it in."""
    try:
        return numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # no such folder can be written: every process compiles anew, for a few seconds
        return numba.njit(nogil=True)(function)


def is_kept(function: Any) -> bool:
    """Say whether machine code of a compiled function lies in its folder, made from the source as it is now."""
    source = Path(function.__code__.co_filename)
    made = source.stat().st_mtime
    folder = Path(function.stats.cache_path or source)
    return any(index.stat().st_mtime > made for index in folder.glob(f"{source.stem}.{function.__name__}-*.nbi"))
