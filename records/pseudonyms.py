"""Pseudonyms: nobody without the key can tell a person from a number, and with it only by trying.

HMAC-SHA-256, cut to 63 bits. The key lives in an environment variable or in a file that only its
owner may read; never in settings, logs or results.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

import pandas as pd

from casewell.errors import SettingsError
from casewell.settings import Settings
from records.private import check_that_only_its_owner_reads

ENVIRONMENT_VARIABLE = "CASEWELL_PSEUDONYM_KEY"
PREVIOUS_VARIABLE = "CASEWELL_PREVIOUS_PSEUDONYM_KEY"
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
    given = _given(settings)
    return _checked(_made(settings.pseudonym_key_file) if given is None else given)


def held_key(settings: Settings) -> bytes | None:
    """Return the key of real people's pseudonyms if this machine holds it; none is made by asking.

    Raises
    ------
    SettingsError
        As `key_of`.
    """
    given = _given(settings)
    return None if given is None else _checked(given)


def previous_key(settings: Settings) -> bytes | None:
    """Return the key that was in use before a rotation; None when the settings and the environment give none.

    Raises
    ------
    SettingsError
        As `key_of`; or the file is missing.
    """
    from_environment = os.environ.get(PREVIOUS_VARIABLE)
    if from_environment is not None:
        return _checked(from_environment, "previous pseudonym key", PREVIOUS_VARIABLE)
    path = settings.previous_pseudonym_key_file
    if path is None:
        return None
    if not path.is_file():
        raise SettingsError(
            f"previous_pseudonym_key_file names {str(path)!r}, which does not exist",
            "Once the rotation is done, take the setting out.",
        )
    return _checked(_from_file(path), "previous pseudonym key", PREVIOUS_VARIABLE)


def _given(settings: Settings) -> str | None:
    from_environment = os.environ.get(ENVIRONMENT_VARIABLE)
    if from_environment is not None:
        return from_environment
    path = settings.pseudonym_key_file
    return _from_file(path) if path.exists() else None


def _checked(key: str, what: str = "pseudonym key", variable: str = ENVIRONMENT_VARIABLE) -> bytes:
    if len(key.strip()) < MINIMUM_LENGTH:
        raise SettingsError(
            f"the {what} is shorter than {MINIMUM_LENGTH} characters",
            f"Mend {variable}, or its file in the settings. With another key all pseudonyms change.",
        )
    return key.strip().encode()


def _made(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    key = secrets.token_hex(32)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(key)
    return key


def _from_file(path: Path) -> str:
    check_that_only_its_owner_reads(path, "pseudonym key file", "; consider a new key")
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


def rotated_ids(key: bytes, old: pd.Series) -> pd.Series:
    """Return the person ids that take the place of those made with an earlier key; each distinct one is hashed once."""
    distinct = old.drop_duplicates()
    hashed = dict(zip(distinct, (keyed_hash(key, f"rotated|{person}") for person in distinct), strict=True))
    return old.map(hashed).astype("int64")


def household_ids(key: bytes, dwellings: pd.Series) -> pd.Series:
    """Return the pseudonym of each dwelling, a series of distinct texts."""
    return pd.Series([keyed_hash(key, f"household|{dwelling}") for dwelling in dwellings], dwellings.index, "int64")


def fingerprint(settings: Settings, synthetic: bool) -> str:
    """Return eight hexadecimal digits that tell one key from another and say nothing of either."""
    return fingerprint_of(key_of(settings, synthetic))


def fingerprint_of(key: bytes) -> str:
    """Return eight hexadecimal digits that tell a key from another and say nothing of either."""
    return hmac.digest(key, b"fingerprint", hashlib.sha256).hex()[:8]


def tie_break_key(settings: Settings, synthetic: bool) -> bytes:
    """Return a key, derived from that of the pseudonyms, for breaking ties between person ids fairly."""
    return hmac.digest(key_of(settings, synthetic), b"tie-break", hashlib.sha256)
