"""Writing each team's files, and publishing the week."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path
from typing import Any

from prefect import task

import cohorts
import fairness
from casewell import doors
from casewell.settings import CASE_MANAGEMENT, CASE_MANAGEMENT_TITLE, Settings
from cohorts.tables import COHORT, TURNOVER, UNMET, WORK
from flows.monitoring import MONITORING_FILES
from flows.progress import say
from flows.workspace import digest_of, file_digest
from records.tables import CONTACTS, PRACTICES

PUBLIC = (
    "ledger.json",
    "fairness.json",
    "fairness.html",
    "fairness_tables.html",
    "policy.json",
    "policy.html",
    "turnover.json",
    *MONITORING_FILES,
)
"""Of the files of a week, those without a row about a person."""
_SAYS_SO = ("fairness.html", "fairness.json")
"""Those that tell the verdict, and who overrode it, by themselves."""


def work_in_hand(settings: Settings) -> Path:
    """Return where the worklist leaves what teams recorded; there is no file until somebody did."""
    return settings.data_dir / "worklist" / "work.parquet"


@task
def deliver(
    as_of: dt.date,
    linked: Path,
    run: Path,
    final: Path,
    manifest: dict[str, Any],
    verdict: fairness.Verdict,
    work: Path,
) -> None:
    """Write every team's files beside the audit and the account, and publish the folder by one rename."""
    say("Writing each team's list and publishing")
    cohorts.clear_leftovers(final.parent)
    staged = cohorts.stage(final)
    for name in ("cohort.parquet", *_kept(run), *PUBLIC):
        shutil.copy2(run / name, staged / name)
    heading = heading_of(as_of, manifest, verdict)
    cohort, contacts = doors.read(run / "cohort.parquet", COHORT), doors.read(linked / "contacts.parquet", CONTACTS)
    practices = doors.read(linked / "practices.parquet", PRACTICES)
    told = manifest["settings"]["outcome"]
    cohorts.write_bundles(
        cohort,
        contacts,
        practices,
        heading,
        staged / "fhir",
        told["name"],
        told["horizon_days"],
        manifest["synthetic"],
    )
    written, left_out = cohorts.write_practice_files(cohort, contacts, staged / "imports", manifest["synthetic"])
    manifest = manifest | {"imports": {"people": written, "left_out": left_out}}
    cohorts.write_lists(
        cohort,
        contacts,
        practices,
        heading,
        staged / "lists",
        manifest["synthetic"],
        doors.read(run / "unmet.parquet", UNMET),
        doors.read(run / "turnover.parquet", TURNOVER),
        doors.read(work, WORK) if work.is_file() else None,
    )
    files = {str(path.relative_to(staged)): file_digest(path) for path in sorted(staged.rglob("*")) if path.is_file()}
    write_json(manifest | {"files": files}, staged / "manifest.json")
    cohorts.publish(staged, final)


def tell_release(as_of: dt.date, run: Path, manifest: dict[str, Any], verdict: fairness.Verdict) -> None:
    """Write into each file of a run that the gate's verdict was not yet known to who released the lists, or that nobody did."""
    names = ["cohort.parquet", *_kept(run), *(name for name in PUBLIC if name not in _SAYS_SO)]
    withheld = [] if verdict.released else [" ".join(["The lists are withheld.", verdict.about_lapsed()]).strip()]
    told = {name: manifest["fairness"][name] for name in ("verdict", "released", "override")}
    lines = [*cohorts.caveats(heading_of(as_of, manifest, verdict)), *withheld]
    cohorts.tell_release((run / name for name in names), lines, told)


def _kept(run: Path) -> list[str]:
    """Return the tables beside the cohort that are published where there are any."""
    return [name for name in ("lots.parquet",) if (run / name).is_file()]


def heading_of(as_of: dt.date, manifest: dict[str, Any], verdict: fairness.Verdict) -> cohorts.Heading:
    """Return what every list of the week says of itself."""
    override = verdict.override
    since = manifest["turnover"]["since"]
    return cohorts.Heading(
        as_of,
        verdict.verdict,
        override.owner if override else "",
        override.reason if override else "",
        override.review_date if override else None,
        dt.date.fromisoformat(since) if since else None,
        tuple(manifest["missing"]),
        tuple(manifest["model"]["without"]),
        _titles(manifest),
        {code: told["sentence"] for code, told in manifest.get("programmes", {}).items()},
        {
            "run": manifest["run"],
            "code": f"{manifest['code']['version']} {manifest['code']['digest']}",
            "model": f"{manifest['model']['version']} {manifest['model']['digest']}",
            "settings": digest_of(manifest["settings"]),
        },
        verdict.harms,
    )


def _titles(manifest: dict[str, Any]) -> dict[str, str]:
    """Return what each programme is called, by code; nothing where there is only case management."""
    others = manifest["settings"]["programmes"]
    own = {CASE_MANAGEMENT: CASE_MANAGEMENT_TITLE} if others else {}
    return own | {code: told["title"] for code, told in sorted(others.items())}


def write_json(content: dict[str, Any], path: Path) -> None:
    """Write JSON for people and programs to read; equal contents give equal bytes."""
    path.write_text(json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
