"""Pseudonyms: nobody without the key can tell a person from a number, and with it only by trying.

HMAC-SHA-256, cut to 63 bits. The key lives in an environment variable or in a file that only its
owner may read; never in settings, logs or results.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
from pathlib import Path

import pandas as pd

from casewell.errors import SettingsError
from casewell.settings import Settings

ENVIRONMENT_VARIABLE = "CASEWELL_PSEUDONYM_KEY"
MINIMUM_LENGTH = 32
# Everybody can know who a simulated person is: a public key makes every demonstration the same.
DEMONSTRATION_KEY = b"Casewell demonstration key: synthetic people only"


def key_of(settings: Settings, synthetic: bool) -> bytes:
    """Return the key of the pseudonyms, made on first use.

    Raises
    ------
    SettingsError
        Too short, not readable, or readable by others than its owner.
    """
    if synthetic:
        return DEMONSTRATION_KEY
    from_environment = os.environ.get(ENVIRONMENT_VARIABLE)
    key = from_environment if from_environment is not None else _from_file(settings.pseudonym_key_file)
    if len(key.strip()) < MINIMUM_LENGTH:
        raise SettingsError(
            f"the pseudonym key is shorter than {MINIMUM_LENGTH} characters",
            f"Mend {ENVIRONMENT_VARIABLE}, or remove the key file to have one made: all pseudonyms will change.",
        )
    return key.strip().encode()


def _from_file(path: Path) -> str:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise SettingsError(
            f"pseudonym key file {str(path)!r} can be read by others", f"Run `chmod 600 {path}`; consider a new key."
        )
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"pseudonym key file {str(path)!r} cannot be read as text") from None


def keyed_hash(key: bytes, text: str) -> int:
    """Return the keyed hash of a text as a positive 63-bit number."""
    digest = hmac.digest(key, text.encode(), hashlib.sha256)
    return int.from_bytes(digest[:8], "big") & 0x7FFF_FFFF_FFFF_FFFF


def person_ids(key: bytes, anchors: pd.Series) -> pd.Series:
    """Return the pseudonym of each anchor; each distinct one is hashed once."""
    distinct = anchors.drop_duplicates()
    hashed = dict(zip(distinct, (keyed_hash(key, f"person|{anchor}") for anchor in distinct), strict=True))
    return anchors.map(hashed).astype("int64")


def fingerprint(settings: Settings, synthetic: bool) -> str:
    """Return eight hexadecimal digits that tell one key from another and say nothing of either."""
    return hmac.digest(key_of(settings, synthetic), b"fingerprint", hashlib.sha256).hex()[:8]


def tie_break_key(settings: Settings, synthetic: bool) -> bytes:
    """Return a key, derived from that of the pseudonyms, for breaking ties between person ids fairly."""
    return hmac.digest(key_of(settings, synthetic), b"tie-break", hashlib.sha256)
