"""`casewell evaluate` and `casewell plan`: how good the models are, what the programme did, and what it takes to know."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from casewell.options import DEMONSTRATION, AsOf, SettingsFile, console
from casewell.settings import load

evaluate_app = typer.Typer(
    invoke_without_command=True,
    help="Test the champion on the newest months whose outcomes are known; write a page with pictures. "
    "`casewell evaluate programme` accounts for case management itself, or for another programme.",
)
plan_app = typer.Typer(no_args_is_help=True, help="Plan what to learn next.")


@evaluate_app.callback()
def evaluate(context: typer.Context, settings: SettingsFile = DEMONSTRATION, as_of: AsOf = None) -> None:
    """Test the champion on the newest months whose outcomes are known; write a page with pictures."""
    if context.invoked_subcommand is not None:
        return
    from flows.summary import print_training

    date = date_of(settings, as_of)
    from flows.evaluation import evaluate_flow

    print_training(evaluate_flow(str(settings), date), console)


@evaluate_app.command("programme")
def evaluate_programme(
    programme: Annotated[
        str, typer.Option(help="Code of a programme of the settings, as under `programmes`.")
    ] = "case_management",
    settings: SettingsFile = DEMONSTRATION,
    as_of: AsOf = None,
) -> None:
    """Say what case management, or another programme, did last year, for whom, what before and after would have claimed, and whether it paid.

    People who started are compared with people like them who did not, from the records alone; whether that may be
    believed is checked, and the page `programme.html` says so first (docs/how-to/programme.md).
    Example: `casewell evaluate programme --as-of 2026-10-01`
    """
    date = date_of(settings, as_of)
    from flows.programme import programme_flow
    from flows.programme_summary import print_programme

    print_programme(programme_flow(str(settings), date, programme), console)


def date_of(settings: Path, as_of: str | None) -> str:
    """Return the day a command stands on: the one given, or the end of the data."""
    from flows.dates import date_within_the_data
    from flows.workspace import disk

    with disk():
        return str(date_within_the_data(load(settings), as_of))


@plan_app.command("evaluation")
def plan_evaluation(
    effect: Annotated[
        float,
        typer.Option(
            help="Fall in the chance of the outcome for somebody who takes the place; 0.03 is three in a hundred."
        ),
    ],
    capacity: Annotated[
        int | None, typer.Option(min=1, help="New places a week, all teams together. Default: those of the settings.")
    ] = None,
    share: Annotated[float, typer.Option(help="Share of the places that are drawn by lot.")] = 0.2,
    width: Annotated[
        float, typer.Option(help="People in the lot for each place drawn; 2 is a chance of one half.")
    ] = 2.0,
    risk: Annotated[
        float | None,
        typer.Option(
            help="Chance of the outcome, without case management, of people at the margin. Default: from the champion's test months."
        ),
    ] = None,
    uptake: Annotated[float, typer.Option(help="Share of those offered a place who start.")] = 1.0,
    power: Annotated[float, typer.Option(help="Chance of telling an effect that is there.")] = 0.8,
    level: Annotated[float, typer.Option(help="Confidence of the two-sided test.")] = 0.95,
    settings: SettingsFile = DEMONSTRATION,
    as_of: AsOf = None,
) -> None:
    """Say how many weeks and places drawn by lot it takes to tell an effect of a given size.

    Example: `casewell plan evaluation --effect 0.05 --capacity 160 --risk 0.35 --uptake 0.5`
    """
    from flows.programme_summary import print_plan
    from models.programme.power import Design, detectable_by_week, plan, require_effect

    told = load(settings)
    require_effect(effect)
    places: tuple[int, ...] = () if capacity is None else (capacity,)
    if capacity is None or risk is None:
        Design((capacity or 10**6,), share, width, risk or 0.5, uptake, power, level)  # refuses before anything is read
        date = date_of(settings, as_of)
        from flows.programme_plan import plan_flow

        places, risk = plan_flow(str(settings), date, capacity, risk, share, width)
    design = Design(places, share, width, risk, uptake, power, level)
    wait = told.benefit.grace_days + told.outcome.horizon_days + told.training.reporting_lag_days
    print_plan(design, effect, plan(design, effect), wait, detectable_by_week(design), console)
