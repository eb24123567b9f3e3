"""Who is lost before any model: people are counted, each once, in the group that can be known."""

from __future__ import annotations

import datetime as dt
import json

import duckdb
import pandas as pd
import pytest

import records
from casewell import doors
from records import linkage_report
from records.lost import lost_table, place
from records.tables import LINKAGE

AS_OF = dt.date(2022, 10, 13)


@pytest.fixture
def lost(settled, system, tmp_path):
    def run(**changes):
        linked = records.build(settled(system | changes), AS_OF, tmp_path / "linked")
        return linked, doors.read(tmp_path / "linked" / "linkage.parquet", LINKAGE)

    return run


def of(table, measure, grouping="ethnic_group"):
    rows = table[(table["measure"] == measure) & (table["grouping"] == grouping)]
    return rows.set_index("group")[["base", "count"]]


def test_everybody_who_came_in_is_counted_once_in_every_grouping(lost):
    linked, table = lost()
    people, removed = pd.read_parquet(linked.people), pd.read_parquet(linked.removed)
    assert len(removed) > 0
    for grouping in ("ethnic_group", "imd_quintile"):
        for door in ("opted_out", "quarantined"):
            counted = of(table, door, grouping)
            assert counted["base"].sum() == len(people) + len(removed)
            assert counted["count"].sum() == (removed["door"] == door).sum()
        assert of(table, "one_service_only", grouping)["base"].sum() == len(people)


def strangers(system, number):
    """Housing records of people whom nobody else knows."""
    housing = (
        system["housing"]
        .iloc[:number]
        .assign(
            record_id=[f"Z{n}" for n in range(number)],
            given_name=[f"Qx{chr(97 + n)}" for n in range(number)],
            family_name=[f"Zyx{chr(97 + n) * 3}" for n in range(number)],
            date_of_birth=[f"19{20 + 3 * n}-0{1 + n % 9}-1{n % 10}" for n in range(number)],
            postcode=[system["demographics"]["postcode"].iloc[0]] * (number - 1) + ["ZZ9 9ZZ"],
        )
    )
    return {"housing": pd.concat([system["housing"], housing], ignore_index=True)}


def test_a_record_that_nobody_resembles_is_a_person_of_its_own_where_its_postcode_lies(lost, system):
    _, before = lost()
    linked, after = lost(**strangers(system, 4))
    people = pd.read_parquet(linked.people)
    outside = people.loc[~people["in_spine"]]
    more = of(after, "no_person_found", "imd_quintile")["count"].sub(
        of(before, "no_person_found", "imd_quintile")["count"], fill_value=0
    )
    assert len(outside) >= 4
    assert more.sum() == 4
    assert more["not recorded"] == 1
    assert of(after, "no_person_found", "imd_quintile")["base"].sum() == len(people)
    assert of(after, "one_service_only")["count"].sum() >= 4


def test_the_report_holds_the_differences_between_groups_that_are_large_enough(lost):
    linked, _ = lost()
    told = json.loads((linked.summary.parent / linkage_report.NAME).read_text())["best_and_worst_group"]
    assert told["confidence"] == 0.95
    assert {(row["grouping"], row["measure"]) for row in told["differences"]} >= {
        ("ethnic_group", "no_person_found"),
        ("imd_quintile", "quarantined"),
    }
    # Forty people: no group has the hundred that a comparison needs.
    assert all(row["value"] is None for row in told["differences"])


@pytest.fixture
def con():
    """Ann (White, most deprived) is registered; three descriptions found nobody, one is of an unknown group.

    Two resemble Ann, and count as one person: her. One resembles nobody, and lives where she does. Bob is registered
    and has no number: his registration found nobody, and needs nobody.
    """
    with duckdb.connect() as con:
        con.execute(
            """CREATE TABLE persons AS SELECT * FROM (VALUES
                ('n|ann', 1, 'nhs_number', 1.0, true, false), ('t|ann', 1, 'splink', 0.8, true, false),
                ('t|bob', 2, 'alone', NULL, true, false),
                ('t|an', 3, 'alone', NULL, true, false), ('t|anne', 4, 'alone', NULL, true, false),
                ('d|who', 5, 'alone', NULL, true, false), ('n|gone', 6, 'nhs_number', 1.0, true, true)
            ) AS t (who, person_id, method, probability, used, opted)"""
        )
        con.execute(
            "CREATE TABLE candidates AS SELECT * FROM (VALUES ('t|an', 'n|ann', 0.6), ('t|anne', 'n|ann', 0.2)) "
            "AS t (who, candidate, probability)"
        )
        con.execute(
            "CREATE TABLE sightings AS SELECT * FROM (VALUES ('n|ann', 'AB1'), ('t|an', 'ZZ9'), ('d|who', 'AB1')) "
            "AS t (who, postcode)"
        )
        yield con


PEOPLE = pd.DataFrame(
    {
        "person_id": [1, 2, 3, 4, 5],
        "ethnic_group": ["White", "Asian", "not known", "Black", "not stated"],
        "imd_decile": [1.0, 9.0, None, None, None],
        "in_spine": [True, True, False, False, False],
        "sources": [4, 1, 1, 1, 2],
    }
)
REMOVED = pd.DataFrame({"person_id": [6], "ethnic_group": ["Asian"], "imd_decile": [9.0], "door": ["opted_out"]})


@pytest.fixture
def counted(con):
    place(con, PEOPLE, described=True)
    return lost_table(con, PEOPLE, REMOVED)


def test_descriptions_that_found_nobody_count_once_for_the_person_they_resemble(counted):
    found = of(counted, "no_person_found", "imd_quintile")
    # Ann, who lost two records, and the stranger at her postcode; Bob lost nothing.
    assert found.loc["1 most deprived"].tolist() == [2, 2]
    assert found.loc["5 least deprived"].tolist() == [1, 0]


def test_a_persons_own_ethnic_group_goes_before_what_a_resembling_record_states(counted):
    found = of(counted, "no_person_found")
    assert found["base"].to_dict() == {"White": 1, "Asian": 1, "not stated": 1}
    assert found["count"].to_dict() == {"White": 1, "Asian": 0, "not stated": 1}


def test_missed_links_are_what_the_probabilities_expect_by_the_group_of_the_record(counted):
    missed = of(counted, "likely_missed")
    # Linked with 0.8 and likely hers with 0.6, and a record that says Black and is hers with 0.2.
    assert missed.loc["White"].tolist() == pytest.approx([1.4, 0.6])
    assert missed.loc["Black"].tolist() == pytest.approx([0.2, 0.2])


def test_opted_out_people_and_those_of_a_single_service_are_counted_by_group(counted):
    assert of(counted, "opted_out").loc["Asian"].tolist() == [2, 1]
    single = of(counted, "one_service_only")
    assert single.loc["White"].tolist() == [2, 1]
    assert single.loc["Black"].tolist() == [1, 1]
    assert single.loc["not stated"].tolist() == [1, 0]
    assert single.loc["Asian"].tolist() == [1, 0]


def test_without_descriptions_nobody_is_lost_and_everybody_counted(con):
    con.execute("DROP TABLE sightings; DELETE FROM persons WHERE method = 'alone'; DELETE FROM candidates")
    place(con, PEOPLE[:1], described=False)
    table = lost_table(con, PEOPLE[:1], REMOVED[:0])
    assert set(table["group"]) == {"White", "1 most deprived"}
    assert table.loc[table["measure"] != "likely_missed", "count"].sum() == 0
