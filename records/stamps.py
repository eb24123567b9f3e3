"""Simulated people beside others: told, because the others are then nobody's demonstration any more."""

from __future__ import annotations

from collections.abc import Sequence

from records.extracts import Extract
from records.own_ids import OwnIds

ADVICE = (
    "If all of them are simulated, put the file SYNTHETIC beside each (a table on a server cannot have one, and its "
    "people always count as real). If some are real, take the simulated ones out: nobody can tell them apart in a list."
)


def mixed_stamps(sources: Sequence[Extract | OwnIds]) -> str:
    """Say that some of the sources are stamped SYNTHETIC and others are not, and what follows; empty if they agree."""
    stamped = [source.name for source in sources if source.synthetic]
    others = [source.name for source in sources if not source.synthetic]
    if not stamped or not others:
        return ""
    return (
        f"{_listed(stamped)} {'are' if len(stamped) > 1 else 'is'} stamped SYNTHETIC and {_listed(others)} "
        f"{'are' if len(others) > 1 else 'is'} not, so everybody is pseudonymised as a real person, with the private key: "
        "ids are others than with stamped sources alone"
    )


def _listed(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
