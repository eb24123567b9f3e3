"""Every file of a published week says who released it, if it was released in spite of the gate."""

from __future__ import annotations

import json
import zipfile

import pyarrow.parquet as parquet
import pytest

from casewell.settings import load

NO_ROOM = "imports"
"""Files that a GP system takes in hold numbers and dates of birth only; it would not take in any other line."""


def said_in(path):
    if path.suffix == ".parquet":
        return json.dumps(json.loads(parquet.read_schema(path).metadata[b"fairness"]))
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as book:
            return book.read("xl/sharedStrings.xml").decode()
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def files(rehearsal):
    return [path for path in sorted(rehearsal.published.rglob("*")) if path.is_file() and path.parent.name != NO_ROOM]


def test_every_file_of_a_week_names_the_owner_the_reason_and_until_when(rehearsal, files):
    override = load(rehearsal.settings).fairness.override
    dates = (str(override.review_date), f"{override.review_date.day} {override.review_date:%B %Y}")
    assert {path.suffix for path in files} == {".csv", ".html", ".json", ".parquet", ".xlsx"}
    for path in files:
        said = said_in(path)
        assert override.owner in said, path.name
        # In XML and HTML an apostrophe is escaped.
        assert override.reason.split("'")[0] in said, path.name
        assert any(date in said for date in dates), path.name


def test_the_files_of_a_run_say_so_too_since_the_books_keep_them(rehearsal):
    run = rehearsal.folder / "data" / "runs" / rehearsal.manifest["run"]
    for name in ("policy.html", "monitoring.html", "turnover.json", "cohort.parquet"):
        assert "Demonstration owner" in said_in(run / name)
