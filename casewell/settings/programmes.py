"""Programmes beside case management that a team can offer: who they are for, what they cost, and what is assumed of them."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated

from pydantic import Field, model_validator

from casewell.settings.section import Section

CASE_MANAGEMENT = "case_management"
"""The code of the programme there always is: the rest of the settings describes it, and `programmes` cannot."""
CASE_MANAGEMENT_TITLE = "Case management"


class EligibleRule(Section):
    """One thing that must hold of a person: a feature's value between two ends, both included."""

    feature: str = Field(
        min_length=1,
        description="A feature of the catalogue (docs/reference/features.md). Where its value is missing, the rule does not hold.",
    )
    minimum: float | None = Field(None, allow_inf_nan=False, description="The least value.")
    maximum: float | None = Field(None, allow_inf_nan=False, description="The largest value.")

    @model_validator(mode="after")
    def _says_something(self) -> EligibleRule:
        if self.minimum is None and self.maximum is None:
            raise ValueError(f"the rule on {self.feature!r} needs `minimum`, `maximum` or both")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"the rule on {self.feature!r} has a `minimum` above its `maximum`: nobody could meet it")
        return self


class AssumedBenefit(Section):
    """What is assumed of a programme until evidence earns better."""

    share: float = Field(ge=0, le=1, description="Share of a person's risk that the programme takes away.")
    source: str = Field(min_length=10, description="Where the figure is published, or who answers for it.")


class OtherProgramme(Section):
    """One programme beside case management (docs/how-to/programmes.md)."""

    title: str = Field(min_length=3, max_length=60, description="Its name on lists and pages.")
    owner: str = Field(min_length=3, description="Who answers for it being offered by list.")
    review_date: dt.date = Field(
        description="The day by which it must have been reviewed; a run for a later day is refused."
    )
    cost: float | None = Field(
        None, ge=0, allow_inf_nan=False, description="Pounds a person, from start to end; none: places cost nothing."
    )
    places: dict[str, Annotated[int, Field(ge=0)]] = Field({}, description="Team code: new places this week.")
    default_places: int = Field(0, ge=0, description="New places this week for a team that `places` does not name.")
    eligible: tuple[EligibleRule, ...] = Field(
        (), description="Who it is for, among those who can be offered case management; all rules must hold."
    )
    benefit: AssumedBenefit

    def places_of(self, team_code: str) -> int:
        """Return the new places of a team this week."""
        return self.places.get(team_code, self.default_places)


Programmes = dict[str, OtherProgramme]


def plain_codes(programmes: Programmes) -> Programmes:
    """Return the programmes, or raise ValueError for codes that are odd or case management's, and titles of two."""
    odd = [code for code in programmes if not re.fullmatch(r"[a-z0-9_]+", code)]
    if odd:
        raise ValueError(
            f"a programme's code may hold lower-case letters, digits and _ only; not so: {', '.join(map(repr, odd))}"
        )
    if CASE_MANAGEMENT in programmes:
        raise ValueError(
            f"{CASE_MANAGEMENT!r} is the programme that is there already: its places are under `teams`, its costs under "
            "`programme.costs`; give another programme another code"
        )
    titles = [CASE_MANAGEMENT_TITLE, *(programme.title for programme in programmes.values())]
    names = [" ".join(title.split()).casefold() for title in titles]
    if twice := sorted({title for title, name in zip(titles, names, strict=True) if names.count(name) > 1}):
        raise ValueError(f"lists name programmes by their titles, and more than one is {', '.join(map(repr, twice))}")
    # Lists that come back are read by title or by code: what one programme is called must not be another's code.
    codes = {CASE_MANAGEMENT, *programmes}
    if taken := sorted(p.title for code, p in programmes.items() if p.title.strip() in codes - {code}):
        raise ValueError(f"a programme's title is another programme's code: {', '.join(map(repr, taken))}")
    return programmes
