"""The simulation report: what it measures, what it lets pass, and what it shows."""

import datetime as dt
import io
from typing import get_args

import duckdb
import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from benchmarks.simulation_measures import hospital, mortality, programme
from benchmarks.simulation_measures.population import Population, read_population
from benchmarks.simulation_pictures import PICTURES, Results
from benchmarks.simulation_report import main, page, report
from benchmarks.simulation_targets import GROUPS, SOURCES, TARGETS, Kind, Unit

AS_PUBLISHED = {target.name: target.value for target in TARGETS}
# Person, provider, spell, episode, admitted, discharged, method, received: a stay that is corrected and goes on
# elsewhere, one sent twice, an elective one, one not over, and one of somebody who was never registered.
SPELLS = [
    (1, "RA", "a", 1, "2023-01-01", "2023-01-05", "21", "2023-02-01"),
    (1, "RA", "a", 1, "2023-01-01", "2023-01-07", "21", "2023-04-01"),
    (1, "RA", "a", 2, "2023-01-01", "2023-01-05", "21", "2023-02-01"),
    (1, "RB", "a", 1, "2023-01-07", "2023-01-10", "81", "2023-02-10"),
    (1, "RA", "b", 1, "2023-03-01", "2023-03-01", "21", "2023-04-01"),
    (1, "RA", "b", 1, "2023-03-01", "2023-03-01", "21", "2023-04-01"),
    (1, "RA", "e", 1, "2024-06-01", "2024-06-03", "2A", "2024-07-01"),
    (2, "RA", "c", 1, "2024-05-01", "2024-05-02", "11", "2024-06-01"),
    (2, "RA", "d", 1, "2025-01-01", None, "22", None),
    (3, "RA", "f", 1, "2023-12-01", "2023-12-03", "21", "2024-01-01"),
    (9, "RA", "g", 1, "2023-05-01", "2023-05-02", "21", "2023-06-01"),
]


def day(text):
    return pd.NaT if text is None else dt.date.fromisoformat(text)


@pytest.fixture
def tiny(tmp_path):
    """Four people with 4, 4, 2 and 1 years here, and their hospital spells; returns the folder."""
    people = pd.DataFrame(
        [
            (1, True, "1950-01-01", "2010-01-01", None, None, 1, "female"),
            (2, True, "1980-01-01", "2010-01-01", None, None, 10, "male"),
            (3, True, "1980-01-01", "2010-01-01", None, "2024-10-01", 5, "male"),
            (4, True, "1980-01-01", "2010-01-01", "2023-10-01", None, 5, "male"),
            (9, False, "1980-01-01", "2010-01-01", None, None, 5, "male"),
        ],
        columns=[
            "true_person_id",
            "registered",
            "date_of_birth",
            "moved_in",
            "moved_away",
            "died",
            "imd_decile",
            "sex",
        ],
    )
    for column in ("date_of_birth", "moved_in", "moved_away", "died"):
        people[column] = pd.to_datetime(people[column])
    spells = pd.DataFrame(
        SPELLS,
        columns=[
            "person",
            "provider_code",
            "spell_id",
            "episode_order",
            "admission_date",
            "discharge_date",
            "admission_method",
            "received_date",
        ],
    )
    for column in ("admission_date", "discharge_date", "received_date"):
        spells[column] = pd.to_datetime(spells[column])
    spells["record_id"] = [f"APC{row}" for row in range(len(spells))]
    identities = spells.rename(columns={"person": "true_person_id"})[["record_id", "true_person_id"]]
    people.to_parquet(tmp_path / "people.parquet")
    identities.assign(source="hospital_spells").to_parquet(tmp_path / "identities.parquet")
    spells.drop(columns="person").to_parquet(tmp_path / "hospital_spells.parquet")
    return tmp_path


def emergency_of(folder):
    with duckdb.connect() as base:
        stays = hospital.read_stays(base, folder, folder)
    return stays[hospital.is_emergency(stays["method"])]


def test_emergency_admissions_are_counted_once_and_over_the_time_lived_here(tiny):
    population, emergency = read_population(tiny), emergency_of(tiny)
    counts = population.count(emergency["person"], emergency["admitted"])
    measured = hospital.admissions(population, emergency, counts)
    # Five stays of the registered in eleven years; those that are over lasted 9 (corrected, and gone on), 0, 2 and 2 days.
    assert measured["emergency_rate"] == pytest.approx(1000 * 5 / 11, rel=1e-3)
    assert measured["bed_days"] == pytest.approx(13 / 4)
    assert measured["zero_day_share"] == pytest.approx(1 / 4)


def test_without_spell_numbers_a_row_is_a_spell_and_one_sent_twice_counts_once(tiny):
    path = tiny / "hospital_spells.parquet"
    plain = pd.read_parquet(path).drop(columns=["spell_id", "episode_order"]).drop(index=[0, 2])
    plain.to_parquet(path)
    assert emergency_of(tiny)["person"].tolist() == [1, 1, 1, 2, 3, 9]


def test_repeats_are_counted_within_each_year(tiny):
    population, emergency = read_population(tiny), emergency_of(tiny)
    measured = hospital.repeats(population.count(emergency["person"], emergency["admitted"]))
    assert measured["admitted_one"] == 3 / 4
    assert measured["admitted_two"] == 1 / 4
    assert measured["admissions_per_admitted"] == 5 / 4


def test_before_and_after_counts_only_those_here_for_both_years(tiny):
    starts = pd.DataFrame({"person": [1, 3], "start_date": pd.to_datetime(["2023-10-01", "2024-01-01"])})
    # The first was admitted twice in the year before and once in the year after; the other died within the year.
    assert programme.naive_fall(read_population(tiny), emergency_of(tiny), starts) == pytest.approx(0.5)


def test_deaths_and_time_lived_are_counted_in_the_age_at_the_time(tiny):
    measured = mortality.mortality(read_population(tiny))
    # The one death was at 44; three people lived 2.25, 2 and 1 years between 40 and 45.
    assert measured["mortality_40-44"] == pytest.approx(1000 / 5.25, rel=0.01)
    assert measured["mortality_70-74"] == 0
    assert np.isnan(measured["mortality_0-4"])


def test_life_expectancy_is_the_age_at_which_all_die():
    years, deaths = np.ones((19, 1)), np.zeros((19, 1))
    deaths[-1] = 1 / 4
    population = Population(pd.DataFrame(), years, 5.0 * np.arange(19)[:, None])
    bands = [*(f"{low}-{low + 4}" for low in range(0, 90, 5)), "90+"]
    assert mortality.life_expectancy(population, deaths, bands, np.ones(19, bool)) == pytest.approx(94)


def test_a_line_through_the_tenths_gives_the_ratio_of_its_ends():
    decile = np.arange(1, 11)
    rate = 0.01 * 3.0 ** ((10 - decile) / 9)
    population = Population(pd.DataFrame(), np.full((10, 1), 1000.0), np.full((10, 1), 45.0))
    ratio = mortality.line_ratio(population, 1000 * rate[:, None], np.ones((10, 1), bool), decile)
    assert ratio == pytest.approx(3, rel=1e-3)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_each_target_holds_inside_its_tolerance_and_not_outside(target):
    low, high = target.limits
    assert target.holds(target.value)
    assert not target.holds(float("nan"))
    assert np.isinf(low) or not target.holds(low - 1e-6)
    assert np.isinf(high) or not target.holds(high + 1e-6)
    assert target.source in SOURCES
    assert target.kind in get_args(Kind)
    assert target.unit in get_args(Unit)
    assert target.sentence.endswith(".")


def told(seeds, tmp_path):
    words = io.StringIO()
    names = [f"Seed {number}" for number in range(len(seeds))]
    status = report(Results(seeds), names, "A test", tmp_path / "page.html", Console(file=words, width=160))
    return status, words.getvalue(), (tmp_path / "page.html").read_text(encoding="utf-8")


def test_a_population_as_published_passes(tmp_path):
    status, words, html = told([AS_PUBLISHED], tmp_path)
    assert status == 0
    assert "FAIL" not in words
    assert "Outside" not in html


def test_one_figure_outside_fails_and_is_named(tmp_path):
    status, words, html = told([AS_PUBLISHED, AS_PUBLISHED | {"bed_days": 9.0}], tmp_path)
    assert status == 1
    assert "Outside: bed_days" in " ".join(words.split())
    assert words.count("FAIL") == 1
    assert html.count(">FAIL<") == 1
    assert "Bed days per emergency admission, 7.4" in html


def test_a_figure_that_cannot_be_measured_fails(tmp_path):
    status, words, _ = told([{name: value for name, value in AS_PUBLISHED.items() if name != "uptake"}], tmp_path)
    assert status == 1
    assert "Outside: uptake" in " ".join(words.split())


def test_the_page_shows_every_target_a_picture_for_each_group_and_nothing_from_outside():
    html = page(Results([AS_PUBLISHED]), ["Seed 1"], "A test")
    assert set(PICTURES) == set(GROUPS) == {target.group for target in TARGETS}
    assert html.count("<svg ") == len(GROUPS)
    for target in TARGETS:
        assert f'<th scope="row">{target.label}</th>' in html
        assert target.sentence.split("<")[0] in html.replace("&#x27;", "'")
    assert "SYNTHETIC" in html
    assert "http" not in html.replace("http://www.w3.org", "")
    assert "<script" not in html


def test_the_command_simulates_in_scratch_and_leaves_only_the_page(tmp_path):
    scratch, out = tmp_path / "scratch", tmp_path / "made" / "page.html"
    scratch.mkdir()
    given = ["--people", "1500", "--seeds", "5", "--folder", str(scratch), "--out", str(out)]
    assert main(given) == 1  # so few people cannot come near every figure
    assert list(scratch.iterdir()) == []
    assert [path.name for path in out.parent.iterdir()] == ["page.html"]
    assert "1,500 simulated people on seed 5" in out.read_text(encoding="utf-8")


def test_sources_and_truth_are_given_together(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["--sources", str(tmp_path)])
    assert "together" in capsys.readouterr().err
