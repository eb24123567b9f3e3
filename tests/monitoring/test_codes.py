"""Coding that changed."""

import datetime as dt

import pandas as pd
import pytest

from casewell.settings import Quality
from monitoring.codes import coding_changes

BEGIN, AS_OF = dt.date(2023, 10, 1), dt.date(2026, 10, 1)
MONTHS = pd.date_range("2023-11-01", "2026-08-01", freq="MS")
CHANGE = pd.Timestamp("2025-04-01")
PEOPLE = pd.DataFrame({"person_id": [1, 2], "practice_code": ["A", "B"]})


def written(code, person, months, each=40):
    """Rows of a code in each month."""
    time = pd.Series(months).repeat(each)
    return pd.DataFrame({"subject_id": person, "code": code, "time": time, "known_until": pd.NaT, "source": "gp"})


@pytest.fixture
def found(tmp_path):
    def find(*parts):
        path = tmp_path / "events.parquet"
        pd.concat(parts).astype({"known_until": "datetime64[us]"}).to_parquet(path)
        return coding_changes(path, PEOPLE, BEGIN, AS_OF, Quality())

    return find


OTHERS = [written(f"steady {n}", person, MONTHS, 60) for n in range(6) for person in (1, 2)]
BEFORE, AFTER = MONTHS[MONTHS < CHANGE], MONTHS[MONTHS >= CHANGE]


def test_a_code_that_gives_way_to_another_everywhere_is_named_with_it(found):
    changed = [written("old", person, BEFORE) for person in (1, 2)] + [
        written("new", person, AFTER) for person in (1, 2)
    ]
    table, (finding,) = found(*OTHERS, *changed)
    assert table[["code", "instead", "place"]].to_numpy().tolist() == [["old", "new", ""]]
    assert finding.check == "coding change"
    assert "April 2025" in finding.sentence


def test_a_code_that_gives_way_in_one_practice_alone_is_named_there(found):
    table, _ = found(*OTHERS, written("old", 1, MONTHS), written("old", 2, BEFORE), written("new", 2, AFTER))
    assert table[["place", "code"]].to_numpy().tolist() == [["B", "old"]]


def test_a_code_that_vanishes_while_none_appears_is_no_change_of_coding(found):
    table, findings = found(*OTHERS, written("old", 1, BEFORE), written("old", 2, BEFORE))
    assert table.empty
    assert findings == []


def test_nothing_is_named_where_nothing_changed(found):
    assert found(*OTHERS)[1] == []
