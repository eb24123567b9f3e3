"""How many places there are, the policy by which they are given, and what a list looks like."""

from __future__ import annotations

import datetime as dt
import math
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from casewell.settings.margin import Margin
from casewell.settings.section import PROTECTED, Grouping, Section


class TeamCapacity(Section):
    """What one team can take on this week, where a single number does not say it."""

    coordinators: float = Field(ge=0, le=1000, description="Coordinators at work this week, in whole-time equivalents.")
    open_caseload: int = Field(ge=0, description="People on the team's caseload now.")
    slots: int | None = Field(
        None, ge=0, description="First appointments free this week; left out, only the caseload limits new places."
    )


class Teams(Section):
    """Who has places to offer, and how many."""

    by: Literal["network", "practice", "all"] = Field(
        "network", description="A team for each primary care network, each practice, or one for all."
    )
    default_capacity: int = Field(
        40, ge=0, description="New places this week for a team that `capacity` does not name."
    )
    capacity: dict[str, int | TeamCapacity] = Field(
        {},
        description="Team code: new places this week, or the `coordinators`, `open_caseload` and `slots` that they follow from.",
    )
    caseload_each: int = Field(
        50,
        ge=1,
        le=500,
        description="People whom one whole-time coordinator can look after at once; places are what `coordinators` leave free, and never more than `slots`.",
    )
    reserve_share: float = Field(
        0.25, ge=0, le=5, description="Reserve places as a share of capacity, for those who decline."
    )
    budgets: dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]] = Field(
        {},
        description="Team code: pounds for this week's places that have a cost (`programmes`, and `programme.costs.place` for case management); a team without one has no limit (docs/how-to/places.md).",
    )
    margins: dict[str, Margin] = Field(
        {},
        description="Team code: the margin at which that team's last places are drawn by lot, to learn what they change (docs/how-to/programme.md). None: no place is.",
    )

    @field_validator("capacity")
    @classmethod
    def _not_negative(cls, value: dict[str, int | TeamCapacity]) -> dict[str, int | TeamCapacity]:
        if any(isinstance(places, int) and places < 0 for places in value.values()):
            raise ValueError("capacity cannot be negative")
        return value

    def places(self, team_code: str) -> int:
        """Return the new places of a team this week: a number given, or what its coordinators and slots leave."""
        given = self.capacity.get(team_code, self.default_capacity)
        if isinstance(given, int):
            return given
        # Rounded first: 0.6 x 50 may be 29.999999999999996, which is not 29 people.
        free = max(0, math.floor(round(given.coordinators * self.caseload_each, 9)) - given.open_caseload)
        return free if given.slots is None else min(free, given.slots)


class Floors(Section):
    """The least that the week's places must give, whatever the benefit forgone."""

    core20: float | None = Field(
        None, gt=0, le=1, description="Least share of all places for people in the most deprived national fifth."
    )
    practice: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Each practice's least share of its team's places, as a fraction of its share of the team's eligible people (whole places, rounded down).",
    )
    share_of_need: dict[Grouping, Annotated[float, Field(gt=0, le=1)]] = Field(
        {},
        description="Grouping: the least ratio of every group's share of places to its share of high need (`fairness.need_share`).",
    )


class Policy(Section):
    """Who gets the places where not everybody can: a decision of the board, with an owner and a date."""

    owner: str | None = Field(
        None, min_length=3, description="Who answers for the policy; required as soon as any rule below is set."
    )
    review_date: dt.date | None = Field(
        None, description="The day by which it must have been reviewed; required with `owner`, and refused after it."
    )
    inequality_aversion: float = Field(
        0.0,
        ge=0,
        le=30,
        description="The parameter of `welfare`. 0 weighs everybody's benefit alike; the larger, the more a benefit counts in a fifth with worse health (docs/how-to/places.md).",
    )
    welfare: Literal["atkinson", "kolm"] = Field(
        "atkinson",
        description="What inequality is: atkinson looks at ratios of health, kolm at differences. Where health is about 1, as given, the same parameter weighs nearly alike.",
    )
    baseline_health: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=5, max_length=5)] = Field(
        [0.793, 0.826, 0.839, 0.860, 0.880],
        description="Mean health by deprivation fifth, the most deprived first, from which the weights follow; as given, health-related quality of life in England (Love-Koh and others, Value in Health 2015, doi 10.1016/j.jval.2015.03.1784).",
    )
    group_weights: dict[Grouping, dict[str, Annotated[float, Field(gt=0, le=100)]]] = Field(
        {},
        description="Grouping: group: what its people's benefit is multiplied by. On ethnic group, sex or age only with `legal_basis`.",
    )
    floors: Floors = Floors()
    legal_basis: str | None = Field(
        None,
        min_length=10,
        description="Where the legal advice is written down that allows weights or floors on protected characteristics (Equality Act 2010, section 158).",
    )

    @property
    def chosen(self) -> bool:
        """Whether any rule is set that moves a place."""
        floors = self.floors
        return bool(
            self.inequality_aversion or self.group_weights or floors.core20 or floors.practice or floors.share_of_need
        )

    @model_validator(mode="after")
    def _is_answered_for(self) -> Policy:
        if self.chosen and (self.owner is None or self.review_date is None):
            raise ValueError("a policy that moves places needs `owner` and `review_date`")
        used = {*self.group_weights, *self.floors.share_of_need}
        protected = sorted(used & set(PROTECTED))
        if protected and self.legal_basis is None:
            raise ValueError(
                f"weights or floors by {', '.join(protected)} touch a protected characteristic: give `legal_basis`, or leave them out"
            )
        return self


class Stability(Section):
    """How far this week's places may differ from the last list's. As it is, every place goes to whoever gains most now."""

    keep_within: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Whoever was listed keeps the place unless a newcomer's benefit, as the policy weighs it, is larger by more than this share. 0 keeps nobody.",
    )
    most_replaced: float = Field(
        1.0,
        ge=0,
        le=1,
        description="Largest share of a team's places that may pass, in a week, from people who could still be offered theirs to others. Places of those who died, moved away, started, declined or are cared for elsewhere are free besides. 1 sets no limit.",
    )
    compared_days: int = Field(
        35, ge=1, le=365, description="A last list that is older than this counts for nothing: the week is a first one."
    )

    @property
    def chosen(self) -> bool:
        """Whether any rule is set that keeps a place."""
        return self.keep_within > 0 or self.most_replaced < 1


class Routing(Section):
    """For how long somebody is left in peace."""

    declined_days: int = Field(
        182,
        ge=0,
        le=1826,
        description="Whoever declined without saying until when is not offered again for so many days from the day it became known.",
    )
    not_suitable_days: int = Field(
        182,
        ge=0,
        le=1826,
        description="Whoever a team found not suitable for a programme, or already supported by another service, is not offered it again for so many days from the day it became known.",
    )
    bereaved_days: int = Field(
        56,
        ge=0,
        le=365,
        description="For so many days after a death in the household nobody there is offered a place; 0 turns the rule off.",
    )


class Lists(Section):
    """What a list looks like."""

    reasons: int = Field(3, ge=1, le=5, description="Reasons in plain words for each person.")
    name_mental_health: bool = Field(
        False,
        description="Name mental health services among those that help already. Memory clinics are always named; no reason ever names the others.",
    )
    unmet_need: int = Field(
        20,
        ge=0,
        le=500,
        description="People on each team's second sheet: high need, no emergency admission in three years, no place.",
    )
