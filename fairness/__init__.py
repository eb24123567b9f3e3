"""Groups, audit, gate: is the list fair, and is there enough data to tell?"""

from fairness.audit import Audit, audit
from fairness.feeds import silent_practices
from fairness.gate import Verdict, decide
from fairness.groups import GROUPS, group_table
from fairness.levels import refuse_outdated_limits
from fairness.page import write_page
from fairness.record import to_json
from fairness.recorded import recorded_conditions

__all__ = [
    "GROUPS",
    "Audit",
    "Verdict",
    "audit",
    "decide",
    "group_table",
    "recorded_conditions",
    "refuse_outdated_limits",
    "silent_practices",
    "to_json",
    "write_page",
]
