"""The weekly flow: sources to lists, with the gate in the way."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from prefect import flow, task

import cohorts
import fairness
import models
from casewell import __version__, doors
from casewell.errors import SettingsError, SourceError, TrainingError
from casewell.settings import CASE_MANAGEMENT, Settings, load
from cohorts.tables import COHORT, ELIGIBLE, LEDGER, LISTED, LOTS, TURNOVER, UNMET
from flows import books
from flows.dates import end_of_fresh_data
from flows.delivering import PUBLIC, deliver, tell_release, work_in_hand, write_json
from flows.describing import described
from flows.earlier import earlier_audit
from flows.last_list import last_list
from flows.lots import resting
from flows.monitoring import look, model_to_use, watch
from flows.other_programmes import evidence_of, offered, score_other_programmes
from flows.past_weeks import held_against
from flows.places import all_places, besides, refuse_unknown_teams
from flows.pricing import competing, price
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
from models.tables import BENEFIT_EVIDENCE, SCORES, TEST_PREDICTIONS
from records.programmes import enrolments_of, offers_of
from records.pseudonyms import tie_break_key
from records.rotation import present
from records.tables import (
    LINKAGE,
    PEOPLE,
    REMOVED,
    RESIDENCES,
)

USE = "emergency_admission_count_1095d"
"""The feature that stands for use of hospital in the audit."""
ATTENDED = "ed_attendance_count_1095d"
"""And the one for coming to an emergency department, whatever came of it."""


@task
def score(as_of: dt.date, linked: Path, matrix: Path, model: Path, out: Path) -> None:
    """Write the three scores of everybody who could be offered case management, and need as it would be if all were seen alike."""
    say("Scoring risk, need and benefit")
    table = pd.read_parquet(matrix)
    people = pd.read_parquet(linked / "people.parquet", columns=["person_id", "practice_code"])
    scores = models.score(models.load(model), table)
    practice = table["person_id"].map(people.set_index("person_id")["practice_code"])
    known = models.completeness(models.second_looks(linked / "events.parquet", as_of), table, practice)
    doors.write(scores.assign(need_expected=models.expected_need(table, known)), SCORES, out / "scores.parquet")


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
    others = besides(settings, as_of, linked, out)
    routes = cohorts.route(
        people,
        linked / "events.parquet",
        enrolments_of(linked, CASE_MANAGEMENT),
        offers_of(linked, CASE_MANAGEMENT),
        doors.read(linked / "residences.parquet", RESIDENCES),
        as_of,
        settings,
        open_elsewhere=others.open_to(people) if others else (),
    )
    eligible = routes.loc[routes["door"] == ELIGIBLE, "person_id"]
    scored = scores[scores["person_id"].isin(eligible)].reset_index(drop=True)
    key = tie_break_key(settings, stamped(settings))
    groups = doors.read(out / "groups.parquet", fairness.GROUPS)
    last = last_list(settings, as_of)
    listed_last = last.cohort[last.cohort["status"] == LISTED] if last else None
    asked = (
        scored,
        people,
        settings.teams,
        key,
        settings.policy,
        groups,
        settings.fairness.need_share,
        settings.stability,
        listed_last,
    )
    allocation = cohorts.allocate(*asked, as_of, others, resting(settings, as_of))
    if settings.teams.margins:
        doors.write(cohorts.lots(allocation, settings.teams, as_of), LOTS, out / "lots.parquet")
    silent = _silent(settings, as_of, people, linked / "events.parquet")
    silent_people = set(people.loc[silent, "person_id"]) if silent is not None else set()
    offered = cohorts.as_offered(allocation, scored, others)
    cohort = described(settings, as_of, linked, matrix, model, allocation, offered, people, silent_people, last)
    doors.write(cohort, COHORT, out / "cohort.parquet")
    admitted = pd.read_parquet(matrix, columns=["person_id", USE]).rename(columns={USE: "use"})
    unmet = cohorts.unmet_need(allocation, scored, admitted, settings.fairness.need_share, settings.lists.unmet_need)
    doors.write(unmet, UNMET, out / "unmet.parquet")
    ledger = cohorts.ledger(people, doors.read(linked / "removed.parquet", REMOVED), routes, allocation)
    doors.write(ledger, LEDGER, out / "ledger.parquet")
    synthetic = bool(people["synthetic"].any())
    cohorts.write_counts(cohorts.counts(ledger, as_of, synthetic), out / "ledger.json")
    places = {team: all_places(settings, team) for team in sorted(set(allocation["team_code"]))}
    as_before = cohorts.listed_with(last, *asked, others) if last else None
    closed = others.closed if others else None
    turnover = cohorts.turnover(ledger, allocation, offered, places, last, as_before, closed)
    doors.write(turnover, TURNOVER, out / "turnover.parquet")
    counted = cohorts.turnover_counts(turnover, allocation, offered, settings.stability, last)
    write_json({"name": settings.name, "as_of": str(as_of), "synthetic": synthetic} | counted, out / "turnover.json")


@task
def audit(
    settings: Settings,
    as_of: dt.date,
    linked: Path,
    matrix: Path,
    trained: Path,
    out: Path,
    synthetic: bool,
    grade: str,
    beside: dict[str, dict[str, Any]],
    cost: Sequence[str],
    harms: Sequence[tuple[bool, str]],
) -> fairness.Verdict:
    """Audit the list by group and let the gate decide.

    `trained` is the champion's folder, `cost` says what the policy costs, `harms` which programmes did harm on the history, or may have.
    """
    say("Auditing the lists by deprivation, ethnicity, sex and age")
    people = doors.read(linked / "people.parquet", PEOPLE)
    cohort = doors.read(out / "cohort.parquet", COHORT)
    listed = cohort[cohort["status"] == LISTED]
    tested = _of_training(settings, trained / "test_predictions.parquet", TEST_PREDICTIONS, people)
    evidence = _of_training(settings, trained / "benefit_evidence.parquet", BENEFIT_EVIDENCE, people)
    began = tested["index_date"].min() if len(tested) else as_of
    events = linked / "events.parquet"
    found = fairness.audit(
        doors.read(out / "groups.parquet", fairness.GROUPS),
        competing(out),
        listed["person_id"].to_numpy(),
        fairness.what_happened(tested, linked, settings.outcome.horizon_days),
        doors.read(linked / "linkage.parquet", LINKAGE),
        settings.fairness,
        settings.seed,
        test_groups=fairness.group_table(people, began, fairness.recorded_conditions(events, began)),
        known=_known(settings, as_of, people, events, matrix),
        evidence=evidence,
        funnel=_funnel(settings, as_of, linked, out),
        found=models.second_looks(events, as_of).found(),
        earlier=earlier_audit(settings, as_of),
        held=listed.set_index("person_id")["programme"] if settings.programmes else None,
    )
    verdict = fairness.decide(found, settings.fairness, harms, as_of)
    stamp = {"name": settings.name, "as_of": str(as_of), "synthetic": synthetic}
    graded = {"evidence_grades": {CASE_MANAGEMENT: grade} | {code: told["grade"] for code, told in beside.items()}}
    write_json(stamp | fairness.to_json(found, verdict) | graded, out / "fairness.json")
    about: Any = {"title": f"Is this week's list fair? {settings.name}", "as_of": as_of, "synthetic": synthetic}
    fairness.write_page(found, verdict, out / "fairness.html", **about, evidence_grade=grade, price=cost, beside=beside)
    fairness.write_tables_page(found, verdict, out / "fairness_tables.html", **about)
    return verdict


def _of_training(settings: Settings, path: Path, door: Any, people: pd.DataFrame) -> pd.DataFrame:
    """Return a table of the champion's training without those who have opted out since; empty where none was kept."""
    table = doors.read(path, door) if path.is_file() else doors.empty(door)
    # The training may have been under an earlier pseudonym key.
    table = table.assign(person_id=present(settings, table["person_id"]))
    return table[table["person_id"].isin(people["person_id"])].reset_index(drop=True)


def _funnel(settings: Settings, as_of: dt.date, linked: Path, out: Path) -> pd.DataFrame:
    """Return what became of offers of case management by group, of those who compete today or had an offer."""
    offers = offers_of(linked, CASE_MANAGEMENT)
    groups = doors.read(out / "groups.parquet", fairness.GROUPS)
    counted = pd.concat([competing(out)["person_id"], offers["person_id"]])
    groups = groups[groups["person_id"].isin(counted)]
    return fairness.funnel_rows(offers, groups, as_of, settings.fairness.confidence)


def _known(settings: Settings, as_of: dt.date, people: pd.DataFrame, events: Path, matrix: Path) -> pd.DataFrame:
    """Return each person's team, use of hospital in three years and, where extracts hold GP records, whether the practice is silent."""
    use = pd.read_parquet(matrix, columns=["person_id", USE, ATTENDED]).fillna({USE: 0, ATTENDED: 0})
    use = use.rename(columns={USE: "use", ATTENDED: "attended"})
    if not use["attended"].any():
        # No source tells of attendances: nobody knows who attended.
        use = use.drop(columns="attended")
    known = people[["person_id"]].assign(team=people["team_code"])
    silent = _silent(settings, as_of, people, events)
    return (known if silent is None else known.assign(silent=silent)).merge(use, on="person_id")


def _silent(settings: Settings, as_of: dt.date, people: pd.DataFrame, events: Path) -> pd.Series | None:
    """Mark the people whose practice has stopped sending records; None where no extract holds GP records."""
    from_practices = [
        name
        for name, source in settings.sources.items()
        if source.enabled and source.kind == "extract" and (source.table or name) == "gp_events"
    ]
    if not from_practices:
        return None
    return fairness.silent_practices(people, events, from_practices, as_of, settings.fairness.silent_days)


def weekly(settings: Settings, as_of: dt.date) -> dict[str, Any]:
    """Make the week's lists within whatever flow is running; return the manifest."""
    final = settings.data_dir / "cohorts" / str(as_of)
    cohorts.refuse_outdated(settings.policy, as_of)
    cohorts.refuse_outdated_margins(settings.teams, as_of)
    fairness.refuse_outdated_limits(settings.fairness, as_of)
    models.refuse_programmes(settings.programmes, as_of)
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
    refuse_unknown_teams(settings, linked)
    summary = json.loads((linked / "summary.json").read_text())
    matrix = build_features(settings, as_of, linked)
    everything = identity(settings, as_of, *Settings.model_fields)
    work = work_in_hand(settings)
    carried = file_digest(work) if work.is_file() else None
    told = digest_of(everything, champion.digest, held_against(settings, as_of), carried)
    run = settings.data_dir / "runs" / f"{as_of}-{told}"
    partial = run.with_name(f"{run.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True, mode=0o700)

    profiled = profile_week(settings, as_of, linked, matrix, champion, partial)
    looked = look(settings, as_of, linked, champion, partial)
    model, without = model_to_use(settings, champion, looked)
    score(as_of, linked, matrix, model, partial)
    if settings.programmes:
        score_other_programmes(settings, linked, matrix, model, partial)
    group(as_of, linked, partial)
    choose(settings, as_of, linked, matrix, model, partial)
    scoring = models.load(model)
    evidence = scoring.evidence
    trained = training_folder(settings, champion, without)
    synthetic, grade = summary["synthetic"], evidence.grade
    beside = evidence_of(settings, scoring)
    cost = price(settings, as_of, linked, partial, synthetic, grade, beside)
    harms = models.harms(scoring, offered(doors.read(partial / "cohort.parquet", COHORT)))
    verdict = audit(settings, as_of, linked, matrix, trained, partial, synthetic, grade, beside, cost["says"], harms)
    watched = watch(settings, as_of, linked, looked, champion, trained, without, partial, synthetic)
    manifest = {
        "run": run.name,
        "folder": str(run),
        "name": settings.name,
        "as_of": str(as_of),
        "purpose": settings.purpose,
        "synthetic": summary["synthetic"],
        "stamps": summary["stamps"],
        "code": {"version": __version__, "digest": code_digest()},
        "sources": sources,
        "work": carried,
        "settings": settings.model_dump(mode="json"),
        "model": {
            "version": champion.version,
            "digest": champion.digest,
            "trained_as_of": str(champion.trained_as_of),
            "without": list(without),
        },
        "evidence": {"grade": evidence.grade, "sentence": evidence.sentence()},
        "fairness": {
            "verdict": verdict.verdict,
            "released": verdict.released,
            "reasons": list(verdict.reasons),
            "findings": list(verdict.findings),
            "override": verdict.override.model_dump(mode="json") if verdict.override else None,
            "override_lapsed": verdict.about_lapsed(),
        },
        "policy": cost,
        "turnover": json.loads((partial / "turnover.json").read_text()),
        "features": profiled,
        "monitoring": watched,
        "missing": summary["missing"],
        "doors": json.loads((partial / "ledger.json").read_text())["doors"],
        "people": json.loads((partial / "ledger.json").read_text())["people"],
        "registered": summary["people_in_spine"],
    }
    if settings.programmes:
        manifest["programmes"] = beside
    manifest["published_to"] = str(final) if verdict.released else None
    tell_release(as_of, partial, manifest, verdict)
    write_json(manifest, partial / "manifest.json")
    if source_digests(settings) != sources:
        raise SourceError("a source changed while the run was reading it", "Run again when the files are complete.")
    shutil.rmtree(run, ignore_errors=True)
    partial.rename(run)
    if verdict.released:
        deliver(as_of, linked, run, final, manifest, verdict, work)
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


@flow(name="casewell weekly", validate_parameters=False)
def weekly_flow(settings_file: str, as_of: str | None = None) -> dict[str, Any]:
    """Make the lists known as of a date (ISO); without one, as a scheduled run, as of the end of the data."""
    settings = load(Path(settings_file))
    with working(settings):
        return weekly(settings, dt.date.fromisoformat(as_of) if as_of else end_of_fresh_data(settings))
