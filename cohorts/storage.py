"""A full or unwritable disk, said in the user's words."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from casewell.errors import StorageError


@contextmanager
def disk(
    problem: str, advice: str = "Free some space or mend the permissions; lists published before still stand."
) -> Iterator[None]:
    """Turn a failure of the disk into a `StorageError` that says what could not be done.

    The operating system's own text is kept, its file names are not: they can hold codes.
    """
    try:
        yield
    except OSError as error:
        cause = os.strerror(error.errno) if error.errno else type(error).__name__
        raise StorageError(f"{problem}: {cause}", advice) from error
