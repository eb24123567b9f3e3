"""Groups, audit, gate: is the list fair, and is there enough data to tell?"""

from fairness.analyst import write_tables_page
from fairness.audit import Audit, audit
from fairness.feeds import silent_practices
from fairness.funnel import funnel_rows
from fairness.gate import Verdict, decide
from fairness.groups import GROUPS, group_table
from fairness.happened import what_happened
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
    "funnel_rows",
    "group_table",
    "recorded_conditions",
    "refuse_outdated_limits",
    "silent_practices",
    "to_json",
    "what_happened",
    "write_page",
    "write_tables_page",
]
