"""Models that do without one source each, trained beside a champion for the week in which that source's feed has failed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

import models
from casewell import doors
from casewell.settings import Kind, Settings
from features.fed import resting_on, rests_on
from flows.progress import say
from models.benefit.drawn_by_lot import Drawn
from models.tables import BENEFIT_EVIDENCE, TEST_PREDICTIONS


def without_source(folder: Path, source: str) -> Path:
    """Return where, in a champion's folder or its training's, the model without a source is."""
    return folder / "without" / source


def train_without(
    settings: Settings,
    rows: pd.DataFrame,
    split: models.Split,
    history_days: int,
    share: float,
    linked: Path,
    drawn: Drawn | None,
    groups: Callable[[pd.DataFrame], Mapping[str, pd.Series]],
    standing: Kind,
    pasts: Mapping[str, models.Past],
) -> dict[str, models.Trained]:
    """Train, for each source of `monitoring.fall_back_without`, without every feature that rests on it.

    `groups`, `pasts` and `standing`, the kind of the model that each may stand in for, are as for `models.train`. What serves lists and the rule of assumed benefit (need, the amenable share) is still taken from all that is recorded.
    """
    found = {}
    fed = rests_on(linked / "events.parquet")
    for source in settings.monitoring.fall_back_without:
        dropped = resting_on(fed, [source])
        say(f"Training a model without the {len(dropped)} features that rest on {source}")
        told = dropped, drawn, groups, standing, pasts
        found[source] = models.train(rows, split, history_days, share, settings, say, *told)
    return found


def keep_without(trained: dict[str, models.Trained], training: Path) -> None:
    """Write the models into a training's folder, beside the champion's, and what they predicted in the test."""
    for source, each in trained.items():
        models.save(each.models, without_source(training / "models", source))
        folder = without_source(training, source)
        folder.mkdir(parents=True, mode=0o700)
        doors.write(each.test, TEST_PREDICTIONS, folder / "test_predictions.parquet")
        if each.benefit_evidence is not None:
            doors.write(each.benefit_evidence, BENEFIT_EVIDENCE, folder / "benefit_evidence.parquet")
