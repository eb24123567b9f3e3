"""Every problem of every source at once: `casewell sources check`."""

from records.quality.check import Report, check_sources
from records.quality.feeds import Freshness, freshness

__all__ = ["Freshness", "Report", "check_sources", "freshness"]
