"""When a number is believed, when two numbers are one person's, and what the report says of it."""

from __future__ import annotations

import datetime as dt
import json

import pandas as pd
import pytest

import records
from records import linkage_report
from tests.records.conftest import NUMBERS

AS_OF = dt.date(2022, 10, 13)


def persons(linked):
    found = pd.read_parquet(linked.identities)
    return found.set_index(["source", "source_record"])["person_id"]


def figures(linked):
    return json.loads((linked.summary.parent / linkage_report.NAME).read_text())


def registration(row, **changes):
    return pd.DataFrame([row.to_dict() | changes])


@pytest.fixture
def link(settled, system, tmp_path):
    def run(**changes):
        return records.build(settled({**system, **changes}), AS_OF, tmp_path / "linked" / "now")

    return run


def test_two_registered_people_with_one_number_are_kept_apart_and_counted(link, system):
    known = system["demographics"]
    other = registration(
        known.loc[0],
        record_id="D99",
        given_name="Zebedee",
        family_name="Quill",
        date_of_birth="1971-11-23",
        registration_start_date="2015-01-01",
    )
    linked = link(demographics=pd.concat([known, other]))
    found = persons(linked)
    assert found["demographics", "D0"] == found["gp_events", "G0"]
    assert found["demographics", "D99"] not in set(found.drop([("demographics", "D99")]))
    told = figures(linked)["linkage"]
    assert told["numbers_of_two_registered_people"] == 1
    assert told["rows_with_nothing_but_such_a_number"] == 2  # a GP event and a referral
    assert told["numbers_disbelieved_because"] == {"another birth date, and both names differ": 1}


@pytest.mark.parametrize(
    ("row", "born"),
    [(7, "1937-08-16"), (7, "1936-08-17"), (7, "1937-01-01"), (7, "1938-08-18"), (1, "1931-11-02")],
)
def test_a_slip_in_the_birth_date_leaves_the_number_believed(link, system, row, born):
    spells = system["hospital_spells"]
    spells.loc[row, "date_of_birth"] = born
    assert system["demographics"].loc[[1, 7], "date_of_birth"].tolist() == ["1931-02-11", "1937-08-17"]
    found = persons(link(hospital_spells=spells))
    assert found["hospital_spells", f"H{row}"] == found["demographics", f"D{row}"]


def test_a_birth_date_beyond_a_slip_outweighs_the_number(link, system):
    spells = system["hospital_spells"]
    spells.loc[7, "date_of_birth"] = "1951-02-23"
    linked = link(hospital_spells=spells)
    found = persons(linked)
    assert found["hospital_spells", "H7"] not in set(found.drop([("hospital_spells", "H7")]))
    assert figures(linked)["linkage"]["numbers_disbelieved_because"] == {"another birth date, beyond a slip": 1}


def test_a_number_that_is_somebody_elses_gives_way_to_what_the_record_says(link, system):
    spells = system["hospital_spells"]
    spells.loc[7, "nhs_number"] = NUMBERS[20]
    found = persons(link(hospital_spells=spells))
    assert found["hospital_spells", "H7"] == found["demographics", "D7"]


def second_number(system, **changes):
    care = (
        system["demographics"]
        .loc[[7], ["given_name", "family_name", "date_of_birth", "sex", "postcode"]]
        .assign(
            record_id="S7",
            nhs_number="9434765919",
            event_type="request",
            service_type=None,
            start_date="2022-05-01",
            end_date=None,
            received_date="2022-05-03",
        )
    )
    return care.assign(**changes)


def test_a_number_that_nobody_registered_holds_joins_the_one_person_it_fits_fully(link, system):
    linked = link(social_care=second_number(system))
    found = persons(linked)
    assert found["social_care", "S7"] == found["demographics", "D7"]
    assert figures(linked)["linkage"]["second_numbers_joined_to_a_registered_person"] == 1


@pytest.mark.parametrize(
    "change", [{"postcode": "ZZ99 9ZZ"}, {"given_name": "Ugo"}, {"date_of_birth": "1937-08-16"}, {"sex": "1"}]
)
def test_a_second_number_is_another_person_if_anything_differs(link, system, change):
    found = persons(link(social_care=second_number(system, **change)))
    assert found["social_care", "S7"] != found["demographics", "D7"]


def test_two_registered_numbers_are_never_joined(link, system):
    known = system["demographics"]
    twice = registration(known.loc[7], record_id="D99", nhs_number="9434765919")
    found = persons(link(demographics=pd.concat([known, twice])))
    assert found["demographics", "D99"] != found["demographics", "D7"]


def test_a_dummy_number_joins_nobody(link, system):
    spells = system["hospital_spells"]
    # One row in forty may bear a number that is none; two would stop the run.
    spells.loc[7, ["nhs_number", "date_of_birth"]] = ["9999999999", None]
    found = persons(link(hospital_spells=spells))
    assert found["hospital_spells", "H7"] not in set(found.drop([("hospital_spells", "H7")]))


def test_the_report_counts_every_used_row_once_in_every_grouping(link):
    linked = link()
    told = figures(linked)
    used = len(pd.read_parquet(linked.identities))
    assert told["rows"]["rows"] == used
    assert sum(part["rows"] for part in told["by_source"].values()) == used
    for grouping in told["by_group"].values():
        assert sum(part["rows"] for part in grouping.values()) == used
    for part in [told["rows"], *told["by_source"].values()]:
        assert part["rows"] == sum(part[route] for route in linkage_report.ROUTES)


def test_the_report_says_nothing_about_one_person(link, system):
    linked = link()
    text = (linked.summary.parent / linkage_report.NAME).read_text().upper()
    people = system["demographics"]
    for column in ("nhs_number", "given_name", "family_name", "date_of_birth", "postcode"):
        assert not [value for value in people[column].str.upper() if f'"{value}"' in text or f" {value} " in text]


def test_the_report_compares_with_the_newest_earlier_one(settled, system, tmp_path):
    def told(name, as_of, weight):
        folder = tmp_path / "linked" / name
        folder.mkdir(parents=True)
        model = {"digest": name, "comparisons": {"sex": {"same": {"weight": weight}}}}
        (folder / linkage_report.NAME).write_text(json.dumps({"as_of": as_of, "model": model}))

    told("older", "2022-09-01", 1.0)
    told("newer", "2022-10-06", 2.0)
    told("later", "2022-10-20", 3.0)
    (tmp_path / "linked" / "broken").mkdir()
    (tmp_path / "linked" / "broken" / linkage_report.NAME).write_text("{")
    linked = records.build(settled(system), AS_OF, tmp_path / "linked" / "now")
    assert figures(linked)["moved_since"] == {"as_of": "2022-10-06", "digest": "newer"}
