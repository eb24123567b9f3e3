"""How good is a way of choosing people? Any rule, judged by doubly robust scores of people it did not learn from.

`models.targeting.report.report` judges by all of this at once, and draws the page.
"""

from models.targeting.budget import advantage_at_budget, gain_at_budget, net_benefit_at_budget
from models.targeting.calibration import calibration_of_benefit
from models.targeting.capacity import advantage, gain_at_capacity, gain_per_pound, targeting_operator
from models.targeting.clusters import clustered_error
from models.targeting.programmes import Offered, advantage_of_programmes, cost_curve, gain_of_programmes
from models.targeting.rank import area_under_toc, qini
from models.targeting.sensitivity import e_value, people_needed

__all__ = [
    "Offered",
    "advantage",
    "advantage_at_budget",
    "advantage_of_programmes",
    "area_under_toc",
    "calibration_of_benefit",
    "clustered_error",
    "cost_curve",
    "e_value",
    "gain_at_budget",
    "gain_at_capacity",
    "gain_of_programmes",
    "gain_per_pound",
    "net_benefit_at_budget",
    "people_needed",
    "qini",
    "targeting_operator",
]
