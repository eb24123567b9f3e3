"""Which run stands for an earlier day, and what the week before showed: counts are held against it."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from casewell.settings import Settings


def published_run(settings: Settings, day: dt.date) -> str:
    """Return the name of the run whose lists were published for a day; empty where none were."""
    manifest = settings.data_dir / "cohorts" / str(day) / "manifest.json"
    return str(json.loads(manifest.read_text(encoding="utf-8"))["run"]) if manifest.is_file() else ""


def earlier_audit(settings: Settings, as_of: dt.date) -> dict[str, Any]:
    """Return `fairness.json` of the newest week before `as_of` of the same population; empty where there is none."""
    return _newest(settings, as_of, "fairness.json")


def earlier_price(settings: Settings, as_of: dt.date) -> dict[str, Any]:
    """Return `policy.json` of that week."""
    return _newest(settings, as_of, "policy.json")


def earlier_monitoring(settings: Settings, as_of: dt.date) -> dict[str, Any]:
    """Return `monitoring.json` of that week."""
    return _newest(settings, as_of, "monitoring.json")


def _newest(settings: Settings, as_of: dt.date, name: str) -> dict[str, Any]:
    """Return one record of the newest week before `as_of` of the same population; empty where there is none.

    Lists that were published stand for their week; of a week whose lists were all withheld it is the run whose
    folder comes last by name, so that the same folders always give the same answer.
    """
    found: dict[str, Any] = {}
    published = (settings.data_dir / "cohorts").glob(f"????-??-??/{name}")
    run = (settings.data_dir / "runs").glob(f"????-??-??-*/{name}")
    # Of one week the published come last, and what comes last is taken.
    for path in [*sorted(run), *sorted(published)]:
        if path.parent.name.endswith(".partial"):
            continue
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["name"] == settings.name and found.get("as_of", "") <= told["as_of"] < str(as_of):
            found = told
    return found
