"""Places near the cut-off that are drawn by lot, so that what they change can be known."""

from __future__ import annotations

import datetime as dt

from pydantic import Field, model_validator

from casewell.settings.section import Section


class Margin(Section):
    """A team's declared margin: who answers for drawing lots there, how many places, among how many, and until when."""

    share: float = Field(gt=0, le=1, description="Share of the team's places that are drawn by lot, rounded down.")
    width: float = Field(
        2.0,
        gt=1,
        le=20,
        description="People in the lot for each place drawn, the nearest to the cut-off on either side: each has a chance of about 1 / width.",
    )
    rest_days: int = Field(
        0,
        ge=0,
        le=366,
        description="For so many days, whoever a lot passed over is in no other lot and no reserve of the team, and has a place only by standing above its margin. 0: they may be drawn a week later, and then little is learned of what a place changes. It holds care back: the approval must cover it.",
    )
    owner: str = Field(min_length=3, description="Who answers for it.")
    approval: str = Field(
        min_length=5, description="Where the approval is written down: an ethics committee's or a board's reference."
    )
    approved_on: dt.date = Field(description="The day of the approval; no lot is drawn before it.")
    ends_on: dt.date = Field(description="The last day on which lots are drawn; a run for a later day is refused.")
    seed: int = Field(0, ge=0, description="Changes who is drawn; keep it while the margin lasts.")

    @model_validator(mode="after")
    def _ends_after_it_was_approved(self) -> Margin:
        if self.ends_on < self.approved_on:
            raise ValueError("`ends_on` lies before `approved_on`")
        return self
