"""What would help, in the order in which to try it: another label, better data, a model mended by group, allocation.

For the group that is worst off, by each grouping of the gate, each remedy is shown by what it would do to the group's share
of places over its share of high need. Lists are made anew within each team's places of this week, all programmes together,
so that nothing differs but what they rank by. No remedy draws a place at random, and nothing here decides the gate.

- *Label*: the list by use, by risk and by recorded need.
- *Data*: the list as it is and the list by expected need (recorded need, and what is likely to be missing from it,
  `models.need.expected_need`), both held against expected need.
- *Model*: the list by risk before groups were mended and after (`models.risk.group_calibration`); and observed over
  predicted outcomes in the test window likewise.
- *Allocation*: the list by benefit alone, and the list as the policy, its floors and all other rules made it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from casewell.settings import Fairness
from fairness.disclosure import SMALLEST_SHOWN
from fairness.groups import NO_CODE, NOT_CORE20, is_recorded
from fairness.places import in_high_need

LABEL, DATA, MODEL, ALLOCATION = "another label", "better data", "groups mended", "allocation"
COLUMNS = ["grouping", "group", "step", "remedy", "before", "after", "hidden"]


def remedy_rows(people: pd.DataFrame, test: pd.DataFrame, measures: pd.DataFrame, settings: Fairness) -> pd.DataFrame:
    """Return one row for each remedy that can be tried and grouping of the gate: the group, and the ratio before and after.

    Parameters
    ----------
    people
        One row per eligible person: `person_id`, labels, `listed`, `need`, `high_need`, `risk`, and any of `team`, `benefit`,
        `use`, `need_expected` and `risk_before_groups`.
    test
        models.tables.TEST_PREDICTIONS with labels; `risk_before_groups` where the model mended any group.
    measures
        As `fairness.audit.Audit.measures`; the recorded group with the lowest `share_ratio` of those large enough is the one shown,
        if that is below 1. People without a code, and outside Core20, are all the others and not a group to remedy.

    Returns
    -------
    DataFrame
        `step` (one of four, in the order in which to try them), `remedy` in words, `before` and `after`. `hidden` says that either rests on too few people to show.
    """
    found = [pd.DataFrame({name: pd.Series(dtype="str") for name in COLUMNS})]
    lists = _lists(people, settings.need_share)
    for grouping, group in _worst_off(measures, settings):
        inside = (people[grouping] == group).to_numpy()
        rows = [
            (step, remedy, *_ratio(inside, before, need), *_ratio(inside, after, need))
            for step, remedy, before, after, need in lists
        ]
        rows += _calibration(test, grouping, group)
        for step, remedy, before, small_before, after, small_after in rows:
            told = [grouping, group, step, remedy, before, after, small_before or small_after]
            found.append(pd.DataFrame([told], columns=COLUMNS))
    order = {step: place for place, step in enumerate((LABEL, DATA, MODEL, ALLOCATION))}
    table = pd.concat(found[1:] or found, ignore_index=True)
    place = pd.DataFrame({"grouping": pd.factorize(table["grouping"])[0], "step": table["step"].map(order)})
    return table.loc[place.sort_values(["grouping", "step"], kind="stable").index].reset_index(drop=True)


def _worst_off(measures: pd.DataFrame, settings: Fairness) -> list[tuple[str, str]]:
    """Return grouping and group of the lowest share of places over need, for each grouping of the gate."""
    rows = measures[(measures["measure"] == "share_ratio") & measures["grouping"].isin(settings.gate_on)]
    rows = rows[(rows["people"] >= settings.minimum_people) & rows["value"].notna()]
    # Whom nobody knows is helped by knowing, and by none of these.
    named = rows["group"].astype("str")
    rows = rows[is_recorded(named) & ~named.isin([NO_CODE, NOT_CORE20]) & (rows["value"] < 1)]
    lowest = rows.loc[rows.groupby("grouping", sort=False)["value"].idxmin()]
    return list(zip(lowest["grouping"], lowest["group"], strict=True))


def _lists(people: pd.DataFrame, need_share: float) -> list[tuple[str, str, np.ndarray, np.ndarray, np.ndarray]]:
    """Return step, remedy, who is listed before and after it, and who is in high need."""
    listed, need = people["listed"].to_numpy(), people["high_need"].to_numpy()

    def by(column: str) -> np.ndarray:
        return _highest(people, column)

    made = [
        (LABEL, f"places by {words} instead", listed, by(column), need)
        for column, words in (
            ("use", "emergency admissions of three years"),
            ("risk", "risk"),
            ("need", "recorded need"),
        )
        if column in people and people[column].notna().any()
    ]
    if "need_expected" in people:
        expected = in_high_need(people["need_expected"], need_share).to_numpy()
        made.append(
            (DATA, "places by expected need, held against expected need", listed, by("need_expected"), expected)
        )
    if "risk_before_groups" in people:
        made.append(
            (MODEL, "places by risk, before and after groups were mended", by("risk_before_groups"), by("risk"), need)
        )
    if "benefit" in people:
        made.append(
            (ALLOCATION, "places by benefit alone, and by the policy and all other rules", by("benefit"), listed, need)
        )
    return made


def _highest(people: pd.DataFrame, column: str) -> np.ndarray:
    """Mark the highest by a column within each team, as many as the team has listed; ties by need, then pseudonym."""
    team = people["team"] if "team" in people else pd.Series("", index=people.index)
    places = people["listed"].groupby(team).transform("sum")
    ranked = people.assign(team=team).sort_values([column, "need", "person_id"], ascending=[False, False, True])
    return (ranked.groupby("team").cumcount().reindex(people.index) < places).to_numpy()


def _ratio(inside: np.ndarray, listed: np.ndarray, need: np.ndarray) -> tuple[float, bool]:
    """Return the share of places over the share of need of the people inside, and whether it rests on too few to tell."""
    places, needing = int((inside & listed).sum()), int((inside & need).sum())
    # With few outside, the ratio would tell of them.
    counts = places, int(listed.sum()) - places, needing, int(need.sum()) - needing
    small = any(0 < count < SMALLEST_SHOWN for count in counts)
    if not (needing and listed.any()):
        return np.nan, small
    return (places / listed.sum()) / (needing / need.sum()), small


def _calibration(test: pd.DataFrame, grouping: str, group: str) -> list[tuple[str, str, float, bool, float, bool]]:
    if "risk_before_groups" not in test or test["risk_before_groups"].isna().all():
        return []
    rows = test[test[grouping] == group]
    people = rows.loc[rows["outcome"], "person_id"].nunique()
    small, observed = 0 < people < SMALLEST_SHOWN, rows["outcome"].sum()
    before, after = (
        observed / total if total else np.nan for total in (rows["risk_before_groups"].sum(), rows["risk"].sum())
    )
    return [
        (MODEL, "observed over predicted outcomes, before and after groups were mended", before, small, after, small)
    ]
