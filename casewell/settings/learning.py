"""What the models predict, and how they learn it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from casewell.settings.section import Section


class Features(Section):
    """Where what is known of people is worked out."""

    engine: Literal["embedded", "spark"] = Field(
        "embedded",
        description="Where events become features: in this process, or by Spark (`casewell[spark]` and Java 17), on this machine or the cluster it was started on, where they outgrow one machine; both give the same bytes.",
    )


Attribute = Literal["deprivation", "sex"]
Kind = Literal["trees", "linear"]
EventName = Literal["admission_or_death", "admission", "acs_admission", "death"]
OutcomeName = Literal[EventName, "bed_days", "days_at_home"]
OUTCOME_WORDS: dict[OutcomeName, str] = {
    "admission_or_death": "emergency admission or death",
    "admission": "emergency admission",
    "acs_admission": "emergency admission for an ambulatory-care-sensitive condition",
    "death": "death",
    "bed_days": "days in hospital after emergency admissions",
    "days_at_home": "days alive and not in a hospital bed",
}


class Outcome(Section):
    """What the models predict."""

    ranks: EventName = Field(
        "admission_or_death",
        description="The outcome whose risk ranks people, is compared with a champion's, and which benefit is a fall of.",
    )
    beside: tuple[OutcomeName, ...] = Field(
        (),
        description="Outcomes that are predicted, tested and shown beside it; each takes about as long to train as the risk. An ambulatory-care-sensitive admission is an emergency one with such a primary diagnosis; what a death does to each is said in docs/decisions/0031-several-outcomes.md.",
    )
    name: str = Field(
        "",
        description="The outcome that ranks in plain words, for every page that shows a score; empty: made of `ranks` and `horizon_days`.",
    )
    admission_group: str = Field("emergency_admission", description="Code group that counts as the admission.")
    horizon_days: int = Field(
        365, ge=30, le=730, description="Days after the index date in which the outcome is looked for."
    )

    @model_validator(mode="before")
    @classmethod
    def _named(cls, told: Any) -> Any:
        """Name the outcome that ranks after what it is and how long it is looked for."""
        if not isinstance(told, dict) or told.get("name"):
            return told
        days = told.get("horizon_days", 365)
        words = OUTCOME_WORDS.get(told.get("ranks", "admission_or_death"), "")
        return told | {"name": f"{words} within {'12 months' if days == 365 else f'{days} days'}"}

    @model_validator(mode="after")
    def _each_once(self) -> Outcome:
        again = sorted({name for name in self.beside if name == self.ranks or self.beside.count(name) > 1})
        if again:
            raise ValueError(f"`beside` names {', '.join(map(repr, again))} again; leave out what is predicted already")
        return self


class Eligibility(Section):
    """Who can be offered case management at all."""

    minimum_age: int = Field(18, ge=0, le=110, description="Years, on the index date.")


class Training(Section):
    """How the models learn from the past."""

    index_dates: int = Field(
        24,
        ge=2,
        le=60,
        description="Monthly index dates to learn from, the newest whose outcomes are known, and those before it.",
    )
    step_months: int = Field(1, ge=1, le=12, description="Months between index dates.")
    test_index_dates: int = Field(
        3,
        ge=1,
        le=12,
        description="The newest mature index dates, kept for the test; outcomes that the back-test learns from end before the first of them. `casewell train --show-splits` prints every date and its use.",
    )
    reporting_lag_days: int = Field(
        60, ge=0, le=365, description="Days to wait after the horizon until outcomes count as known."
    )
    minimum_events: int = Field(
        50,
        ge=5,
        description="Fewer outcomes than this in the training months: no model. The test needs 20, whatever this says.",
    )
    maximum_rows: int = Field(
        200_000,
        ge=1000,
        description="Each fit of the risk model learns from at most this many people-months, drawn evenly; months of one person resemble each other.",
    )
    learner: Literal["auto", "trees", "linear"] = Field(
        "auto",
        description="What the risk is learned by: gradient-boosted `trees`, a `linear` model (logistic regression), or, by `auto`, the simpler of the two unless the trees earn their keep. Both are tested each time.",
    )
    trees: int = Field(
        500,
        ge=10,
        le=5000,
        description="The most trees of the risk model; how many of them are grown is chosen in each training, on the newest months.",
    )
    learning_rate: float = Field(
        0.1,
        gt=0,
        le=1,
        description="Shrinkage of the risk model. `make tune` compares this and the two below with others.",
    )
    leaves: int = Field(7, ge=2, le=255, description="Leaves a tree of the risk model.")
    minimum_leaf: int = Field(300, ge=5, description="Rows a leaf of the risk model.")
    attributes: tuple[Attribute, ...] = Field(
        ("deprivation", "sex"),
        description="Sensitive attributes that the models may use; ethnic group is never among them. `casewell evaluate` compares models with and without each, by group.",
    )
    attributes_owner: str | None = Field(
        None, min_length=3, description="Who decided on other attributes than the default; printed on the page."
    )

    @model_validator(mode="after")
    def _owned(self) -> Training:
        if set(self.attributes) != set(type(self).model_fields["attributes"].default) and not self.attributes_owner:
            raise ValueError("other attributes than the default need the name of who decided, in `attributes_owner`")
        return self


class Benefit(Section):
    """How benefit is learned, and what is assumed where it cannot be."""

    grace_days: int = Field(
        30,
        ge=1,
        le=120,
        description="People who start case management within this many days of an index date count as treated.",
    )
    minimum_treated: int = Field(300, ge=20, description="Fewer treated people in the history: the grade is `assumed`.")
    folds: int = Field(4, ge=2, le=10, description="Folds, by person, for cross-fitting.")
    minimum_propensity: float = Field(
        0.002,
        gt=0,
        lt=0.5,
        description="Below this chance of having been treated nobody like the person is in the evidence, and no benefit is claimed from it.",
    )
    maximum_imbalance: float = Field(
        0.1,
        gt=0,
        le=1,
        description="Largest weighted standardised difference between treated and untreated for the grade `compared`.",
    )
    assumed_relative_reduction: float = Field(
        0.1,
        ge=0,
        le=0.5,
        description="Under the grade `assumed`: the share by which case management lowers the risk of a fully amenable person.",
    )
