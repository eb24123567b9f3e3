"""Old weeks of the register, cut down to what stays true: who was merged or split, and whose id took the place of whose.

The rest of an entry is needed to make the weeks after it again, until the next entry. So nothing goes by itself:
somebody says before which day no week need be made again, and the newest entry before that day stays whole.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path

from casewell.settings import Settings
from records.ledger import private
from records.register import CHANGES, META, PRUNED, ROTATION, days, home, meta_of

STAYS = (META, CHANGES, ROTATION)


@dataclass(frozen=True)
class Pruning:
    """What would go.

    Attributes
    ----------
    entries
        Days whose entries lose all but merges, splits and rotations.
    files
        The files that go.
    kept
        Days whose entries stay whole.
    """

    entries: list[dt.date]
    files: list[Path]
    kept: list[dt.date]

    @property
    def size(self) -> int:
        """Bytes that become free."""
        return sum(path.stat().st_size for path in self.files)


def planned(settings: Settings, before: dt.date) -> Pruning:
    """Say what may go if no week before a day need be made again; nothing is removed.

    A week starts from the newest entry before it that was made under its key, so that one stays, of each key.

    Raises
    ------
    SourceError
        The register is damaged.
    """
    earlier = [day for day in days(settings) if day < before]
    starts = {meta_of(settings, day)["pseudonym_key"]: day for day in earlier}
    # Those cut down already come again, in case a removal was broken off.
    entries = [day for day in earlier if day not in starts.values()]
    files = {
        day: [path for path in sorted((home(settings) / str(day)).iterdir()) if path.name not in STAYS]
        for day in entries
    }
    entries = [day for day in entries if files[day]]
    kept = [day for day in days(settings) if day not in files]
    return Pruning(entries, [path for day in entries for path in files[day]], kept)


def prune(settings: Settings, before: dt.date) -> Pruning:
    """Remove what `planned` says, and return that; an entry says first that it was cut down."""
    found = planned(settings, before)
    for day in found.entries:
        meta = meta_of(settings, day)
        meta["files"] = {name: digest for name, digest in meta["files"].items() if name in STAYS}
        path = home(settings) / str(day) / META
        written = private(path.with_suffix(".partial"))
        written.write_text(json.dumps(meta | {PRUNED: True}, sort_keys=True, indent=2) + "\n", encoding="utf-8")
        written.replace(path)
    for path in found.files:
        # A removal that was broken off may have left the half-written entry, which was renamed just now.
        path.unlink(missing_ok=True)
    return found
