"""What each week is held against, and what follows when it is beyond the limits."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from casewell.settings.section import Section


class Monitoring(Section):
    """What each week is held against (docs/how-to/monitoring.md), and what follows when a feed has stopped or shifted."""

    when_a_feed_fails: Literal["refuse", "fall_back"] = Field(
        "refuse",
        description="What follows when a feed has stopped or shifted past the limits below: no list is made, or the list is made by a model that was trained without that feed, and says so.",
    )
    fall_back_without: list[str] = Field(
        [],
        description="Names of sources; beside each champion a model is trained without the features of each, which takes as long again. Others cannot be fallen back from.",
    )
    silent_days: int = Field(
        28,
        ge=7,
        le=400,
        description="A feed is silent for a practice that sent next to nothing for so many days, or for two and a half times the source's usual gap if that is longer.",
    )
    silent_people_to_look_at: float = Field(
        0.02,
        ge=0,
        lt=1,
        description="Above this share of people at practices for which a feed is silent the week says so.",
    )
    maximum_silent_people: float = Field(
        0.2, gt=0, le=1, description="Above this share a feed has failed (`when_a_feed_fails`)."
    )
    shifted_features_to_look_at: float = Field(
        0.2,
        ge=0,
        lt=1,
        description="Above this share of a source's features with a large shift (population stability index above 0.25, by more than chance) since training the week says so.",
    )
    maximum_shifted_features: float = Field(
        0.5, gt=0, le=1, description="Above this share the feed has shifted and failed (`when_a_feed_fails`)."
    )
    score_shift: float = Field(
        0.25,
        gt=0,
        description="The week says so when the population stability index of the risks, since the champion's test or since the last run, is above this.",
    )
    population_shift: float = Field(
        0.15,
        gt=0,
        description="The week says so when a group of age by deprivation has grown or shrunk by more than this share within a year, and by more than chance.",
    )
    admissions_shift: float = Field(
        1.1,
        gt=1,
        description="The week says so when people of the same age surely had more than this many times the admissions of the year before, or fewer by the same factor.",
    )
    calibration_ratio: float = Field(
        1.25,
        gt=1,
        description="The week says so when the outcomes of an earlier week's people are surely more than this many times those predicted, or fewer by the same factor.",
    )
    early_days: int = Field(
        91,
        ge=28,
        le=365,
        description="Days after which an earlier week is read for the first time, against the share of outcomes that is expected by then.",
    )
    list_replaced: float = Field(
        0.5, gt=0, le=1, description="The week says so when a larger share of the last list is no longer on it."
    )
