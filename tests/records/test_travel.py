"""Minutes from people's areas to services, by a table of the site's own, found under the area codes of either census."""

from __future__ import annotations

import datetime as dt
import math

import duckdb
import pandas as pd
import pytest

import records
from casewell import doors
from casewell.errors import SourceError
from casewell.settings import Source
from records import tables
from records.areas import REFERENCE
from records.checking import read_rows
from records.extracts import open_extract
from records.opt_outs import no_opt_outs
from records.travel import find_travel
from tests.records.conftest import BASIS

AS_OF = dt.date(2022, 10, 13)
HOME, OTHER = "E01000001", "E01000003"
CHANGES = pd.read_parquet(REFERENCE / "lsoa11_lsoa21.parquet")


def minutes(folder, registered: list[str], **given: pd.DataFrame) -> dict[str, dict[str, float]]:
    """What `travel` tells of the areas in which people are registered, from tables written as CSV."""
    with duckdb.connect() as con:
        con.register("registered", pd.DataFrame({"lsoa": pd.Series(registered, dtype=str)}))
        con.execute("CREATE TABLE spine AS SELECT * FROM registered")
        no_opt_outs(con)
        extracts = []
        for place, (name, table) in enumerate(given.items()):
            path = folder / f"{name}.csv"
            table.to_csv(path, index=False)
            source = Source(path=path, table="travel_times", lawful_basis=BASIS)
            extract, problems = open_extract(con, name, source, f"rows_{place}", ())
            assert not problems
            problems = read_rows(con, extract, AS_OF, AS_OF, 0.5)
            assert not problems
            extracts.append(extract)
        find_travel(con, extracts)
        return con.execute("SELECT * FROM travel JOIN registered USING (lsoa)").df().set_index("lsoa").to_dict("index")


def hospital(**by_area: float) -> pd.DataFrame:
    return pd.DataFrame({"lsoa": list(by_area), "minutes_to_hospital": list(by_area.values())})


def test_a_table_tells_of_its_areas_and_of_what_it_has_columns_for(tmp_path):
    found = minutes(tmp_path, [HOME, OTHER, ""], drive=hospital(E01000001=23.5))
    assert set(found) == {HOME}
    assert found[HOME]["minutes_to_hospital"] == 23.5
    assert math.isnan(found[HOME]["minutes_to_gp"])


def test_of_two_tables_the_least_minutes_count(tmp_path):
    walk = pd.DataFrame({"lsoa": [HOME], "minutes_to_gp": [9]})
    found = minutes(tmp_path, [HOME], bus=hospital(E01000001=50), car=hospital(E01000001=20), walk=walk)
    assert found[HOME]["minutes_to_hospital"] == 20
    assert found[HOME]["minutes_to_gp"] == 9


def test_areas_of_the_other_census_are_found(tmp_path):
    old = CHANGES.loc[CHANGES["change_code"] == "S", "lsoa11_code"].iloc[0]
    parts = CHANGES.loc[CHANGES["lsoa11_code"] == old, "lsoa21_code"].tolist()
    assert len(parts) > 1
    assert minutes(tmp_path, parts, travel=hospital(**{old: 30}))[parts[1]]["minutes_to_hospital"] == 30
    of_parts = {part: 10.0 * place for place, part in enumerate(parts)}
    mean = sum(of_parts.values()) / len(parts)
    assert minutes(tmp_path, [old], travel=hospital(**of_parts))[old]["minutes_to_hospital"] == mean
    assert minutes(tmp_path, [old], travel=hospital(**{old: 7}, **of_parts))[old]["minutes_to_hospital"] == 7


def test_minutes_that_cannot_be_are_set_aside(tmp_path):
    found = minutes(tmp_path, [HOME, OTHER], travel=hospital(E01000001=-1, E01000002=3, E01000003=5))
    assert set(found) == {OTHER}


def test_tables_that_say_nothing_are_refused_together_with_what_to_do(tmp_path):
    without = pd.DataFrame({"lsoa": [HOME], "mean_time": [5.0]})
    elsewhere = pd.DataFrame({"lsoa": ["Leeds 001A"], "minutes_to_gp": [5.0]})
    with pytest.raises(SourceError) as caught:
        minutes(tmp_path, [HOME], roads=without, walks=elsewhere)
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "source 'roads' (roads.csv)",
        "source 'walks' (walks.csv)",
    ]
    assert "has none of the columns minutes_to_gp, minutes_to_pharmacy, minutes_to_hospital" in caught.value.problems[0]
    assert "has none of the areas in which people are registered" in caught.value.problems[1]


def test_without_a_table_nothing_is_known(tmp_path):
    assert minutes(tmp_path, [HOME]) == {}


def test_residences_carry_the_minutes(system, settled, tmp_path):
    system["demographics"]["lsoa"] = [OTHER] * 3 + [HOME] * (len(system["demographics"]) - 3)
    linked = records.build(settled(system | {"travel_times": hospital(E01000001=23.5)}), AS_OF, tmp_path / "out")
    told = doors.read(linked.residences, tables.RESIDENCES)
    assert told["minutes_to_hospital"].value_counts().to_dict() == {23.5: len(told) - 3}
    assert told["minutes_to_gp"].isna().all()
