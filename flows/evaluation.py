"""The evaluation flow: the champion, on the newest months whose outcomes are known."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from prefect import flow, task

import models
from casewell.errors import TrainingError
from casewell.settings import Settings, load
from fairness.disclosure import control
from features import CATALOGUE
from flows import books
from flows.groups import groups_of
from flows.other_programmes import evidence_of
from flows.progress import say
from flows.stages import build_history, capacity_share, history_rows, link, split_of
from flows.training import training_folder
from flows.working import working
from models.evaluation.assessment import PRACTICE
from models.risk.kinds import NAMES

PREVIOUS = "the champion before"


@task
def examine(
    settings: Settings,
    as_of: dt.date,
    linked: Path,
    history: Path,
    champion: books.Registered,
) -> dict[str, Any]:
    """Measure the champion's back-test and write the evaluation's folder: a page and the same numbers as JSON."""
    say(f"Testing model {champion.version} on the newest months whose outcomes are known")
    rows, split = history_rows(history), split_of(settings, as_of, linked)
    champion_models = models.load(champion.folder)
    models.require_features(champion_models, rows)
    backtest = champion_models.backtest
    tested = models.tested(rows, split)
    test = models.predict_test(backtest, tested)
    say("Fitting the other kind of model, and the simple rules that a model must beat")
    early = models.known_before_test(rows, split)
    matrix = rows.loc[early, list(backtest.features)]
    others = {
        kind: models.fit_backtest(rows, early, matrix, settings, kind).predict(tested)
        for kind in NAMES
        if kind != backtest.learned.kind
    }
    del matrix
    simple = with_champion_before(models.baselines_on_test(rows, split, tested, others), settings, champion, tested)
    share = capacity_share(settings, linked, int((rows["index_date"] == split.test[-1]).sum()))
    say("Measuring by group, by practice and over time")
    groups = groups_of(linked, test)
    found = controlled(
        models.assess(
            backtest,
            test,
            tested,
            simple,
            groups,
            {feature.name: feature.source for feature in CATALOGUE},
            share,
            settings.seed,
        )
    )
    backtests = {name: one.backtest for name, one in champion_models.beside.items()}
    beside = models.measure_beside(backtests, tested, share, settings.seed)
    say("Comparing models with and without sensitive attributes")
    attributes = with_counts_controlled(
        models.compare_attributes(
            rows,
            split,
            test,
            backtest.features,
            groups_of(linked, rows)["ethnic_group"],
            {name: label for name, label in groups.items() if name != PRACTICE},
            share,
            settings,
            backtest.learned.kind,
        )
    )
    trained = training_folder(settings, champion) / "training.json"
    learned = json.loads(trained.read_text()) if trained.is_file() else {}
    benefit, tenths = learned.get("benefit"), learned.get("benefit_tenths")
    programmes = evidence_of(settings, champion_models)

    folder = settings.data_dir / "runs" / f"{as_of}-evaluation-{champion.digest}"
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    record = {
        "as_of": str(as_of),
        "model": champion.version,
        "kind": backtest.learned.kind,
        "chosen_because": champion_models.chosen_because,
        "test_index_dates": [str(date.date()) for date in split.test],
        **found.as_dict(),
        "benefit": benefit,
        "benefit_tenths": tenths,
        "beside": json.loads(beside.to_json(orient="records")),
        "attributes": json.loads(attributes.to_json(orient="records")),
        "evidence": champion_models.evidence.as_dict(),
        **({"programmes": programmes} if programmes else {}),
    }
    (partial / "evaluation.json").write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")
    summary = json.loads((linked / "summary.json").read_text())
    models.write_page(
        found,
        None if benefit is None else pd.DataFrame(benefit),
        None if tenths is None else pd.DataFrame(tenths),
        champion_models.evidence,
        partial / "evaluation.html",
        settings.outcome.name,
        as_of,
        summary["synthetic"],
        beside,
        attributes,
        settings.training.attributes_owner,
        champion_models.chosen_because,
        programmes,
    )
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
    files = [folder / "evaluation.json", folder / "evaluation.html"]
    books.record_evaluation(settings, as_of, models.numbers(found) | models.numbers_beside(beside), files)
    return record | {
        "programmes": programmes,
        "version": champion.version,
        "reason": f"trained as of {champion.trained_as_of}, tested on {len(split.test)} month(s) it had not seen",
        "simpler": champion_models.chosen_because,
        "evidence": champion_models.evidence.sentence(),
        "page": str(folder / "evaluation.html"),
    }


def with_champion_before(
    simple: models.Baselines, settings: Settings, champion: books.Registered, tested: pd.DataFrame
) -> models.Baselines:
    """Add the champion before this one to the rules that are compared, or say why it cannot be."""
    try:
        before = books.champion_before(settings, champion)
        if before is None:
            return replace(simple, absent=simple.absent | {PREVIOUS: "there was none"})
        earlier = models.load(before.folder)
        models.require_features(earlier, tested)
    except TrainingError as unfit:
        return replace(simple, absent=simple.absent | {PREVIOUS: str(unfit)})
    risk = simple.risk.assign(**{PREVIOUS: earlier.backtest.predict(tested)})
    return replace(simple, risk=risk)


def controlled(found: models.Assessment) -> models.Assessment:
    """Put the counts of people under disclosure control; figures of few are left out where they are measured."""
    return replace(found, groups=with_counts_controlled(found.groups))


def with_counts_controlled(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of groups whose `people` and `outcomes` are under disclosure control."""
    return table.assign(**{name: control(table[name].astype("float64")) for name in ("people", "outcomes")})


@flow(name="casewell evaluate", validate_parameters=False)
def evaluate_flow(settings_file: str, as_of: str) -> dict[str, Any]:
    """Evaluate the champion of a day (ISO date) with what was known before it."""
    settings, date = load(Path(settings_file)), dt.date.fromisoformat(as_of)
    with working(settings):
        champion = books.champion(settings, date)
        if champion is None:
            raise TrainingError(f"there is no champion for {date} to evaluate", "Train one: casewell train.")
        linked = link(settings, date)
        return examine(settings, date, linked, build_history(settings, date, linked), champion)
