"""What every simulated population must hold, read as the pipeline would read it, beside its truth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import roc_auc_score

from simulator import simulate

CUT_OFF = pd.Timestamp("2026-10-01")
YEAR_BEFORE = pd.Timestamp("2025-10-01")
EMERGENCY = ["21", "22", "23", "24", "25", "2A", "2D", "28"]
COLUMNS = {
    "demographics": "nhs_number given_name family_name date_of_birth sex ethnic_category address_line postcode lsoa "
    "practice_code registration_start_date registration_end_date registration_end_received_date date_of_death "
    "death_received_date",
    "gp_events": "nhs_number practice_code event_date recorded_date received_date code_system code numeric_value unit",
    "hospital_spells": "nhs_number date_of_birth sex postcode provider_code admission_date admission_method "
    "admission_received_date discharge_date discharge_destination primary_diagnosis secondary_diagnoses received_date",
    "emergency_care": "nhs_number date_of_birth sex postcode arrival_date arrival_mode acuity chief_complaint "
    "discharge_destination received_date",
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


@dataclass(frozen=True)
class Simulated:
    sources: Path
    truth: Path

    def source(self, name: str) -> pd.DataFrame:
        table = pd.read_parquet(self.sources / f"{name}.parquet")
        dates = [column for column in table if "date" in column]
        return table.assign(**{column: pd.to_datetime(table[column]) for column in dates})

    @cached_property
    def people(self) -> pd.DataFrame:
        return pd.read_parquet(self.truth / "people.parquet")

    @cached_property
    def identities(self) -> pd.DataFrame:
        return pd.read_parquet(self.truth / "identities.parquet")

    def outcomes(self, as_of: pd.Timestamp) -> pd.DataFrame:
        table = pd.read_parquet(self.truth / "outcomes.parquet")
        return table[table["as_of"] == as_of].set_index("true_person_id")

    def with_person(self, name: str) -> pd.DataFrame:
        who = self.identities[self.identities["source"] == name]
        return self.source(name).merge(who, on="record_id", validate="1:1")

    @cached_property
    def emergencies(self) -> pd.DataFrame:
        spells = self.with_person("hospital_spells").drop_duplicates(["true_person_id", "admission_date"])
        return spells[spells["admission_method"].isin(EMERGENCY)]

    @cached_property
    def starts(self) -> pd.DataFrame:
        referrals = self.with_person("programme")
        return referrals[referrals["outcome"] == "started"]


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    root = tmp_path_factory.mktemp("population")
    simulate(5_000, 7, root / "sources", root / "truth")
    return Simulated(root / "sources", root / "truth")


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
    spells = simulated.with_person("hospital_spells").dropna(subset=["discharge_date"])
    spells = spells.drop_duplicates(["true_person_id", "admission_date", "discharge_date"])
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
    numbers = simulated.source("demographics")["nhs_number"]
    assert numbers.is_unique
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


def test_emergency_admissions_neither_fade_nor_swell(simulated: Simulated) -> None:
    by_year = ((simulated.emergencies["admission_date"] - pd.Timestamp("2022-10-01")).dt.days // 365.25).value_counts()
    assert len(by_year) == 4
    assert by_year.max() / by_year.min() < 1.3
    living = len(simulated.outcomes(YEAR_BEFORE))
    assert 80 < by_year.mean() / living * 1000 < 130


def test_the_true_risk_discriminates_as_well_as_published_tools_and_no_better(simulated: Simulated) -> None:
    truth = simulated.outcomes(YEAR_BEFORE)
    people = simulated.people.set_index("true_person_id").loc[truth.index]
    adults = (YEAR_BEFORE - pd.to_datetime(people["date_of_birth"])).dt.days >= 18 * 365.25
    after = simulated.emergencies.query("admission_date >= @YEAR_BEFORE")["true_person_id"]
    happened = truth.index.isin(after) | (pd.to_datetime(people["died"]) >= YEAR_BEFORE)
    assert 0.78 < roc_auc_score(happened[adults], truth.loc[adults, "risk_without"]) < 0.87
    assert happened[adults].mean() == pytest.approx(truth.loc[adults, "risk_without"].mean(), rel=0.15)


def test_a_naive_comparison_of_before_and_after_looks_like_a_triumph(simulated: Simulated) -> None:
    starts = simulated.starts[simulated.starts["start_date"] < YEAR_BEFORE].drop_duplicates("true_person_id")
    assert len(starts) > 100
    pairs = starts[["true_person_id", "start_date"]].merge(simulated.emergencies, on="true_person_id")
    days = (pairs["admission_date"] - pairs["start_date"]).dt.days
    assert (days.between(0, 364)).sum() < 0.8 * (days.between(-365, -1)).sum()


def test_the_true_average_effect_on_those_chosen_in_the_past_is_small(simulated: Simulated) -> None:
    chosen = simulated.starts[simulated.starts["start_date"] >= YEAR_BEFORE]["true_person_id"]
    truth = simulated.outcomes(YEAR_BEFORE)
    truth = truth[truth.index.isin(chosen)]
    assert 0.88 < truth["admission_risk_with"].sum() / truth["admission_risk_without"].sum() < 1.06


def test_choosing_by_benefit_beats_choosing_by_risk(simulated: Simulated) -> None:
    truth = simulated.outcomes(CUT_OFF)
    benefit = truth["risk_without"] - truth["risk_with"]
    for share in (0.02, 0.05):
        places = round(share * len(truth))
        by_risk = benefit[truth["risk_without"].nlargest(places).index].sum()
        assert benefit.nlargest(places).sum() > 1.5 * by_risk


def test_case_management_helps_some_and_harms_others(simulated: Simulated) -> None:
    people = simulated.people
    effect = np.exp(people["log_effect_at_cut_off"])
    assert effect.between(0.45, 1.26).all()
    assert (effect[people["terminal"] | people["in_care_home"]] > 1.05).all()
    assert (effect < 0.75).mean() > 0.02


def test_everyone_with_an_outcome_is_alive_and_registered(simulated: Simulated) -> None:
    people = simulated.people.set_index("true_person_id")
    for as_of in (YEAR_BEFORE, CUT_OFF):
        inside = people.loc[simulated.outcomes(as_of).index]
        assert inside["registered"].all()
        assert not (pd.to_datetime(inside["died"]) < as_of).any()
        assert not (pd.to_datetime(inside["moved_away"]) < as_of).any()


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
        if "outpatients" in message:
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
