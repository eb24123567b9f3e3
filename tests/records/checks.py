"""What the tests of the check of the sources share."""

from __future__ import annotations

import datetime as dt

from casewell.settings import Quality
from records.quality import check_sources

AS_OF = dt.date(2022, 10, 13)
TODAY = dt.date(2026, 1, 1)
LIMITS = Quality()


def checked(settings, as_of=AS_OF):
    """Return what the check finds as of a day."""
    return check_sources(settings, as_of, TODAY)


def found(report, **wanted):
    """Return the findings of a report whose columns hold what is wanted."""
    rows = report.findings
    for name, value in wanted.items():
        rows = rows[rows[name] == value]
    return rows


def changed(settings, name, **changes):
    """Return the settings with one source described otherwise."""
    source = settings.sources[name].model_copy(update=changes)
    return settings.model_copy(update={"sources": {**settings.sources, name: source}})
