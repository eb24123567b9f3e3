"""What is published about England (or the nearest place), and how near a simulated population must come.

One `Target` a figure, and one row of `simulation_targets.csv`. `name` is the key under which
`benchmarks.simulation_measures.measure` gives the simulated value. Tolerances leave room for chance among 60,000 people
(at 40 to 44 a seed of them sees about 25 deaths, at 60 to 64 about 100) and for the differences between the places and
years of the published figures; a wrong shape is outside them. Sources are the tags of the project's fact sheet, each
spelled out in `SOURCES`.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

TABLE = Path(__file__).with_suffix(".csv")

SOURCES = {
    "census": "England, 2021 (rounded, from memory)",
    "E1": "OpenSAFELY, BMC Medicine 2024 22:288",
    "E2": "Ethnicity facts and figures, people living in deprived neighbourhoods (shares from memory)",
    "E3": "Barnett et al., Lancet 2012 (Scotland)",
    "E4": "PMC4073730 (Scotland)",
    "E5": "Cassell et al., PMC5863678 (England, GP records)",
    "E6": "Journal of Epidemiology and Community Health 78, A44.2 (England)",
    "E8": "The Health Foundation, emergency admissions 2017-18 (England)",
    "C1": "National Audit Office, Reducing emergency admissions, 2018 (England, 2016-17)",
    "E10": "NEW Devon, twelve months, BMJ Open, by age and deprivation",
    "A1": "SPARRA version 4 (Scotland): figures of the paper's repository",
    "A7": "Devon Predictive Model",
    "E12": "NHS England, accident and emergency attendances 2018-19",
    "E13": "NHS Digital, accident and emergency attendances 2019-20",
    "ONS": "ONS deaths and population (rounded, from memory)",
    "E15": "The Health Foundation, deprivation and deaths (England)",
    "E16": "Institute for Fiscal Studies 15471 (England)",
    "E17": "ONS, life expectancy by deprivation 2018-20 (England)",
    "E18": "BMC Geriatrics s12877-021-02684-y, electronic frailty index (England)",
    "eFI": "Electronic frailty index, usual split (rounded, from memory)",
    "E22": "OpenSAFELY, BMC Medicine 2024 22:288, recording of ethnicity in 2022",
    "E24": "PMC10013294, agreement of GP and hospital records",
    "E25": "BMJ Open 6/2/e010155 (England)",
    "E26": "Understanding Society 588888",
    "E27": "Health Service Journal 1889234, diagnosed share in 2007-08",
    "B8": "Telephone health coaching trial, Emergency Medicine Journal 41:51",
    "B2": "Camden Coalition trial, PMC7046127",
    "design": "This simulator's own design, not a published figure",
}

GROUPS = {
    "structure": "Who lives here",
    "morbidity": "Long-term conditions",
    "admissions": "Emergency admissions",
    "gradient": "Emergency admissions by age and deprivation",
    "repeats": "How often the admitted are admitted",
    "risk": "Emergency admission or death within twelve months",
    "capture": "How well the true risk can tell people apart",
    "departments": "Emergency departments",
    "mortality": "Mortality",
    "frailty": "Frailty",
    "recording": "What is recorded",
    "diagnosis": "What is diagnosed",
    "programme": "Case management",
}

Kind = Literal["absolute", "relative", "at least", "at most"]
Unit = Literal["share", "number", "ratio", "per 1,000", "years", "days"]


@dataclass(frozen=True)
class Target:
    """One published figure. `tolerance` is in the figure's unit, or a share of it where `kind` is relative."""

    name: str
    group: str
    label: str
    value: float
    kind: Kind
    tolerance: float
    unit: Unit
    source: str
    sentence: str

    @property
    def limits(self) -> tuple[float, float]:
        """Lowest and highest value within the tolerance; infinite on the open side of a one-sided target."""
        if self.kind == "at least":
            return self.value - self.tolerance, math.inf
        if self.kind == "at most":
            return -math.inf, self.value + self.tolerance
        room = self.tolerance * (abs(self.value) if self.kind == "relative" else 1)
        return self.value - room, self.value + room

    def holds(self, measured: float) -> bool:
        """Whether a measured value is within the tolerance; a missing one is not."""
        low, high = self.limits
        return low <= measured <= high


def read(path: Path = TABLE) -> tuple[Target, ...]:
    """Read the table of targets, in its order."""
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(_target(row) for row in csv.DictReader(file))


def _target(row: dict[str, str]) -> Target:
    return Target(
        name=row["name"],
        group=row["group"],
        label=row["label"],
        value=float(row["value"]),
        kind=cast(Kind, row["kind"]),
        tolerance=float(row["tolerance"]),
        unit=cast(Unit, row["unit"]),
        source=row["source"],
        sentence=row["sentence"],
    )


TARGETS = read()
_VALUES = {target.name: target.value for target in TARGETS}


def _published(beginning: str, ends: tuple[str, ...]) -> dict[str, float]:
    return {end: _VALUES[f"{beginning}_{end}"] for end in ends}


AGE_BANDS = ("0-19", "20-37", "38-52", "53-66", "67+")
FIFTHS = ("least", "2", "3", "4", "most")
# Emergency admissions per 1,000 a year, NEW Devon, from the least to the most deprived fifth.
DEVON = {band: tuple(_published(f"emergency_{band}", FIFTHS).values()) for band in AGE_BANDS}
SPARRA_BY_AGE = _published("event", ("0-20", "21-30", "31-40", "41-50", "51-60", "61-70", "71-80", "81+"))
MORTALITY_BY_AGE = _published("mortality", ("40-44", "60-64", "70-74", "80-84", "90+"))
# Sensitivity and precision by the share, per cent, of people at highest risk.
CAPTURE = {top: (_VALUES[f"sensitivity_top_{top}"], _VALUES[f"precision_top_{top}"]) for top in (1, 2, 5, 10)}
