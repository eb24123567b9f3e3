"""Which day a run stands on."""

from __future__ import annotations

import datetime as dt

import records
from casewell.errors import AsOfError
from casewell.settings import Settings


def date_within_the_data(settings: Settings, as_of: str | None) -> dt.date:
    """Return the day asked for, or the end of the data when none is.

    Raises
    ------
    AsOfError
        Not a date, not after the data begin, or after they end.
    """
    try:
        asked = None if as_of is None else dt.date.fromisoformat(as_of)
    except ValueError:
        raise AsOfError("--as-of is not a date", "Write it as YYYY-MM-DD.") from None
    span = records.inspect(settings)
    date = asked or span.cut_off
    if not span.begin < date <= span.cut_off:
        raise AsOfError(
            f"{date} lies outside the data, which begin on {span.begin} and are complete up to {span.cut_off}",
            "Choose a date after the first and not after the second.",
        )
    return date


def end_of_fresh_data(settings: Settings) -> dt.date:
    """Return the end of the data for a scheduled run, which acts on the lists without anybody looking first.

    Raises
    ------
    AsOfError
        The newest record is older than `schedule.maximum_data_age_days`.
    """
    end = records.inspect(settings).cut_off
    age = (dt.date.today() - end).days
    if age > settings.schedule.maximum_data_age_days:
        raise AsOfError(
            f"the newest record is {age} days old, more than schedule.maximum_data_age_days "
            f"({settings.schedule.maximum_data_age_days})",
            "Bring the sources up to date, or run `casewell run --as-of DATE` knowing that the lists are old.",
        )
    return end
