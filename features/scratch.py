"""DuckDB with little memory: what does not fit in it waits in a folder."""

from __future__ import annotations

from pathlib import Path

import duckdb

MEMORY_LIMIT = "300MB"
THREADS = 2


def connect(folder: Path, file: str = ":memory:") -> duckdb.DuckDBPyConnection:
    """Open a database, in memory or in a file of the folder, that lays what it cannot hold into the folder."""
    connection = duckdb.connect(
        file if file == ":memory:" else str(folder / file),
        config={
            "autoinstall_known_extensions": "false",
            "threads": THREADS,
            "memory_limit": MEMORY_LIMIT,
            "temp_directory": str(folder),
        },
    )
    connection.execute("SET enable_progress_bar = false")  # steps are told in words, by whoever asks for them
    return connection
