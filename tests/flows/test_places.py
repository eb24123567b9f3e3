"""What the settings say of places is held against who is there, before anything is learned."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from casewell.errors import SettingsError
from casewell.settings import Settings
from flows import training, weekly

AS_OF = dt.date(2026, 9, 28)
PROGRAMME = {
    "title": "Walks",
    "owner": "An owner",
    "review_date": "2999-01-01",
    "cost": 100.0,
    "places": {"NROTH": 3},
    "benefit": {"share": 0.1, "source": "A board's paper"},
}


@pytest.mark.parametrize("flow", [training.train, weekly.weekly])
def test_a_misspelt_team_is_refused_before_a_model_is_trained(flow, tmp_path, monkeypatch):
    pd.DataFrame({"team_code": ["NORTH", ""]}).to_parquet(tmp_path / "people.parquet")

    def trained(*_: object) -> None:
        raise AssertionError("hours went into a model")

    for module in (training, weekly):
        monkeypatch.setattr(module, "link", lambda *_: tmp_path)
    monkeypatch.setattr(training, "build_history", trained)
    monkeypatch.setattr(weekly.books, "champion", lambda *_: None)
    settings = Settings.model_validate(
        {
            "name": "test",
            "data_dir": str(tmp_path / "data"),
            "sources": {"demographics": {"path": "nowhere"}},
            "programmes": {"walks": PROGRAMME},
            "teams": {"budgets": {"NORTHH": 100.0}},
        }
    )
    with pytest.raises(SettingsError) as refused:
        flow(settings, AS_OF)
    assert refused.value.problems == [
        "teams.budgets names 'NORTHH', a team that serves nobody; did you mean 'NORTH'?",
        "programmes.walks.places names 'NROTH', a team that serves nobody; did you mean 'NORTH'?",
    ]
