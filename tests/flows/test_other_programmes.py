"""Programmes beside case management in the flows: each finds its own records, and one that nobody declared is refused."""

from __future__ import annotations

import pandas as pd
import pytest

from casewell import doors
from casewell.errors import SettingsError
from casewell.settings import CASE_MANAGEMENT, Settings
from flows.other_programmes import offered, pasts
from flows.programme import about
from flows.workspace import identity
from records.tables import ENROLMENTS
from tests.models.test_population_and_outcomes import ENROLMENT, table

BENEFIT = {"share": 0.1, "source": "A board's paper"}
PROGRAMME = {"title": "Reablement", "owner": "A. Director", "review_date": "2999-01-01", "benefit": BENEFIT}


def settings_in(folder, **programmes) -> Settings:
    source = folder / "demographics.csv"
    source.touch()
    told = {"name": "test", "data_dir": folder / "data", "pseudonym_key_file": folder / "key"}
    return Settings.model_validate(told | {"sources": {"demographics": {"path": source}}, "programmes": programmes})


def test_each_programme_learns_from_its_own_spells_and_counts_its_own_places(tmp_path):
    of = [{"person_id": 1}, {"person_id": 2, "programme": "reablement"}, {"person_id": 3, "programme": "falls"}]
    doors.write(table(ENROLMENTS, ENROLMENT, of), ENROLMENTS, tmp_path / "enrolments.parquet")
    pd.DataFrame({"team_code": ["N1", "N2", "", "N1"]}).to_parquet(tmp_path / "people.parquet")
    falls = PROGRAMME | {"title": "Falls", "places": {"N1": 7}, "default_places": 2}
    found = pasts(settings_in(tmp_path, reablement=PROGRAMME, falls=falls), tmp_path)
    assert {code: past.enrolments["person_id"].tolist() for code, past in found.items()} == {
        "reablement": [2],
        "falls": [3],
    }
    assert (found["reablement"].places, found["falls"].places) == (0, 9)


def test_an_account_of_another_programme_has_its_own_name_and_cost_and_an_unknown_one_is_refused(tmp_path):
    settings = settings_in(tmp_path, reablement=PROGRAMME | {"cost": 1200}, falls=PROGRAMME | {"title": "Falls"})
    assert about(settings, CASE_MANAGEMENT) == (settings, "case management")
    own, title = about(settings, "reablement")
    assert (title, own.programme.costs.place.amount) == ("Reablement", 1200)
    assert "A. Director" in own.programme.costs.place.source
    assert about(settings, "falls")[0].programme.costs.place is None
    with pytest.raises(SettingsError, match="there are case_management, falls, reablement"):
        about(settings, "yoga")


def test_what_is_linked_depends_on_which_programmes_there_are_and_on_nothing_else_of_them(tmp_path):
    day = pd.Timestamp("2026-10-01").date()
    one, other, more = (
        identity(settings_in(tmp_path, **programmes), day, "sources")
        for programmes in (
            {"reablement": PROGRAMME},
            {"reablement": PROGRAMME | {"default_places": 9}},
            {"reablement": PROGRAMME, "falls": PROGRAMME | {"title": "Falls"}},
        )
    )
    assert one == other
    assert one != more


def test_only_programmes_of_which_somebody_is_listed_or_in_reserve_are_offered():
    people = pd.DataFrame({"person_id": [1, 2], "status": ["listed", "reserve"]})
    assert offered(people) == {"case_management"}
    assert offered(people.iloc[:0]) == set()
    assert offered(people.assign(programme=["case_management", "walks"])) == {"case_management", "walks"}
    assert offered(people.assign(programme="walks")) == {"walks"}
