"""What every simulated population must hold, read as the pipeline would read it, beside its truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from simulator import parts, simulate
from tests.simulator.conftest import Simulated

CUT_OFF = pd.Timestamp("2026-10-01")
COLUMNS = {
    "demographics": "nhs_number given_name family_name date_of_birth sex ethnic_category address_line postcode lsoa "
    "practice_code registration_start_date registration_end_date registration_end_received_date date_of_death "
    "death_received_date",
    "gp_events": "nhs_number practice_code event_date recorded_date received_date code_system code numeric_value unit "
    "clinician_code",
    "hospital_spells": "nhs_number date_of_birth sex postcode provider_code spell_id episode_order episode_start_date "
    "episode_end_date admission_date admission_method admission_received_date discharge_date discharge_destination "
    "primary_diagnosis secondary_diagnoses procedures treatment_function_code ethnic_category received_date",
    "emergency_care": "nhs_number date_of_birth sex postcode arrival_date arrival_mode acuity chief_complaint "
    "discharge_destination ethnic_category received_date",
    "urgent_care": "nhs_number given_name family_name date_of_birth sex postcode call_date service disposition received_date",
    "outpatients": "nhs_number appointment_date attendance treatment_function_code received_date",
    "community": "nhs_number contact_date team_type received_date",
    "mental_health": "nhs_number contact_date team_type received_date",
    "social_care": "nhs_number given_name family_name date_of_birth sex postcode event_type service_type start_date "
    "end_date received_date",
    "housing": "given_name family_name date_of_birth address_line postcode event_type event_date received_date",
    "programme": "nhs_number team_code referral_date referral_route start_date end_date outcome received_date "
    "randomised_probability",
    "opt_outs": "nhs_number opt_out_type start_date received_date",
}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_every_source_has_the_columns_of_its_contract(simulated: Simulated) -> None:
    for name, columns in COLUMNS.items():
        assert pq.read_schema(simulated.sources / f"{name}.parquet").names == ["record_id", *columns.split()]
    practices = simulated.source("practices")
    assert list(practices) == ["practice_code", "practice_name", "pcn_code", "pcn_name"]
    assert set(simulated.source("demographics")["practice_code"]) <= set(practices["practice_code"])


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_people(tmp_path: Path) -> None:
    for name, seed in (("one", 3), ("two", 3), ("three", 4)):
        simulate(300, seed, tmp_path / name, tmp_path / f"{name} truth")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert contents(tmp_path / "one truth") == contents(tmp_path / "two truth")
    assert contents(tmp_path / "one")["demographics.parquet"] != contents(tmp_path / "three")["demographics.parquet"]


def test_the_number_of_processes_leaves_the_bytes_as_they_are(tmp_path: Path) -> None:
    simulate(400, 5, tmp_path / "alone", tmp_path / "alone truth")
    simulate(400, 5, tmp_path / "shared", tmp_path / "shared truth", processes=2)
    assert contents(tmp_path / "alone") == contents(tmp_path / "shared")
    assert contents(tmp_path / "alone truth") == contents(tmp_path / "shared truth")


def test_large_networks_are_written_in_chunks_and_nobody_is_lost_between_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "CHUNK", 150)
    simulate(1_200, 6, tmp_path / "sources", tmp_path / "truth")
    whole = pq.ParquetFile(tmp_path / "sources" / "gp_events.parquet")
    assert whole.num_row_groups > 6
    assert whole.read(["record_id"])["record_id"].to_pandas().is_unique
    people = pd.read_parquet(tmp_path / "truth" / "people.parquet")
    assert people["true_person_id"].is_unique
    assert people["registered"].sum() == 1_200
    numbers = pd.read_parquet(tmp_path / "sources" / "demographics.parquet")["nhs_number"]
    assert set(numbers) == set(people.loc[people["registered"], "nhs_number"])


def test_nothing_was_received_on_or_after_the_cut_off(simulated: Simulated) -> None:
    for name in COLUMNS:
        table = simulated.source(name)
        for column in [column for column in table if column.endswith("received_date")]:
            assert table[column].max() < CUT_OFF, (name, column)


def test_nothing_was_received_before_it_happened(simulated: Simulated) -> None:
    pairs = [
        ("gp_events", "event_date", "received_date"),
        ("hospital_spells", "admission_date", "admission_received_date"),
        ("hospital_spells", "discharge_date", "received_date"),
        ("emergency_care", "arrival_date", "received_date"),
        ("social_care", "end_date", "received_date"),
        ("programme", "start_date", "received_date"),
        ("demographics", "date_of_death", "death_received_date"),
        ("demographics", "registration_end_date", "registration_end_received_date"),
    ]
    for name, happened, received in pairs:
        table = simulated.source(name).dropna(subset=[happened])
        assert len(table) > 50
        assert (table[received] > table[happened]).all(), (name, happened)


def test_a_spell_not_yet_received_shows_only_the_admission(simulated: Simulated) -> None:
    spells = simulated.source("hospital_spells")
    waiting = spells[spells["received_date"].isna()]
    assert len(waiting) > 0
    assert waiting[["discharge_date", "discharge_destination", "primary_diagnosis"]].isna().all(axis=None)


def test_nothing_happens_to_the_dead(simulated: Simulated) -> None:
    died = simulated.people.set_index("true_person_id")["died"].dropna()
    for name, when in (
        ("gp_events", "event_date"),
        ("hospital_spells", "admission_date"),
        ("community", "contact_date"),
    ):
        table = simulated.with_person(name)
        death = pd.to_datetime(table["true_person_id"].map(died))
        assert not (table[when] > death).any(), name


def test_stays_of_one_person_do_not_overlap(simulated: Simulated) -> None:
    spells = simulated.with_person("hospital_spells").query("episode_order == 1").sort_values("received_date")
    spells = spells.drop_duplicates(["provider_code", "spell_id"]).dropna(subset=["discharge_date"])
    spells = spells.sort_values(["true_person_id", "admission_date", "discharge_date"])
    following = spells.groupby("true_person_id")["admission_date"].shift(-1)
    assert not (spells["discharge_date"] > following).any()


def test_the_truth_knows_the_person_of_every_row(simulated: Simulated) -> None:
    for name in COLUMNS:
        records = simulated.source(name)["record_id"]
        known = simulated.identities.loc[simulated.identities["source"] == name, "record_id"]
        assert records.is_unique
        assert set(records) == set(known)
    assert set(simulated.identities["true_person_id"]) <= set(simulated.people["true_person_id"])


def test_the_truth_is_not_among_the_sources(simulated: Simulated) -> None:
    assert {path.stem for path in simulated.sources.iterdir()} == {*COLUMNS, "practices", "SYNTHETIC"}
    assert not any("true" in column for name in COLUMNS for column in simulated.source(name))


def test_nhs_numbers_are_test_numbers_with_a_valid_check_digit(simulated: Simulated) -> None:
    numbers = simulated.people["nhs_number"]
    assert numbers.is_unique
    assert set(simulated.source("demographics")["nhs_number"]) <= set(numbers)
    assert numbers.str.fullmatch(r"999\d{7}").all()
    digits = np.array([list(number) for number in numbers], dtype=int)
    check = 11 - (digits[:, :9] * np.arange(10, 1, -1)).sum(axis=1) % 11
    assert (np.where(check == 11, 0, check) == digits[:, 9]).all()


def test_services_lose_numbers_and_social_care_loses_most(simulated: Simulated) -> None:
    missing = {name: simulated.source(name)["nhs_number"].isna().mean() for name in ("hospital_spells", "social_care")}
    assert 0.01 < missing["hospital_spells"] < 0.08
    assert 0.25 < missing["social_care"] < 0.55
    assert "nhs_number" not in simulated.source("housing")


def test_ethnicity_is_missing_most_for_those_seldom_seen(simulated: Simulated) -> None:
    contacts = simulated.source("gp_events").query("code == '11429006'")["nhs_number"].value_counts()
    spine = simulated.source("demographics")
    seen = spine["nhs_number"].map(contacts).fillna(0)
    unknown = spine["ethnic_category"] == "99"
    assert unknown[seen <= 5].mean() > 3 * unknown[seen > 30].mean()
    assert (spine["ethnic_category"] == "Z").any()


def test_too_few_people_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="too few"):
        simulate(99, 1, tmp_path / "sources", tmp_path / "truth")
    assert not list(tmp_path.iterdir())


def test_other_peoples_files_are_never_written_over(tmp_path: Path) -> None:
    for full, empty in (("sources", "truth"), ("truth", "sources")):
        (tmp_path / full).mkdir(exist_ok=True)
        (tmp_path / full / "thesis.txt").write_text("mine")
        with pytest.raises(ValueError, match="no simulation made"):
            simulate(100, 1, tmp_path / "sources", tmp_path / "truth")
        assert (tmp_path / full / "thesis.txt").read_text() == "mine"
        (tmp_path / full / "thesis.txt").unlink()
        assert not any((tmp_path / empty).glob("*"))


def test_the_truth_may_not_lie_inside_the_sources(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="folder of its own"):
        simulate(100, 1, tmp_path / "sources", tmp_path / "sources" / "truth")


def test_an_interrupted_run_leaves_what_was_there(tmp_path: Path) -> None:
    simulate(100, 1, tmp_path / "sources", tmp_path / "truth")
    before = contents(tmp_path / "sources")

    def stop(message: str) -> None:
        if "2 of" in message:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(100, 2, tmp_path / "sources", tmp_path / "truth", progress=stop)
    assert contents(tmp_path / "sources") == before
    assert {path.name for path in tmp_path.iterdir()} == {"sources", "truth"}


def test_a_later_simulation_takes_the_place_of_an_earlier_one(tmp_path: Path) -> None:
    simulate(100, 1, tmp_path / "sources", tmp_path / "truth")
    before = contents(tmp_path / "sources")
    simulate(100, 2, tmp_path / "sources", tmp_path / "truth")
    assert "seed 2" in (tmp_path / "sources" / "SYNTHETIC").read_text()
    assert contents(tmp_path / "sources") != before


def test_the_truth_of_other_sources_is_never_replaced(tmp_path: Path) -> None:
    simulate(100, 1, tmp_path / "sources", tmp_path / "truth")
    with pytest.raises(ValueError, match="holds the truth about other sources"):
        simulate(100, 2, tmp_path / "others", tmp_path / "truth")
    assert {path.name for path in tmp_path.iterdir()} == {"sources", "truth"}


def test_a_file_put_among_simulated_ones_is_not_lost(tmp_path: Path) -> None:
    simulate(100, 1, tmp_path / "sources", tmp_path / "truth")
    (tmp_path / "sources" / "mine.csv").write_text("mine")
    with pytest.raises(ValueError, match=r"no simulation made, 'mine\.csv' for one"):
        simulate(100, 1, tmp_path / "sources", tmp_path / "truth")
    assert (tmp_path / "sources" / "mine.csv").read_text() == "mine"


def test_an_address_says_nothing_of_who_lives_there(simulated: Simulated) -> None:
    spine = simulated.with_person("demographics").drop_duplicates("true_person_id", keep="last")
    number = spine["address_line"].str.extract(r"^(\d+)")[0].astype(int)
    people = simulated.people.set_index("true_person_id").loc[spine["true_person_id"]]
    for trait in (people["ethnic_group"] != "white", people["lives_alone"], people["frailty"] > 1):
        assert abs(np.corrcoef(number, trait)[0, 1]) < 0.12
