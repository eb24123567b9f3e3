"""What planning an evaluation takes from the data, where it is not given."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
from prefect import flow

from casewell import doors
from casewell.errors import TrainingError
from casewell.settings import Settings, load
from flows import books
from flows.stages import link
from flows.training import training_folder
from flows.working import working
from models.programme.power import risk_at_the_margin
from models.tables import TEST_PREDICTIONS


def places_of_teams(settings: Settings, linked: Path) -> tuple[int, ...]:
    """Return the new places a week of each team."""
    codes = pd.read_parquet(linked / "people.parquet", columns=["team_code"])["team_code"]
    return tuple(settings.teams.places(team) for team in sorted(set(codes) - {""}))


def risk_from_the_champion(settings: Settings, as_of: dt.date, capacity: int, share: float, width: float) -> float:
    """Return the rate of the outcome among the people of the test months who ranked where the lot would be.

    Raises
    ------
    TrainingError
        There is no champion, or its training is not kept on this machine.
    """
    champion = books.champion(settings, as_of)
    kept = champion and training_folder(settings, champion) / "test_predictions.parquet"
    if not kept or not kept.is_file():
        raise TrainingError(
            "there is no model here from which the risk of people at the margin could be read",
            "Train one (casewell train), or give it: --risk 0.35.",
        )
    predicted = doors.read(kept, TEST_PREDICTIONS)
    newest = int((predicted["index_date"] == predicted["index_date"].max()).sum())
    risk, people = risk_at_the_margin(predicted, min(1.0, capacity / newest), share, width)
    if not people or not 0 < risk < 1:
        raise TrainingError(
            f"{people} people ranked where the lot would be, too few to read their risk from", "Give it: --risk 0.35."
        )
    return risk


@flow(name="casewell plan evaluation", validate_parameters=False)
def plan_flow(
    settings_file: str, as_of: str, capacity: int | None, risk: float | None, share: float, width: float
) -> tuple[tuple[int, ...], float]:
    """Return places a week (of each team, or those given as of one) and the risk at the margin, from the data where not given."""
    settings, date = load(Path(settings_file)), dt.date.fromisoformat(as_of)
    with working(settings):
        places = (capacity,) if capacity is not None else places_of_teams(settings, link(settings, date))
        return places, risk if risk is not None else risk_from_the_champion(settings, date, sum(places), share, width)
