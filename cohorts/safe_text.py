"""Text from records and settings, made safe to open in a spreadsheet and to use as a file name."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable

LONGEST_CELL = 500

# U+2212 is the typographic minus, which some spreadsheets read as a sign; NFKC leaves it as it is.
_STARTS_A_FORMULA = "=+-@\u2212"
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn"}
_BREAKS = {"Zs", "Zl", "Zp"}


def clean(text: str) -> str:
    """Drop control characters and direction marks, join lines, and bound the length.

    A right-to-left override can make a cell read as something else; control characters are not
    valid in a workbook; a very long name would hide its neighbours.
    """
    # Printable is all that is neither unseen nor a break other than a plain space: nearly every text.
    kept = text if text.isprintable() else "".join(_seen(character) for character in text)
    joined = " ".join(kept.split())
    return joined if len(joined) <= LONGEST_CELL else joined[: LONGEST_CELL - 1] + "…"


def _seen(character: str) -> str:
    category = unicodedata.category(character)
    if category in _BREAKS or character in "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85":
        return " "
    return "" if category in _UNSEEN else character


def inert(text: str) -> str:
    """Clean a text and put an apostrophe before it if a spreadsheet could take it for a formula.

    Full-width and other compatibility forms of = + - @ count too. Quoting a CSV cell does not
    stop a formula; a leading apostrophe does.
    """
    cleaned = clean(text)
    start = unicodedata.normalize("NFKC", cleaned[:4]).lstrip()[:1]
    return f"'{cleaned}" if start and start in _STARTS_A_FORMULA else cleaned


def file_stems(codes: Iterable[str]) -> dict[str, str]:
    """Give each team code a file name of its own: letters, digits, hyphen and underscore only.

    A code that had to be altered, or that differs from another only by case, gets a short hash,
    so that no two teams can share a file on any file system.
    """
    codes = sorted(set(codes))
    plain = {code: re.sub(r"[^A-Za-z0-9_-]+", "-", code)[:60] or "team" for code in codes}
    folded = [stem.casefold() for stem in plain.values()]
    return {
        code: stem
        if stem == code and folded.count(stem.casefold()) == 1
        else f"{stem}-{hashlib.sha256(code.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
        for code, stem in plain.items()
    }
