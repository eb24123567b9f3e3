"""Who gets which place where a team has several programmes, or a budget: `cohorts.allocate` with more than one thing to offer.

An *offer* is a person and a programme that is open to them, would help them, and has places in their team. Each person
has one place at most. What a floor asks for is counted against the places that would be filled without any floor: how many
that are depends on who may have what and on the money, so it is found by choosing, and not by adding up.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from casewell.doors import empty
from casewell.settings import CASE_MANAGEMENT, CASE_MANAGEMENT_TITLE, OtherProgramme, Policy, Stability, Teams
from cohorts.budgets import Corners, corners
from cohorts.contest import UNIT, Problem
from cohorts.floors import cannot_be_met
from cohorts.margin import draw, strata
from cohorts.policy import KEPT, Floor, asked, floors_of, weights
from cohorts.reserve import reserves
from cohorts.solver import best, feasible
from cohorts.tables import LISTED, RESERVE
from cohorts.ties import as_number, tie_lot
from cohorts.whys import closed_in_words, why
from models.tables import PROGRAMME_SCORES

NO_LIMIT = Stability()
_SCORES = ["person_id", "programme", "benefit"]
_OF_BENEFIT = ["benefit", "benefit_low", "benefit_high", "supported", "evidence_grade"]


def nobody_closed() -> pd.DataFrame:
    """Return `OtherProgrammes.closed` where every programme is open to whom its rules let in."""
    return pd.DataFrame({"person_id": pd.Series(dtype="int64"), "programme": "", "why": ""})


@dataclass(frozen=True)
class OtherProgrammes:
    """What a team can offer beside case management, and what a place of that costs.

    Attributes
    ----------
    programmes
        The settings, by code; none where only budgets are set.
    scores
        `models.tables.PROGRAMME_SCORES` of whom each programme is open to.
    place_cost
        Pounds for one person's case management; 0 where none is said.
    closed
        `person_id`, `programme` and `why` (`cohorts.answers`) of those to whom a programme is not open, whatever its rules say.
    """

    programmes: Mapping[str, OtherProgramme] = field(default_factory=dict)
    scores: pd.DataFrame = field(default_factory=lambda: empty(PROGRAMME_SCORES), compare=False)
    place_cost: float = 0.0
    closed: pd.DataFrame = field(default_factory=nobody_closed, compare=False)

    @property
    def codes(self) -> list[str]:
        """Every programme's code, case management first."""
        return [CASE_MANAGEMENT, *sorted(self.programmes)]

    def places(self, teams: Teams, codes: list[str]) -> np.ndarray:
        """Return the places of this week by team (`codes`) and programme."""
        beside = [[self.programmes[other].places_of(team) for other in self.codes[1:]] for team in codes]
        return np.array([[teams.places(team), *more] for team, more in zip(codes, beside, strict=True)], dtype="int64")

    @property
    def titles(self) -> dict[str, str]:
        """What each programme is called, by code."""
        return {CASE_MANAGEMENT: CASE_MANAGEMENT_TITLE} | {code: one.title for code, one in self.programmes.items()}

    def is_closed(self, pairs: pd.DataFrame) -> np.ndarray:
        """Mark the rows of `pairs` (`person_id` and `programme`) whose programme is closed to the person."""
        closed = pd.MultiIndex.from_frame(self.closed[["person_id", "programme"]])
        return pd.MultiIndex.from_frame(pairs[["person_id", "programme"]]).isin(closed)

    def open_to(self, people: pd.DataFrame) -> list[int]:
        """Return `person_id` of those of `people` whom another programme than case management is open to, would help, and has places for."""
        told = self.scores[(self.scores["benefit"] > 0) & ~self.is_closed(self.scores)]
        told = told[["person_id", "programme"]].merge(people[["person_id", "team_code"]], on="person_id")
        teams = told["team_code"].unique()
        has = [(team, code) for team in teams for code, one in self.programmes.items() if one.places_of(team)]
        there = pd.MultiIndex.from_frame(told[["team_code", "programme"]]).isin(has)
        return sorted(set(told.loc[there, "person_id"]))

    @property
    def costs(self) -> np.ndarray:
        """Pounds a place, by programme; 0 where none is said."""
        return np.array([self.place_cost, *(self.programmes[code].cost or 0.0 for code in self.codes[1:])])


@dataclass(frozen=True)
class _Contest:
    """People (rows), the offers open to them (`person` is the row's number, `team` and `programme` too), places and money."""

    people: pd.DataFrame
    offers: pd.DataFrame
    places: np.ndarray
    corners: Corners
    key: bytes


def allocate_among(
    everybody: pd.DataFrame,
    others: OtherProgrammes,
    teams: Teams,
    tie_break_key: bytes,
    policy: Policy,
    groups: pd.DataFrame | None,
    need_share: float,
    stability: Stability,
    as_of: dt.date | None,
) -> pd.DataFrame:
    """Return the rows of `cohorts.tables.ALLOCATION`, with `programme` if there is another than case management.

    `everybody` holds `person_id`, `benefit`, `need`, `team_code`, `practice_code`, `incumbent` (was on the last list of this
    team, whatever the programme) and `resting` (was passed over by an earlier lot, and is in none now). What else is given is
    as for `cohorts.allocate`.
    """
    contest, gains = _contest(everybody, others, teams, tie_break_key, policy, groups)
    by_benefit = _choose(contest, contest.offers["benefit"].to_numpy(), [])
    value, freely = _under(contest, policy, NO_LIMIT, need_share, by_benefit)
    chosen = freely
    if stability.chosen and everybody["incumbent"].any():
        value, chosen = _under(contest, policy, stability, need_share, by_benefit)
    offers = contest.offers.assign(value=value, lot=_lots(contest, value))
    people = _standing(contest.people, offers, chosen)
    margins = teams.margins if as_of is not None else {}
    rests, holding = people["resting"].to_numpy(), people["listed"].to_numpy()
    listed, chance = draw(people, holding, margins, strata(policy, stability), tie_break_key, as_of, rests)
    # Teams with a margin have no other programme, so whoever is drawn is drawn for case management.
    people = people.assign(
        programme=np.where(listed, people["programme"].mask(people["programme"] == "", CASE_MANAGEMENT), ""),
        listed=listed,
        chance=chance,
        lost=(rests | ~np.isnan(chance)) & ~listed,
        gains=people["person_id"].isin(contest.people.loc[gains, "person_id"]),
        capacity=people["open_to"],
    )
    people = _with_reserve(people, offers, contest, teams)
    turn = np.select([people["listed"], people["reserve"]], [0, 1], 2)
    people = people.assign(turn=turn).sort_values(
        ["team_code", "turn", "value", "lot", "person_id"], ascending=[True, True, False, True, True], ignore_index=True
    )
    placed = people["listed"] | people["reserve"]
    table = pd.DataFrame(
        {
            "person_id": people["person_id"],
            "team_code": people["team_code"],
            "status": np.select([people["listed"], people["reserve"]], [LISTED, RESERVE], "not_selected"),
            "rank": (people.groupby("team_code").cumcount() + 1).astype("Int64").where(placed),
            "why": why(
                people,
                people["listed"],
                placed,
                _has(people, contest, by_benefit),
                _has(people, contest, freely),
                closed_in_words(people["person_id"], others.closed, others.titles),
            ),
            "chance": people["chance"],
        }
    )
    return table.assign(programme=people["programme"]) if others.programmes else table


def _contest(
    everybody: pd.DataFrame,
    others: OtherProgrammes,
    teams: Teams,
    key: bytes,
    policy: Policy,
    groups: pd.DataFrame | None,
) -> tuple[_Contest, np.ndarray]:
    """Return the contest, and who would gain by something that is open to them, places or none."""
    people = everybody.sort_values("person_id", ignore_index=True)
    if policy.chosen:
        if groups is None:
            raise RuntimeError("a policy that moves places needs everybody's groups")
        people = people.merge(groups, on="person_id", how="left", validate="one_to_one")
    team, codes = pd.factorize(people["team_code"], sort=True)
    places = others.places(teams, list(codes))
    budget = np.array([teams.budgets.get(code, np.inf) for code in codes])
    scored = pd.concat([people[["person_id", "benefit"]].assign(programme=CASE_MANAGEMENT), others.scores[_SCORES]])
    number = pd.Series(np.arange(len(people)), people["person_id"])
    scored = scored[(scored["benefit"] > 0) & scored["person_id"].isin(people["person_id"])]
    scored = scored[~others.is_closed(scored)]
    offers = scored.assign(
        person=number.reindex(scored["person_id"]).to_numpy(),
        code=scored["programme"],
        programme=scored["programme"].map({code: place for place, code in enumerate(others.codes)}),
    ).sort_values(["person_id", "programme"], ignore_index=True)
    gains = np.bincount(offers["person"], minlength=len(people)) > 0
    offers = offers.assign(team=team[offers["person"]])
    offers = offers[places[offers["team"], offers["programme"]] > 0].reset_index(drop=True)
    people = people.assign(open_to=np.bincount(offers["person"], minlength=len(people)))
    return _Contest(people, offers, places, corners(places, others.costs, budget), key), gains


def _under(
    contest: _Contest, policy: Policy, stability: Stability, need_share: float, by_benefit: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return what each offer counts for, and which are made."""
    offers, people = contest.offers, contest.people
    value = benefit = offers["benefit"].to_numpy()
    if policy.chosen:
        value = value * weights(people, policy)[offers["person"]]
    if stability.keep_within:
        value = value * (1 + stability.keep_within * people["incumbent"].to_numpy()[offers["person"]])
    values = asked(policy) | ({KEPT: 1 - stability.most_replaced} if stability.most_replaced < 1 else {})
    freely = by_benefit if value is benefit else _choose(contest, value, [])
    if not values or offers.empty:
        return value, freely
    filled = np.bincount(offers["team"][freely], minlength=len(contest.places))

    def problem(tried: dict[str, float]) -> Problem:
        return _problem(contest, value, _floors(contest, tried, filled, need_share))

    chosen = best(problem(values))
    if chosen is None:
        raise cannot_be_met(
            values, lambda tried: feasible(problem(tried)), "the places there are, who may have them, and the budgets"
        )
    return value, chosen


def _choose(contest: _Contest, value: np.ndarray, floors: list[Floor]) -> np.ndarray:
    if contest.offers.empty:
        return np.zeros(0, dtype=bool)
    chosen = best(_problem(contest, value, floors))
    if chosen is None:
        raise RuntimeError("places without floors could not be given")
    return chosen


def _problem(contest: _Contest, value: np.ndarray, floors: list[Floor]) -> Problem:
    offers = contest.offers
    drawn, lots = _lots(contest, value), np.zeros(len(offers))
    lots[drawn != ""] = [as_number(lot) for lot in drawn[drawn != ""]]
    person, team, programme = (offers[name].to_numpy() for name in ("person", "team", "programme"))
    of_offers = [floor._replace(group=floor.group[person]) for floor in floors]
    return Problem(value, lots, team, contest.places, of_offers, person, programme, contest.corners)


def _lots(contest: _Contest, value: np.ndarray) -> np.ndarray:
    """Return the lot of each offer that ties with another of its team; empty for the rest."""
    offers = contest.offers
    steps = np.round(value / UNIT)
    tied = pd.DataFrame({"team": offers["team"], "steps": steps}).duplicated(keep=False).to_numpy()
    lots = np.full(len(offers), "", dtype=object)
    told = offers.loc[tied, ["person_id", "code"]]
    lots[tied] = [
        tie_lot(person, contest.key, "" if code == CASE_MANAGEMENT else code)
        for person, code in told.itertuples(index=False)
    ]
    return lots


def _floors(contest: _Contest, values: dict[str, float], filled: np.ndarray, need_share: float) -> list[Floor]:
    people = contest.people
    team = pd.factorize(people["team_code"], sort=True)[0]
    by_group = {key: value for key, value in values.items() if key != KEPT}
    told = people.assign(capacity=filled[team], gains=people["open_to"] > 0)
    floors = floors_of(told, by_group, need_share)
    if KEPT not in values:
        return floors
    # As many of the last list as could have places, less those whose places may pass to others.
    offers = contest.offers
    still = people["incumbent"].to_numpy()[offers["person"]]
    kept = best(_problem(contest, np.ones(len(offers)), [])._replace(gain=np.where(still, 1.0, UNIT)))
    if kept is None:
        raise RuntimeError("places without floors could not be given")
    staying = np.bincount(offers["team"][kept & still], minlength=len(filled))
    may_go = np.floor(np.round((1 - values[KEPT]) * filled, 9)).astype("int64")
    least = np.maximum(np.minimum(staying, filled) - may_go, 0)
    group = np.where(people["incumbent"] & (least[team] > 0), team, -1)
    return [*floors, Floor(KEPT, values[KEPT], group, least)] if least.any() else floors


def _standing(people: pd.DataFrame, offers: pd.DataFrame, chosen: np.ndarray) -> pd.DataFrame:
    """Add who is listed and for what, by which offer each person stands (the one made, else the best), and the order within the team."""
    ordered = offers.assign(made=chosen).sort_values(
        ["made", "value", "lot", "programme"], ascending=[False, False, True, True]
    )
    first = ordered.drop_duplicates("person").set_index("person").reindex(np.arange(len(people)))
    listed = first["made"].eq(True).to_numpy()
    people = people.assign(
        listed=listed,
        gains=first["value"].notna().to_numpy(),
        value=first["value"].fillna(0.0).to_numpy(dtype="float64"),
        lot=first["lot"].fillna("").to_numpy(dtype="object"),
        programme=np.where(listed, first["code"], ""),
        later=~listed,
    ).sort_values(
        ["team_code", "later", "value", "lot", "person_id"],
        ascending=[True, True, False, True, True],
        ignore_index=True,
    )
    return people.assign(position=people.groupby("team_code").cumcount() + 1)


def _with_reserve(people: pd.DataFrame, offers: pd.DataFrame, contest: _Contest, teams: Teams) -> pd.DataFrame:
    # Whoever was not drawn is not next in line either, or the lot would not decide.
    waiting = people.loc[~people["listed"] & ~people["lost"], "person_id"]
    room = np.ceil(np.round(contest.places * teams.reserve_share, 9)).astype("int64")
    kept = reserves(offers[offers["person_id"].isin(waiting)], room).set_index("person_id")
    reserve = people["person_id"].isin(kept.index)
    of_reserve = kept.reindex(people["person_id"]).set_axis(people.index)
    return people.assign(
        reserve=reserve,
        programme=people["programme"].mask(reserve, of_reserve["code"]),
        value=people["value"].mask(reserve, of_reserve["value"]),
        lot=people["lot"].mask(reserve, of_reserve["lot"]),
    )


def _has(people: pd.DataFrame, contest: _Contest, chosen: np.ndarray) -> pd.Series:
    return people["person_id"].isin(contest.offers.loc[chosen, "person_id"])


def as_offered(allocation: pd.DataFrame, scores: pd.DataFrame, others: OtherProgrammes | None) -> pd.DataFrame:
    """Return `scores` with the benefit of what each person is offered, or in reserve for; of all others as it was.

    Replaced are those columns of both tables that say of a benefit what it is, how sure, and where it is from.
    """
    if others is None or "programme" not in allocation:
        return scores
    told = [name for name in _OF_BENEFIT if name in scores]
    beside = allocation[["person_id", "programme"]].merge(others.scores, on=["person_id", "programme"])
    beside = beside.set_index("person_id").reindex(scores["person_id"]).set_index(scores.index)
    offered = beside["programme"].notna()
    return scores.assign(**{name: scores[name].mask(offered, beside[name]).astype(scores[name].dtype) for name in told})
