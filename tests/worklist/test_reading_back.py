"""Outcomes written into the workbook or the CSV come back, are checked row by row, and route people next week."""

from __future__ import annotations

import csv
import datetime as dt
import io
import stat
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner

from casewell.errors import SourceError

from .conftest import AS_OF, HOSTILE

NAMES = {
    "owner": "Owner",
    "progress": "Progress",
    "outcome": "Outcome",
    "outcome_date": "Outcome date",
    "offer_again": "Offer again from",
    "note": "Note",
    "reference": "Reference",
    "list_version": "Version",
    "name": "Name",
    "nhs_number": "NHS number",
}


def in_workbook(week: Path, out: Path, changes: dict[int, dict[str, object]]) -> Path:
    book = openpyxl.load_workbook(week / "lists" / "N1.xlsx")
    sheet = book["List"]
    head = next(row for row in sheet.iter_rows() if row[0].value == "Rank")
    places = {cell.value: cell.column for cell in head}
    for rank, cells in changes.items():
        for name, value in cells.items():
            sheet.cell(head[0].row + rank, places[NAMES[name]]).value = value
    book.save(out / "N1.xlsx")
    return out / "N1.xlsx"


def in_csv(week: Path, out: Path, changes: dict[int, dict[str, object]], **how: str) -> Path:
    lines = csv.DictReader(io.StringIO((week / "lists" / "N1.csv").read_text(encoding="utf-8"), newline=""))
    rows = [row | changes.get(number, {}) for number, row in enumerate(lines, 1)]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, lines.fieldnames or [], delimiter=how.get("delimiter", ","))
    writer.writeheader()
    writer.writerows(rows)
    path = out / "N1.csv"
    path.write_bytes(text.getvalue().encode(how.get("encoding", "utf-8-sig")))
    return path


@pytest.fixture(params=[in_workbook, in_csv], ids=["workbook", "CSV"])
def filled_in(request, publish, tmp_path):
    def fill(changes, people=3, **week):
        return request.param(publish(people, **week), tmp_path, changes)

    return fill


def take(data: Path, *files: Path):
    from worklist.reading_back import take_back

    return take_back(files, data, data / "worklist")


def stored() -> list[tuple]:
    from worklist.models import Outcome

    kept = ("reference", "outcome", "start_date", "offer_again", "owner", "progress", "note")
    return list(Outcome.objects.order_by("pk").values_list(*kept))


DECLINED = {"outcome": "declined", "offer_again": "01/03/2099", "owner": "Jo", "progress": "done", "note": "call later"}


def test_what_a_team_wrote_is_recorded_with_its_words(filled_in, data):
    file = filled_in({1: {"outcome": "agreed", "outcome_date": "20/10/2022"}, 3: DECLINED})
    taken = take(data, file)
    assert (taken.recorded, taken.untouched, taken.refused) == (2, 1, [])
    assert stored() == [
        ("2022-10-13/N1/1", "agreed", dt.date(2022, 10, 20), None, "", "", ""),
        ("2022-10-13/N1/3", "declined", None, dt.date(2099, 3, 1), "Jo", "done", "call later"),
    ]
    with (data / "worklist" / "programme.csv").open(encoding="utf-8", newline="") as programme:
        agreed, declined = csv.DictReader(programme)
    assert (agreed["outcome"], agreed["start_date"]) == ("started", "2022-10-20")
    assert (declined["outcome"], declined["offer_again_date"]) == ("declined", "2099-03-01")


def test_reading_a_file_twice_changes_nothing_and_undoes_nothing(filled_in, data, answer):
    file = filled_in({1: {"outcome": "not reached"}})
    take(data, file)
    answer(outcome="declined")
    taken = take(data, file)
    assert (taken.recorded, taken.known_already) == (0, 1)
    assert [row[1] for row in stored()] == ["not reached", "declined"]


def test_a_file_filled_in_further_leaves_what_the_pages_recorded_since(publish, data, tmp_path, answer):
    week = publish(3)
    take(data, in_csv(week, tmp_path, {1: {"outcome": "not reached"}}))
    answer(outcome="declined")
    further = in_csv(week, tmp_path, {1: {"outcome": "not reached"}, 2: {"outcome": "not suitable"}})
    for _ in range(2):
        take(data, further)
        assert [row[1] for row in stored()] == ["not reached", "declined", "not suitable"]


def test_an_answer_can_be_taken_back_by_file_and_old_files_read_again_do_not_undo_it(publish, data, tmp_path):
    week, kept = publish(2), []
    # The note of somebody else keeps the third file from being the first.
    for outcome, other in (("not reached", "a"), ("declined", "b"), ("not reached", "c")):
        cells = {1: {"outcome": outcome}, 2: {"outcome": "not suitable", "note": other}}
        kept.append(in_csv(week, tmp_path, cells).rename(tmp_path / f"{other}.csv"))
        assert take(data, kept[-1]).recorded == 2
    for path in kept:
        assert (take(data, path).recorded, len(stored())) == (0, 6)
    assert [row[1] for row in stored() if row[0].endswith("/1")] == ["not reached", "declined", "not reached"]


def test_a_file_that_said_nothing_new_undoes_nothing_when_it_is_read_again(publish, data, tmp_path):
    week, first = publish(1), {1: {"outcome": "not reached"}}
    take(data, in_csv(week, tmp_path, first))
    second = in_csv(week, tmp_path, first, delimiter=";").rename(tmp_path / "again.csv")
    take(data, second)
    take(data, in_csv(week, tmp_path, {1: {"outcome": "declined"}}))
    take(data, second)
    assert [row[1] for row in stored()] == ["not reached", "declined"]


def test_a_new_note_or_owner_beside_the_same_outcome_is_recorded(filled_in, publish, data, tmp_path):
    take(data, filled_in({1: DECLINED}))
    for words in ({"note": "called"}, {"owner": "Sam"}, {"progress": "in progress"}):
        assert take(data, in_csv(publish(3), tmp_path, {1: DECLINED | words})).recorded == 1
    assert [row[4:] for row in stored()][-1] == ("Jo", "in progress", "call later")


WRONG = [
    ({"reference": "2022-10-13/N1/2"}, "edited"),
    ({"reference": "2022-10-13/N1/99"}, "nobody on that day's lists"),
    ({"reference": "2022-10-06/N1/1"}, "no list of that day"),
    ({"reference": "1"}, "not one that Casewell wrote"),
    ({"reference": "../../x/1"}, "not one that Casewell wrote"),
    ({"list_version": "v000000000000"}, "stale"),
    ({"name": "Somebody, Else"}, "edited"),
    ({"nhs_number": "9990000002"}, "edited"),
    ({"outcome": "maybe", "offer_again": ""}, "the outcome is none of"),
    ({"outcome": "agreed", "offer_again": ""}, "needs an outcome_date"),
    ({"outcome": "agreed", "outcome_date": "31/12/2098", "offer_again": ""}, "lies in the future"),
    ({"outcome_date": "12/10/2022"}, "before the list was made"),
    ({"outcome_date": "soon"}, "not a date"),
    ({"outcome": "not reached"}, "goes only with declined"),
    ({"offer_again": "13/10/2022"}, "not after the day of the list"),
    ({"progress": "nearly"}, "the progress is none of"),
    ({"outcome": ""}, "goes only with declined"),
    ({"outcome": "", "offer_again": "", "outcome_date": "20/10/2022"}, "outcome_date goes only with an outcome"),
]


@pytest.mark.parametrize(("change", "reason"), WRONG, ids=[f"{next(iter(c))} {r}" for c, r in WRONG])
def test_a_row_that_cannot_count_is_refused_with_its_number_and_reason_and_the_others_count(
    change, reason, filled_in, data
):
    file = filled_in({1: DECLINED | change, 2: {"outcome": "not suitable"}})
    taken = take(data, file)
    assert taken.recorded == 1
    assert [row[0] for row in stored()] == ["2022-10-13/N1/2"]
    (refused,) = taken.refused
    assert reason in refused
    assert refused.startswith(f"{file.name}, row ")
    assert not any(value in refused for value in ("Family1", "Somebody", "9990000001", "call later"))


def test_columns_that_were_sorted_apart_are_noticed(filled_in, data):
    names = {number: {"name": f"Family{4 - number}, Ada", "outcome": "not reached"} for number in (1, 3)}
    taken = take(data, filled_in(names))
    assert taken.recorded == 0
    assert len(taken.refused) == 2


def test_rows_in_another_order_count_for_the_same_people(publish, data, tmp_path):
    path = in_csv(publish(3), tmp_path, {1: {"outcome": "not reached"}, 3: {"outcome": "not suitable"}})
    head, *rows = path.read_text(encoding="utf-8-sig").splitlines(keepends=True)
    path.write_text(head + "".join(reversed(rows)), encoding="utf-8")
    take(data, path)
    assert {row[0]: row[1] for row in stored()} == {
        "2022-10-13/N1/1": "not reached",
        "2022-10-13/N1/3": "not suitable",
    }


def test_a_list_that_was_published_again_with_other_people_is_stale(filled_in, publish, data):
    file = filled_in({1: {"outcome": "not reached"}})
    publish([{"family_name": "Other"}, {}, {}])
    taken = take(data, file)
    assert taken.recorded == 0
    assert "published again" in taken.refused[0]


def test_last_weeks_list_still_counts_after_a_new_one_is_published(filled_in, publish, data):
    file = filled_in({1: {"outcome": "not reached"}})
    publish(2, as_of=dt.date(2022, 10, 20))
    assert take(data, file).recorded == 1


def test_two_answers_about_one_person_are_both_refused(publish, data, tmp_path):
    path = in_csv(publish(1), tmp_path, {1: {"outcome": "not reached"}})
    head, row = path.read_text(encoding="utf-8-sig").splitlines(keepends=True)
    path.write_text(head + row + row.replace("not reached", "not suitable"), encoding="utf-8")
    taken = take(data, path)
    assert (taken.recorded, len(taken.refused)) == (0, 2)


def test_a_formula_in_a_workbook_is_refused_and_never_worked_out(publish, data, tmp_path):
    for name in ("outcome", "owner", "reference"):
        cells = {"outcome": "declined"} | {name: '=HYPERLINK("http://x.y")'}
        taken = take(data, in_workbook(publish(1), tmp_path, {1: cells}))
        assert taken.recorded == 0
        assert len(taken.refused) == 1


def test_a_note_that_looks_like_a_formula_is_kept_as_text_beside_its_outcome(publish, data, tmp_path):
    cells = {"outcome": "declined", "note": '=HYPERLINK("http://x.y")'}
    assert take(data, in_workbook(publish(1), tmp_path, {1: cells})).recorded == 1
    assert stored()[0][-1] == cells["note"]
    published = publish(1) / "lists"
    sheet = openpyxl.load_workbook(published / "N1.xlsx")["List"]
    assert not any(cell.data_type == "f" for row in sheet.iter_rows() for cell in row)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_csv_saved_as_utf_16_is_read(publish, data, tmp_path, delimiter):
    path = in_csv(publish([{"family_name": "Åse"}]), tmp_path, {1: DECLINED}, delimiter=delimiter, encoding="utf-16")
    assert take(data, path).recorded == 1


def test_a_folder_is_called_a_folder(data, tmp_path):
    with pytest.raises(SourceError, match="a folder, not a file"):
        take(data, tmp_path)


def test_what_a_spreadsheet_does_to_a_csv_is_understood(publish, data, tmp_path):
    changes = {1: {"outcome": "Declined ", "offer_again": "2099-03-01", "date_of_birth": "04/03/1950"}}
    week = publish([{"family_name": "Åse"}])
    assert take(data, in_csv(week, tmp_path, changes, delimiter=";", encoding="cp1252")).recorded == 1


def test_dates_typed_as_dates_and_hostile_names_come_back(publish, data, tmp_path):
    week = publish([{"family_name": HOSTILE}, {"family_name": "=1+1"}])
    day = dt.datetime(2099, 3, 1)
    file = in_workbook(week, tmp_path, {1: {"outcome": "declined", "offer_again": day}, 2: {"outcome": "not reached"}})
    assert take(data, file).recorded == 2
    assert stored()[0][3] == day.date()
    again = in_csv(week, tmp_path, {2: {"outcome": "not suitable"}})
    assert take(data, again).recorded == 1


def test_nothing_that_was_written_is_lost(filled_in, data):
    file = filled_in({1: {"note": "moved in with her sister", "outcome": "maybe"}})
    assert take(data, file).recorded == 0
    (kept,) = (data / "worklist" / "returned").iterdir()
    assert kept.read_bytes() == file.read_bytes()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("name", "content"), [("list.xlsx", b"PK no"), ("list.csv", b"a,b\n1,2\n"), ("list.doc", b"x"), ("empty.csv", b"")]
)
def test_a_file_that_is_no_list_is_refused_whole(name, content, data, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=name):
        take(data, tmp_path / name)


@pytest.mark.parametrize("damage", ["cut short", "unknown setting", "charts only"])
def test_a_damaged_workbook_is_refused_in_words(damage, publish, data, tmp_path):
    import zipfile

    path = in_workbook(publish(1), tmp_path, {})
    if damage == "charts only":
        book = openpyxl.Workbook()
        book.create_chartsheet()
        book.remove(book.worksheets[0])
        book.save(path)
    else:
        with zipfile.ZipFile(path) as parts:
            content = {name: parts.read(name) for name in parts.namelist()}
        sheet = content["xl/worksheets/sheet1.xml"]
        unknown = sheet.replace(b"<pageMargins ", b'<pageMargins odd="1" ')
        broken = sheet[: len(sheet) // 2] if damage == "cut short" else unknown
        with zipfile.ZipFile(path, "w") as parts:
            for name, part in (content | {"xl/worksheets/sheet1.xml": broken}).items():
                parts.writestr(name, part)
    with pytest.raises(SourceError, match=r"N1\.xlsx"):
        take(data, path)


def test_the_store_stays_only_ever_added_to(filled_in, data):
    from django.db import DatabaseError, connection, transaction

    take(data, filled_in({1: {"outcome": "not reached"}}))
    for query in ("DELETE FROM worklist_outcome", "UPDATE worklist_outcome SET outcome = 'declined'"):
        with pytest.raises(DatabaseError, match="only ever added to"), transaction.atomic():
            connection.cursor().execute(query)


def test_the_command_says_what_was_recorded_and_what_was_refused(filled_in, data, tmp_path, monkeypatch):
    from casewell.__main__ import app
    from worklist import reading_back, serving

    monkeypatch.setattr(serving, "take_back", lambda _, files: reading_back.take_back(files, data, data / "worklist"))
    file = filled_in({1: {"outcome": "not reached"}, 2: {"outcome": "maybe"}})
    config = tmp_path / "settings.yaml"
    config.write_text("name: test\nsources: {demographics: {path: none.csv}}\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["outcomes", str(file), "--settings", str(config)])
    assert "1 row(s) recorded" in result.output
    assert isinstance(result.exception, SourceError)
    assert AS_OF.isoformat() not in str(result.exception)


def test_a_workbook_that_would_fill_the_memory_is_not_unpacked(data, tmp_path, monkeypatch):
    import zipfile

    from worklist import returned_rows

    monkeypatch.setattr(returned_rows, "_LARGEST_CONTENT", 1_000_000)
    with zipfile.ZipFile(tmp_path / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/worksheets/sheet1.xml", b" " * 2_000_000)
    with pytest.raises(SourceError, match="cannot be read"):
        take(data, tmp_path / "bomb.xlsx")


@pytest.mark.parametrize("name", ["list.xlsx", "list.csv"])
def test_an_empty_file_is_called_empty(name, data, tmp_path):
    (tmp_path / name).touch()
    with pytest.raises(SourceError, match=f"{name}: the file is empty"):
        take(data, tmp_path / name)
