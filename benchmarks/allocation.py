"""How long the best choice under weights and floors takes, and what each policy costs and moves.

    python -m benchmarks.allocation [--people 1000000] [--teams 400]

Made people, not simulated ones: the solver sees only benefits, teams and groups. Each policy is one line; times
are also given as a ratio to sorting the same table once, in the same run. Then the same with two programmes beside case
management, each open to some, without and with a budget in every team; how near the choice comes to the best possible is held against what no choice can exceed: the linear
programme, which may cut people in parts. That the choice is the best of all is tested on small
contests, against every choice there is (tests/cohorts/test_policy.py, test_programmes_solver.py).
"""

from __future__ import annotations

import argparse
import datetime as dt
import time
from unittest import mock

import numpy as np
import pandas as pd

from casewell.settings import OtherProgramme, Policy, Teams
from cohorts import OtherProgrammes, several
from cohorts.allocation import allocate
from cohorts.solver import best, ceiling
from fairness.groups import QUINTILES

GROUPS = ("White", "Asian", "Black", "Mixed", "Other", "not stated", "not known")
OWNED = {"owner": "Benchmark", "review_date": dt.date(2030, 1, 1), "legal_basis": "None is needed: nobody exists"}
POLICIES = {
    "none": {},
    "weights": {"inequality_aversion": 10.95},
    "weights, Core20 and practice floors": {
        "inequality_aversion": 5,
        "floors": {"core20": 0.3, "practice": 0.5},
    },
    "weights, all floors (three crossed groupings)": {
        "inequality_aversion": 5,
        "floors": {
            "core20": 0.25,
            "practice": 0.5,
            "share_of_need": {"ethnic_group": 0.95, "imd_quintile": 0.8, "sex": 0.95},
        },
    },
}


def population(people: int, teams: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return scores, people and groups; teams differ in deprivation, and the deprived gain a little less."""
    rng = np.random.default_rng(seed)
    person = np.arange(people)
    team = rng.integers(0, teams, people)
    poor = rng.beta(1.5, 1.5, teams)
    fifth = 5 - rng.binomial(4, poor[team])
    ethnic = rng.choice(GROUPS, people, p=[0.7, 0.1, 0.06, 0.03, 0.02, 0.04, 0.05])
    need = rng.gamma(1.2, 0.8, people) * (1.3 - 0.06 * fifth)
    benefit = rng.gamma(1.0, 0.006, people) * (0.8 + 0.05 * fifth) - 0.002
    groups = pd.DataFrame(
        {
            "person_id": person,
            "imd_quintile": [QUINTILES[float(number)] for number in fifth],
            "ethnic_group": ethnic,
            "sex": rng.choice(["female", "male"], people),
        }
    )
    practice = team * 4 + rng.integers(0, 4, people)
    codes = pd.DataFrame(
        {
            "person_id": person,
            "team_code": np.char.add("T", np.char.zfill(team.astype("str"), 4)),
            "practice_code": np.char.add("P", np.char.zfill(practice.astype("str"), 5)),
        }
    ).astype({"team_code": "str", "practice_code": "str"})
    return pd.DataFrame({"person_id": person, "benefit": benefit, "need": need}), codes, groups


def beside(scores: pd.DataFrame, seed: int) -> OtherProgrammes:
    """Return two programmes: one open to three people in ten, one to a sixth, whose gains are a share of case management's, more or less."""
    rng = np.random.default_rng([seed, 2])
    told = {"owner": "Benchmark", "review_date": dt.date(2030, 1, 1)}
    programmes, tables = {}, []
    for code, reach, share, places, cost in (("link", 0.3, 0.5, 20, 250.0), ("review", 0.16, 0.7, 10, 120.0)):
        assumed = {"share": share, "source": "Made for a benchmark"}
        programmes[code] = OtherProgramme(title=code, default_places=places, cost=cost, benefit=assumed, **told)
        open_to = scores[rng.random(len(scores)) < reach]
        gain = open_to["benefit"].abs() * share * rng.lognormal(0, 0.5, len(open_to))
        tables.append(open_to[["person_id"]].assign(programme=code, benefit=gain))
    return OtherProgrammes(programmes, pd.concat(tables, ignore_index=True), 1500.0)


def with_programmes(scores: pd.DataFrame, people: pd.DataFrame, groups: pd.DataFrame, teams: Teams, seed: int) -> None:
    """Solve each policy with three programmes and print one row for it."""
    others = beside(scores, seed)
    for name, rules in POLICIES.items():
        policy = Policy(**rules, **OWNED)  # type: ignore[arg-type]
        with mock.patch.object(several, "best", wraps=several.best) as solved:
            wall, began = time.perf_counter(), time.process_time()
            found = allocate(scores, people, teams, b"benchmark", policy, groups, others=others)
            took, waited = time.process_time() - began, time.perf_counter() - wall
        problem = solved.call_args.args[0]
        one, began = time.perf_counter(), time.process_time()
        chosen = best(problem)
        once, once_took = time.perf_counter() - one, time.process_time() - began
        reached = float(problem.gain[chosen].sum()) / ceiling(problem)
        counted = ", ".join(f"{code} {n:,}" for code, n in found["programme"].value_counts().items() if code and n)
        print(
            f"{name}: {took:.1f} s of processor time ({waited:.1f} s by the clock) in {solved.call_count} choices, the last one "
            f"{once_took:.1f} s ({once:.1f} s); {reached:.7%} of what no choice can exceed; listed or in reserve: {counted}",
            flush=True,
        )


def main() -> None:
    """Solve each policy and print one row for it."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--people", type=int, default=1_000_000)
    arguments.add_argument("--teams", type=int, default=400)
    arguments.add_argument("--seed", type=int, default=1)
    chosen = arguments.parse_args()
    scores, people, groups = population(chosen.people, chosen.teams, chosen.seed)
    began = time.process_time()
    scores.merge(people, on="person_id").sort_values(["team_code", "benefit"])
    sorting = time.process_time() - began
    print(f"{chosen.people:,} people, {chosen.teams} teams; sorting them takes {sorting:.1f} s of processor time")
    for name, rules in POLICIES.items():
        policy = Policy(**rules, **OWNED)  # type: ignore[arg-type]
        wall, began = time.perf_counter(), time.process_time()
        found = allocate(scores, people, Teams(default_capacity=40), b"benchmark", policy, groups)
        took, waited = time.process_time() - began, time.perf_counter() - wall
        listed = found[found["status"] == "listed"].merge(scores, on="person_id").merge(groups, on="person_id")
        core = (listed["imd_quintile"] == QUINTILES[1.0]).mean()
        print(
            f"{name}: {took:.1f} s of processor time ({waited:.1f} s by the clock, {took / sorting:.0f} times sorting); "
            f"{len(listed):,} listed, benefit {listed['benefit'].sum():.2f}, Core20 {core:.1%}",
            flush=True,
        )
    print("three programmes, no budgets")
    teams = Teams(default_capacity=40)
    with_programmes(scores, people, groups, teams, chosen.seed)
    print("three programmes, a budget in every team")
    rng = np.random.default_rng([chosen.seed, 3])
    codes = sorted(set(people["team_code"]))
    budgets = {
        code: float(pounds) for code, pounds in zip(codes, rng.integers(250, 600, len(codes)) * 100, strict=True)
    }
    with_programmes(scores, people, groups, teams.model_copy(update={"budgets": budgets}), chosen.seed)


if __name__ == "__main__":
    main()
