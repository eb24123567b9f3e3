"""All that was found of a week."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from monitoring.churn import Churn
from monitoring.ethnicity import nobody
from monitoring.findings import Finding
from monitoring.population import Composition


@dataclass(frozen=True)
class Week:
    """What the page, the JSON and the books are made from.

    Attributes
    ----------
    without
        The sources whose features the model does not use, since their feeds have failed; usually none.
    feeds
        `monitoring.feeds.feeds`.
    codes
        Codes that gave way to others (`monitoring.codes.coding_changes`).
    leaks
        `monitoring.leaks.leaks`.
    composition
        Who is here, and how often admitted.
    features
        Shifts by source (`monitoring.drift.by_source`).
    scores
        `monitoring.drift.score_drift` by what the risks are compared with, in plain words.
    calibration
        `monitoring.maturing.calibration_of`; no row where no earlier week is old enough.
    churn
        Since the last list; None without one.
    need
        By deprivation fifth: `imd_quintile`, `people`, mean `need` as recorded and `need_expected`.
    findings
        The gravest first.
    ethnicity
        `monitoring.ethnicity.unknown_ethnicity`.
    earlier
        The record (`monitoring.as_json`) of the week before; empty without one. What it showed is shown again until it has
        moved far enough: two weeks side by side must give nobody away.
    """

    name: str
    as_of: dt.date
    synthetic: bool
    model: str
    without: tuple[str, ...]
    feeds: pd.DataFrame
    codes: pd.DataFrame
    leaks: pd.DataFrame
    composition: Composition
    features: pd.DataFrame
    scores: dict[str, pd.DataFrame]
    calibration: pd.DataFrame
    churn: Churn | None
    need: pd.DataFrame
    findings: tuple[Finding, ...]
    ethnicity: pd.DataFrame = field(default_factory=nobody)
    earlier: Mapping[str, Any] = field(default_factory=dict)

    def headline(self) -> str:
        """Say in a sentence how the week stands."""
        if not self.findings:
            return "Nothing is beyond its limits this week"
        checks = list(dict.fromkeys(finding.check for finding in self.findings))
        number = len(self.findings)
        return f"{number} {'finding' if number == 1 else 'findings'}: {', '.join(checks)}"
