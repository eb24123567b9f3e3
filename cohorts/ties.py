"""What breaks a tie: a keyed hash of the pseudonym, so that no order of rows, records or names can favour anybody."""

from __future__ import annotations

import hashlib
import hmac


def tie_lot(person_id: int, key: bytes, programme: str = "") -> str:
    """Return the person's lot as hexadecimal digits, a lot of its own for each programme beside case management; the first in their order goes first."""
    told = int(person_id).to_bytes(8, "big", signed=True) + programme.encode()
    return hmac.digest(key, told, hashlib.sha256).hex()


def as_number(lot: str) -> float:
    """Return the lot as the solver wants it, up to 1 and the larger the earlier in the order of `tie_lot`."""
    return 1 - int(lot[:12], 16) / 16**12
