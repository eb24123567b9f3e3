"""`casewell features` from end to end, on the rehearsed week: the catalogue, one person's value, the profile."""

from __future__ import annotations

import json
import sqlite3
import stat
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

import models
from casewell import __main__ as front_door
from casewell import doors
from casewell.errors import AsOfError, SettingsError, TrainingError
from casewell.settings import load
from features import CATALOGUE
from features.tables import PROFILE, PROFILE_GROUPS
from flows import books
from flows.profiling import KEPT, controlled, keep_reference, reference_of


def casewell(*arguments):
    """Run a command in this process; return what it printed, or raise what it refused with."""
    outcome = CliRunner().invoke(front_door.app, ["features", *map(str, arguments)])
    if outcome.exception is not None and not isinstance(outcome.exception, SystemExit):
        raise outcome.exception
    assert outcome.exit_code == 0, outcome.output
    return " ".join(outcome.output.split())


def test_the_catalogue_is_listed_by_source_and_as_json():
    told = json.loads(casewell("list", "--json"))
    assert [row["name"] for row in told] == [feature.name for feature in CATALOGUE]
    assert {row["shown_as"] for row in told if row["name"] == "age"} == {None}
    shown = casewell("list", "--source", "hospital", "--shown")
    assert "emergency_admission_count_365d count of emergency_admission, 365 days, in events" in shown
    assert 'shown as "N emergency admissions in the last 12 months"' in shown
    assert "hba1c" not in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("list", "--source", "hopital"), "did you mean 'hospital'"), (("explain", "1", "agee"), "did you mean 'age'")],
)
def test_an_unknown_name_is_refused_with_the_nearest(arguments, said):
    with pytest.raises(SettingsError, match=said):
        casewell(*arguments)


def test_a_catalogue_that_breaks_rules_is_refused_as_soon_as_it_is_listed(monkeypatch):
    first = CATALOGUE[0]
    wrong = (first, replace(first, window_days=0), replace(first, name="new", group="emergency_admision"))
    monkeypatch.setattr("flows.features_explained.CATALOGUE", wrong)
    with pytest.raises(SettingsError) as caught:
        casewell("list")
    assert "did you mean 'emergency_admission'?" in "".join(caught.value.problems)
    assert len(caught.value.problems) == 3


@pytest.fixture(scope="module")
def matrix(rehearsal):
    """The week's matrix."""
    (path,) = (rehearsal.folder / "data" / "features").glob(f"{rehearsal.manifest['as_of']}-[!h]*/matrix.parquet")
    return pd.read_parquet(path)


def test_a_value_is_explained_and_held_against_the_matrix_and_the_look_is_noted(rehearsal, matrix):
    name = "emergency_admission_count_1095d"
    person = int(matrix.loc[matrix[name] == 2, "person_id"].iloc[0])
    told = casewell("explain", person, name, "--settings", rehearsal.settings)
    assert "Value: 2; shown to coordinators as" in told
    assert "The matrix of that day holds the same" in told
    assert "2 count" in told
    looks = rehearsal.folder / "data" / "links" / "demo" / "looks.csv"
    assert f"feature {name},{person}" in looks.read_text()
    assert stat.S_IMODE(looks.stat().st_mode) == 0o600


def test_a_past_day_is_explained_from_a_later_weeks_records(rehearsal):
    (path,) = (rehearsal.folder / "data" / "features").glob("*-history-*/matrix.parquet")
    past = pd.read_parquet(path, columns=["index_date", "person_id", "any_gp_event_count_365d"])
    row = past[past["any_gp_event_count_365d"] > 5].iloc[0]
    told = casewell(
        "explain",
        row["person_id"],
        "any_gp_event_count_365d",
        "--settings",
        rehearsal.settings,
        "--as-of",
        row["index_date"].date(),
    )
    assert f"Value: {row['any_gp_event_count_365d']:.0f}" in told
    assert "holds the same" in told


def test_a_matrix_that_holds_another_value_is_said_to(rehearsal, matrix, tmp_path):
    from flows.features_explained import feature_named, in_matrix

    row = matrix.iloc[0]
    settings, feature = load(rehearsal.settings), feature_named("age")
    day = pd.Timestamp(rehearsal.manifest["as_of"]).date()
    other = in_matrix(settings, day, int(row["person_id"]), feature, float(row["age"]) + 1)
    assert "an engine is wrong" in other
    assert "No matrix that is kept" in in_matrix(settings, day, 5, feature, 1.0)


def test_a_person_is_not_looked_at_without_the_key_of_the_pseudonyms(rehearsal, tmp_path):
    told = yaml.safe_load(rehearsal.settings.read_text())
    linked = min((rehearsal.folder / "data" / "linked").iterdir())
    copy = tmp_path / "data" / "linked" / linked.name
    copy.mkdir(parents=True)
    summary = json.loads((linked / "summary.json").read_text())
    summary["linkage"]["pseudonym_key"] = "another"
    (copy / "summary.json").write_text(json.dumps(summary))
    settings = tmp_path / "settings.yaml"
    settings.write_text(
        yaml.safe_dump(told | {"data_dir": str(tmp_path / "data"), "pseudonym_key_file": str(tmp_path / "none")})
    )
    with pytest.raises(SettingsError, match="key"):
        casewell("explain", 1, "age", "--settings", settings)
    assert not (tmp_path / "data" / "links").exists()


def test_nobody_is_not_explained(rehearsal):
    with pytest.raises(AsOfError, match="nobody who was linked"):
        casewell("explain", 5, "age", "--settings", rehearsal.settings)


def test_a_day_before_the_data_begin_is_refused_and_is_no_day_with_nothing(rehearsal):
    with pytest.raises(AsOfError, match="lies outside the data, which begin on"):
        casewell("explain", 5, "age", "--settings", rehearsal.settings, "--as-of", "1990-01-01")


def test_a_week_is_profiled_against_what_its_model_learned_from(rehearsal, matrix):
    folder = rehearsal.folder / "data" / "runs" / rehearsal.manifest["run"]
    told = json.loads((folder / "profile.json").read_text())
    table = doors.read(folder / "profile.parquet", PROFILE)
    assert set(table["feature"]) == {feature.name for feature in CATALOGUE}
    champion = books.champion(load(rehearsal.settings), pd.Timestamp(rehearsal.manifest["as_of"]).date())
    assert set(table.loc[table["psi"].notna(), "feature"]) == set(models.load(champion.folder).risk.features)
    assert told["verdict"] == rehearsal.manifest["features"]["verdict"]
    assert told["compared_with"].startswith("the training of")
    assert rehearsal.manifest["features"]["numbers"]["psi_largest"] == pytest.approx(table["psi"].max(), abs=1e-4)
    age = table.set_index("feature").loc["age"]
    assert age["median"] == pytest.approx(matrix["age"].quantile(0.5, interpolation="lower"), abs=0.2)
    assert "SYNTHETIC" in (folder / "profile.html").read_text()


def test_nothing_in_the_tables_by_group_tells_of_fewer_than_eight(rehearsal, matrix):
    folder = rehearsal.folder / "data" / "runs" / rehearsal.manifest["run"]
    groups = doors.read(folder / "profile_groups.parquet", PROFILE_GROUPS)
    assert {"imd_quintile", "ethnic_group"} == set(groups["grouping"])
    told = groups.dropna(subset="missing")
    assert ((told["missing"] == 0) | (told["missing"] >= 8)).all()
    assert (told["people"] % 5 == 0).all()
    assert groups["missing"].isna().any()


def test_few_people_with_a_value_are_hidden_as_few_without():
    row = {"feature": "f", "source": "s", "grouping": "g"}
    rows = [(100.0, 0.0), (100.0, 7.0), (100.0, 8.0), (100.0, 93.0), (100.0, 92.0), (100.0, 100.0), (7.0, 0.0)]
    groups = pd.DataFrame([row | {"group": str(n), "people": p, "missing": m} for n, (p, m) in enumerate(rows)])
    told = controlled(groups)
    assert told["missing"].isna().tolist() == [False, True, False, True, False, False, True]
    assert told["share"].dropna().tolist() == [0, 0.1, 0.9, 1]


def test_the_books_hold_the_numbers_of_the_profile_and_its_page(rehearsal):
    with sqlite3.connect(rehearsal.folder / "mlruns" / "mlflow.db") as kept:
        metrics = pd.read_sql("SELECT key, value, run_uuid FROM metrics WHERE key LIKE 'profile_%'", kept)
        runs = pd.read_sql("SELECT run_uuid, name FROM runs", kept).set_index("run_uuid")["name"]
    by_run = metrics.assign(run=metrics["run_uuid"].map(runs)).groupby("run")["key"].agg(set)
    assert "profile_psi_largest" in by_run[f"week {rehearsal.manifest['as_of']}"]
    assert "profile_features" in by_run[f"train {rehearsal.manifest['as_of']}"]
    pages = list((rehearsal.folder / "mlruns").rglob("profile.html"))
    assert len(pages) >= 2


def test_the_model_carries_a_summary_of_what_it_learned_from_without_anybody(rehearsal, matrix):
    settings = load(rehearsal.settings)
    champion = books.champion(settings, pd.Timestamp(rehearsal.manifest["as_of"]).date())
    learned = reference_of(champion.folder)
    assert set(learned["feature"]) == set(models.load(champion.folder).risk.features)
    text = (champion.folder / KEPT).read_text()
    assert not any(str(person) in text for person in matrix["person_id"])


def test_a_damaged_summary_is_refused_and_none_is_no_summary(rehearsal, tmp_path):
    assert reference_of(tmp_path) is None
    settings = load(rehearsal.settings)
    champion = books.champion(settings, pd.Timestamp(rehearsal.manifest["as_of"]).date())
    learned = reference_of(champion.folder)
    keep_reference(learned, tmp_path)
    pd.testing.assert_frame_equal(reference_of(tmp_path), learned)
    text = (tmp_path / KEPT).read_text()
    for damage in (text[:100], text.replace('"bin"', '"tin"'), "{}"):
        (tmp_path / KEPT).write_text(damage)
        with pytest.raises(TrainingError, match="damaged"):
            reference_of(tmp_path)


def test_a_profile_can_be_asked_for_by_itself(rehearsal, tmp_path):
    told = casewell(
        "profile", "--settings", rehearsal.settings, "--as-of", rehearsal.manifest["as_of"], "--out", tmp_path / "p"
    )
    assert rehearsal.manifest["features"]["verdict"] in told
    week = rehearsal.folder / "data" / "runs" / rehearsal.manifest["run"]
    alone = pd.read_parquet(tmp_path / "p" / "profile.parquet")
    pd.testing.assert_frame_equal(alone, pd.read_parquet(week / "profile.parquet"))
    assert np.isfinite(alone["missing"]).all()
