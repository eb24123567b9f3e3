"""What the gate looks at, its limits, and who may override it."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import Field

from casewell.settings.section import Grouping, Section


class Override(Section):
    """A named person's decision to release lists although the audit could not tell."""

    owner: str = Field(min_length=3, description="Who takes responsibility.")
    reason: str = Field(min_length=10, description="Why, in a sentence; printed on every page of the lists.")
    review_date: dt.date = Field(
        description="The last day of lists that it releases; it must be reviewed by then. Printed beside the reason."
    )
    covers: Literal["cannot_tell", "fail"] = Field("cannot_tell", description="The worst verdict that is overridden.")


class Fairness(Section):
    """What the gate looks at, and its limits."""

    gate_on: list[Grouping] = Field(
        ["imd_quintile", "ethnic_group", "sex"],
        min_length=1,
        description="Groupings on which the gate decides; all groupings are always reported.",
    )
    need_share: float = Field(
        0.1,
        gt=0,
        lt=1,
        description="The share of people, by need, whose share of places each group's own share is held against.",
    )
    minimum_share_ratio: float = Field(
        0.67, gt=0, le=1, description="Share of places over share of need: a group below this is short of places."
    )
    maximum_calibration_ratio: float = Field(
        1.25,
        gt=1,
        description="Observed over expected outcomes in the test window: above this, or below its inverse, the risk misleads for the group.",
    )
    maximum_lost_difference: float = Field(
        0.02,
        gt=0,
        le=1,
        description="How much larger the share of people lost before any model (a record that found no person; nothing that passed its checks) may be in the worst group than in the best: 0.02 is two percentage points.",
    )
    maximum_silent_difference: float = Field(
        0.1,
        gt=0,
        le=1,
        description="How much larger the share of people whose practice has sent nothing for `silent_days` may be in the worst group than in the best (0.1: ten percentage points). Where more than this share of everybody has a silent practice, the gate cannot tell.",
    )
    silent_days: int = Field(28, ge=7, le=400, description="Days without a GP record after which a practice is silent.")
    maximum_unknown_ethnicity: float = Field(
        0.15,
        gt=0,
        le=1,
        description="Above this share of eligible people whose ethnicity is not known the gate cannot tell.",
    )
    minimum_admission_gradient: float = Field(
        0.67,
        gt=0,
        description="Emergency admissions over those expected from attendances of emergency departments, need and age, most over least deprived: below this, trouble of the most deprived does not reach the records.",
    )
    minimum_recording_ratio: float = Field(
        0.8,
        gt=0,
        le=1,
        description="Of the lasting conditions that hospitals found in a group, those on record elsewhere before, over those expected of the same conditions at the same age: below this, the group's illness is written down less than it is.",
    )
    minimum_use_gradient: float = Field(
        1.0,
        gt=0,
        description="Only where nobody knows who attended emergency departments: people with an emergency admission over those expected from need and age, most over least deprived: below this, hospital care that the most deprived need does not show in the records.",
    )
    maximum_use_gradient: float = Field(
        1.6, gt=1, description="The same: above this, illness of the most deprived is written down less than it is."
    )
    limits_owner: str | None = Field(None, min_length=3, description="Who set these limits; printed on the page.")
    limits_review_date: dt.date | None = Field(None, description="The day by which the limits must be reviewed.")
    minimum_people: int = Field(100, ge=1, description="A smaller group is reported as not enough data to tell.")
    confidence: float = Field(0.95, gt=0.5, lt=1, description="Confidence level of intervals.")
    draws: int = Field(1000, ge=100, le=10000, description="Bootstrap draws.")
    override: Override | None = Field(
        None,
        description="Release although the audit could not tell, with a named owner, a reason and a date of review.",
    )
