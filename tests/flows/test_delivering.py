"""What the worklist leaves in the data folder reaches the teams' next lists."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json

import pandas as pd

from casewell import doors
from casewell.settings import load
from cohorts.tables import WORK
from fairness import Verdict
from flows.delivering import deliver, work_in_hand


def test_what_teams_recorded_stands_on_the_next_lists_and_no_other_file_changes(rehearsal, tmp_path, monkeypatch):
    monkeypatch.chdir(rehearsal.settings.parent)
    told = json.loads((rehearsal.published / "manifest.json").read_text())
    as_of = dt.date.fromisoformat(told["as_of"])
    team = sorted((rehearsal.published / "lists").glob("*.csv"))[0].name
    first = lines(rehearsal.published / "lists" / team)[0]
    record = {
        "number": 1,
        "list_as_of": pd.Timestamp(as_of) - pd.Timedelta(days=7),
        "team_code": first["team_code"],
        "nhs_number": first["nhs_number"].replace("not recorded", ""),
        "source_record": first["source_record"],
        "recorded_on": pd.Timestamp(as_of),
        "owner": "Jo",
        "progress": "done",
        "outcome": "not reached",
        "start": pd.NaT,
        "offer_again": pd.NaT,
        "note": "",
    }
    settings = load(rehearsal.settings)
    assert work_in_hand(settings) == rehearsal.folder / "data" / "worklist" / "work.parquet"
    work = doors.write(pd.DataFrame([record]), WORK, tmp_path / "work.parquet")
    linked = next((rehearsal.folder / "data" / "linked").iterdir())
    run = rehearsal.folder / "data" / "runs" / told["run"]
    verdict = Verdict(told["fairness"]["verdict"], (), True, settings.fairness.override)
    deliver.fn(as_of, linked, run, tmp_path / "cohorts" / str(as_of), told, verdict, work)
    again = json.loads((tmp_path / "cohorts" / str(as_of) / "manifest.json").read_text())["files"]
    changed = {name for name, digest in told["files"].items() if again[name] != digest}
    assert changed == {f"lists/{team}", f"lists/{team.removesuffix('.csv')}.xlsx"}
    now = lines(tmp_path / "cohorts" / str(as_of) / "lists" / team)
    assert (now[0]["owner"], now[0]["progress"]) == ("Jo", "done")
    assert now[0]["so_far"] == f"{as_of.day} {as_of:%B %Y}, Jo: not reached"
    assert [row["list_version"] for row in now] == [
        row["list_version"] for row in lines(rehearsal.published / "lists" / team)
    ]


def lines(path):
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
