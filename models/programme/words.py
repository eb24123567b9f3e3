"""The outcome of an account in words, as sentences need it."""

from __future__ import annotations

from casewell.settings import OUTCOME_WORDS, EventName

_HAD: dict[EventName, str] = {"admission_or_death": "had an emergency admission or died", "death": "died"}


def spared(outcome: EventName) -> str:
    """Return what somebody may be spared: "an emergency admission or death"."""
    words = OUTCOME_WORDS[outcome]
    return words if outcome == "death" else f"an {words}"


def had(outcome: EventName) -> str:
    """Return what happened to whoever had it: "had an emergency admission or died"."""
    return _HAD.get(outcome, f"had {spared(outcome)}")
