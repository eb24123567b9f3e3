"""How long the audit and its bootstrap of people take, and whether the short way gives what the long way gives.

    python -m benchmarks.audit [--people 1000000] [--draws 100]

Made people. The audit draws the counts of a group's cells (listed or not, in high need or not) instead of people, which for a
share is the same bootstrap at a millionth of the work. Here the long way is gone too: every person is given a Poisson number
of copies in each draw, and the limits of every group's share of places over share of need are held against the short way's.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

import numpy as np
import pandas as pd

from casewell.doors import empty
from casewell.settings import Fairness
from fairness import audit
from fairness.categories import CATEGORIES
from fairness.groups import AGE_BANDS, GROUPINGS, QUINTILES
from fairness.levels import Levels
from fairness.places import in_high_need, place_rows
from records.tables import LINKAGE

PRACTICES = 150
ETHNIC = ("White", "Asian", "Black", "Mixed", "Other", "not stated", "not known")


def population(people: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray, pd.DataFrame]:
    """Return groups, scores, who is listed (two in a hundred), and predictions beside outcomes."""
    rng = np.random.default_rng(seed)
    person = np.arange(people)
    fifth = rng.choice(list(QUINTILES.values()), people)
    ethnic = rng.choice(ETHNIC, people, p=[0.7, 0.1, 0.06, 0.03, 0.02, 0.04, 0.05])
    sex = rng.choice(["female", "male"], people)
    groups = pd.DataFrame(
        {
            "person_id": person,
            "imd_quintile": fifth,
            "core20": np.where(fifth == QUINTILES[1.0], "Core20", "others"),
            "ethnic_group": ethnic,
            "sex": sex,
            "age_band": rng.choice(AGE_BANDS, people),
            "learning_disability_or_autism": np.where(rng.random(people) < 0.01, "recorded", "no code"),
            "severe_mental_illness": np.where(rng.random(people) < 0.01, "recorded", "no code"),
        }
    )
    groups["inclusion_health"] = np.where(rng.random(people) < 0.01, "recorded", "no code")
    categories = {group: [name for name in CATEGORIES.values() if name.startswith(f"{group}: ")] for group in ETHNIC}
    part = rng.random(people)
    groups["ethnic_category"] = ethnic
    for group, names in categories.items():
        if names:
            own = ethnic == group
            groups.loc[own, "ethnic_category"] = np.array(names)[(part[own] * len(names)).astype(int)]
    groups["practice"] = np.char.add("P", rng.integers(0, PRACTICES, people).astype(str))
    groups["imd_by_ethnicity"] = groups["imd_quintile"] + ", " + groups["ethnic_group"]
    groups["imd_by_ethnicity_by_sex"] = groups["imd_by_ethnicity"] + ", " + groups["sex"]
    frailty = rng.normal(size=people)
    risk = 1 / (1 + np.exp(2.5 - frailty))
    need = np.maximum(0, frailty + 0.5 * rng.normal(size=people)).round(2)
    scores = pd.DataFrame({"person_id": person, "risk": risk, "need": need})
    listed = person[np.argsort(-(need + 0.3 * rng.normal(size=people)))[: people // 50]]
    test = scores.assign(outcome=rng.random(people) < risk, index_date=pd.Timestamp(2026, 1, 1))
    return groups, scores, listed, test


def long_way(table: pd.DataFrame, groupings: Sequence[str], draws: int, seed: int) -> pd.DataFrame:
    """Return 95 % limits of every group's share of places over share of need, people drawn one by one."""
    rng = np.random.default_rng(seed)
    codes = {name: pd.factorize(table[name], sort=True) for name in groupings}
    ratios: dict[str, list[np.ndarray]] = {name: [] for name in groupings}
    for _ in range(draws):
        copies = rng.poisson(1.0, len(table))
        flags = {what: copies * table[what].to_numpy() for what in ("listed", "high_need")}
        for name, (code, labels) in codes.items():
            places, need = (np.bincount(code, flags[what], len(labels)) for what in flags)
            # A draw may hold nobody in need of a small group.
            ratios[name].append((places / places.sum()) / np.where(need > 0, need / need.sum(), np.nan))
    parts = []
    for name, (_, labels) in codes.items():
        low, high = np.nanquantile(np.array(ratios[name]), [0.025, 0.975], axis=0)
        parts.append(pd.DataFrame({"grouping": name, "group": labels, "low": low, "high": high}))
    return pd.concat(parts, ignore_index=True)


def main() -> None:
    """Time the short way, the long way and the whole audit."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--people", type=int, default=1_000_000)
    arguments.add_argument("--draws", type=int, default=100)
    arguments.add_argument("--seed", type=int, default=1)
    chosen = arguments.parse_args()
    groups, scores, listed, test = population(chosen.people, chosen.seed)
    table = groups.assign(listed=groups["person_id"].isin(listed), high_need=in_high_need(scores["need"], 0.1))
    names = [name for name in GROUPINGS if not name.startswith("imd_by_ethnicity_by")]
    number = sum(table[name].nunique() for name in names)

    def told(what: str, began: float) -> None:
        print(f"{what}: {time.perf_counter() - began:.1f} s by the clock", flush=True)

    print(f"{chosen.people:,} people, {number} groups, {chosen.draws} draws")
    began = time.perf_counter()
    levels = Levels(0.95, 0.95)
    short = pd.concat(
        [place_rows(table, name, levels, chosen.draws, [chosen.seed]).assign(grouping=name) for name in names]
    )
    told("the bootstrap, as the audit does it (at least 800 draws, however few are asked for)", began)
    began = time.perf_counter()
    long = long_way(table, names, chosen.draws, chosen.seed)
    told("the bootstrap, person by person", began)
    both = short[short["measure"] == "share_ratio"].merge(long, on=["grouping", "group"], suffixes=("", "_long"))
    width = both["high_long"] - both["low_long"]
    print(
        f"width of the interval, short way over long way: median {((both['high'] - both['low']) / width).median():.2f}"
    )
    began = time.perf_counter()
    found = audit(groups, scores, listed, test, empty(LINKAGE), Fairness(draws=chosen.draws), chosen.seed)
    told(f"the whole audit, {len(found.measures):,} figures", began)
    began = time.perf_counter()
    every = Fairness(draws=chosen.draws, gate_on=["imd_quintile", "ethnic_category", "sex", "practice"])
    found = audit(groups, scores, listed, test, empty(LINKAGE), every, chosen.seed)
    told(f"the same, gated on ethnic category and practice too, {found.totals['comparisons']:,} comparisons", began)


if __name__ == "__main__":
    main()
