"""Which months would be learned from and tested on, with what is in them, before anything is learned."""

from __future__ import annotations

import datetime as dt

import pandas as pd
from rich.console import Console
from rich.table import Table

import models
from casewell.settings import Settings
from flows.progress import say
from flows.stages import link, split_of
from flows.working import working

USE_WORDS = {
    "train": "the model learns",
    "calibrate": "probabilities are calibrated",
    "choose": "how free the model may be is chosen",
    "between": "gap: outcomes not known on the first test date",
    "test": "the back-test is judged",
}


def splits(settings: Settings, as_of: dt.date) -> pd.DataFrame:
    """Return `models.drawn` of the history known before `as_of`.

    Raises
    ------
    TrainingError
        The history is too short, or a window holds nobody, or nobody with the outcome.
    """
    with working(settings):
        linked = link.fn(settings, as_of)
        split = split_of(settings, as_of, linked)
        say(f"Counting people and outcomes on {len(split.mature)} index dates")
        eligible = models.population(
            linked / "people.parquet", linked / "enrolments.parquet", split.mature, settings.eligibility
        )
        return models.require_outcomes(models.drawn(split, models.labels(eligible, linked, settings)))


def print_splits(table: pd.DataFrame, console: Console) -> None:
    """Print each index date: what it is used for, how many people were eligible, how many had the outcome."""
    shown = Table("index date", "used so that", "people", "outcomes", box=None)
    for column in shown.columns[2:]:
        column.justify = "right"
    for row in table.itertuples():
        shown.add_row(str(row.index_date.date()), USE_WORDS[row.use], f"{row.people:,}", f"{row.outcomes:,}")
    console.print(shown)
    console.print(
        "After the back-test is judged, the model that scores is fitted anew on all of these dates.", soft_wrap=True
    )
