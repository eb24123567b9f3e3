"""The gradient along deprivation: of places, of high need, of one against the other, and of use at the same need.

Indices are those of `fairness.inequality`. Intervals come from a bootstrap of people: people are collapsed to the cells of
fifth, listed and high need, and each draw gives every cell a Poisson number of people, so that 1,000 draws of a million
people cost 20,000 numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from casewell.settings import Fairness
from fairness.groups import QUINTILES
from fairness.inequality import concentration_index, ratio_of_ends, slope
from fairness.intervals import draws_needed
from fairness.levels import CANNOT_TELL, FAIL, PASS, REPORTED, Levels
from fairness.same_need import ADMITTED, USE

COLUMNS = ["what", "measure", "value", "low", "high", "wide_low", "wide_high", "verdict"]
HIDDEN_TROUBLE = {measure: (measure, "relative") for measure in (USE, ADMITTED)}
"""The indices on which the gate decides. Their lines are fitted to logarithms: a steep one keeps both ends above nil."""
SHARE_OF_ERROR = 0.5
"""Of the false alarms that are tolerated: the one comparison of everybody has half, the many of groups the other half."""
_NONE = 0.5
WORDS = {
    ("places", "slope"): "Places a person: most less least deprived (SII)",
    ("places", "relative"): "Places a person: most over least deprived (RII)",
    ("high_need", "slope"): "High need a person: most less least deprived (SII)",
    ("high_need", "relative"): "High need a person: most over least deprived (RII)",
    ("places", "concentration"): "Places: concentration index",
    ("high_need", "concentration"): "High need: concentration index",
    ("inequity", "concentration"): "Horizontal inequity: places less high need",
    HIDDEN_TROUBLE[USE]: "Use at the same need and age: most over least deprived (RII)",
    HIDDEN_TROUBLE[ADMITTED]: "Admissions for the same attendances, need and age: most over least deprived (RII)",
}


def gradient_rows(
    people: pd.DataFrame, measures: pd.DataFrame, levels: Levels, settings: Fairness, seed: list[int]
) -> pd.DataFrame:
    """Return one row for each of `WORDS`; `verdict` is `reported` for all that are not `judged_by`.

    Parameters
    ----------
    people
        One row per eligible person: `imd_quintile`, `listed`, `high_need`.
    measures
        As `fairness.audit.Audit.measures`; each index of `HIDDEN_TROUBLE` is drawn from its measure's own intervals by
        fifth. One that was not measured is missing; where fewer than two fifths have `minimum_people`, a judged one is
        `cannot tell`.
    """
    cells = people.groupby(["imd_quintile", "listed", "high_need"]).size()
    every = pd.MultiIndex.from_product([list(QUINTILES.values()), [False, True], [False, True]])
    exact = cells.reindex(every, fill_value=0).to_numpy("float64").reshape(1, 5, 2, 2)
    rng = np.random.default_rng(seed)
    number = draws_needed(settings.draws, levels.wide)
    drawn = rng.poisson(exact[0], size=(number, 5, 2, 2)).astype("float64")
    kinds = {key: (_index(key, exact)[0], _index(key, drawn)) for key in WORDS if key not in HIDDEN_TROUBLE.values()}
    fifths = measures[measures["grouping"] == "imd_quintile"]
    for measure, key in HIDDEN_TROUBLE.items():
        kinds[key] = _of_fifths(fifths[fifths["measure"] == measure], settings.minimum_people, levels, number, rng)
    table = pd.DataFrame([_row(key, *kinds[key], levels) for key in WORDS], columns=COLUMNS[:-1])
    limits = judged_by(measures, settings)
    return table.assign(verdict=[_judge(row, limits.get(row.what)) for row in table.itertuples()])


def judged_by(measures: pd.DataFrame, settings: Fairness) -> dict[str, tuple[float, float]]:
    """Return the limits of each index on which the gate decides: use at the same need where nobody knows who attended."""
    if (measures["measure"] == ADMITTED).any():
        return {ADMITTED: (settings.minimum_admission_gradient, np.inf)}
    if (measures["measure"] == USE).any():
        return {USE: (settings.minimum_use_gradient, settings.maximum_use_gradient)}
    return {}


def _judge(row: Any, limits: tuple[float, float] | None) -> str:
    if limits is None:
        return REPORTED
    low, high = limits
    if row.wide_high < low or row.wide_low > high:
        return FAIL
    return PASS if row.low >= low and row.high <= high else CANNOT_TELL


def _index(key: tuple[str, str], cells: np.ndarray) -> np.ndarray:
    people, places, need = cells.sum(axis=(2, 3)), cells[:, :, 1].sum(axis=2), cells[:, :, :, 1].sum(axis=2)
    what, index = key
    if what == "inequity":
        return concentration_index(people, places) - concentration_index(people, need)
    amount = places if what == "places" else need
    if index == "concentration":
        return concentration_index(people, amount)
    return slope(people, amount).slope_index if index == "slope" else slope(people, amount).relative_index


def _of_fifths(
    used: pd.DataFrame, minimum: int, levels: Levels, number: int, rng: np.random.Generator
) -> tuple[float, np.ndarray]:
    """Return the index of the fifths that have people enough, however many those are, and draws of it."""
    table = used.set_index("group").reindex([label for label in QUINTILES.values() if label in set(used["group"])])
    table = table[(table["people"] >= minimum) & (table["high"] > 0)]
    if len(table) < 2:
        return np.nan, np.full(number, np.nan)
    value, low, high, people = (table[name].to_numpy("float64") for name in ("value", "low", "high", "people"))
    beyond = (1 + levels.plain) / 2
    # Nobody admitted has no logarithm: half an admission stands for none, by whose limits `high` was made.
    value = np.where(value > 0, value, high * _NONE / stats.gamma.ppf(beyond, _NONE))
    spread = np.where(low > 0, np.log(high / np.where(low > 0, low, 1)) / 2, np.log(high / value)) / stats.norm.ppf(
        beyond
    )
    drawn = value * np.exp(spread * rng.standard_normal((number, len(value))))
    return float(ratio_of_ends(people, value)), ratio_of_ends(people, drawn)


def _row(key: tuple[str, str], value: float, drawn: np.ndarray, levels: Levels) -> list[object]:
    if np.isnan(value) or np.isnan(drawn).mean() > 0.01:
        return [*key, float(value), *[np.nan] * 4]
    limits = [
        float(np.nanquantile(drawn, [(1 - level) / 2, (1 + level) / 2][end])) for level in levels for end in (0, 1)
    ]
    return [*key, float(value), *limits]
