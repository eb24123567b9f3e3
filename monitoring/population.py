"""Whether the people, or how often they have the outcome's admissions, are still those that the model learned from.

Two questions of the last year, each against the year before: which groups of people (age by deprivation) have grown or shrunk,
and how often people of the same age are admitted. Both are of whole years, so no season counts twice. Most people stay where
they are, so what chance gives a group's growth is judged by those who came and those who left alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from casewell.settings import Monitoring, Outcome
from fairness.disclosure import control, control_parts, share_of, shown_before
from fairness.groups import group_table
from features.code_groups import map_codes
from monitoring.findings import LOOK, POPULATION, Finding

YEAR = 365  # days
OF = ("age_band", "imd_quintile")
# Admissions of one person follow one another, so their number varies more than a Poisson one does.
WIDER = 1.5
BEYOND = 5.0  # standard errors: there are dozens of groups
Z = 1.96

_ADMITTED = """
    SELECT time >= $middle AS recent, age_band, count(*) AS admissions
    FROM read_parquet($events) AS event
    JOIN ages ON ages.person_id = event.subject_id AND ages.recent = (event.time >= $middle)
    WHERE code IN (SELECT code FROM outcome_codes) AND known_until IS NULL AND time >= $begin AND time < $as_of
      AND known_at < CASE WHEN time >= $middle THEN $as_of ELSE $middle END
    GROUP BY ALL
"""


@dataclass(frozen=True)
class Composition:
    """Who was here, then and now.

    Attributes
    ----------
    cells
        A row a group: `age_band`, `imd_quintile`, `people` (a year ago), `came`, `left`, `growth` (share of `people`),
        `beyond_chance` (standard errors), `share` and `share_then` (of everybody).
    rate, low, high
        Admissions a person of the outcome's kind in the last year over those of the year before, at the same ages, with its
        interval (95 %); missing where there are none.
    """

    cells: pd.DataFrame
    rate: float
    low: float
    high: float

    @property
    def most_grown(self) -> pd.Series:
        """Return the group whose growth, or shrinking, is furthest beyond chance."""
        return self.cells.loc[self.cells["beyond_chance"].abs().idxmax()]


def composition(
    people: pd.DataFrame, eligible: pd.DataFrame, linked: Path, begin: dt.date, as_of: dt.date, outcome: Outcome
) -> Composition:
    """Compare the people eligible now with those of a year ago, and their admissions in either year.

    Parameters
    ----------
    people
        records.tables.PEOPLE.
    eligible
        `index_date`, `person_id` on two dates, a year apart (`year_apart`); the later one is `as_of`.
    begin
        The day on which the data begin; admissions of two years are needed to compare them.
    """
    now_day, then_day = year_apart(as_of)
    labels = []
    for recent, day in ((False, then_day), (True, now_day)):
        here = eligible.loc[eligible["index_date"] == day, "person_id"]
        groups = group_table(people[people["person_id"].isin(here)], day)
        labels.append(groups[["person_id", *OF]].assign(recent=recent))
    short = pd.Timestamp(begin) > then_day - pd.Timedelta(days=YEAR)
    ages = pd.concat(labels, ignore_index=True)
    rate = (np.nan,) * 3 if short else _rate(ages, linked / "events.parquet", as_of, outcome)
    return Composition(flows(*labels), *rate)


def flows(then: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """Count who came into and left each group: `Composition.cells` from `person_id` and the labels on two days."""
    both = then.merge(now, on=["person_id", *OF], how="outer", indicator=True)
    counts = both.groupby([*OF, "_merge"], observed=False).size().unstack("_merge")
    came, left = counts["right_only"], counts["left_only"]
    people = counts["both"] + left
    cells = pd.DataFrame(
        {
            "people": people,
            "came": came,
            "left": left,
            **moved(people, came, left),
            "share": (counts["both"] + came) / max(len(now), 1),
            "share_then": people / max(len(then), 1),
        }
    )
    return cells[cells["people"] + cells["came"] > 0].reset_index()


def fit_to_show(cells: pd.DataFrame, shown_then: Sequence[Mapping[str, Any]] = ()) -> pd.DataFrame:
    """Return `Composition.cells` with counts under disclosure control, and every figure worked out from those.

    Ages and deprivation fifths are shown elsewhere, so no hidden cell stands alone in either. Of a group with a hidden
    count no more than its size a year ago is shown. `shown_then` are the rows that the week before showed.
    """
    whole = [[cells[name].astype("str")] for name in OF]
    here = cells["people"] + cells["came"] - cells["left"]
    counted = cells[list(OF)].assign(people=cells["people"], came=cells["came"], left=cells["left"], now=here)
    counted = counted.assign(total=float(here.sum()), total_then=float(cells["people"].sum()))
    people, came, left, now = (
        control_parts(
            counted[name].astype("float64"), *whole, before=shown_before(list(shown_then), counted, list(OF), name)
        )
        for name in ("people", "came", "left", "now")
    )
    wholes = {
        name: control(counted[name], shown_before(list(shown_then), counted, list(OF), name))
        for name in ("total", "total_then")
    }
    figures = moved(people, came, left) | {"share": share_of(now.mask(came.isna() | left.isna()), wholes["total"])}
    figures["share_then"] = share_of(people, wholes["total_then"])
    return cells.assign(
        people=people, came=came, left=left, now=now.mask(came.isna() | left.isna()), **wholes, **figures
    )


def moved(people: pd.Series, came: pd.Series, left: pd.Series) -> dict[str, pd.Series]:
    """Return the `growth` of groups as a share of their `people`, and how many standard errors it is."""
    return {
        "growth": (came - left) / people.where(people > 0),
        "beyond_chance": (came - left) / np.sqrt(np.maximum(came + left, 1)),
    }


def year_apart(as_of: dt.date) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return a day and the one a year before, as index dates."""
    day = pd.Timestamp(as_of).as_unit("us")
    return day, day - pd.Timedelta(days=YEAR)


def _rate(ages: pd.DataFrame, events: Path, as_of: dt.date, outcome: Outcome) -> tuple[float, float, float]:
    """Return admissions now over those expected from the year before's rate at each age, with its interval."""
    now_day, then_day = year_apart(as_of)
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as database:
        codes = database.execute("SELECT DISTINCT code FROM read_parquet(?)", [str(events)]).df()["code"]
        groups = map_codes(codes)
        database.register("outcome_codes", groups.loc[groups["group"] == outcome.admission_group, ["code"]])
        database.register("ages", ages[["person_id", "age_band", "recent"]])
        days = {"as_of": now_day, "middle": then_day, "begin": then_day - pd.Timedelta(days=YEAR)}
        admitted = database.execute(_ADMITTED, days | {"events": str(events)}).df()
    table = admitted.pivot_table(index="age_band", columns="recent", values="admissions", aggfunc="sum", fill_value=0)
    table = table.reindex(columns=[False, True], fill_value=0)
    people = (
        ages.groupby(["age_band", "recent"])
        .size()
        .unstack("recent", fill_value=0)
        .reindex(columns=[False, True], fill_value=0)
    )
    people = people.reindex(table.index)
    expected = (table[False] * people[True] / people[False].where(people[False] > 0)).sum()
    observed, before = table[True].sum(), table[False].sum()
    if not observed or not before or not expected:
        return np.nan, np.nan, np.nan
    ratio = observed / expected
    error = WIDER * np.sqrt(1 / observed + 1 / before)
    return float(ratio), float(ratio * np.exp(-Z * error)), float(ratio * np.exp(Z * error))


def about_population(found: Composition, limits: Monitoring, earlier: Mapping[str, Any] | None = None) -> list[Finding]:
    """Say whether who is here, or how often they are admitted, has moved beyond the limits and chance.

    `earlier` is the record of the week before.
    """
    findings = []
    advice = (
        "Ask what changed: a new estate, a practice that joined, a service that closed. The model learned from the people before; "
        "look at its calibration among the newcomers, and train anew when their outcomes are known."
    )
    cells = found.cells
    beyond = (cells["growth"].abs().fillna(np.inf) > limits.population_shift) & (cells["beyond_chance"].abs() > BEYOND)
    if beyond.any():
        most = found.most_grown
        how = "joined" if np.isnan(most["growth"]) else "grew" if most["growth"] > 0 else "shrank"
        by = abs(fit_to_show(cells, (earlier or {}).get("population", [])).loc[most.name, "growth"])
        grown = how if np.isnan(by) else f"{how} by {by:.0%}"
        findings.append(
            Finding(
                POPULATION,
                LOOK,
                f"The people have changed within a year: {int(beyond.sum())} group(s) of age by deprivation grew or shrank by more "
                f"than {limits.population_shift:.0%} and than chance. Furthest beyond it: {most['age_band']}, deprivation fifth "
                f"{most['imd_quintile']}, which {grown}.",
                advice,
            )
        )
    if found.low > limits.admissions_shift or found.high < 1 / limits.admissions_shift:
        findings.append(
            Finding(
                POPULATION,
                LOOK,
                f"At the same ages people were admitted {found.rate:.2f} times as often in the last year as in the year before "
                f"(95 % interval {found.low:.2f} to {found.high:.2f}); a factor of {limits.admissions_shift:g} is the limit.",
                advice,
            )
        )
    return findings
