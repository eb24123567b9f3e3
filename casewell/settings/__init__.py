"""What a run is told: one short YAML file, typed, with defaults, every mistake reported at once.

`docs/reference/settings.md` is generated from these classes.
"""

from casewell.settings.fairness import Fairness, Override
from casewell.settings.learning import (
    OUTCOME_WORDS,
    Attribute,
    Benefit,
    Eligibility,
    EventName,
    Features,
    Kind,
    Outcome,
    OutcomeName,
    Training,
)
from casewell.settings.margin import Margin
from casewell.settings.monitoring import Monitoring
from casewell.settings.places import Floors, Lists, Policy, Routing, Stability, TeamCapacity, Teams
from casewell.settings.programme import Costs, Programme, UnitCost
from casewell.settings.programmes import (
    CASE_MANAGEMENT,
    CASE_MANAGEMENT_TITLE,
    AssumedBenefit,
    EligibleRule,
    OtherProgramme,
)
from casewell.settings.reading import load
from casewell.settings.section import PROTECTED, Grouping, Purpose, Section
from casewell.settings.sources import LawfulBasis, Linkage, OptOuts, Quality, Source, SourceTable
from casewell.settings.whole import Schedule, Settings

__all__ = [
    "CASE_MANAGEMENT",
    "CASE_MANAGEMENT_TITLE",
    "OUTCOME_WORDS",
    "PROTECTED",
    "AssumedBenefit",
    "Attribute",
    "Benefit",
    "Costs",
    "Eligibility",
    "EligibleRule",
    "EventName",
    "Fairness",
    "Features",
    "Floors",
    "Grouping",
    "Kind",
    "LawfulBasis",
    "Linkage",
    "Lists",
    "Margin",
    "Monitoring",
    "OptOuts",
    "OtherProgramme",
    "Outcome",
    "OutcomeName",
    "Override",
    "Policy",
    "Programme",
    "Purpose",
    "Quality",
    "Routing",
    "Schedule",
    "Section",
    "Settings",
    "Source",
    "SourceTable",
    "Stability",
    "TeamCapacity",
    "Teams",
    "Training",
    "UnitCost",
    "load",
]
