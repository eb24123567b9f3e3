"""What the account of a programme covers, and what things cost."""

from __future__ import annotations

from pydantic import Field, model_validator

from casewell.settings.section import Section


class UnitCost(Section):
    """What one of something costs, in pounds, and where that is from."""

    amount: float = Field(ge=0, description="Pounds.")
    year: str = Field(min_length=4, description="The year of the prices, for example `2024` or `2016/17`.")
    source: str = Field(min_length=10, description="Where the figure is published, or who answers for it.")


class Costs(Section):
    """What things cost; prices of different years are added up as they are given, and the page says so."""

    place: UnitCost | None = Field(
        None,
        description="One person's case management, from start to end. No figure is assumed: without one, the account says what the programme changed and not whether it paid.",
    )
    emergency_admission: UnitCost | None = Field(
        UnitCost(
            amount=2900,
            year="2016/17",
            source="Health Foundation, Emergency hospital admissions in England (2018): £17.0bn over 5.8 million admissions",
        ),
        description="One emergency admission, its days in hospital included; nothing is added where it is none.",
    )
    bed_day: UnitCost | None = Field(
        None,
        description="One day in hospital after an emergency admission, for those who cost days and not stays: set `emergency_admission` to none with it, or days count twice (refused).",
    )
    emergency_attendance: UnitCost | None = Field(None, description="One visit to an emergency department.")
    gp_contact: UnitCost | None = Field(
        UnitCost(amount=51, year="2024", source="SNEE ICS analytics, unit costs: GP contact face to face"),
        description="One contact with the practice.",
    )
    community_contact: UnitCost | None = Field(
        UnitCost(amount=84, year="2024", source="SNEE ICS analytics, unit costs: community contact"),
        description="One contact with community services.",
    )

    @model_validator(mode="after")
    def _counts_no_day_twice(self) -> Costs:
        if self.bed_day is not None and self.emergency_admission is not None:
            raise ValueError(
                "`bed_day` beside `emergency_admission` would count days in hospital twice; set one of them to none (`null`)"
            )
        return self


class Programme(Section):
    """The account of what case management did (`casewell evaluate programme`)."""

    months: int = Field(
        12, ge=1, le=60, description="The newest months of starts whose outcomes are known that the account covers."
    )
    costs: Costs = Costs()
