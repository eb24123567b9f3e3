"""What the list would be under another label: whom do places follow, illness, use, risk or benefit?

A list by past use passes over those who get less care for the same illness (Obermeyer and others, Science 2019). As
many places as the week's list has are given to the highest by each label, all teams together, and held against it.
Casewell knows no cost of anybody's care: emergency admissions of the last three years stand for use.
"""

from __future__ import annotations

import pandas as pd

from fairness.groups import QUINTILES
from fairness.inequality import by_fifth, concentration_index

LABELS = {
    "benefit": "benefit",
    "risk": "risk of the outcome",
    "need": "need",
    "use": "emergency admissions of three years",
}
COLUMNS = ["label", "places", "also_listed", "core20", "high_need", "concentration", "inequity"]


def label_rows(people: pd.DataFrame) -> pd.DataFrame:
    """Return one row for the week's list (`list`) and for each label that `people` has, exact counts.

    `people` has one row per eligible person: `person_id`, `imd_quintile`, `listed`, `high_need`, and any of `LABELS`.
    Ties are cut by need, then by pseudonym. `core20` and `high_need` count the places of people in the most deprived
    fifth and in high need.
    """
    places = int(people["listed"].sum())
    ranked = people.sort_values(["need", "person_id"], ascending=[False, True])
    chosen = {"list": people["listed"]}
    for label in LABELS:
        if label in people and people[label].notna().any():
            top = ranked.sort_values(label, ascending=False, kind="stable").index[:places]
            chosen[label] = pd.Series(people.index.isin(top), index=people.index)
    return pd.DataFrame([_row(people, label, flags) for label, flags in chosen.items()], columns=COLUMNS)


def _row(people: pd.DataFrame, label: str, chosen: pd.Series) -> dict[str, object]:
    sums = by_fifth(people["imd_quintile"], chosen, people["high_need"])
    ours, need = (concentration_index(sums["people"].to_numpy(), sums[number].to_numpy()) for number in (0, 1))
    return {
        "label": label,
        "places": int(chosen.sum()),
        "also_listed": int((chosen & people["listed"]).sum()),
        "core20": int(sums[0].loc[QUINTILES[1.0]]),
        "high_need": int((chosen & people["high_need"]).sum()),
        "concentration": ours,
        "inequity": ours - need,
    }
