"""A line that is no row, and a column that is not where it should be, have their answer, and nothing is lost."""

from __future__ import annotations

import pandas as pd
import pytest

import records
from tests.records.readings import AS_OF, changed, counts_of, everybody_numbered, quarantined, refused, tables_of


@pytest.fixture
def system(system):
    return everybody_numbered(system)


# Lines that are not rows


def test_a_line_with_too_many_columns_is_kept_whole_and_comes_back_when_mended(system, settled, tmp_path):
    settings = settled(system)
    path = settings.sources["gp_events"].path
    whole = path.read_text()
    before = tables_of(settings, tmp_path / "before")
    path.write_text(whole.replace("mmHg\n", "mmHg,and,more\n", 1))
    linked = records.build(settings, AS_OF, tmp_path / "out")
    assert counts_of(linked, "gp_events") == {"opted_out": 1, "quarantined": 1, "used": 38}
    (row,) = quarantined(linked, "gp_events").itertuples()
    assert row.reason == "the line has more columns than the header"
    assert row.as_read.startswith("G0,")
    assert row.as_read.endswith("and,more")
    path.write_text(whole)
    for one, other in zip(before, tables_of(settings, tmp_path / "again"), strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_a_broken_line_of_somebody_who_opted_out_is_not_kept(system, settled, tmp_path):
    settings = settled(system)
    path = settings.sources["gp_events"].path
    lines = path.read_text().splitlines()
    lines[5] += ",and,more"  # The fifth person opted out.
    path.write_text("\n".join(lines) + "\n")
    linked = records.build(settings, AS_OF, tmp_path / "out")
    assert counts_of(linked, "gp_events") == {"opted_out": 1, "used": 39}
    assert not (tmp_path / "out" / "quarantine" / "gp_events.parquet").exists()


def test_a_broken_line_of_the_opt_outs_stops_the_run(system, settled, tmp_path):
    settings = settled(system)
    path = settings.sources["opt_outs"].path
    path.write_text(path.read_text() + "O9,type_1\n")
    said = refused(settings, tmp_path / "out")
    assert "'opt_outs' (opt_outs.csv): 1 line(s) cannot be split into columns, the first is line 4" in said


def test_too_many_short_lines_stop_the_run_with_the_first_line(system, settled, tmp_path):
    settings = settled(system)
    path = settings.sources["gp_events"].path
    path.write_text(path.read_text().replace(",mmHg\n", "\n", 10))
    said = refused(settings, tmp_path / "out")
    assert "the line has fewer columns than the header in 9 of 39 row(s)" in said
    assert "the first is line 2" in said


def test_a_quotation_mark_that_swallows_lines_stops_the_run(system, settled, tmp_path):
    settings = settled(system)
    path = settings.sources["gp_events"].path
    path.write_text(path.read_text().replace("mmHg", '"mmHg', 1))
    said = refused(settings, tmp_path / "out")
    assert "a quotation mark in line 2 does not close, and swallows 39 line(s) after it" in said


def test_a_file_without_a_header_is_named(system, settled, tmp_path):
    settings = settled(system)
    settings.sources["demographics"].path.write_text("\n\n")
    assert "the file has no header" in refused(settings, tmp_path / "out")


# Columns


def test_a_renamed_column_is_answered_with_the_nearest(system, settled, tmp_path):
    system["demographics"] = system["demographics"].rename(columns={"postcode": "post_code"})
    said = refused(settled(system), tmp_path / "out")
    assert "(demographics.csv): missing column 'postcode'; the nearest there is 'post_code'" in said
    assert "map it with `columns: {postcode: post_code}`" in said


def test_an_optional_column_that_is_misspelled_is_not_missed_without_a_word(system, settled, tmp_path):
    system["gp_events"] = system["gp_events"].rename(columns={"received_date": "recieved_date"})
    said = refused(settled(system), tmp_path / "out")
    assert "missing column 'received_date'; the nearest there is 'recieved_date'" in said


def test_a_mapping_to_a_column_that_is_gone_is_named(system, settled, tmp_path):
    system["gp_events"] = system["gp_events"].rename(columns={"received_date": "Date Received"})
    settings = changed(settled(system), "gp_events", columns={"received_date": "date_recieved"})
    said = refused(settings, tmp_path / "out")
    assert "settings map 'received_date' to the column 'date_recieved', which is not there" in said
    assert "the nearest there is 'date received'" in said
    mapped = changed(settings, "gp_events", columns={"received_date": "Date Received"})
    records.build(mapped, AS_OF, tmp_path / "out")
