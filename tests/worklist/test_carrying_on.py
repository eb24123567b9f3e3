"""Week one's list, filled in and given back; week two's list, which knows who owns each person and what was done."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from pathlib import Path

import openpyxl
import pytest

from .conftest import AS_OF, shown_fields
from .test_reading_back import in_csv, in_workbook, stored, take

LATER = AS_OF + dt.timedelta(days=7)


def in_sheet(week: Path, name: str = "List") -> list[dict[str, str]]:
    lines = list(openpyxl.load_workbook(week / "lists" / "N1.xlsx")[name].iter_rows(values_only=True))
    head = next(n for n, line in enumerate(lines) if "Name" in line)
    return [dict(zip(lines[head], [cell or "" for cell in line], strict=True)) for line in lines[head + 1 :]]


def cells(week: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((week / "lists" / "N1.csv").read_text(encoding="utf-8"), newline="")))


WORK = {
    1: {"owner": "Jo", "progress": "in progress"},
    2: {"owner": "Sam", "outcome": "not reached", "note": "ring after 2"},
}


@pytest.mark.parametrize("fill", [in_workbook, in_csv], ids=["workbook", "CSV"])
def test_next_weeks_list_says_who_owns_each_person_how_far_it_is_and_what_was_done(fill, publish, data, tmp_path):
    taken = take(data, fill(publish(3), tmp_path, WORK))
    assert (taken.recorded, taken.untouched, taken.refused) == (2, 1, [])
    week = publish(3, as_of=LATER)
    jo, sam, nobody = in_sheet(week)
    assert (jo["Owner"], jo["Progress"], jo["So far"]) == ("Jo", "in progress", "")
    assert (sam["Owner"], sam["Outcome"], sam["Note"]) == ("Sam", "", "")
    today = dt.date.today()
    assert sam["So far"] == f"• {today.day} {today:%B %Y}, Sam: not reached; ring after 2"
    assert (nobody["Owner"], nobody["Progress"], nobody["So far"]) == ("", "", "")
    assert [row["owner"] for row in cells(week)] == ["Jo", "Sam", ""]
    assert cells(week)[1]["so_far"] == sam["So far"].removeprefix("• ")


def test_a_list_given_back_as_it_was_carried_on_records_nothing(publish, data, tmp_path):
    take(data, in_workbook(publish(3), tmp_path, WORK))
    week = publish(3, as_of=LATER)
    for file in (in_workbook(week, tmp_path, {}), in_csv(week, tmp_path, {})):
        taken = take(data, file)
        assert (taken.recorded, taken.untouched, taken.refused) == (0, 3, [])


def test_the_second_week_goes_on_where_the_first_ended(publish, data, tmp_path):
    take(data, in_workbook(publish(2), tmp_path, WORK))
    week = publish(2, as_of=LATER)
    take(data, in_workbook(week, tmp_path, {1: {"progress": "done"}, 2: {"outcome": "not reached"}}))
    third = in_sheet(publish(2, as_of=LATER + dt.timedelta(days=7)))
    assert (third[0]["Owner"], third[0]["Progress"]) == ("Jo", "done")
    assert third[1]["Owner"] == "Sam"
    assert third[1]["So far"].count("not reached") == 2


def test_the_versions_of_a_list_do_not_change_with_what_teams_wrote(publish, data, tmp_path):
    week = publish(2)
    before = [row["list_version"] for row in cells(week)]
    file = in_workbook(week, tmp_path, {1: {"outcome": "not reached"}})
    take(data, in_csv(week, tmp_path, {2: {"owner": "Jo"}}))
    again = cells(publish(2))
    assert [row["list_version"] for row in again] == before
    assert again[1]["owner"] == "Jo"
    taken = take(data, file)
    assert (taken.recorded, taken.refused) == (1, []), (
        "a workbook made before counts as long as the people are the same"
    )
    assert stored()[-1][4] == "", "and its empty cells take nobody's owner away"


def test_an_empty_cell_takes_nothing_away(publish, data, tmp_path):
    take(data, in_workbook(publish(1), tmp_path, WORK))
    week = publish(1, as_of=LATER)
    taken = take(data, in_workbook(week, tmp_path, {1: {"owner": "", "progress": "", "outcome": "not reached"}}))
    assert taken.recorded == 1
    assert stored()[-1][1:] == ("not reached", None, None, "Jo", "in progress", "")


def test_what_the_pages_changed_since_is_not_undone_by_a_cell_that_was_only_carried(publish, data, tmp_path, answer):
    take(data, in_workbook(publish(1), tmp_path, WORK))
    week = publish(1, as_of=LATER)
    answer(day=LATER, owner="Kim", progress="in progress")
    take(data, in_workbook(week, tmp_path, {1: {"outcome": "not reached"}}))
    assert stored()[-1][1:] == ("not reached", None, None, "Kim", "in progress", "")
    take(data, in_csv(week, tmp_path, {1: {"owner": "Sam", "outcome": "not reached"}}))
    assert stored()[-1][4] == "Sam", "a cell that the team changed counts"
    take(data, in_csv(week, tmp_path, {1: {"owner": "Jo", "outcome": "not reached"}}, delimiter=";"))
    assert stored()[-1][4] == "Jo", "and can be changed back by a new file"


def test_a_file_read_again_after_the_pages_recorded_more_undoes_nothing(publish, data, tmp_path, answer):
    take(data, in_workbook(publish(1), tmp_path, WORK))
    week = publish(1, as_of=LATER)
    answer(day=LATER, owner="Kim")
    file = in_workbook(week, tmp_path, {1: {"outcome": "not reached"}})
    take(data, file)
    answer(day=LATER, owner="Lee", outcome="declined")
    before = stored()
    assert take(data, file).known_already == 1
    assert stored() == before


def test_an_owner_set_on_the_pages_comes_before_any_outcome_and_stays_with_the_next_week(publish, client, answer, data):
    publish(2)
    assert answer(owner="Jo", progress="in progress", note="=1+1").status_code == 302
    page = client.get(f"/{AS_OF}/lists/N1/").content.decode()
    assert "<td>Jo<" in page
    assert "Outcomes recorded for 0 of 2" in page
    assert not (data / "worklist" / "programme.csv").exists(), "nothing has come of the offer yet"
    week = publish(2, as_of=LATER)
    assert (in_sheet(week)[0]["Owner"], in_sheet(week)[0]["Progress"]) == ("Jo", "in progress")
    assert "=1+1" in in_sheet(week)[0]["So far"]
    person = client.get(f"/{LATER}/lists/N1/1/").content.decode()
    assert re.search('<input type="text" name="owner" value="Jo"', person)
    assert '<option value="in progress" selected>' in person
    assert "<dt>So far</dt>" in person


def test_the_pages_can_take_an_owner_out_and_say_nothing_twice(publish, answer, data):
    publish(1)
    answer(owner="Jo", outcome="not reached")
    answer(owner="Jo", outcome="not reached")
    assert len(stored()) == 1
    answer(owner="")
    assert [row[1] for row in stored()] == ["not reached", ""]
    assert stored()[-1][4] == ""
    assert answer(owner="").status_code == 422, "nothing would be said"


def test_a_page_that_was_opened_before_undoes_nothing(publish, client, answer):
    publish(1)
    answer(owner="Jo", note="first")
    opened = shown_fields(client, f"/{AS_OF}/lists/N1/1/") | {"owner": "Jo", "note": "first"}
    answer(owner="Kim", note="first", progress="done")
    assert client.post(f"/{AS_OF}/lists/N1/1/", opened | {"outcome": "declined"}).status_code == 302
    assert stored()[-1][1:] == ("declined", None, None, "Kim", "done", "first")


def test_an_outcome_stands_when_only_the_owner_changes(publish, answer, client, data, tmp_path):
    week = publish(1)
    answer(outcome="not reached")
    take(data, in_csv(week, tmp_path, {1: {"owner": "Jo"}}))
    page = client.get(f"/{AS_OF}/lists/N1/").content.decode()
    assert '<span class="done">not reached</span>' in page
    assert "<td>Jo<" in page
    with (data / "worklist" / "programme.csv").open(encoding="utf-8", newline="") as programme:
        assert [row["outcome"] for row in csv.DictReader(programme)] == ["not_reached"]


def test_a_row_that_only_repeats_the_owner_says_nothing_of_the_outcome(publish, answer, data, tmp_path):
    week = publish(1)
    answer(owner="Jo", outcome="not reached")
    taken = take(data, in_csv(week, tmp_path, {1: {"owner": "Jo"}}))
    assert (taken.recorded, taken.known_already) == (0, 1)


def test_whoever_leaves_is_shown_with_the_owner(publish, data, tmp_path):
    take(data, in_workbook(publish(2), tmp_path, WORK))
    (gone,) = in_sheet(publish(1, as_of=LATER, left=[2]), "Changes")
    assert (gone["Change"], gone["Owner"]) == ("left", "Sam")
    assert "ring after 2" in gone["So far"]


def test_people_without_a_number_keep_their_owner_too(publish, data, tmp_path):
    nameless = [{"nhs_number": ""}, {"nhs_number": ""}]
    take(data, in_workbook(publish(nameless), tmp_path, WORK))
    assert [row["Owner"] for row in in_sheet(publish(nameless, as_of=LATER))] == ["Jo", "Sam"]
