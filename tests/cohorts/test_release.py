"""Pages, JSON and tables that say who released the week's lists."""

from __future__ import annotations

import datetime as dt
import json

import pandas as pd
import pyarrow.parquet as parquet
import pytest

from casewell import doors
from casewell.errors import StorageError
from casewell.page import document
from cohorts import tell_release
from cohorts.tables import LOTS

TOLD = {
    "verdict": "cannot tell",
    "released": True,
    "override": {"owner": "Zoë O'Neil", "reason": "=1+1 \u202e <b>", "review_date": "2027-03-31"},
}


def test_a_table_says_who_released_it_and_is_otherwise_the_same(tmp_path):
    lot = {
        "as_of": pd.Timestamp("2026-10-01"),
        "team_code": "T1",
        "person_id": 2**62,
        "chance": 0.5,
        "drawn": True,
        "approval": "x",
    }
    table = pd.DataFrame([lot])
    path = doors.write(table, LOTS, tmp_path / "lots.parquet")
    plain, schema = doors.read(path, LOTS), parquet.read_schema(path)
    tell_release([path], ["not for tables"], TOLD)
    pd.testing.assert_frame_equal(doors.read(path, LOTS), plain)
    assert parquet.read_schema(path).equals(schema)
    assert json.loads(parquet.read_schema(path).metadata[b"fairness"]) == TOLD
    told = path.read_bytes()
    tell_release([path], [], TOLD)
    assert path.read_bytes() == told


def test_json_keeps_what_it_held_and_says_who_released_it(tmp_path):
    (tmp_path / "counts.json").write_text('{"people": 8}')
    tell_release([tmp_path / "counts.json"], [], TOLD)
    assert json.loads((tmp_path / "counts.json").read_text(encoding="utf-8")) == {"people": 8, "fairness": TOLD}


def test_a_page_says_so_above_all_else_and_nothing_in_it_comes_alive(tmp_path):
    page = tmp_path / "page.html"
    page.write_text(document("Title", "", dt.date(2026, 10, 1), True, ["<section>First</section>"]), encoding="utf-8")
    tell_release([page], ["Released by <script>alert(1)</script>"], TOLD)
    text = page.read_text(encoding="utf-8")
    assert text.index("SYNTHETIC") < text.index("Released by &lt;script&gt;") < text.index("First")
    assert text.count("Released by") == 1


def test_a_file_that_is_not_there_is_a_failure_of_the_disk_that_is_said(tmp_path):
    with pytest.raises(StorageError, match="could not be written"):
        tell_release([tmp_path / "gone.json"], [], TOLD)
