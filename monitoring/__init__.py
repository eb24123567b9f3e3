"""Is this week like the weeks that the model learned from, and does what it said come true?"""

from monitoring.churn import Churn, about_churn, churn
from monitoring.codes import coding_changes
from monitoring.drift import about_features, about_scores, by_source, score_drift, shifted_sources
from monitoring.ethnicity import about_ethnicity, unknown_ethnicity
from monitoring.feeds import about_feeds, feeds, stopped
from monitoring.findings import PAST, Finding, worst
from monitoring.leaks import about_leaks, leaks
from monitoring.maturing import EARLY, IN_FULL, about_calibration, calibration_of, early_share, expected_early
from monitoring.page import write_page
from monitoring.population import Composition, about_population, composition, year_apart
from monitoring.record import as_json, numbers
from monitoring.week import Week

__all__ = [
    "EARLY",
    "IN_FULL",
    "PAST",
    "Churn",
    "Composition",
    "Finding",
    "Week",
    "about_calibration",
    "about_churn",
    "about_ethnicity",
    "about_features",
    "about_feeds",
    "about_leaks",
    "about_population",
    "about_scores",
    "as_json",
    "by_source",
    "calibration_of",
    "churn",
    "coding_changes",
    "composition",
    "early_share",
    "expected_early",
    "feeds",
    "leaks",
    "numbers",
    "score_drift",
    "shifted_sources",
    "stopped",
    "unknown_ethnicity",
    "worst",
    "write_page",
    "year_apart",
]
