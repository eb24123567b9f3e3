"""Each feature of the catalogue says something about the simulated people, or is listed here with the reason why not."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

import records
from casewell.settings import load
from features import CATALOGUE, build
from tests.support import demonstration_settings

AS_OF = dt.date(2026, 10, 1)  # the day on which the simulated records end

NOT_SIMULATED = {
    "inpatient_": "OMOP visits; the simulated population comes as NHS extracts",
    "acsc_influenza_pneumonia": "pneumonia is simulated as J18.9, which the list leaves out",
    "hospital_delirium": "no such diagnosis is simulated",
    "hospital_pressure_ulcer": "no such diagnosis is simulated",
    "outpatient_geriatrics": "no such clinic is simulated",
    "gp_contact_remote": "written only under the scenario coding_change",
    "osteoporosis": "no such record is simulated",
    "gastrointestinal_bleed": "no such record is simulated",
    "prescription_bladder": "no such medicine is simulated",
    "prescription_bone": "no such medicine is simulated",
    "prescription_hypnotic": "no such medicine is simulated",
    "prescription_nsaid": "no such medicine is simulated",
    "prescription_parkinson": "no such medicine is simulated",
    "nsaid_": "rests on prescription_nsaid",
    "minutes_to_": "told by a table of the site's own; the simulated areas lie nowhere",
}
# One in a thousand of the simulated people or fewer: whether any is among 4,000 is chance.
RARE = {
    "amputation_leg_any_1095d",
    "vulnerable_migrant_any_ever",
    "homeless_any_ever",
    "drug_dependence_any_ever",
    "hfrs_high",
    "hba1c_high",
    "anticoagulant_with_antiplatelet_unprotected",
    "antipsychotic_in_dementia",
    "polypharmacy_10_90d",
}


@pytest.fixture(scope="module")
def matrix(population, tmp_path_factory) -> pd.DataFrame:
    """The whole catalogue, of everybody with a registration, on three days of different months of the quarter.

    The sources are read and linked, and no more: a whole week would cost six times as much and add nothing here.
    """
    linked = tmp_path_factory.mktemp("linked")
    settings = load(demonstration_settings(tmp_path_factory.mktemp("settings"), population))
    records.build(settings, AS_OF, linked)
    events, people, residences = (linked / f"{name}.parquet" for name in ("events", "people", "residences"))
    known = pd.read_parquet(people, columns=["person_id", "in_spine"]).query("in_spine")
    days = [pd.Timestamp(AS_OF) - pd.DateOffset(months=back) for back in (0, 4, 11)]
    asked = pd.concat([known[["person_id"]].assign(index_date=day) for day in days])
    asked = asked.astype({"index_date": "datetime64[us]"})[["index_date", "person_id"]]
    out = tmp_path_factory.mktemp("catalogue") / "matrix"
    return pd.read_parquet(build(asked, events, people, residences, out))


def not_simulated(name: str) -> bool:
    return name.startswith(tuple(NOT_SIMULATED))


def test_every_feature_varies_among_the_simulated_people_unless_it_is_said_why_not(matrix):
    alike = {feature.name for feature in CATALOGUE if matrix[feature.name].nunique(dropna=False) < 2}
    assert not {name for name in alike if not not_simulated(name)} - RARE


def test_what_is_listed_as_not_simulated_is_not(matrix):
    listed = [feature.name for feature in CATALOGUE if not_simulated(feature.name)]
    assert all(any(name.startswith(prefix) for name in listed) for prefix in NOT_SIMULATED)
    assert not [name for name in listed if matrix[name].nunique(dropna=False) > 1]


def test_scores_rise_with_age_as_illness_does(matrix):
    old, young = matrix[matrix["age"] >= 75], matrix[matrix["age"].between(18, 50)]
    for name in ("hfrs_score", "charlson_score", "charlson_updated", "efi_index", "cms_score"):
        assert old[name].mean() > 2 * young[name].mean(), name
