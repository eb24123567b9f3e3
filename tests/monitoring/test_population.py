"""Whether these are still the same people."""

import numpy as np
import pandas as pd

from casewell.settings import Monitoring
from monitoring.ethnicity import about_ethnicity, unknown_ethnicity
from monitoring.population import Composition, about_population, flows


def people(ids, band="18-44", fifth="2"):
    return pd.DataFrame({"person_id": ids, "age_band": band, "imd_quintile": fifth})


def test_who_came_and_who_left_is_counted_by_group():
    then = pd.concat([people(range(0, 500)), people(range(500, 1_000), fifth="5")])
    now = pd.concat([people(range(20, 700)), people(range(700, 1_000), fifth="5")])
    cells = flows(then, now).set_index("imd_quintile")
    assert cells.loc["2", ["people", "came", "left"]].tolist() == [500, 200, 20]
    assert cells.loc["5", ["people", "came", "left"]].tolist() == [500, 0, 200]
    assert cells.loc["2", "growth"] == 180 / 500


def told(cells, rate=(1.0, 0.9, 1.1)):
    return about_population(Composition(cells, *rate), Monitoring())


def test_a_group_that_grew_beyond_chance_is_named():
    then = pd.concat([people(range(600)), people(range(1_000, 3_000), fifth="4")])
    (finding,) = told(flows(then, pd.concat([then, people(range(5_000, 5_250))])))
    assert "18-44, deprivation fifth 2, which grew by 42%" in finding.sentence


def test_the_comings_and_goings_of_a_small_town_are_not_named():
    draw = np.random.default_rng(3)
    then = pd.concat([people(range(at, at + 150), fifth=str(at)) for at in range(0, 3_000, 150)])
    kept = then[draw.random(len(then)) > 0.08]
    new = people(range(10_000, 10_240)).assign(imd_quintile=draw.choice(then["imd_quintile"].unique(), 240))
    assert told(flows(then, pd.concat([kept, new]))) == []


def test_admissions_beyond_the_limit_are_named_only_when_that_is_sure():
    same = flows(people(range(500)), people(range(500)))
    assert told(same, (1.2, 1.02, 1.4)) == []
    assert "1.30 times as often" in told(same, (1.3, 1.15, 1.45))[0].sentence


def test_missing_ethnicity_is_named_past_the_limit_and_an_answer_not_given_is_not_missing():
    table = pd.DataFrame({"ethnic_group": ["White"] * 80 + ["not stated"] * 20, "practice_code": "A"})
    assert about_ethnicity(unknown_ethnicity(table), 0.15, 100) == []
    (finding,) = about_ethnicity(unknown_ethnicity(table.replace("not stated", "not known")), 0.15, 100)
    assert finding.check == "missing ethnicity"
    assert "20%" in finding.sentence


def test_the_practice_with_the_most_missing_is_a_large_one():
    table = pd.DataFrame({"ethnic_group": ["White"] * 80 + ["not known"] * 20, "practice_code": "A"})
    lone = pd.DataFrame({"ethnic_group": ["not known"], "practice_code": ["B"]})
    counted = unknown_ethnicity(pd.concat([table, lone]))
    (finding,) = about_ethnicity(counted, 0.15, 100)
    assert "with the most it is 20%" in finding.sentence
    assert "with the most" not in about_ethnicity(counted, 0.15, 200)[0].sentence


def test_a_group_that_grew_is_told_without_a_figure_that_rests_on_few():
    then = pd.concat([people(range(100)), people(range(1_000, 3_000), fifth="4")])
    now = pd.concat([people(range(3, 100)), people(range(1_000, 3_000), fifth="4"), people(range(5_000, 5_060))])
    (finding,) = told(flows(then, now))
    assert finding.sentence.endswith("deprivation fifth 2, which grew.")
