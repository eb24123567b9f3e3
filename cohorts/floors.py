"""Whom to list where floors must be met; and, where they cannot be, the nearest that can."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from casewell.errors import SettingsError
from cohorts.contest import UNIT, Problem
from cohorts.policy import KEPT, floors_of
from cohorts.solver import best, feasible
from cohorts.ties import as_number

STEPS = 100
"""Floors are tried in hundredths, up to what was asked for."""

Draw = Callable[[pd.Series], np.ndarray]


def choose_above(ordered: pd.DataFrame, values: dict[str, float], need_share: float, draw: Draw) -> np.ndarray:
    """Return who is listed (True) of the rows of `ordered`, in `cohorts.allocation`'s order.

    Parameters
    ----------
    ordered
        As `cohorts.policy.floors_of` needs it, with `value`, the benefit as the policy weighs it.
    values
        What is asked, as `floors_of` takes it.
    draw
        Gives hexadecimal lots for people; asked only about those who tie.

    Raises
    ------
    SettingsError
        When not all floors can be met.
    """
    able = (ordered["gains"] & (ordered["capacity"] > 0)).to_numpy()
    listed = np.zeros(len(ordered), dtype=bool)
    if not able.any():
        # No place can be filled, so no floor asks for one, and there is nothing to solve.
        return listed
    chosen = best(_problem(ordered, able, values, need_share, draw))
    if chosen is None:
        raise cannot_be_met(
            values, lambda tried: feasible(_problem(ordered, able, tried, need_share, _no_lots)), "the places there are"
        )
    listed[np.flatnonzero(able)[chosen]] = True
    return listed


def _problem(
    ordered: pd.DataFrame, able: np.ndarray, values: dict[str, float], need_share: float, draw: Draw
) -> Problem:
    gainers = ordered[able]
    team, codes = pd.factorize(gainers["team_code"], sort=True)
    places = gainers.groupby("team_code")["capacity"].first().reindex(codes).to_numpy()
    steps = (gainers["value"] / UNIT).round()
    tied = pd.DataFrame({"team": team, "steps": steps}).duplicated(keep=False).to_numpy()
    lot = np.zeros(len(gainers))
    lot[tied] = [as_number(text) for text in draw(gainers.loc[tied, "person_id"])]
    made = floors_of(ordered, values, need_share)
    return Problem(
        gainers["value"].to_numpy(),
        lot,
        team,
        places,
        [floor._replace(group=floor.group[able]) for floor in made],
    )


def cannot_be_met(values: dict[str, float], feasible: Callable[[dict[str, float]], bool], within: str) -> SettingsError:
    """Return the refusal of floors that cannot all be met: for each, how far it would have to fall, the others standing.

    `feasible` says whether such values could be met, and `within` what there is to meet them with.
    """

    def possible(key: str, hundredths: int) -> bool:
        return feasible(values | {key: values[key] * hundredths / STEPS})

    said = [f"the floors of policy.floors cannot all be met with {within}"]
    for key, value in values.items():
        if key == KEPT:
            if possible(key, 0):
                said.append(f"{key} is {1 - value:g}: with 1, which sets no limit, the floors can be met")
            continue
        if not possible(key, 0):
            said.append(f"{key} is {value:g}: even without it the others cannot be met")
            continue
        low, high = 0, STEPS
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if possible(key, middle) else (low, middle)
        said.append(f"{key} is {value:g}: {value * low / STEPS:.4g} is the nearest that can be met")
    return SettingsError(
        said,
        "Lower a floor, give the teams more places, or leave a floor out. Nobody who is not expected to gain is given a place to meet one.",
    )


def _no_lots(people: pd.Series) -> np.ndarray:
    return np.full(len(people), "0" * 12)
