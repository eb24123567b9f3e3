"""OMOP and MEDS are held to the same: nothing lost, months and feeds looked at, stale sources stopped."""

from __future__ import annotations

import datetime as dt
import shutil

import numpy as np
import pandas as pd
import pytest

import records
from casewell.errors import SourceError
from casewell.settings import Settings
from records.quality import check_sources, page
from records.quality.findings import INFORM, LOOK, STOP

BASIS = {"reference": "test agreement", "purposes": ["evaluation"], "review_date": "2999-01-01"}
BEGIN, END = pd.Timestamp("2023-01-01"), pd.Timestamp("2024-12-31")
AS_OF = dt.date(2025, 1, 1)
PEOPLE = 60


def happenings(every=1.0, seed=1):
    """One row a happening, spread evenly over two years: person_id, day, site."""
    days = pd.date_range(BEGIN, END, freq="D")
    table = pd.DataFrame({"day": np.repeat(days, int(6 * every))})
    place = table.index.to_series()
    chance = np.random.default_rng(seed)
    return table.assign(person_id=chance.integers(1, PEOPLE + 1, len(table)), site=10 + place % 3, row=place + 1)


def cdm(version="5.4"):
    """Tables in the shape of CDM 5.4 (or 5.3 where its names differ), more columns than are read."""
    person = pd.DataFrame({"person_id": range(1, PEOPLE + 1)}).assign(
        gender_concept_id=8507,
        year_of_birth=1950,
        month_of_birth=3,
        day_of_birth=2,
        birth_datetime="1950-03-02 00:00:00",
        race_concept_id=8527,
        ethnicity_concept_id=0,
        location_id=None,
        provider_id=None,
        care_site_id=10,
        person_source_value="x",
    )
    seen = happenings()
    visits = pd.DataFrame(
        {
            "visit_occurrence_id": seen["row"],
            "person_id": seen["person_id"],
            "visit_concept_id": 9201,
            "visit_start_date": seen["day"].dt.strftime("%Y-%m-%d"),
            "visit_end_date": seen["day"].dt.strftime("%Y-%m-%d"),
            "visit_type_concept_id": 32817,
            "care_site_id": seen["site"],
            **(
                {"admitted_from_concept_id": 0, "discharged_to_concept_id": 0}
                if version == "5.4"
                else {"admitting_source_concept_id": 0, "discharge_to_concept_id": 0}
            ),
        }
    )
    measured = happenings(seed=2)
    measurements = pd.DataFrame(
        {
            "measurement_id": measured["row"],
            "person_id": measured["person_id"],
            "measurement_concept_id": 3004249,
            "measurement_date": measured["day"].dt.strftime("%Y-%m-%d"),
            "measurement_type_concept_id": 32817,
            "value_as_number": 100 + measured["row"] % 50,
            **({"measurement_event_id": None, "meas_event_field_concept_id": None} if version == "5.4" else {}),
        }
    )
    death = pd.DataFrame({"person_id": [1], "death_date": ["2024-06-01"], "death_type_concept_id": [32817]})
    tables = {"person": person, "visit_occurrence": visits, "measurement": measurements, "death": death}
    if version == "5.4":
        tables["episode"] = pd.DataFrame({"episode_id": [1], "person_id": [1], "episode_concept_id": [32528]})
    return tables


def omop(folder, tables, quality=None, **changes):
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    return told(folder, "omop", quality, **changes)


def meds(folder, rows, quality=None, **changes):
    (folder / "data").mkdir(parents=True, exist_ok=True)
    table = rows.assign(
        subject_id=rows["subject_id"].astype("int64"), numeric_value=rows["numeric_value"].astype("float32")
    )
    table.assign(time=table["time"].astype("datetime64[us]")).to_parquet(folder / "data" / "0.parquet", index=False)
    return told(folder, "meds", quality, **changes)


def meds_rows():
    seen, measured = happenings(seed=3), happenings(seed=4)
    births = pd.DataFrame(
        {"subject_id": range(1, PEOPLE + 1), "time": pd.Timestamp("1950-03-02"), "code": "MEDS_BIRTH"}
    )
    visits = pd.DataFrame({"subject_id": seen["person_id"], "time": seen["day"], "code": "VISIT//OUT"})
    values = pd.DataFrame({"subject_id": measured["person_id"], "time": measured["day"], "code": "LAB//50912"})
    values["numeric_value"] = 1.0 + measured["row"] % 97
    # The minute tells apart what happened on one day.
    visits["time"] += pd.to_timedelta(seen["row"] % 600, "min")
    return pd.concat([births, visits, values], ignore_index=True)


def told(folder, kind, quality, **changes):
    source = {"kind": kind, "path": folder, "lawful_basis": BASIS, **changes}
    return Settings.model_validate(
        {
            "name": "test",
            "purpose": "evaluation",
            "sources": {"own": source},
            "teams": {"by": "all"},
            "quality": quality or {},
            "pseudonym_key_file": folder.parent / "key",
        }
    )


def built(settings, out, as_of=AS_OF):
    linked = records.build(settings, as_of, out)
    return linked, pd.read_parquet(linked.people), pd.read_parquet(linked.events)


def found(settings, as_of=AS_OF, **wanted):
    rows = check_sources(settings, as_of).findings
    for name, value in wanted.items():
        rows = rows[rows[name] == value]
    return rows


@pytest.mark.parametrize("version", ["5.3", "5.4"])
def test_both_versions_of_the_cdm_read_alike(tmp_path, version):
    _, people, events = built(omop(tmp_path / "cdm", cdm(version)), tmp_path / "out")
    assert len(people) == PEOPLE
    assert people["birth_month"].eq(pd.Timestamp("1950-03-01")).all()
    assert people["died_on"].notna().sum() == 1
    rows = len(happenings())
    assert events["code"].value_counts().to_dict() == {
        "VISIT//9201": rows,
        "SPELL//OMOP_INPATIENT": rows,
        "ADMISSION//OMOP_INPATIENT": rows,
        "OMOP//3004249": rows,
        "DEATH": 1,
    }


def test_a_person_whose_row_is_set_aside_is_counted_and_comes_back_when_mended(tmp_path):
    whole = cdm()
    spoiled = {
        **whole,
        "person": whole["person"].assign(gender_concept_id=lambda t: t["gender_concept_id"].astype("object")),
    }
    spoiled["person"].loc[3, "gender_concept_id"] = None
    linked, people, _ = built(omop(tmp_path / "cdm", spoiled), tmp_path / "out")
    removed = pd.read_parquet(linked.removed)
    assert (len(people), removed["door"].tolist()) == (PEOPLE - 1, ["quarantined"])
    kept = pd.read_parquet(tmp_path / "out" / "quarantine" / "own.visit_occurrence.parquet")
    assert set(kept["reason"]) == {"person not in the person table"}
    again, people, _ = built(omop(tmp_path / "cdm", whole), tmp_path / "again")
    assert (len(people), len(pd.read_parquet(again.removed))) == (PEOPLE, 0)
    assert not (tmp_path / "again" / "quarantine").exists()


def test_a_row_of_a_person_without_an_id_is_set_aside(tmp_path):
    tables = cdm()
    tables["person"] = pd.concat([tables["person"], tables["person"].head(1).assign(person_id=None)])
    tables["death"] = pd.concat(
        [tables["death"]]
        + [tables["death"].assign(person_id=n) for n in range(2, 40)]
        + [tables["death"].assign(person_id=None)]
    )
    linked, people, _ = built(omop(tmp_path / "cdm", tables), tmp_path / "out")
    counts = pd.read_parquet(linked.source_counts)
    aside = counts[counts["fate"] == "quarantined"].set_index("source")
    assert set(aside["why"]) == {"column person_id is empty or of the wrong type"}
    assert aside["rows"].to_dict() == {"own/person": 1, "own/death": 1}
    assert len(people) == PEOPLE


def test_a_month_of_measurements_sent_twice_counts_once(tmp_path):
    tables = cdm()
    expected = built(omop(tmp_path / "once", tables), tmp_path / "a")[2]
    month = tables["measurement"][tables["measurement"]["measurement_date"].str.startswith("2024-03")]
    tables["measurement"] = pd.concat(
        [tables["measurement"], month.assign(measurement_id=month["measurement_id"] + 10**6)]
    )
    settings = omop(tmp_path / "twice", tables)
    linked, _, events = built(settings, tmp_path / "b")
    pd.testing.assert_frame_equal(events.drop(columns="source"), expected.drop(columns="source"))
    counts = pd.read_parquet(linked.source_counts)
    assert counts[counts["fate"] == "duplicate"]["rows"].tolist() == [len(month)]
    (row,) = found(settings, check="duplicates").itertuples()
    assert (row.severity, row.rows) == (LOOK, len(month))
    assert "sent twice" in row.sentence


def test_a_month_of_a_meds_data_set_sent_twice_counts_once(tmp_path):
    rows = meds_rows()
    expected = built(meds(tmp_path / "once", rows), tmp_path / "a")[2]
    month = rows[rows["time"].dt.strftime("%Y-%m") == "2024-03"]
    settings = meds(tmp_path / "twice", pd.concat([rows, month]))
    linked, _, events = built(settings, tmp_path / "b")
    pd.testing.assert_frame_equal(events, expected)
    counts = pd.read_parquet(linked.source_counts)
    assert counts[counts["fate"] == "duplicate"]["rows"].tolist() == [len(month)]
    assert found(settings, check="duplicates")["severity"].tolist() == [LOOK]


def test_two_equal_rows_alone_are_two_happenings(tmp_path):
    tables = cdm()
    tables["measurement"] = pd.concat(
        [tables["measurement"], tables["measurement"].head(1).assign(measurement_id=10**6)]
    )
    assert len(built(omop(tmp_path / "cdm", tables), tmp_path / "a")[2]) == 4 * len(happenings()) + 2
    rows = meds_rows()
    more = pd.concat([rows, rows.tail(1)])
    assert len(built(meds(tmp_path / "meds", more), tmp_path / "b")[2]) == 2 * len(happenings()) + 1


@pytest.mark.parametrize("kind", ["omop", "meds"])
@pytest.mark.parametrize(("when_stale", "stops"), [("report", False), ("stop", True)])
def test_a_stale_source_is_reported_and_stops_the_run_where_the_settings_say_so(tmp_path, kind, when_stale, stops):
    make, data = (omop, cdm()) if kind == "omop" else (meds, meds_rows())
    settings = make(tmp_path / "set", data, {"when_stale": when_stale}, expected_every_days=30)
    assert found(settings, check="freshness").empty
    as_of = AS_OF + dt.timedelta(days=60)
    rows = found(settings, as_of, check="freshness")
    assert rows["severity"].tolist() == [STOP if stops else LOOK]
    # A run for a day after the end of the data is refused as such: let one person be seen later than the day.
    later = data | {"visit_occurrence": late(data["visit_occurrence"])} if kind == "omop" else late_meds(data)
    settings = make(tmp_path / "set", later, {"when_stale": when_stale}, expected_every_days=30)
    if not stops:
        records.build(settings, as_of, tmp_path / "out")
        return
    with pytest.raises(SourceError, match="source 'own': the newest row is 61 days old on 2025-03-02"):
        records.build(settings, as_of, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def late(visits):
    return pd.concat(
        [
            visits,
            visits.tail(1).assign(
                visit_occurrence_id=10**6, visit_start_date="2025-03-05", visit_end_date="2025-03-05"
            ),
        ]
    )


def late_meds(rows):
    return pd.concat([rows, rows.tail(1).assign(time=pd.Timestamp("2025-03-05"))])


def test_a_table_and_a_care_site_that_stopped_are_named(tmp_path):
    tables = cdm()
    visits = tables["visit_occurrence"]
    silent = (visits["care_site_id"] == 11) & (visits["visit_start_date"] >= "2024-09-01")
    tables["visit_occurrence"] = visits[~silent]
    tables["measurement"] = tables["measurement"][tables["measurement"]["measurement_date"] < "2024-10-01"]
    rows = found(omop(tmp_path / "cdm", tables), check="stopped", severity=LOOK)
    assert sorted(rows["place"]) == ["", "11"]
    assert rows["sentence"].str.contains("measurement.csv became known on 2024-09-30").sum() == 1
    assert rows["sentence"].str.contains("nothing has come from care site 11 since 2024-08-31").sum() == 1


def test_a_kind_of_code_that_stopped_is_named(tmp_path):
    rows = meds_rows()
    rows = rows[~(rows["code"].str.startswith("LAB") & (rows["time"] >= "2024-10-01"))]
    (row,) = found(meds(tmp_path / "meds", rows), check="stopped", severity=LOOK).itertuples()
    assert row.place == "LAB"
    assert "codes of the kind LAB since 2024-09-30" in row.sentence


def test_a_month_of_which_half_is_missing_is_named_and_a_whole_set_raises_nothing(tmp_path):
    tables = cdm()
    settings = omop(tmp_path / "whole", tables)
    odd = found(settings)
    assert odd[(odd["severity"] != INFORM) & (odd["source"] == "own")].empty
    month = tables["measurement"]["measurement_date"].str.startswith("2024-03") & (
        tables["measurement"]["measurement_id"] % 4 > 0
    )
    tables["measurement"] = tables["measurement"][~month]
    (row,) = found(omop(tmp_path / "cdm", tables), check="coverage").itertuples()
    assert row.month == pd.Timestamp("2024-03-01")
    assert "measurement.csv: too few rows happened in March 2024" in row.sentence
    rows = meds_rows()
    rows = rows[~((rows["time"].dt.strftime("%Y-%m") == "2024-03") & (rows.index % 4 > 0))]
    assert set(found(meds(tmp_path / "meds", rows), check="coverage")["month"]) == {pd.Timestamp("2024-03-01")}


def test_shifted_dates_have_no_age_and_no_months(tmp_path):
    report = check_sources(meds(tmp_path / "meds", meds_rows(), shifted_dates=True), AS_OF + dt.timedelta(days=300))
    assert report.freshness == []
    assert report.profiles == []


def test_the_page_shows_each_table_and_nobody(tmp_path):
    for path in page.write(check_sources(omop(tmp_path / "cdm", cdm()), AS_OF), tmp_path / "out"):
        assert "own, measurement" in path.read_text() or path.suffix == ".json"


def test_a_damaged_table_is_a_finding(tmp_path):
    settings = omop(tmp_path / "cdm", cdm())
    path = tmp_path / "cdm" / "measurement.csv"
    pd.read_csv(path).to_parquet(path.with_suffix(".parquet"))
    path.unlink()
    whole = path.with_suffix(".parquet").read_bytes()
    path.with_suffix(".parquet").write_bytes(whole[: len(whole) // 2])
    assert "measurement.parquet" in found(settings, severity=STOP)["sentence"].iloc[0]
    shutil.rmtree(tmp_path / "cdm")
