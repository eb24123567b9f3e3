"""How many people must be drawn by lot to tell an effect of a given size."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd
from scipy.optimize import brentq
from scipy.stats import norm

from casewell.errors import PlanError

WEEKS_SHOWN = (13, 26, 52, 104, 156)
LARGEST_N = 10**9


@dataclass(frozen=True)
class Design:
    """Places drawn by lot at the margin of the weekly lists, all teams together.

    places : new places a week of each team
    share : of them drawn by lot, rounded down in each team as its margin is
    width : people in the lot for each place drawn; each one's chance of a place is 1 / width
    risk : chance of the outcome without case management of people at the margin
    uptake : share of those offered a place who start; an offer changes their risk by uptake x effect on average
    power, level : chance of telling an effect that is there; confidence of the two-sided test
    """

    places: tuple[int, ...]
    share: float
    width: float
    risk: float
    uptake: float = 1.0
    power: float = 0.8
    level: float = 0.95

    def __post_init__(self) -> None:
        """Refuse a design that means nothing, naming everything that is wrong with it.

        Raises
        ------
        PlanError
        """
        within = {"share": self.share, "uptake": self.uptake}
        inside = {"risk": self.risk, "power": self.power, "level": self.level}
        problems = [
            f"{name} must lie above 0 and at most at 1; it is {value:g}"
            for name, value in within.items()
            if not 0 < value <= 1
        ]
        problems += [
            f"{name} must lie between 0 and 1; it is {value:g}" for name, value in inside.items() if not 0 < value < 1
        ]
        if not self.width > 1:
            problems.append(
                f"width must be above 1, or nobody in the lot would be without a place; it is {self.width:g}"
            )
        if not problems and self.drawn < 1:
            problems.append(f"{self.share:g} of {_teams(self.places)} places a week is less than one place to draw")
        elif not problems and self.entered <= self.drawn:
            problems.append(
                f"with width {self.width:g} nobody would be without a place in a lot for {self.drawn} place(s) a week; "
                "raise width, share or capacity"
            )
        if problems:
            raise PlanError(problems, "docs/how-to/programme.md says what each number means.")

    @property
    def drawn(self) -> int:
        """Places drawn by lot in a week."""
        return sum(math.floor(round(places * self.share, 9)) for places in self.places)

    @property
    def entered(self) -> int:
        """People in the lot in a week."""
        return round(self.drawn * self.width)

    @property
    def chance(self) -> float:
        """Each one's chance of a place."""
        return self.drawn / self.entered


@dataclass(frozen=True)
class Plan:
    """What it takes: different people in the lot, of them drawn, and the fewest weeks of drawing.

    Weeks are a lower bound: they assume new people in every lot, and from week to week a margin holds mostly the same.
    """

    people: int
    places: int
    weeks: int


_GIVE_A_FALL = "Give the fall in the chance of the outcome, for example 0.03 for three in a hundred."


def require_effect(effect: float) -> None:
    """Refuse an effect that no chance can have, whatever the risk: PlanError."""
    if not 0 < abs(effect) < 1:
        raise PlanError(
            f"an effect of {effect:g} is no change in a chance, or more than a chance can change", _GIVE_A_FALL
        )


def plan(design: Design, effect: float) -> Plan:
    """Return what it takes to tell a fall of `effect` in the chance of the outcome, for somebody who takes the place.

    Two proportions, unequal arms, normal approximation (Fleiss, Tytun and Ury, Biometrics 1980, without the
    correction for continuity). Each person is in the lot once.

    Raises
    ------
    PlanError
        The effect is nought, or larger than the risk that it would lower, or too small to tell; negative is harm.
    """
    require_effect(effect)
    fall = effect * design.uptake
    if not 0 < design.risk - fall < 1:
        raise PlanError(
            f"an effect of {effect:g} cannot be had where the risk without case management is {design.risk:.3f}",
            _GIVE_A_FALL,
        )
    people = _people(design, fall)
    if people >= LARGEST_N:
        raise PlanError(
            f"to tell an effect of {effect:g} takes {LARGEST_N:,} people or more",
            "Plan for a larger effect, or not by lot.",
        )
    weeks = math.ceil(people / design.entered)
    return Plan(math.ceil(people), weeks * design.drawn, weeks)


def detectable(design: Design, weeks: int) -> float:
    """Return the smallest fall, for somebody who takes the place, that so many weeks can tell; NaN where none can."""
    people = weeks * design.entered
    largest = design.risk * (1 - 1e-9)
    if _people(design, largest) > people:
        return float("nan")
    smallest = brentq(lambda fall: _people(design, fall) - people, 1e-7, largest)
    return float(smallest / design.uptake) if smallest <= design.uptake * design.risk else float("nan")


def detectable_by_week(design: Design) -> pd.DataFrame:
    """Return `weeks`, `people` in the lot by then, and the smallest fall that can be `told`."""
    return pd.DataFrame(
        {
            "weeks": WEEKS_SHOWN,
            "people": [weeks * design.entered for weeks in WEEKS_SHOWN],
            "told": [detectable(design, weeks) for weeks in WEEKS_SHOWN],
        }
    )


def risk_at_the_margin(predicted: pd.DataFrame, share_listed: float, share: float, width: float) -> tuple[float, int]:
    """Return the rate of the outcome among people ranked where the lot would be, and how many they are.

    Parameters
    ----------
    predicted : `models.tables.TEST_PREDICTIONS`
    share_listed : places as a share of eligible people
    """
    rank = predicted.groupby("index_date")["risk"].rank(ascending=False, method="first", pct=True)
    begin = share_listed * (1 - share)
    inside = (rank > begin) & (rank <= begin + share_listed * share * width)
    return float(predicted.loc[inside, "outcome"].mean()), int(inside.sum())


def _teams(places: tuple[int, ...]) -> str:
    if len(places) == 1:
        return str(places[0])
    each = str(places[0]) if len(set(places)) == 1 else f"{min(places)} to {max(places)}"
    return f"the {each} of each team's"


def _people(design: Design, fall: float) -> float:
    """Return how many people in the lot tell a fall in the share with the outcome, arm against arm."""
    part, without = design.chance, design.risk
    with_offer = without - fall
    pooled = part * with_offer + (1 - part) * without
    under_nought = math.sqrt(pooled * (1 - pooled) / (part * (1 - part)))
    otherwise = math.sqrt(with_offer * (1 - with_offer) / part + without * (1 - without) / (1 - part))
    z_level, z_power = norm.ppf((1 + design.level) / 2), norm.ppf(design.power)
    return float(min(((z_level * under_nought + z_power * otherwise) / fall) ** 2, LARGEST_N))
