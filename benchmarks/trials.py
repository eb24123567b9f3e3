"""Public trials through Casewell's estimators, beside what was published.

    make bench-trials

The data come with two packages that Casewell itself does not need: `statsmodels` (RAND health insurance experiment) and
`causaldata` (Thornton's trial of incentives to learn one's HIV status, the National Supported Work trial, and the
survey from which others took its comparison group). Each row says what was published, and where.

RAND's rows carry no person: rows that follow one another with the same plan and baseline are taken for one. Published
visits count every face-to-face visit, these data visits to doctors, so it is their ratio that should agree.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from models.benefit import BenefitEstimator
from models.benefit.comparison import Estimate
from models.programme.effect import Arms, Effect, Nuisances, arms, effect, expected_without
from models.targeting import clustered_error

SEED = 20260928
BASELINE = ["physlm", "disea", "hlthg", "hlthf", "hlthp"]
EARLIER = ["age", "educ", "black", "hisp", "marr", "nodegree", "re74", "re75"]


class Told(NamedTuple):
    """One comparison: what was estimated, what was found here, and what was published."""

    what: str
    found: Estimate
    published: str
    source: str


def rand() -> list[Told]:
    """Visits under 95 % coinsurance over those under free care, and the share with any."""
    from statsmodels.datasets import randhie

    data = randhie.load_pandas().data
    plan = data[["lncoins", "idp", "lpi", "fmde", *BASELINE]]
    person = (plan != plan.shift()).any(axis=1).cumsum()
    free = (data["lncoins"] == 0) & (data["idp"] == 0)
    dear = (data["lncoins"] > np.log(90)) & (data["idp"] == 0)
    rows = (free | dear).to_numpy()
    treated, visits = dear.to_numpy()[rows], data["mdvis"].to_numpy("float64")[rows]
    X, who = data.loc[rows, BASELINE].astype("float32").reset_index(drop=True), person.to_numpy()[rows]
    both, counted = by_lot(X, who, treated, visits)
    _, any_visit = by_lot(X, who, treated, (visits > 0).astype("float64"))
    source = "Manning and others, Am Econ Rev 1987;77:251, table 2"
    return [
        Told("RAND: visits, 95 % coinsurance over free", counted.ratio(both, visits), "0.60 (2.73 over 4.55)", source),
        Told("RAND: share with any visit", any_visit.difference, "-0.191 (any use: 67.7 less 86.8 %)", source),
    ]


def thornton() -> list[Told]:
    """Collecting one's result, with any incentive less without; by the account's estimator and by `BenefitEstimator`."""
    from causaldata import thornton_hiv

    data = (
        thornton_hiv.load_pandas()
        .data.dropna(subset=["any", "got", "age", "distvct", "hiv2004", "villnum"])
        .reset_index(drop=True)
    )
    X, treated = data[["age", "distvct", "hiv2004"]].astype("float32"), (data["any"] == 1).to_numpy()
    got, village = data["got"].to_numpy("float64"), data["villnum"].to_numpy()
    _, found = by_lot(X, village, treated, got)
    judge = BenefitEstimator(seed=SEED).fit(X, treated, 1 - got, randomised=np.ones(len(X), dtype=bool), groups=village)
    mean = float(judge.scores_.mean())
    scored = Estimate(mean, clustered_error(judge.scores_ - mean, village))
    source = "Thornton, Am Econ Rev 2008;98:1829, table 4"
    return [
        Told("Thornton: share who collected the result", found.difference, "0.431 (error 0.023)", source),
        Told("the same, BenefitEstimator.scores_", scored, "0.431 (error 0.023)", source),
    ]


def supported_work() -> list[Told]:
    """Earnings in 1978 with the programme less without: in the trial, and with a survey's people in place of its controls."""
    from causaldata import cps_mixtape, nsw_mixtape

    trial = nsw_mixtape.load_pandas().data
    survey = cps_mixtape.load_pandas().data
    drawn, inside = split(trial)
    _, in_trial = by_lot(*drawn, inside)
    took_part = pd.concat([trial[trial["treat"] == 1], survey.assign(treat=0)], ignore_index=True)
    (X, person, treated), earned = split(took_part)
    nuisances = Nuisances(X, person, SEED)
    chosen = arms(nuisances, person, treated, np.ones(len(X), dtype=bool))
    compared = effect(chosen, earned, expected_without(nuisances, earned, chosen))
    plain = Arms(person, treated, np.ones(len(X)), np.ones(len(X)))
    naive = effect(plain, earned, np.zeros(len(X)))
    source = "Dehejia and Wahba, J Am Stat Assoc 1999;94:1053, table 3"
    return [
        Told("NSW trial: earnings in 1978, dollars", in_trial.difference, "1,794 (error 633)", source),
        Told("survey in place of controls: naive", naive.difference, "-8,498 (error 712)", source),
        Told(
            "survey in place of controls: as a programme is accounted for",
            compared.difference,
            "1,794 (the trial's)",
            source,
        ),
    ]


def split(data: pd.DataFrame) -> tuple[tuple[pd.DataFrame, np.ndarray, np.ndarray], np.ndarray]:
    """Return features, person and treatment, and what was earned afterwards."""
    X = data[EARLIER].astype("float32")
    return (X, np.arange(len(data)), (data["treat"] == 1).to_numpy()), data["re78"].to_numpy("float64")


def by_lot(X: pd.DataFrame, person: np.ndarray, treated: np.ndarray, happened: np.ndarray) -> tuple[Arms, Effect]:
    """Estimate an effect where everybody had the same chance of treatment."""
    both = Arms(person, treated, np.ones(len(X)), np.ones(len(X)))
    return both, effect(both, happened, expected_without(Nuisances(X, person, SEED), happened, both))


def main() -> None:
    """Run every trial and print what was found beside what was published."""
    table = Table("what", "found", "95 % interval", "published", "where")
    for told in [*rand(), *thornton(), *supported_work()]:
        low, high = told.found.interval()
        digits = 0 if abs(told.found.value) > 100 else 3
        table.add_row(
            told.what,
            f"{told.found.value:,.{digits}f}",
            f"{low:,.{digits}f} to {high:,.{digits}f}",
            told.published,
            told.source,
        )
    Console(width=180).print(table)


if __name__ == "__main__":
    main()
