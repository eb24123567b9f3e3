"""`casewell plan evaluation` where everything is given, and where it makes no sense."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from casewell import __main__ as front_door
from casewell.errors import PlanError
from tests.support import REPOSITORY

GIVEN = [
    "--settings",
    str(REPOSITORY / "config" / "demo.yaml"),
    "--effect",
    "0.05",
    "--capacity",
    "160",
    "--risk",
    "0.35",
]


def plan(*options: str):
    return CliRunner().invoke(front_door.app, ["plan", "evaluation", *GIVEN, *options])


def test_a_plan_is_made_without_any_data_where_capacity_and_risk_are_given() -> None:
    outcome = plan("--uptake", "0.5")
    assert outcome.exit_code == 0
    said = " ".join(outcome.output.split())
    assert "32 of 160 places are drawn by lot among 64 people" in said
    assert "11,230 different people in the lot, 5,632 places and at least 176 weeks" in said
    assert "455 days after the last draw" in said


def test_everything_wrong_with_a_plan_is_said_at_once() -> None:
    refused = plan("--share", "2", "--width", "1").exception
    assert isinstance(refused, PlanError)
    assert len(refused.problems) == 2
    assert refused.exit_code == 2


@pytest.mark.parametrize("effect", ["0", "1", "-2"])
def test_an_effect_that_no_chance_can_have_is_refused_before_anything_is_read(effect: str) -> None:
    asked = ["--settings", str(REPOSITORY / "config" / "demo.yaml"), f"--effect={effect}"]
    refused = CliRunner().invoke(front_door.app, ["plan", "evaluation", *asked])
    assert isinstance(refused.exception, PlanError)
    assert "is no change in a chance" in str(refused.exception)
