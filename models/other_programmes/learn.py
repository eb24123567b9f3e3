"""What the history says of a programme beside case management, by the same code that learns case management's benefit."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from casewell.settings import OtherProgramme, Settings
from models.backtest import case_management_could_act
from models.benefit.evidence import Check, Evidence, too_few
from models.benefit.model import EffectModel
from models.learn_benefit import Programme, learn_benefit
from models.other_programmes.rules import meets
from models.risk.calibration import CalibratedRisk


@dataclass(frozen=True)
class Past:
    """What is on record of a programme.

    enrolments : its spells (`records.programmes.enrolments_of`)
    places : this week, of all teams together
    """

    enrolments: pd.DataFrame
    places: int


@dataclass(frozen=True)
class LearnedProgramme:
    """What scores a programme's benefit; parts are None where hardly anybody was on it."""

    evidence: Evidence
    propensity: CalibratedRisk | None = None
    effect: EffectModel | None = None

    @classmethod
    def unknown(cls) -> LearnedProgramme:
        """Return what a model knows of a programme that was declared after it was trained."""
        seen = "the model was trained before the programme was declared"
        return cls(Evidence("assumed", (Check("history", False, seen),), 0, None, None))

    def sentence(self, declared: OtherProgramme) -> str:
        """Say the grade and why, in one sentence."""
        if self.evidence.grade != "assumed":
            return f"Benefit of {declared.title} was learned by comparing people who did and did not start it; every check passed."
        failed = "; ".join(check.seen for check in self.evidence.checks if not check.passed)
        harm = self.evidence.harm or self.evidence.suspicion
        return f"{assumed_sentence(declared)}, not learned: {failed}. {harm}".rstrip()


def assumed_sentence(declared: OtherProgramme) -> str:
    """Say what is assumed of a programme, and by whom; without a full stop."""
    told = declared.benefit
    return f"Benefit of {declared.title} is assumed to be {told.share:.1%} of each person's risk ({told.source.rstrip('. ')})"


def assumed_of(declared: OtherProgramme, risk: np.ndarray) -> np.ndarray:
    """Return the benefit that the settings declare: a share of each person's risk."""
    return declared.benefit.share * risk


def _assumed(declared: OtherProgramme, _: pd.DataFrame, risk: np.ndarray) -> np.ndarray:
    return assumed_of(declared, risk)


def learn_programmes(
    rows: pd.DataFrame,
    columns: list[str],
    risk: np.ndarray,
    folds: np.ndarray,
    begin: pd.Timestamp,
    settings: Settings,
    pasts: Mapping[str, Past],
) -> dict[str, LearnedProgramme]:
    """Learn each programme's benefit on its own, on the index dates of case management.

    A row tells of a programme if the person was not on it on the index date, and if case management could not act in
    the horizon, so that both arms are people without it, as the risk is. Starters of other programmes stay in both arms:
    they belong to usual care. What is learned is judged on those for whom the programme is, by its rules.

    Parameters
    ----------
    rows, columns, risk, folds, begin : as for `models.learn_benefit.learn_benefit`, of the history alone
    pasts : by the code of each programme
    """
    acted = case_management_could_act(rows).to_numpy() | rows["early"].to_numpy()
    found = {}
    for code, past in sorted(pasts.items()):
        declared = settings.programmes[code]
        on_it, started = standing(rows, past.enrolments, settings.benefit.grace_days)
        told = ~acted & ~on_it
        starters = rows.loc[told & started, "person_id"].nunique()
        if starters < settings.benefit.minimum_treated:
            found[code] = LearnedProgramme(too_few(starters, settings.benefit, declared.title))
            continue
        wanted = rows["offerable"].to_numpy() & meets(rows, declared.eligible)
        # Rows that do not tell are left out with those whose outcome came too early, so that the features are copied once.
        table = rows.assign(treated=started, early=~told, offerable=wanted)
        share = places_share(past.places, rows["index_date"], told & wanted)
        about = Programme(declared.title, functools.partial(_assumed, declared))
        learned = learn_benefit(table, columns, risk, folds, share, begin, settings, programme=about)
        found[code] = LearnedProgramme(learned.evidence, learned.propensity, learned.effect)
    return found


def standing(rows: pd.DataFrame, enrolments: pd.DataFrame, grace_days: int) -> tuple[np.ndarray, np.ndarray]:
    """Say of each row whether the person was on the programme on the index date, and whether they started it soon after.

    Parameters
    ----------
    rows : `index_date`, `person_id`
    enrolments : of one programme
    grace_days : a start on one of so many days from the index date on counts

    Returns
    -------
    Two boolean arrays, one element a row.
    """
    place = np.flatnonzero(rows["person_id"].isin(enrolments["person_id"]))
    keyed = rows[["index_date", "person_id"]].iloc[place].assign(place=place)
    pairs = keyed.merge(enrolments[["person_id", "start", "end"]], on="person_id")
    since = (pairs["start"] - pairs["index_date"]).dt.days
    goes_on = pairs["end"].isna() | (pairs["end"] > pairs["index_date"])
    on_it, started = np.zeros((2, len(rows)), dtype=bool)
    on_it[pairs.loc[(since < 0) & goes_on, "place"]] = True
    started[pairs.loc[(since >= 0) & (since < grace_days), "place"]] = True
    return on_it, started & ~on_it


def places_share(places: int, index_date: pd.Series, eligible: np.ndarray) -> float:
    """Return a week's places as a share of the people for whom the programme was on the newest index date; at least one place."""
    newest = int(eligible[(index_date == index_date.max()).to_numpy()].sum())
    return min(1.0, max(places, 1) / max(newest, 1))
