import datetime as dt
import json

import pytest

from flows.earlier import earlier_audit

AS_OF = dt.date(2026, 10, 8)


class Somewhere:
    """The two settings that say where earlier weeks are, and of whom."""

    name = "demo"

    def __init__(self, folder):
        self.data_dir = folder


@pytest.fixture
def put(tmp_path):
    def write(place, as_of, verdict, name="demo"):
        folder = tmp_path / place
        folder.mkdir(parents=True)
        (folder / "fairness.json").write_text(json.dumps({"name": name, "as_of": as_of, "verdict": verdict}))

    return write


def test_without_an_earlier_week_there_is_nothing(tmp_path, put):
    put("runs/2026-10-08-aaa", "2026-10-08", "pass")
    put("runs/2026-10-15-aaa", "2026-10-15", "pass")
    put("runs/2026-09-24-aaa", "2026-09-24", "pass", name="another population")
    put("runs/2026-09-17-aaa.partial", "2026-09-17", "pass")
    assert earlier_audit(Somewhere(tmp_path), AS_OF) == {}


def test_the_newest_week_before_is_taken_and_of_one_week_what_was_published(tmp_path, put):
    put("cohorts/2026-09-24", "2026-09-24", "fail")
    put("runs/2026-10-01-zzz", "2026-10-01", "cannot tell")
    put("runs/2026-10-01-bbb", "2026-10-01", "fail")
    assert earlier_audit(Somewhere(tmp_path), AS_OF)["verdict"] == "cannot tell"
    put("cohorts/2026-10-01", "2026-10-01", "pass")
    assert earlier_audit(Somewhere(tmp_path), AS_OF)["verdict"] == "pass"
