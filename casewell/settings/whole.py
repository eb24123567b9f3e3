"""All the settings of a run."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator, model_validator

from casewell.settings.fairness import Fairness
from casewell.settings.learning import Benefit, Eligibility, Features, Outcome, Training
from casewell.settings.monitoring import Monitoring
from casewell.settings.places import Lists, Policy, Routing, Stability, Teams
from casewell.settings.programme import Programme
from casewell.settings.programmes import Programmes, plain_codes
from casewell.settings.section import Purpose, Section
from casewell.settings.sources import Linkage, OptOuts, Quality, Source


class Schedule(Section):
    """When the weekly run happens."""

    cron: str = Field("0 5 * * 1", description="Minute, hour, day of month, month, day of week.")
    time_zone: str = Field("Europe/London", description="IANA name.")
    maximum_data_age_days: int = Field(21, ge=1, description="A scheduled run refuses data older than this.")

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            near = difflib.get_close_matches(value, sorted(available_timezones()), 1)
            raise ValueError(f"unknown time zone{f'; did you mean {near[0]!r}?' if near else ''}")
        ZoneInfo(value)
        return value


class Settings(Section):
    """Everything a run is told."""

    version: Literal[1] = Field(1, description="Version of the settings file's form.")
    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9_-]*$",
        description="Names the models and experiments of this population; lower case, no spaces.",
    )
    purpose: Purpose = Field(
        "direct_care", description="What this run is for; decides which sources may be read and which opt-outs apply."
    )
    data_dir: Path = Field(
        Path("data"),
        description="Holds `linked/`, `links/` (the register of linkage), `features/`, `runs/`, `profile/` and `cohorts/`.",
    )
    mlruns_dir: Path = Field(Path("mlruns"), description="MLflow's store.")
    pseudonym_key_file: Path = Field(
        Path("data/pseudonym.key"),
        description="The key of the pseudonyms; made on first use, readable by its owner only. The environment variable CASEWELL_PSEUDONYM_KEY goes first. Sources stamped SYNTHETIC use a public demonstration key.",
    )
    previous_pseudonym_key_file: Path | None = Field(
        None,
        description="The key before a rotation, for the first run with the new one; take it out afterwards. The environment variable CASEWELL_PREVIOUS_PSEUDONYM_KEY goes first (docs/how-to/linking.md).",
    )
    seed: int = Field(20260928, ge=0, description="Root of every random number.")
    sources: dict[str, Source] = Field(
        min_length=1,
        description="Name: source. A name has letters, digits, `_` and `-` only: it names folders and figures too.",
    )
    opt_outs: OptOuts = OptOuts()
    quality: Quality = Quality()
    linkage: Linkage = Linkage()
    features: Features = Features()
    outcome: Outcome = Outcome()
    eligibility: Eligibility = Eligibility()
    training: Training = Training()
    benefit: Benefit = Benefit()
    teams: Teams = Teams()
    policy: Policy = Policy()
    stability: Stability = Stability()
    routing: Routing = Routing()
    fairness: Fairness = Fairness()
    lists: Lists = Lists()
    monitoring: Monitoring = Monitoring()
    programme: Programme = Programme()
    programmes: Programmes = Field(
        {},
        description="Code: a programme beside case management, whose benefit each person is scored for (docs/how-to/programmes.md). A code has lower-case letters, digits and `_` only. None: case management alone.",
    )
    schedule: Schedule = Schedule()

    @field_validator("sources")
    @classmethod
    def _plain_names(cls, sources: dict[str, Source]) -> dict[str, Source]:
        odd = [name for name in sources if not re.fullmatch(r"[A-Za-z0-9_-]+", name)]
        if odd:
            raise ValueError(
                f"a source's name may hold letters, digits, _ and - only; not so: {', '.join(map(repr, odd))}"
            )
        return sources

    @field_validator("programmes")
    @classmethod
    def _plain_codes(cls, programmes: Programmes) -> Programmes:
        return plain_codes(programmes)

    @model_validator(mode="after")
    def _places_that_go_together(self) -> Settings:
        problems = []
        for team in sorted(self.teams.margins):
            beside = [code for code, other in sorted(self.programmes.items()) if other.places_of(team)]
            if beside:
                problems.append(
                    f"teams.margins names {team!r}, which has places of {', '.join(beside)} besides: whoever the lot passed over "
                    "might be offered those, and the comparison would not be with nothing; give that team none of them, or no margin"
                )
        costs = [other.cost for other in self.programmes.values()]
        if (
            self.teams.budgets
            and not any(costs)
            and not (self.programme.costs.place and self.programme.costs.place.amount)
        ):
            problems.append(
                "teams.budgets limits nothing, since no place has a cost: give `cost` under `programmes`, or "
                "`programme.costs.place` for case management"
            )
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @model_validator(mode="after")
    def _sources_to_do_without(self) -> Settings:
        for name in self.monitoring.fall_back_without:
            if name not in self.sources:
                near = difflib.get_close_matches(name, sorted(self.sources), 1)
                raise ValueError(
                    f"monitoring.fall_back_without names {name!r}, which is no source"
                    + (f"; did you mean {near[0]!r}?" if near else "")
                )
        return self
