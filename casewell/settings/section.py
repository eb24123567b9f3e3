"""What every section of the settings shares."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Purpose = Literal["direct_care", "planning", "evaluation"]

Grouping = Literal[
    "imd_quintile",
    "core20",
    "ethnic_group",
    "sex",
    "age_band",
    "learning_disability_or_autism",
    "severe_mental_illness",
    "imd_by_ethnicity",
    "imd_by_ethnicity_by_sex",
    "ethnic_category",
    "inclusion_health",
    "practice",
]

PROTECTED = (
    "age_band",
    "ethnic_category",
    "ethnic_group",
    "imd_by_ethnicity",
    "imd_by_ethnicity_by_sex",
    "inclusion_health",
    "learning_disability_or_autism",
    "severe_mental_illness",
    "sex",
)
"""Groupings by a characteristic that the Equality Act 2010 protects; inclusion health holds Gypsies and Travellers."""


class Section(BaseModel):
    """A part of the settings that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)
