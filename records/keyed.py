"""Keyed hashes of many texts at once: HMAC-SHA-256, cut to 63 bits, worked out inside DuckDB.

The same numbers as `records.pseudonyms.keyed_hash`. The key goes in as a parameter, never in a query's text.
"""

from __future__ import annotations

import hashlib

import duckdb
import numpy as np
import pandas as pd

BLOCK = 64


def keyed(text: str) -> str:
    """Return the SQL expression of the keyed hash of an SQL text; the query takes `pads(key)` as its parameters."""
    inner = f"unhex(sha256($inner || encode({text})))"
    return f"(('0x' || substr(sha256($outer || {inner}), 1, 16))::UBIGINT & 9223372036854775807)::BIGINT"


def pads(key: bytes) -> dict[str, object]:
    """Return the two padded forms of a key that HMAC takes (RFC 2104)."""
    padded = (hashlib.sha256(key).digest() if len(key) > BLOCK else key).ljust(BLOCK, b"\0")
    return {"inner": bytes(byte ^ 0x36 for byte in padded), "outer": bytes(byte ^ 0x5C for byte in padded)}


def keyed_hashes(con: duckdb.DuckDBPyConnection, key: bytes, texts: pd.Series) -> np.ndarray:
    """Return the keyed hash of each text, as positive whole numbers."""
    con.register("texts_to_hash", pd.DataFrame({"place": np.arange(len(texts)), "text": texts.to_numpy()}))
    query = f"SELECT {keyed('text')} AS hash FROM texts_to_hash ORDER BY place"
    hashes: np.ndarray = con.execute(query, pads(key)).fetchnumpy()["hash"]
    con.unregister("texts_to_hash")
    return np.asarray(hashes, dtype="int64")
