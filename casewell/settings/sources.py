"""Which records are read, on what lawful basis, and how records find their person."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from casewell.settings.section import Purpose, Section

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
    "travel_times",
]


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
