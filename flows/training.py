"""The training flow: history to models, challenger to champion by the stated rule."""

from __future__ import annotations

import datetime as dt
import functools
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from prefect import flow, task

import models
from casewell import doors
from casewell.errors import TrainingError
from casewell.page import save_picture
from casewell.settings import Settings, load
from flows import books
from flows.groups import groups_of
from flows.lots import build_lots, drawn_by_lot
from flows.other_programmes import evidence_of, pasts
from flows.places import refuse_unknown_teams
from flows.profiling import profile_training
from flows.progress import say
from flows.stages import begin_of, build_history, capacity_share, history_rows, link, split_of
from flows.without import keep_without, train_without, without_source
from flows.working import working
from models.evaluation.assessment import PRACTICE
from models.evaluation.pictures import benefit_figure, calibration_figure
from models.index_dates import USES
from models.tables import BENEFIT_EVIDENCE, TEST_PREDICTIONS


@task
def fit(settings: Settings, as_of: dt.date, linked: Path, history: Path, lots: Path | None) -> dict[str, Any]:
    """Train, test, register as challenger and promote if the rule says so; return what happened."""
    rows = history_rows(history)
    split = split_of(settings, as_of, linked)
    newest = int((rows["index_date"] == split.test[-1]).sum())
    history_days = (split.mature[0].date() - begin_of(linked)).days
    share = capacity_share(settings, linked, newest)
    drawn = None if lots is None else drawn_by_lot(lots, linked, settings)
    others = pasts(settings, linked)

    def groups(test: pd.DataFrame) -> dict[str, pd.Series]:
        return {name: label for name, label in groups_of(linked, test).items() if name != PRACTICE}

    incumbent = standing_champion(settings, as_of, rows)
    standing = incumbent.risk.learned.kind if incumbent else None
    trained = models.train(
        rows, split, history_days, share, settings, say, drawn=drawn, groups=groups, standing=standing, pasts=others
    )
    kind = trained.models.risk.learned.kind
    beside = train_without(settings, rows, split, history_days, share, linked, drawn, groups, kind, others)
    version = books.record_training(
        settings, as_of, trained, keep(settings, as_of, trained, split, linked, history, beside)
    )
    promotion = models.decide(
        trained.measures,
        trained.test,
        models.predict_test(incumbent.backtest, models.tested(rows, split))["risk"].to_numpy() if incumbent else None,
        share,
        groups(trained.test),
    )
    books.record_decision(settings, version, promotion)
    if promotion.promoted:
        books.promote(settings, version, as_of)
    say(f"Model {version} {'is the new champion' if promotion.promoted else 'stays a challenger'}: {promotion.reason}")
    return {
        "version": version,
        "promoted": promotion.promoted,
        "reason": promotion.reason,
        "evidence": trained.models.evidence.sentence(),
        "programmes": evidence_of(settings, trained.models),
        "simpler": trained.models.chosen_because,
        "measures": trained.measures.to_dict(orient="records"),
        "beside": trained.beside.to_dict(orient="records"),
    }


def keep(
    settings: Settings,
    as_of: dt.date,
    trained: models.Trained,
    split: models.Split,
    linked: Path,
    history: Path,
    without: dict[str, models.Trained],
) -> Path:
    """Write a training's folder: models, tables, pictures, and the test predictions, which never leave it.

    `without` holds, by source, what was trained without it.
    """
    partial = settings.data_dir / "runs" / f"{as_of}-training.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True, mode=0o700)
    models.save(trained.models, partial / "models")
    keep_without(without, partial)
    used = trained.models.risk.features
    profile_training(settings, as_of, linked, history / "matrix.parquet", partial, partial / "models", used)
    doors.write(trained.test, TEST_PREDICTIONS, partial / "test_predictions.parquet")
    if trained.benefit_evidence is not None:
        doors.write(trained.benefit_evidence, BENEFIT_EVIDENCE, partial / "benefit_evidence.parquet")
    (partial / "training.json").write_text(
        json.dumps(training_record(settings, trained, split, without), indent=1, sort_keys=True)
    )
    save_picture(functools.partial(calibration_figure, trained.calibration), partial / "calibration.svg")
    if trained.benefit is not None:
        save_picture(functools.partial(benefit_figure, trained.benefit), partial / "benefit_curve.svg")
    folder = partial.with_name(f"{as_of}-training-{books.model_digest(partial / 'models')}")
    shutil.rmtree(folder, ignore_errors=True)
    return partial.rename(folder)


def training_folder(settings: Settings, champion: books.Registered, without: Sequence[str] = ()) -> Path:
    """Return where a champion's training, or that of the model without a source beside it, was kept on this machine."""
    folder = settings.data_dir / "runs" / f"{champion.trained_as_of}-training-{champion.digest}"
    return without_source(folder, without[0]) if without else folder


def training_record(
    settings: Settings, trained: models.Trained, split: models.Split, without: dict[str, models.Trained]
) -> dict[str, Any]:
    """Return a training's tables as plain values."""

    def rows(table: pd.DataFrame | None) -> list[dict[str, Any]] | None:
        return None if table is None else json.loads(table.to_json(orient="records"))

    learned = {code: one.evidence.as_dict() for code, one in trained.models.programmes.items()}
    told = evidence_of(settings, trained.models)
    others = {"programmes": {code: told[code] | {"evidence": learned[code]} for code in learned}} if learned else {}
    return others | {
        "measures": rows(trained.measures),
        "calibration": rows(trained.calibration),
        "against": rows(trained.against),
        "benefit": rows(trained.benefit),
        "benefit_tenths": rows(trained.benefit_tenths),
        "beside": rows(trained.beside),
        "without": {source: rows(each.measures) for source, each in without.items()},
        "evidence": trained.models.evidence.as_dict(),
        "kind": trained.models.risk.learned.kind,
        "chosen_because": trained.models.chosen_because,
        "index_dates": {use: [str(date.date()) for date in getattr(split, use)] for use in USES},
    }


def standing_champion(settings: Settings, as_of: dt.date, rows: pd.DataFrame) -> models.Models | None:
    """Return the champion's models; None without one that is whole and fits."""
    try:
        incumbent = books.champion(settings, as_of)
        if incumbent is None:
            return None
        found = models.load(incumbent.folder)
    except TrainingError as damage:
        # A damaged champion must not stand in the way of the training that replaces it.
        say(f"There is no champion to compare with: {damage}")
        return None
    return found if set(found.backtest.features) <= set(rows.columns) else None


def train(settings: Settings, as_of: dt.date) -> dict[str, Any]:
    """Train within whatever flow is running."""
    models.refuse_programmes(settings.programmes, as_of)
    linked = link(settings, as_of)
    refuse_unknown_teams(settings, linked)
    return fit(settings, as_of, linked, build_history(settings, as_of, linked), build_lots(settings, as_of, linked))


@flow(name="casewell train", validate_parameters=False)
def train_flow(settings_file: str, as_of: str) -> dict[str, Any]:
    """Train models from everything known before `as_of` (ISO date)."""
    settings = load(Path(settings_file))
    with working(settings):
        return train(settings, dt.date.fromisoformat(as_of))
