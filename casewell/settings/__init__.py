"""What a run is told: one short YAML file, typed, with defaults, every mistake reported at once.

`docs/reference/settings.md` is generated from these classes.
"""

from casewell.settings.fairness import Fairness, Override
from casewell.settings.learning import Benefit, Eligibility, Features, Outcome, Training
from casewell.settings.places import Floors, Lists, Policy, TeamCapacity, Teams
from casewell.settings.reading import load
from casewell.settings.section import PROTECTED, Grouping, Purpose, Section
from casewell.settings.sources import LawfulBasis, Linkage, OptOuts, Quality, Source, SourceTable
from casewell.settings.whole import Schedule, Settings

__all__ = [
    "PROTECTED",
    "Benefit",
    "Eligibility",
    "Fairness",
    "Features",
    "Floors",
    "Grouping",
    "LawfulBasis",
    "Linkage",
    "Lists",
    "OptOuts",
    "Outcome",
    "Override",
    "Policy",
    "Purpose",
    "Quality",
    "Schedule",
    "Section",
    "Settings",
    "Source",
    "SourceTable",
    "TeamCapacity",
    "Teams",
    "Training",
    "load",
]
