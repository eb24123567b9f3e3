"""The weekly flow: sources to lists, with the gate in the way."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
from prefect import flow, task

import cohorts
import fairness
import models
from casewell import __version__, doors
from casewell.errors import SettingsError, SourceError, TrainingError
from casewell.settings import Settings, load
from cohorts.tables import COHORT, ELIGIBLE, LEDGER, LISTED, NOT_SELECTED, RESERVE, UNMET
from features import CATALOGUE
from flows import books
from flows.dates import end_of_fresh_data
from flows.profiling import PROFILE_FILES, profile_week
from flows.progress import say
from flows.stages import build_features, link
from flows.training import train, training_folder
from flows.working import working
from flows.workspace import (
    code_digest,
    digest_of,
    file_digest,
    forget_old_stages,
    identity,
    source_digests,
    stamped,
)
from models.tables import SCORES, TEST_PREDICTIONS
from records.pseudonyms import tie_break_key
from records.rotation import present
from records.tables import CONTACTS, ENROLMENTS, LINKAGE, PEOPLE, PRACTICES, REMOVED

USE = "emergency_admission_count_1095d"
"""The feature that stands for use of hospital in the audit."""
PUBLIC = ("ledger.json", "fairness.json", "fairness.html", "policy.json", "policy.html")
"""Of the files of a week, those without a row about a person."""


@task
def score(matrix: Path, model: Path, out: Path) -> None:
    """Write the three scores of everybody who could be offered case management."""
    say("Scoring risk, need and benefit")
    doors.write(models.score(models.load(model), pd.read_parquet(matrix)), SCORES, out / "scores.parquet")


@task
def group(as_of: dt.date, linked: Path, out: Path) -> None:
    """Write everybody's groups, which the policy, its price and the audit share."""
    people = doors.read(linked / "people.parquet", PEOPLE)
    groups = fairness.group_table(people, as_of, fairness.recorded_conditions(linked / "events.parquet", as_of))
    doors.write(groups, fairness.GROUPS, out / "groups.parquet")


@task
def choose(settings: Settings, as_of: dt.date, linked: Path, matrix: Path, model: Path, out: Path) -> None:
    """Route, allocate, give reasons, and account for everybody."""
    say("Choosing within each team's places, and accounting for everybody else")
    people = doors.read(linked / "people.parquet", PEOPLE)
    scores = doors.read(out / "scores.parquet", SCORES)
    routes = cohorts.route(
        people, linked / "events.parquet", doors.read(linked / "enrolments.parquet", ENROLMENTS), as_of, settings
    )
    eligible = routes.loc[routes["door"] == ELIGIBLE, "person_id"]
    scored = scores[scores["person_id"].isin(eligible)].reset_index(drop=True)
    key = tie_break_key(settings, stamped(settings))
    groups = doors.read(out / "groups.parquet", fairness.GROUPS)
    allocation = cohorts.allocate(
        scored, people, settings.teams, key, settings.policy, groups, settings.fairness.need_share
    )
    chosen = allocation.loc[allocation["status"] != "not_selected", "person_id"]
    features = pd.read_parquet(matrix, filters=[("person_id", "in", chosen.tolist())])
    grade = features[["person_id"]].merge(scored, on="person_id", how="left")["evidence_grade"]
    why = models.contributions(models.load(model), features, (grade == "assumed").to_numpy())
    reasons = cohorts.reasons(why, CATALOGUE, settings.lists.reasons)
    cohort = cohorts.assemble(allocation, scored, reasons, people, as_of)
    doors.write(cohort, COHORT, out / "cohort.parquet")
    admitted = pd.read_parquet(matrix, columns=["person_id", USE]).rename(columns={USE: "use"})
    unmet = cohorts.unmet_need(allocation, scored, admitted, settings.fairness.need_share, settings.lists.unmet_need)
    doors.write(unmet, UNMET, out / "unmet.parquet")
    ledger = cohorts.ledger(people, doors.read(linked / "removed.parquet", REMOVED), routes, allocation)
    doors.write(ledger, LEDGER, out / "ledger.parquet")
    cohorts.write_counts(cohorts.counts(ledger, as_of, bool(people["synthetic"].any())), out / "ledger.json")


@task
def price(settings: Settings, as_of: dt.date, linked: Path, out: Path, synthetic: bool, grade: str) -> dict[str, Any]:
    """Say what the policy on places costs and moves; return the sentences and the numbers of the chosen list."""
    say("Working out what the policy on places costs, and what others would")
    people = doors.read(linked / "people.parquet", PEOPLE)
    cohort = doors.read(out / "cohort.parquet", COHORT)
    found = cohorts.price(
        cohort.loc[cohort["status"] == LISTED, "person_id"].to_numpy(),
        _competing(out),
        people,
        doors.read(out / "groups.parquet", fairness.GROUPS),
        settings.teams,
        settings.policy,
        settings.fairness.need_share,
        tie_break_key(settings, stamped(settings)),
    )
    told = cohorts.price_json(found, settings.policy, settings.outcome.name, grade)
    _write_json({"name": settings.name, "as_of": str(as_of), "synthetic": synthetic} | told, out / "policy.json")
    cohorts.write_price_page(
        found,
        settings.policy,
        out / "policy.html",
        name=settings.name,
        as_of=as_of,
        synthetic=synthetic,
        outcome=settings.outcome.name,
        grade=grade,
    )
    before, after = found.row("by benefit alone"), found.row("chosen")
    numbers = {
        "benefit": after["benefit"],
        "benefit_lost": before["benefit"] - after["benefit"],
        "inequity": after["inequity"],
    }
    known = {name: float(number) for name, number in numbers.items() if pd.notna(number)}
    return {"chosen": settings.policy.chosen, "says": told["says"], "numbers": known}


def _competing(out: Path) -> pd.DataFrame:
    """Return the scores of everybody who could have had a place this week."""
    scores, ledger = doors.read(out / "scores.parquet", SCORES), doors.read(out / "ledger.parquet", LEDGER)
    competing = ledger.loc[ledger["door"].isin([LISTED, RESERVE, NOT_SELECTED]), "person_id"]
    return scores[scores["person_id"].isin(competing)].reset_index(drop=True)


@task
def audit(
    settings: Settings, as_of: dt.date, linked: Path, matrix: Path, test: Path, out: Path, synthetic: bool, grade: str
) -> fairness.Verdict:
    """Audit the list by group and let the gate decide."""
    say("Auditing the lists by deprivation, ethnicity, sex and age")
    people = doors.read(linked / "people.parquet", PEOPLE)
    cohort = doors.read(out / "cohort.parquet", COHORT)
    tested = doors.read(test, TEST_PREDICTIONS) if test.is_file() else doors.empty(TEST_PREDICTIONS)
    # The training may have been under an earlier pseudonym key.
    tested = tested.assign(person_id=present(settings, tested["person_id"]))
    began = tested["index_date"].min() if len(tested) else as_of
    events = linked / "events.parquet"
    found = fairness.audit(
        doors.read(out / "groups.parquet", fairness.GROUPS),
        _competing(out),
        cohort.loc[cohort["status"] == LISTED, "person_id"].to_numpy(),
        # Without those who have opted out since the training.
        tested[tested["person_id"].isin(people["person_id"])],
        doors.read(linked / "linkage.parquet", LINKAGE),
        settings.fairness,
        settings.seed,
        test_groups=fairness.group_table(people, began, fairness.recorded_conditions(events, began)),
        known=_known(settings, as_of, people, events, matrix),
    )
    verdict = fairness.decide(found, settings.fairness)
    stamp = {"name": settings.name, "as_of": str(as_of), "synthetic": synthetic}
    _write_json(stamp | fairness.to_json(found, verdict), out / "fairness.json")
    fairness.write_page(
        found,
        verdict,
        out / "fairness.html",
        title=f"Is this week's list fair? {settings.name}",
        as_of=as_of,
        synthetic=synthetic,
        evidence_grade=grade,
    )
    return verdict


def _known(settings: Settings, as_of: dt.date, people: pd.DataFrame, events: Path, matrix: Path) -> pd.DataFrame:
    """Return each person's emergency admissions of three years and, where extracts hold GP records, whether the practice is silent."""
    from_practices = [
        name
        for name, source in settings.sources.items()
        if source.enabled and source.kind == "extract" and (source.table or name) == "gp_events"
    ]
    admitted = pd.read_parquet(matrix, columns=["person_id", USE]).rename(columns={USE: "use"}).fillna({"use": 0})
    known = people[["person_id"]]
    if from_practices:
        silent = fairness.silent_practices(people, events, from_practices, as_of, settings.fairness.silent_days)
        known = known.assign(silent=silent)
    return known.merge(admitted, on="person_id")


def weekly(settings: Settings, as_of: dt.date) -> dict[str, Any]:
    """Make the week's lists within whatever flow is running; return the manifest."""
    final = settings.data_dir / "cohorts" / str(as_of)
    cohorts.refuse_outdated(settings.policy, as_of)
    fairness.refuse_outdated_limits(settings.fairness, as_of)
    _refuse_another_populations_folder(final, settings.name)
    champion = books.champion(settings, as_of)
    if champion is None:
        say("There is no champion model for this date yet: training one")
        train(settings, as_of)
        champion = books.champion(settings, as_of)
    if champion is None:
        raise TrainingError(
            f"the model trained for {as_of} did not meet the rule for champions. {models.RULE}",
            "See its measures (make ui), give more history, or run for a date that a champion was trained for.",
        )
    sources = source_digests(settings)
    linked = link(settings, as_of)
    summary = json.loads((linked / "summary.json").read_text())
    matrix = build_features(settings, as_of, linked)
    everything = identity(settings, as_of, *Settings.model_fields)
    run = settings.data_dir / "runs" / f"{as_of}-{digest_of(everything, champion.digest)}"
    partial = run.with_name(f"{run.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True, mode=0o700)

    profiled = profile_week(settings, as_of, linked, matrix, champion, partial)
    score(matrix, champion.folder, partial)
    group(as_of, linked, partial)
    choose(settings, as_of, linked, matrix, champion.folder, partial)
    evidence = models.load(champion.folder).evidence
    test = training_folder(settings, champion) / "test_predictions.parquet"
    verdict = audit(settings, as_of, linked, matrix, test, partial, summary["synthetic"], evidence.grade)
    cost = price(settings, as_of, linked, partial, summary["synthetic"], evidence.grade)
    manifest = {
        "run": run.name,
        "folder": str(run),
        "name": settings.name,
        "as_of": str(as_of),
        "purpose": settings.purpose,
        "synthetic": summary["synthetic"],
        "code": {"version": __version__, "digest": code_digest()},
        "sources": sources,
        "settings": settings.model_dump(mode="json"),
        "model": {"version": champion.version, "digest": champion.digest, "trained_as_of": str(champion.trained_as_of)},
        "evidence": {"grade": evidence.grade, "sentence": evidence.sentence()},
        "fairness": {
            "verdict": verdict.verdict,
            "released": verdict.released,
            "reasons": list(verdict.reasons),
            "findings": list(verdict.findings),
            "override": verdict.override.model_dump(mode="json") if verdict.override else None,
        },
        "policy": cost,
        "features": profiled,
        "missing": summary["missing"],
        "doors": json.loads((partial / "ledger.json").read_text())["doors"],
        "people": json.loads((partial / "ledger.json").read_text())["people"],
        "registered": summary["people_in_spine"],
    }
    manifest["published_to"] = str(final) if verdict.released else None
    _write_json(manifest, partial / "manifest.json")
    if source_digests(settings) != sources:
        raise SourceError("a source changed while the run was reading it", "Run again when the files are complete.")
    shutil.rmtree(run, ignore_errors=True)
    partial.rename(run)
    if verdict.released:
        deliver(as_of, linked, run, final, manifest, verdict)
    books.record_week(settings, as_of, manifest, [run / name for name in (*PUBLIC, *PROFILE_FILES)])
    forget_old_stages([settings.data_dir / "linked", settings.data_dir / "features"])
    return manifest


def _refuse_another_populations_folder(final: Path, name: str) -> None:
    manifest = final / "manifest.json"
    if manifest.is_file() and (held := json.loads(manifest.read_text(encoding="utf-8"))["name"]) != name:
        raise SettingsError(
            f"{final} holds the lists of {held!r}; those of {name!r} would replace them",
            "Give each population a data_dir of its own.",
        )


@task
def deliver(
    as_of: dt.date, linked: Path, run: Path, final: Path, manifest: dict[str, Any], verdict: fairness.Verdict
) -> None:
    """Write every team's files beside the audit and the account, and publish the folder by one rename."""
    say("Writing each team's list and publishing")
    cohorts.clear_leftovers(final.parent)
    staged = cohorts.stage(final)
    for name in ("cohort.parquet", *PUBLIC):
        shutil.copy2(run / name, staged / name)
    override = verdict.override
    heading = cohorts.Heading(
        as_of, verdict.verdict, override.owner if override else "", override.reason if override else ""
    )
    cohorts.write_lists(
        doors.read(run / "cohort.parquet", COHORT),
        doors.read(linked / "contacts.parquet", CONTACTS),
        doors.read(linked / "practices.parquet", PRACTICES),
        heading,
        staged / "lists",
        manifest["synthetic"],
        doors.read(run / "unmet.parquet", UNMET),
    )
    files = {str(path.relative_to(staged)): file_digest(path) for path in sorted(staged.rglob("*")) if path.is_file()}
    _write_json(manifest | {"files": files}, staged / "manifest.json")
    cohorts.publish(staged, final)


@flow(name="casewell weekly", validate_parameters=False)
def weekly_flow(settings_file: str, as_of: str | None = None) -> dict[str, Any]:
    """Make the lists known as of a date (ISO); without one, as a scheduled run, as of the end of the data."""
    settings = load(Path(settings_file))
    with working(settings):
        return weekly(settings, dt.date.fromisoformat(as_of) if as_of else end_of_fresh_data(settings))


def _write_json(content: dict[str, Any], path: Path) -> None:
    path.write_text(json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
