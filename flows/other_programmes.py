"""Programmes beside case management in a training and in a week: their records in, their scores and evidence out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from prefect import task

import models
from casewell import doors
from casewell.settings import CASE_MANAGEMENT, Settings
from flows.progress import say
from models.benefit.evidence import FEWEST_TOLD
from models.tables import PROGRAMME_SCORES, SCORES
from records.programmes import enrolments_of


def pasts(settings: Settings, linked: Path) -> dict[str, models.Past]:
    """Return what is on record of each programme of the settings, by its code."""
    people = pd.read_parquet(linked / "people.parquet", columns=["team_code"])
    teams = sorted(set(people["team_code"]) - {""})
    return {
        code: models.Past(enrolments_of(linked, code), sum(programme.places_of(team) for team in teams))
        for code, programme in settings.programmes.items()
    }


@task
def score_other_programmes(settings: Settings, linked: Path, matrix: Path, model: Path, out: Path) -> None:
    """Write what each programme would change for everybody who was scored (`programme_scores.parquet`), beside the scores."""
    say(f"Scoring benefit of {', '.join(programme.title for programme in settings.programmes.values())}")
    features = pd.read_parquet(matrix)
    risk = doors.read(out / "scores.parquet", SCORES).set_index("person_id")["risk"]
    told = models.load(model)
    scores = models.score_programmes(
        settings.programmes,
        told.programmes,
        told.rules,
        features,
        risk.reindex(features["person_id"]).to_numpy(),
        {code: enrolments_of(linked, code) for code in settings.programmes},
    )
    doors.write(scores, PROGRAMME_SCORES, out / "programme_scores.parquet")


def offered(cohort: pd.DataFrame) -> set[str]:
    """Return the programmes of which a week's lists (`cohorts.tables.COHORT`) hold a place or a reserve: only these can do harm."""
    if "programme" in cohort:
        return set(cohort["programme"])
    return {CASE_MANAGEMENT} if len(cohort) else set()


def evidence_of(settings: Settings, told: models.Models) -> dict[str, dict[str, Any]]:
    """Return title, grade, number treated (None for a few) and one sentence of each programme of the settings, by its code."""
    found = {}
    for code, declared in sorted(settings.programmes.items()):
        learned = told.programmes.get(code, models.LearnedProgramme.unknown())
        treated = learned.evidence.treated
        found[code] = {
            "title": declared.title,
            "grade": learned.evidence.grade,
            "treated": None if 0 < treated < FEWEST_TOLD else treated,
            "sentence": learned.sentence(declared),
        }
    return found
