"""A MEDS data set as it is: any shards, any codes, subjects that are nobody's NHS number."""

from __future__ import annotations

import datetime as dt
import json

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

import records
from casewell.errors import SourceError
from casewell.settings import Settings

BASIS = {"reference": "test agreement", "purposes": ["evaluation"], "review_date": "2999-01-01"}
ROWS = [
    (1, None, "GENDER//F", None),
    (1, None, "RACE//WHITE - OTHER EUROPEAN", None),
    (1, "1950-03-14", "MEDS_BIRTH", None),
    (1, "2020-01-05 10:30", "ICD10CM/I50.9", None),
    (1, "2020-01-06", "DIAGNOSIS//ICD//10//E11.9", None),
    (1, "2021-06-01", "MEDS_DEATH", None),
    (2, "1980-01-01", "MEDS_BIRTH", None),
    (2, "2020-02-01", "LAB//50912//mg/dL", 1.5),
    (2, "2020-02-02", "SNOMED/38341003", None),
    (2, "2022-01-01", "HOSPITAL_ADMISSION//EW EMER.", None),
    (3, "2021-12-30", "RxNorm//313782", 2.0),
]
SCHEMA = pa.schema(
    [
        ("subject_id", pa.int64()),
        ("time", pa.timestamp("us")),
        ("code", pa.large_string()),
        ("numeric_value", pa.float32()),
    ]
)


def dataset(folder, rows=ROWS, shards=2, **changes):
    table = pd.DataFrame(rows, columns=["subject_id", "time", "code", "numeric_value"])
    table["time"] = pd.to_datetime(table["time"], format="ISO8601")
    for shard in range(shards):
        path = folder / "data" / ("train" if shard else "held_out") / f"{shard}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        part = table[table["subject_id"].fillna(0) % shards == shard]
        parquet.write_table(pa.Table.from_pandas(part, SCHEMA, preserve_index=False), path)
    (folder / "metadata").mkdir(exist_ok=True)
    (folder / "metadata" / "dataset.json").write_text("{}")
    source = {"kind": "meds", "path": folder, "lawful_basis": BASIS, **changes}
    return Settings.model_validate(
        {
            "name": "test",
            "purpose": "evaluation",
            "sources": {"set": source},
            "teams": {"by": "all"},
            "pseudonym_key_file": folder / "key",
        }
    )


def built(settings, out, as_of=None):
    linked = records.build(settings, as_of or records.inspect(settings).cut_off, out)
    identities = pd.read_parquet(linked.identities).set_index("source_record")["person_id"]
    return linked, pd.read_parquet(linked.people).set_index("person_id"), pd.read_parquet(linked.events), identities


def test_subjects_become_people_with_what_the_data_set_says_of_them(tmp_path):
    _, people, _, identities = built(dataset(tmp_path / "meds"), tmp_path / "out")
    assert len(people) == 3
    first, second, third = (people.loc[identities[subject]] for subject in "123")
    assert (first["sex"], first["ethnic_group"]) == ("female", "White")
    assert first["birth_month"] == pd.Timestamp("1950-03-01")
    assert first["died_on"] == pd.Timestamp("2021-06-01")
    assert (second["sex"], second["ethnic_group"]) == ("not recorded", "not known")
    assert pd.isna(third["birth_month"])
    assert not set(identities) & {1, 2, 3}, "a subject's own id is not a pseudonym"


def test_codes_of_known_vocabularies_are_written_our_way_and_others_are_kept(tmp_path):
    _, _, events, identities = built(dataset(tmp_path / "meds"), tmp_path / "out")
    assert events.groupby("subject_id")["code"].agg(set).to_dict() == {
        identities["1"]: {"ICD10//I509", "ICD10//E119", "DEATH"},
        identities["2"]: {"LAB//50912//mg/dL", "SNOMED//38341003", "HOSPITAL_ADMISSION//EW EMER."},
        identities["3"]: {"RxNorm//313782"},
    }
    assert events.set_index("code").loc["LAB//50912//mg/dL", "numeric_value"] == 1.5
    assert pd.Timestamp("2020-01-05 10:30") in set(events["time"])


def test_the_settings_may_say_what_a_local_code_stands_for(tmp_path):
    settings = dataset(tmp_path / "meds", codes={"HOSPITAL_ADMISSION": "ADMISSION//OMOP_INPATIENT"})
    _, _, events, _ = built(settings, tmp_path / "out")
    assert "ADMISSION//OMOP_INPATIENT" in set(events["code"])


def test_an_event_is_known_the_stated_lag_after_it_happened(tmp_path):
    settings = dataset(tmp_path / "meds", known_lag_days=10)
    _, people, events, identities = built(settings, tmp_path / "out", dt.date(2020, 2, 12))
    assert (events["known_at"] - events["time"] == pd.Timedelta(days=10)).all()
    assert events["known_at"].max() < pd.Timestamp("2020-02-12")
    assert set(identities.index) == {"1", "2"}, "nothing was known of the third but that comes later"
    assert people["died_on"].isna().all()


def test_what_the_data_set_does_not_hold_is_reported_missing(tmp_path):
    rows = [row for row in ROWS if "BIRTH" not in row[2] and "GENDER" not in row[2]]
    linked, _, _, _ = built(dataset(tmp_path / "meds", rows), tmp_path / "out")
    summary = json.loads(linked.summary.read_text())
    assert {"births", "sex", "deprivation", "registrations", "case-management history"} <= set(summary["missing"])
    assert "metadata/codes.parquet" in summary["meds_parts_not_there"]["set"]


def test_a_death_before_birth_is_set_aside_and_the_person_stays(tmp_path):
    rows = [*ROWS, *[(2, "2021-01-01", f"NOTE//{n}", None) for n in range(60)], (2, "1979-12-31", "MEDS_DEATH", None)]
    linked, people, _, identities = built(dataset(tmp_path / "meds", rows), tmp_path / "out")
    assert pd.isna(people.loc[identities["2"], "died_on"])
    kept = pd.read_parquet(linked.summary.parent / "quarantine" / "set.parquet")
    assert set(kept["reason"]) == {"death is earlier than birth"}
    assert sorted(kept["code"]) == ["MEDS_BIRTH", "MEDS_DEATH"]


def test_every_row_is_accounted_for(tmp_path):
    rows = [*ROWS, *[(2, "2021-01-01", f"NOTE//{n}", None) for n in range(60)], (None, "2020-01-01", "X", None)]
    linked, _, _, _ = built(dataset(tmp_path / "meds", rows), tmp_path / "out", dt.date(2021, 12, 31))
    counts = pd.read_parquet(linked.source_counts)
    assert counts["rows"].sum() == len(rows)
    assert counts.set_index("why").loc["column subject_id is empty", "rows"] == 1


def test_dates_in_the_future_stop_the_run_unless_they_are_declared_as_shifted(tmp_path):
    rows = [(who, time and time.replace(time[:4], "2190", 1), code, None) for who, time, code, _ in ROWS]
    rows = [(w, "2100-01-01" if c == "MEDS_BIRTH" else t, c, v) for w, t, c, v in rows]
    rows.append((3, "2020-01-01", "X", None))
    with pytest.raises(SourceError, match="declare `shifted_dates: true`"):
        records.build(dataset(tmp_path / "meds", rows), dt.date(2020, 1, 1), tmp_path / "out")
    settings = dataset(tmp_path / "meds", rows, shifted_dates=True)
    _, people, _, _ = built(settings, tmp_path / "out")
    assert len(people) == 3


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / "data").rename(folder / "date"), "has no data/"),
        (
            lambda folder: parquet.write_table(
                pa.table({"subjectid": [1], "time": [None], "code": ["X"]}), folder / "data" / "more.parquet"
            ),
            r"\(data/more.parquet\): missing column 'subject_id'; the nearest there is 'subjectid'",
        ),
        (
            lambda folder: parquet.write_table(
                pa.table({"subject_id": [1], "time": ["yesterday"], "code": ["X"]}), folder / "data" / "more.parquet"
            ),
            "column 'time' has the wrong type, VARCHAR",
        ),
        (
            lambda folder: (folder / "data" / "train" / "1.parquet").write_bytes(
                (folder / "data" / "train" / "1.parquet").read_bytes()[:200]
            ),
            r"\(data/train/1.parquet\): the file was cut off",
        ),
    ],
)
def test_a_data_set_that_cannot_be_read_says_why(tmp_path, spoil, said):
    settings = dataset(tmp_path / "meds")
    spoil(tmp_path / "meds")
    with pytest.raises(SourceError, match=said):
        records.inspect(settings)


def test_opt_outs_cannot_be_kept_from_a_meds_data_set(tmp_path):
    settings = dataset(tmp_path / "meds")
    opt_outs = tmp_path / "opt_outs.csv"
    opt_outs.write_text("record_id,nhs_number,opt_out_type,start_date\n1,9990000018,type_1,2020-01-01\n")
    source = type(settings.sources["set"]).model_validate({"path": opt_outs, "lawful_basis": BASIS})
    settings = settings.model_copy(update={"sources": {**settings.sources, "opt_outs": source}})
    with pytest.raises(SourceError, match="NHS number, which MEDS data sets do not hold"):
        records.inspect(settings)
