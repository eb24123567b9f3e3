"""How good is a way of choosing people? Any rule, judged by doubly robust scores of people it did not learn from."""

from models.targeting.calibration import calibration_of_benefit
from models.targeting.capacity import advantage, gain_at_capacity
from models.targeting.clusters import clustered_error
from models.targeting.rank import Rate, area_under_toc, qini
from models.targeting.sensitivity import people_needed

__all__ = [
    "Rate",
    "advantage",
    "area_under_toc",
    "calibration_of_benefit",
    "clustered_error",
    "gain_at_capacity",
    "people_needed",
    "qini",
]
