"""A finding of the week: which check, how grave, one plain sentence, and what to do.

No finding holds a value of a person, and every count in one is as it may be shown (`fairness.disclosure`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

PAST, LOOK = "past the limit", "look at it"
LEVELS = (PAST, LOOK)

STOPPED, CODING, LEAK, POPULATION, ETHNICITY = (
    "stopped feed",
    "coding change",
    "leak",
    "population shift",
    "missing ethnicity",
)
FEATURES, SCORES, CALIBRATION, CHURN = "feature drift", "score drift", "calibration", "churn"


@dataclass(frozen=True)
class Finding:
    """What one check says.

    Attributes
    ----------
    check
        Which check found it: one of the names above.
    level
        One of `LEVELS`. Only what is past the limit keeps a run from scoring as usual.
    sentence, advice
        What is so, in plain words, and what to do.
    source
        The source that it is about, by its name in the settings; empty where it is about none.
    """

    check: str
    level: str
    sentence: str
    advice: str
    source: str = ""


def worst(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings, the gravest first, otherwise in the order given."""
    return sorted(findings, key=lambda finding: LEVELS.index(finding.level))
