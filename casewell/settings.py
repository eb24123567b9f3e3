"""What a run is told: one short YAML file, typed, with defaults, every mistake reported at once.

`docs/reference/settings.md` is generated from these classes.
"""

from __future__ import annotations

import datetime as dt
import difflib
import math
import re
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from casewell.errors import SettingsError

Purpose = Literal["direct_care", "planning", "evaluation"]
SourceTable = Literal[
    "demographics",
    "gp_events",
    "hospital_spells",
    "emergency_care",
    "urgent_care",
    "outpatients",
    "community",
    "mental_health",
    "social_care",
    "housing",
    "programme",
    "opt_outs",
    "practices",
]
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
]
PROTECTED = (
    "age_band",
    "ethnic_group",
    "imd_by_ethnicity",
    "imd_by_ethnicity_by_sex",
    "learning_disability_or_autism",
    "severe_mental_illness",
    "sex",
)
"""Groupings by a characteristic that the Equality Act 2010 protects."""


class Section(BaseModel):
    """A part of the settings that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class LawfulBasis(Section):
    """Why these records may be read."""

    reference: str = Field(
        min_length=3, description="Where the basis is written down: agreement, direction or CAG number."
    )
    purposes: list[Purpose] = Field(min_length=1, description="What the records may be used for.")
    review_date: dt.date = Field(description="The day on which the basis must have been reviewed; refused after it.")


class Source(Section):
    """One source of records."""

    kind: Literal["extract", "omop", "meds"] = Field(
        "extract",
        description="`extract`: one NHS-style table. `omop`: a folder of OMOP CDM 5.3 or 5.4 tables. `meds`: the folder of a MEDS data set.",
    )
    path: Path = Field(
        Path(),
        description="A Parquet, CSV, gzipped CSV or DuckDB file; for `omop` and `meds` the folder. Required, unless `connection` is given.",
    )
    connection: str | None = Field(
        None,
        description="PostgreSQL: the NAME of the environment variable that holds the connection string; never the string itself.",
    )
    relation: str | None = Field(
        None, description="In a DuckDB or PostgreSQL database: the table or view to read, as `schema.name` or `name`."
    )
    timeout_minutes: int = Field(
        120, ge=1, le=1440, description="PostgreSQL: a table that takes longer than this to read is given up."
    )
    delimiter: str = Field(",", description="What separates the columns of a CSV file: one character, or `tab`.")
    encoding: str = Field("utf-8", description="How a CSV file's text is encoded; Excel often saves `cp1252`.")
    date_format: str | None = Field(
        None,
        description="How an extract writes dates as text, for example `%d/%m/%Y`; ISO dates are always understood, others only if declared here.",
    )
    codes: dict[str, str] = Field(
        {},
        description="MEDS: code, or what codes begin with before `//`: the code of this project that it stands for.",
    )
    shifted_dates: bool = Field(
        False, description="MEDS: dates were shifted to protect people, so that they may lie in the future."
    )
    table: SourceTable | None = Field(
        None, description="Which contract an extract follows; the source's own name when left out."
    )
    columns: dict[str, str] = Field({}, description="Contract column: column in the file, where the two differ.")
    known_lag_days: int = Field(
        0, ge=0, le=400, description="Days from event to knowledge, for records that carry no date of receipt."
    )
    expected_every_days: int | None = Field(
        None,
        ge=1,
        le=400,
        description="A delivery is expected at least this often: when the newest record is older than this at the list's date, the source is stale. Stale opt-outs stop a run, other sources if `quality.when_stale` says so. Left out, `casewell sources check` goes by the source's own usual pace, and no run is stopped for its age.",
    )
    one_row_a_person: bool = Field(
        False,
        description="The source has one row a person (a master index): two of its rows are never one person. The better one stays, the other is linked elsewhere or stands alone.",
    )
    lawful_basis: LawfulBasis | None = Field(None, description="A source without one is refused before a row is read.")
    enabled: bool = Field(True, description="Switch a source off without deleting it.")

    @field_validator("connection")
    @classmethod
    def _names_a_variable(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
            raise ValueError("must be the name of an environment variable, never the connection string itself")
        return value

    @field_validator("relation")
    @classmethod
    def _names_a_table(cls, value: str | None) -> str | None:
        if value is not None and (value.count(".") > 1 or not all(part.strip() for part in value.split("."))):
            raise ValueError("must be written as schema.name or name")
        return value

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, value: str) -> str:
        value = {"tab": "\t", "\\t": "\t"}.get(value, value)
        if len(value.encode()) != 1 or value in '"\r\n' or value.isalnum():
            raise ValueError("must be one plain character that is no letter, digit or quotation mark, or `tab`")
        return value

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str) -> str:
        try:
            "".encode(value)
        except LookupError:
            raise ValueError(f"unknown encoding {value!r}; for example utf-8, cp1252, latin-1 or utf-16") from None
        return value

    @field_validator("date_format")
    @classmethod
    def _says_day_month_and_year(cls, value: str | None) -> str | None:
        day = dt.datetime(2023, 11, 27)
        try:
            told = value is None or dt.datetime.strptime(day.strftime(value), value) == day
        except ValueError:
            told = False
        if not told:
            raise ValueError("must say day, month and year, for example %d/%m/%Y")
        return value

    @model_validator(mode="after")
    def _lies_somewhere(self) -> Source:
        given = self.path != Path() or (self.connection is None and "path" in self.model_fields_set)
        if given == (self.connection is not None):
            raise ValueError("give either `path` or, for PostgreSQL, `connection`")
        if self.connection is not None and (self.relation is None or self.kind != "extract"):
            raise ValueError("`connection` needs `relation`, the table to read, and the kind `extract`")
        return self


class OptOuts(Section):
    """For which purposes an opt-out removes a person before anything else is read."""

    type_1: list[Purpose] = Field(
        ["direct_care", "planning", "evaluation"],
        description="GP Type 1 opt-out. Risk stratification takes GP records out of the practice, so it is upheld for every purpose.",
    )
    national: list[Purpose] = Field(["planning", "evaluation"], description="National data opt-out.")


class Quality(Section):
    """How many faulty rows a source may have before the run stops, and what `casewell sources check` calls unusual."""

    max_bad_share: float = Field(
        0.05,
        ge=0,
        le=1,
        description="Above this share of rows in quarantine, for one source, the run stops; below it the rows are set aside, counted and kept.",
    )
    when_stale: Literal["report", "stop"] = Field(
        "report",
        description="What follows when a source is older than its `expected_every_days`: `casewell sources check` reports it, or the run stops as well. Stale opt-outs always stop it.",
    )
    silent_days: int = Field(
        14,
        ge=2,
        le=400,
        description="A source, practice, hospital or team that sends nothing for this many days, and for far longer than is usual for it, is reported as stopped.",
    )
    unusual_volume: float = Field(
        0.4,
        gt=0,
        lt=1,
        description="A month with this share of rows too few (or as many times too many), against the same place's other months and the other places' same month, is reported.",
    )
    unusual_missing: float = Field(
        0.1,
        gt=0,
        lt=1,
        description="A month in which the share of rows without ethnicity, or without NHS number, differs by this much from the same place's usual is reported (0.1: ten in a hundred).",
    )
    maximum_missing_ethnicity: float = Field(
        0.25,
        gt=0,
        le=1,
        description="A source with a larger share of rows whose ethnicity is not known is reported; *not stated* is an answer and does not count.",
    )
    beyond_chance: float = Field(
        6.0,
        ge=3,
        le=20,
        description="How many times its usual month-to-month spread a difference must be before it is reported. Higher: fewer false alarms, later true ones.",
    )
    smallest_usual: int = Field(
        20,
        ge=8,
        description="Codes and places with fewer rows than this in a usual month are not judged by volume.",
    )


class Linkage(Section):
    """How records without a usable NHS number find their person."""

    match_probability: float = Field(
        0.99, gt=0.5, lt=1, description="Splink match probability at which two records are the same person."
    )
    engine: Literal["duckdb", "spark"] = Field(
        "duckdb",
        description="Where pairs of records are scored: in this process, or by Spark (`casewell[spark]` and Java 17) where they outgrow one machine; both find the same pairs.",
    )
    decisions: Path | None = Field(
        None,
        description="CSV file of what people decided about pairs of records, readable by its owner only; `casewell link decide` writes it (docs/how-to/linking.md).",
    )
    anew_on: dt.date | None = Field(
        None,
        description="On the first run for this day or a later one, the model is estimated anew and every pair compared again, as when the sources have changed much; people keep their ids.",
    )


class Features(Section):
    """Where what is known of people is worked out."""

    engine: Literal["embedded", "spark"] = Field(
        "embedded",
        description="Where events become features: in this process, or by Spark (`casewell[spark]` and Java 17), on this machine or the cluster it was started on, where they outgrow one machine; both give the same bytes.",
    )


class Outcome(Section):
    """What the models predict."""

    name: str = Field(
        "emergency admission or death within 12 months",
        description="In plain words, for every page that shows a score.",
    )
    admission_group: str = Field("emergency_admission", description="Code group that counts as the admission.")
    horizon_days: int = Field(
        365, ge=30, le=730, description="Days after the index date in which the outcome is looked for."
    )


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
    trees: int = Field(
        500,
        ge=10,
        le=5000,
        description="The most trees of the risk model; how many of them are grown is chosen in each training, on the newest months.",
    )
    learning_rate: float = Field(
        0.05,
        gt=0,
        le=1,
        description="Shrinkage of the risk model. `make tune` compares this and the two below with others.",
    )
    leaves: int = Field(7, ge=2, le=255, description="Leaves a tree of the risk model.")
    minimum_leaf: int = Field(300, ge=5, description="Rows a leaf of the risk model.")


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
        description="Atkinson's parameter. 0 weighs everybody's benefit alike; the larger, the more a benefit counts in a fifth with worse health (docs/how-to/places.md).",
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


class Override(Section):
    """A named person's decision to release lists although the audit could not tell."""

    owner: str = Field(min_length=3, description="Who takes responsibility.")
    reason: str = Field(min_length=10, description="Why, in a sentence; printed on the lists' manifest and pages.")
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
    minimum_use_gradient: float = Field(
        1.0,
        gt=0,
        description="People with an emergency admission over those expected from need and age, most over least deprived: below this, hospital care that the most deprived need does not show in the records.",
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
        None, description="Release although the audit could not tell, with a named owner and a reason."
    )


class Lists(Section):
    """What a list looks like."""

    reasons: int = Field(3, ge=1, le=5, description="Reasons in plain words for each person.")
    unmet_need: int = Field(
        20,
        ge=0,
        le=500,
        description="People on each team's second sheet: high need, no emergency admission in three years, no place.",
    )


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
    sources: dict[str, Source] = Field(min_length=1, description="Name: source.")
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
    fairness: Fairness = Fairness()
    lists: Lists = Lists()
    schedule: Schedule = Schedule()


class _NoKeyTwice(yaml.SafeLoader):
    """YAML in which a key given twice is a mistake; otherwise the second would silently replace the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Return the mapping of a node, whose own keys must differ; those merged by `<<` may be replaced."""
        lines: dict[str, list[int]] = {}
        for key, _ in node.value:
            lines.setdefault(str(key.value), []).append(key.start_mark.line + 1)
        twice = [
            f"key {key!r} is given twice, in lines {at[0]} and {at[1]}" for key, at in lines.items() if len(at) > 1
        ]
        if twice:
            raise SettingsError(twice, "Put what belongs together under one key.")
        return super().construct_mapping(node, deep)


Location = Annotated[tuple[Any, ...], "keys from the top of the file down"]


def load(path: Path) -> Settings:
    """Read a settings file.

    Raises
    ------
    SettingsError
        Not found, not YAML, or every broken rule at once, unknown keys with the nearest known one.
    """
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), _NoKeyTwice)
    except FileNotFoundError:
        raise SettingsError(
            f"settings file {str(path)!r} does not exist", "Give another with --settings FILE."
        ) from None
    except OSError as error:
        raise SettingsError(f"settings file {str(path)!r} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(
            f"settings file {str(path)!r} is not UTF-8 text", "Compare it with config/demo.yaml."
        ) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise SettingsError(
            f"settings file {str(path)!r} is not YAML{where}", "Compare it with config/demo.yaml."
        ) from None
    if not isinstance(raw, dict):
        raise SettingsError(
            f"settings file {str(path)!r} must hold keys and values", "Compare it with config/demo.yaml."
        )
    try:
        return Settings.model_validate(raw)
    except ValidationError as error:
        raise SettingsError(
            [_describe(item) for item in error.errors()], f"Mend {path}; docs/reference/settings.md lists every key."
        ) from None


def _describe(problem: Any) -> str:
    where = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(problem["loc"][-1]), _known_keys(problem["loc"][:-1]), 1, cutoff=0.5)
        return f"unknown key {where!r}" + (f"; did you mean {near[0]!r}?" if near else "")
    if problem["type"] == "model_type":
        return f"{where}: must hold keys and values; leave it out for its defaults"
    return f"{where}: {problem['msg'].removeprefix('Value error, ')}"


def _known_keys(location: Location) -> list[str]:
    model: type[Section] = Settings
    for part in location:
        # A part that names no field is a key of a dictionary, such as a source's own name.
        field = model.model_fields.get(str(part))
        inside = _types_in(field.annotation) if field else []
        model = next((kind for kind in inside if isinstance(kind, type) and issubclass(kind, Section)), model)
    return list(model.model_fields)


def _types_in(annotation: Any) -> list[Any]:
    inner = getattr(annotation, "__args__", ())
    return [annotation, *(deep for arg in inner for deep in _types_in(arg))]
