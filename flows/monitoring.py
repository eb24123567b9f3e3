"""Monitoring a week: the checks of its data before anybody is scored, and the page when the list is made."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from prefect import task

import models
import monitoring
from casewell import doors
from casewell.errors import SourceError
from casewell.settings import Settings
from cohorts.tables import COHORT, LISTED, TURNOVER
from features import CATALOGUE
from features.code_groups import map_codes
from features.fed import rests_on
from features.tables import PROFILE
from flows import books
from flows.earlier import earlier_monitoring
from flows.last_list import last_list, last_scores
from flows.past_weeks import PastWeek, past_weeks, predictions_come_true, risks_of, scored_by
from flows.progress import say
from flows.without import without_source
from monitoring import Finding

NEEDED = [
    "person_id",
    "practice_code",
    "ethnic_category",
    "birth_month",
    "sex",
    "imd_decile",
    "ethnic_group",
    "ethnicity_known_at",
]
MONITORING_FILES = ("monitoring.html", "monitoring.json")


@dataclass(frozen=True)
class Looked:
    """What the week's data say before anybody is scored; the tables are those of `monitoring.Week`."""

    feeds: pd.DataFrame
    codes: pd.DataFrame
    leaks: pd.DataFrame
    composition: monitoring.Composition
    features: pd.DataFrame
    ethnicity: pd.DataFrame
    failed: tuple[str, ...]
    findings: tuple[Finding, ...]


@task
def look(settings: Settings, as_of: dt.date, linked: Path, champion: books.Registered, run: Path) -> Looked:
    """Check feeds, coding, leaks, people and features; `run` holds the profile of the week's features."""
    say("Looking whether this week's data are like those that the model learned from")
    return look_at(settings, as_of, linked, models.load(champion.folder).risk.features, run / "profile.parquet")


def look_at(
    settings: Settings, as_of: dt.date, linked: Path, used: tuple[str, ...] = (), profile: Path | None = None
) -> Looked:
    """Do so without a champion too: then no feature is compared, and a leak names no feature."""
    limits, events = settings.monitoring, linked / "events.parquet"
    people = pd.read_parquet(linked / "people.parquet", columns=NEEDED)
    days = sorted(monitoring.year_apart(as_of))
    eligible = models.population(linked / "people.parquet", linked / "enrolments.parquet", days, settings.eligibility)
    here = people[people["person_id"].isin(eligible.loc[eligible["index_date"] == days[-1], "person_id"])]
    begin = dt.date.fromisoformat(json.loads((linked / "summary.json").read_text())["begin"])
    feeds = monitoring.feeds(events, here, as_of, limits)
    codes, about_codes = monitoring.coding_changes(events, people, begin, as_of, settings.quality)
    leaks = monitoring.leaks(linked, begin, as_of, settings.outcome, settings.quality)
    composition = monitoring.composition(people, eligible, linked, begin, as_of, settings.outcome)
    rested = rests_on(events)
    empty = doors.empty(PROFILE)
    # What looks back over all there is moves by itself as the data grow.
    bounded = [feature.name for feature in CATALOGUE if feature.name in used and feature.window_days is not None]
    features = monitoring.by_source(empty if profile is None else doors.read(profile, PROFILE), bounded, rested)
    ethnicity, earlier = monitoring.unknown_ethnicity(here), earlier_monitoring(settings, as_of)
    findings = [
        *monitoring.about_feeds(feeds, limits, earlier),
        *monitoring.about_features(features, limits),
        *about_codes,
        *monitoring.about_leaks(leaks, _used_by(leaks, used), settings.outcome.name, earlier),
        *monitoring.about_population(composition, limits, earlier),
        *monitoring.about_ethnicity(
            ethnicity, settings.fairness.maximum_unknown_ethnicity, settings.fairness.minimum_people, earlier
        ),
    ]
    failed = dict.fromkeys([*monitoring.stopped(feeds), *monitoring.shifted_sources(features, limits)])
    return Looked(feeds, codes, leaks, composition, features, ethnicity, tuple(failed), tuple(findings))


def _used_by(leaks: pd.DataFrame, used: tuple[str, ...]) -> dict[str, list[str]]:
    """Return, for each leaking code, the features of a model that rest on it."""
    groups = map_codes(leaks.loc[leaks["leaks"], "code"])
    known = {feature.name: feature.groups() for feature in CATALOGUE if feature.name in set(used)}
    return {
        str(code): [name for name, own in known.items() if own & set(rows["group"])]
        for code, rows in groups.groupby("code")
    }


def model_to_use(settings: Settings, champion: books.Registered, looked: Looked) -> tuple[Path, tuple[str, ...]]:
    """Return the folder of the model that may score this week, and the sources that it does without.

    Raises
    ------
    SourceError
        A feed has failed, and the settings refuse, or no model was trained that does without it.
    """
    if not looked.failed:
        return champion.folder, ()
    why = [finding.sentence for finding in looked.findings if finding.level == monitoring.PAST]
    mend = "Have the feed mended and run again."
    if settings.monitoring.when_a_feed_fails == "refuse":
        raise SourceError(
            why,
            f"{mend} Or let monitoring.when_a_feed_fails fall back to a model trained without it, or, knowing what it costs, "
            "raise the limit (monitoring.maximum_silent_people, monitoring.maximum_shifted_features).",
        )
    folder = without_source(champion.folder, looked.failed[0])
    if len(looked.failed) > 1 or not folder.is_dir():
        named = ", ".join(looked.failed)
        raise SourceError(
            [*why, f"model {champion.version} has none beside it that was trained without {named}"],
            f"{mend} Or name one source in monitoring.fall_back_without and run casewell train with data in which the feed "
            "still came.",
        )
    say(f"The feed of {looked.failed[0]} has failed: scoring with the model that was trained without it")
    return folder, looked.failed


@task
def watch(
    settings: Settings,
    as_of: dt.date,
    linked: Path,
    looked: Looked,
    champion: books.Registered,
    trained: Path,
    without: tuple[str, ...],
    run: Path,
    synthetic: bool,
) -> dict[str, Any]:
    """Hold the week against earlier ones and write `monitoring.html` and `monitoring.json`; return what a manifest says."""
    say("Holding the week against earlier ones")
    limits, weeks = settings.monitoring, past_weeks(settings, as_of)
    scores = {
        since: monitoring.score_drift(then, risks_of(run)) for since, then in _earlier_risks(trained, weeks).items()
    }
    model = scored_by({"digest": champion.digest, "without": list(without)})
    calibration = predictions_come_true(settings, as_of, linked, weeks, trained, model)
    churn = _churn(settings, as_of, run, model)
    findings = [
        *looked.findings,
        *monitoring.about_scores(scores, limits),
        *monitoring.about_calibration(calibration, limits),
        *monitoring.about_churn(churn, limits),
    ]
    week = monitoring.Week(
        name=settings.name,
        as_of=as_of,
        synthetic=synthetic,
        model=f"{champion.version}, trained as of {champion.trained_as_of}"
        + (f", without {', '.join(without)}" if without else ""),
        without=without,
        feeds=looked.feeds,
        codes=looked.codes,
        leaks=looked.leaks,
        composition=looked.composition,
        features=looked.features,
        scores=scores,
        calibration=calibration,
        churn=churn,
        need=_need_by_fifth(run),
        findings=tuple(monitoring.worst(findings)),
        ethnicity=looked.ethnicity,
        earlier=earlier_monitoring(settings, as_of),
    )
    monitoring.write_page(week, limits, run / "monitoring.html")
    record = monitoring.as_json(week)
    text = json.dumps(record, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n"
    (run / "monitoring.json").write_text(text, encoding="utf-8", newline="\n")
    return {name: record[name] for name in ("headline", "findings", "numbers", "model_without")}


def _earlier_risks(trained: Path, weeks: list[PastWeek]) -> dict[str, Any]:
    """Return the risks that this week's are compared with, by what they are in plain words."""
    test = trained / "test_predictions.parquet"
    found = (
        {"the test of the champion": pd.read_parquet(test, columns=["risk"])["risk"].to_numpy()}
        if test.is_file()
        else {}
    )
    return found | ({"the last run": risks_of(weeks[-1].folder)} if weeks else {})


def _need_by_fifth(run: Path) -> pd.DataFrame:
    """Return mean need, recorded and expected, by deprivation fifth."""
    scores = pd.read_parquet(run / "scores.parquet", columns=["person_id", "need", "need_expected"])
    fifths = pd.read_parquet(run / "groups.parquet", columns=["person_id", "imd_quintile"])
    by = scores.merge(fifths, on="person_id").groupby("imd_quintile")
    return by.agg(people=("need", "size"), need=("need", "mean"), need_expected=("need_expected", "mean")).reset_index()


def _churn(settings: Settings, as_of: dt.date, run: Path, model: str) -> monitoring.Churn | None:
    last = last_list(settings, as_of)
    if last is None:
        return None
    scored, then = last_scores(settings, as_of)
    return monitoring.churn(
        doors.read(run / "turnover.parquet", TURNOVER),
        pd.read_parquet(run / "scores.parquet", columns=["person_id", "benefit"]),
        then,
        doors.read(run / "cohort.parquet", COHORT),
        str(last.as_of),
        int((last.cohort["status"] == LISTED).sum()),
        scored_by(scored) != model,
    )
