"""The whole way through, from sources to published lists."""

import hashlib
import json
import shutil
import sqlite3
from pathlib import Path

import pandas as pd
import pytest

from tests.support import files_below, run_week


@pytest.fixture(scope="module")
def again(population, tmp_path_factory):
    """The same inputs and settings once more, elsewhere, with the truth nowhere near."""
    folder = tmp_path_factory.mktemp("again")
    shutil.copytree(population, folder / "sources")
    return run_week(folder, folder / "sources")


def digests(folder: Path, *suffixes: str) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files_below(folder)
        if path.suffix in suffixes
    }


def test_the_same_inputs_and_settings_give_the_same_bytes(rehearsal, again):
    first = digests(rehearsal.published, ".parquet", ".csv", ".xlsx", ".html")
    assert len(first) > 5
    assert first == digests(again.published, ".parquet", ".csv", ".xlsx", ".html")


def test_every_team_has_a_workbook_and_a_csv(rehearsal):
    cohort = pd.read_parquet(rehearsal.published / "cohort.parquet")
    names = {path.name for path in (rehearsal.published / "lists").iterdir()}
    assert {f"{team}.{kind}" for team in set(cohort["team_code"]) for kind in ("csv", "xlsx")} <= names


def test_the_doors_sum_to_the_people_that_came_in(rehearsal):
    ledger = json.loads((rehearsal.published / "ledger.json").read_text())
    linked = next((rehearsal.folder / "data" / "linked").iterdir())
    came_in = len(pd.read_parquet(linked / "people.parquet")) + len(pd.read_parquet(linked / "removed.parquet"))
    assert sum(ledger["doors"].values()) == ledger["people"] == came_in


def test_nobody_is_listed_beyond_a_teams_places_and_everybody_has_a_reason(rehearsal):
    cohort = pd.read_parquet(rehearsal.published / "cohort.parquet")
    listed = cohort[cohort["status"] == "listed"]
    assert listed.groupby("team_code").size().max() <= 40
    assert (cohort["reason_1"] != "").all()
    assert (listed["benefit"] > 0).all()


def test_the_manifest_vouches_for_every_published_file(rehearsal):
    manifest = json.loads((rehearsal.published / "manifest.json").read_text())
    found = digests(rehearsal.published, ".parquet", ".csv", ".xlsx", ".html", ".json")
    found.pop("manifest.json")
    assert manifest["files"] == found


def test_everything_made_from_simulated_people_is_stamped(rehearsal):
    assert rehearsal.manifest["synthetic"]
    assert "SYNTHETIC" in (rehearsal.published / "fairness.html").read_text()
    for path in (rehearsal.published / "lists").glob("*.csv"):
        assert "SYNTHETIC" in path.read_text()
    for name in ("fairness.json", "ledger.json", "manifest.json"):
        assert json.loads((rehearsal.published / name).read_text())["synthetic"] is True
    assert pd.read_parquet(rehearsal.published / "cohort.parquet")["synthetic"].all()


def test_lists_of_another_population_are_not_replaced(rehearsal):
    from casewell.errors import SettingsError
    from flows.weekly import _refuse_another_populations_folder

    _refuse_another_populations_folder(rehearsal.published, "demo")
    with pytest.raises(SettingsError, match="'demo'"):
        _refuse_another_populations_folder(rehearsal.published, "elsewhere")


def test_names_and_numbers_appear_in_the_teams_lists_and_nowhere_else(rehearsal):
    linked = next((rehearsal.folder / "data" / "linked").iterdir())
    numbers = pd.read_parquet(linked / "contacts.parquet")["nhs_number"]
    sought = [number.encode() for number in numbers.sample(300, random_state=1) if number]
    private = {"lists", "fhir", "imports", "sources", "truth", "quarantine", "identities.parquet", "contacts.parquet"}
    public = [
        path for path in files_below(rehearsal.folder) if not private & set(path.relative_to(rehearsal.folder).parts)
    ]
    assert len(public) > 20
    for path in public:
        content = plain(path)
        assert not any(number in content for number in sought), path.name


def plain(path: Path) -> bytes:
    """A file's bytes; of a Parquet file those of its text columns, which compression would hide."""
    if path.suffix != ".parquet":
        return path.read_bytes()
    return pd.read_parquet(path).select_dtypes("str").drop_duplicates().to_csv().encode()


def test_mlflow_holds_no_row_about_a_person(rehearsal):
    store = rehearsal.folder / "mlruns"
    assert not [path for path in files_below(store) if path.suffix in {".parquet", ".csv", ".xlsx", ".pkl"}]
    content = b"".join(path.read_bytes() for path in files_below(store))
    linked = next((rehearsal.folder / "data" / "linked").iterdir())
    people = pd.read_parquet(linked / "contacts.parquet").sample(300, random_state=1)
    assert not any(str(number).encode() in content for number in people["nhs_number"] if number)
    assert not any(str(pseudonym).encode() in content for pseudonym in people["person_id"])


def test_the_model_is_registered_with_its_aliases(rehearsal):
    with sqlite3.connect(rehearsal.folder / "mlruns" / "mlflow.db") as books:
        aliases = {row[0] for row in books.execute("SELECT alias FROM registered_model_aliases")}
    assert aliases == {"champion", "challenger"}


def test_the_registered_model_scores_features_by_itself(rehearsal):
    import mlflow

    mlflow.set_tracking_uri(f"sqlite:///{rehearsal.folder / 'mlruns' / 'mlflow.db'}")
    model = mlflow.pyfunc.load_model("models:/casewell-demo@champion")
    matrix = pd.read_parquet(
        next(
            path
            for path in (rehearsal.folder / "data" / "features").glob("*/matrix.parquet")
            if "history" not in str(path)
        )
    )
    scores = model.predict(matrix)
    assert list(scores["person_id"]) == list(matrix["person_id"])
    assert scores["risk"].between(0, 1).all()


def test_a_list_whose_audit_cannot_tell_is_withheld_without_an_owner(population, rehearsal, tmp_path):
    week = run_week(tmp_path, population, fairness={"override": None}, mlruns_dir=str(rehearsal.folder / "mlruns"))
    assert week.manifest["fairness"]["verdict"] == "cannot tell"
    assert not week.manifest["fairness"]["released"]
    assert not (tmp_path / "data" / "cohorts").exists()


def test_a_policy_and_its_price_go_by_the_conditions_that_records_tell_of(rehearsal, tmp_path):
    import datetime as dt

    from casewell.settings import Policy, load
    from flows import books, weekly

    as_of, run = dt.date.fromisoformat(rehearsal.manifest["as_of"]), Path(rehearsal.manifest["folder"])
    linked = next((rehearsal.folder / "data" / "linked").iterdir())
    matrices = (rehearsal.folder / "data" / "features").glob("*/matrix.parquet")
    matrix = next(path for path in matrices if "history" not in str(path))
    owned = {"owner": "A. Director", "review_date": as_of, "legal_basis": "counsel's opinion"}
    policy = Policy(group_weights={"severe_mental_illness": {"recorded": 100}}, **owned)
    settings = load(rehearsal.settings)
    champion = books.champion(settings, as_of)
    settings = settings.model_copy(update={"policy": policy})
    shutil.copy2(run / "scores.parquet", tmp_path / "scores.parquet")
    weekly.group.fn(as_of, linked, tmp_path)
    weekly.choose.fn(settings, as_of, linked, matrix, champion.folder, tmp_path)

    def listed(folder: Path) -> set[int]:
        cohort = pd.read_parquet(folder / "cohort.parquet")
        return set(cohort.loc[cohort["status"] == "listed", "person_id"])

    groups = pd.read_parquet(tmp_path / "groups.parquet").set_index("person_id")["severe_mental_illness"]
    entered = listed(tmp_path) - listed(run)
    assert entered
    assert set(groups[list(entered)]) == {"recorded"}
    told = weekly.price.fn(settings, as_of, linked, tmp_path, True, "assumed", {})
    assert "people are listed who would not be by benefit alone" in told["says"][1]

    def people(told: dict) -> list[int]:
        return [fifth["people"] for fifth in told["fifths"]]

    # A week that showed almost the same counts stands, so that two pages side by side give nobody away.
    shown = json.loads((tmp_path / "policy.json").read_text())
    for fifth in shown["fifths"]:
        fifth["people"] += 5
    before = tmp_path / "cohorts" / str(as_of) / "policy.json"
    before.parent.mkdir(parents=True)
    before.write_text(json.dumps(shown))
    settings, next_week = settings.model_copy(update={"data_dir": tmp_path}), as_of + dt.timedelta(days=7)
    weekly.price.fn(settings, next_week, linked, tmp_path, True, "assumed", {})
    assert people(json.loads((tmp_path / "policy.json").read_text())) == people(shown)


def test_without_an_extract_of_gp_records_nobody_says_whether_a_practice_is_silent(tmp_path):
    import datetime as dt
    from types import SimpleNamespace

    from flows import weekly

    matrix = tmp_path / "matrix.parquet"
    pd.DataFrame({"person_id": [1, 2], weekly.USE: [3.0, None], weekly.ATTENDED: [None, None]}).to_parquet(matrix)
    omop = SimpleNamespace(sources={"omop": SimpleNamespace(enabled=True, kind="omop", table=None)})
    people = pd.DataFrame({"person_id": [1, 2], "team_code": ["A", "B"]})
    found = weekly._known(omop, dt.date(2026, 10, 1), people, tmp_path / "events.parquet", matrix)
    assert found.to_dict("list") == {"person_id": [1, 2], "team": ["A", "B"], "use": [3.0, 0.0]}


def test_a_past_week_is_not_scored_by_a_model_that_knows_what_came_after(rehearsal):
    import datetime as dt

    from casewell.settings import load
    from flows import books

    settings = load(rehearsal.settings)
    as_of = dt.date.fromisoformat(rehearsal.manifest["as_of"])
    assert books.champion(settings, as_of) is not None
    assert books.champion(settings, as_of - dt.timedelta(days=1)) is None


def test_outcomes_beside_the_one_that_ranks_reach_the_scores_and_the_cohort(rehearsal):
    scores = pd.read_parquet(Path(rehearsal.manifest["folder"]) / "scores.parquet")
    cohort = pd.read_parquet(rehearsal.published / "cohort.parquet")
    assert [name for name in scores if name.startswith("predicted_")] == ["predicted_bed_days"]
    assert scores["predicted_bed_days"].between(0, 365).all()
    known = cohort[["person_id", "predicted_bed_days"]].merge(scores, on="person_id", suffixes=("", "_scored"))
    assert len(known) == len(cohort)
    assert (known["predicted_bed_days"] == known["predicted_bed_days_scored"]).all()


def test_the_week_says_whether_it_may_be_trusted_in_page_json_and_books(rehearsal):
    told = json.loads((rehearsal.published / "monitoring.json").read_text())
    assert told["headline"] in (rehearsal.published / "monitoring.html").read_text()
    assert rehearsal.manifest["monitoring"]["numbers"] == told["numbers"]
    assert rehearsal.manifest["model"]["without"] == []
    assert not [finding for finding in told["findings"] if finding["level"] == "past the limit"]
    assert {row["source"] for row in told["feeds"]} >= {"gp_events", "hospital_spells"}
    with sqlite3.connect(rehearsal.folder / "mlruns" / "mlflow.db") as books:
        kept = {row[0] for row in books.execute("SELECT key FROM metrics WHERE key LIKE 'monitoring_%'")}
    assert kept == {f"monitoring_{name}" for name in told["numbers"]}


def test_expected_need_adds_to_what_is_recorded_and_takes_nothing_away(rehearsal):
    scores = pd.read_parquet(Path(rehearsal.manifest["folder"]) / "scores.parquet")
    assert (scores["need_expected"] >= scores["need"]).all()
    assert (scores["need_expected"] > scores["need"]).mean() > 0.9
