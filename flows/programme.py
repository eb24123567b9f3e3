"""The flow that accounts for a programme, and what planning an evaluation reads from the data."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.dataset
from prefect import flow, task

from casewell.errors import SettingsError, TrainingError
from casewell.settings import CASE_MANAGEMENT, Settings, UnitCost, load
from flows import books
from flows.groups import GROUPINGS, groups_of
from flows.lots import lots_over
from flows.programme_record import as_record, controlled, controlled_lots, numbers, plain
from flows.progress import say
from flows.stages import begin_of, build_history, link
from flows.working import working
from flows.workspace import digest_of, identity
from models.benefit.evidence import CASE_MANAGEMENT as IN_WORDS
from models.other_programmes.learn import standing
from models.programme.account import FEWEST_STARTERS, Account, account
from models.programme.cohort import attrition, fates, followed, trials
from models.programme.lots import ByLot, by_lot
from models.programme.money import prices
from models.programme.outcomes import YEAR_DAYS, course
from models.programme.page import write_lots_page, write_programme_page
from models.programme.sentences import headline, lots_sentence, money_sentence, naive_sentence
from models.programme.uptake import Uptake, first_offers, uptake
from models.train import columns_with_history
from records.programmes import enrolments_of, offers_of


def about(settings: Settings, programme: str) -> tuple[Settings, str]:
    """Return the settings that hold for a programme's account, what a place costs among them, and its name in sentences.

    Raises
    ------
    SettingsError
        The settings name no such programme.
    """
    if programme == CASE_MANAGEMENT:
        return settings, IN_WORDS
    declared = settings.programmes.get(programme)
    if declared is None:
        raise SettingsError(
            f"there is no programme {programme!r}; there are {', '.join([CASE_MANAGEMENT, *sorted(settings.programmes)])}",
            "Give the code of one of them, or declare it under `programmes`.",
        )
    place = None
    if declared.cost is not None:
        source = f"programmes.{programme}.cost in the settings, answered for by {declared.owner}"
        place = UnitCost(amount=declared.cost, year="as declared", source=source)
    costs = settings.programme.costs.model_copy(update={"place": place})
    own = settings.programme.model_copy(update={"costs": costs})
    return settings.model_copy(update={"programme": own}), declared.title


@task
def give_account(
    settings: Settings, as_of: dt.date, linked: Path, history: Path, programme: str = CASE_MANAGEMENT
) -> dict[str, Any]:
    """Account for a programme, write a page and the same numbers as JSON; return what the command prints.

    Lots tell by themselves: where the records refuse a comparison, the page has what the lots tell, and why no more.
    """
    settings, title = about(settings, programme)
    lots = lots_drawn(linked, as_of, settings, programme)
    try:
        _, told = compare(settings, as_of, linked, history, lots, programme)
    except TrainingError as refused:
        if lots is None:
            raise
        return keep_lots(settings, as_of, linked, controlled_lots(lots), refused, programme, title)
    return keep(settings, as_of, linked, controlled(told, prices(settings.programme.costs)), programme)


def compare(
    settings: Settings,
    as_of: dt.date,
    linked: Path,
    history: Path,
    lots: ByLot | None = None,
    programme: str = CASE_MANAGEMENT,
) -> tuple[pd.DataFrame, Account]:
    """Account for the programme's newest months whose outcomes are known; return the rows followed, and the account.

    `lots` stand in the account as they are given.

    Raises
    ------
    TrainingError
        No month is over for long enough, or too few people started or are left to compare with.
    """
    people = pd.read_parquet(history / "outcomes.parquet", columns=["index_date", "person_id"])
    dates = months_covered(sorted(people["index_date"].unique()), as_of, settings)
    say(f"Comparing those who started in {len(dates)} months with people like them who did not")
    enrolments = enrolments_of(linked, programme)
    # Nobody in the history was on case management on the index date; on another programme somebody may have been.
    on_it, _ = standing(people, enrolments, settings.benefit.grace_days)
    place = np.flatnonzero(people["index_date"].isin(dates) & ~on_it)
    eligible = people.iloc[place].reset_index(drop=True)
    opened = trials(eligible, enrolments, settings.benefit.grace_days, settings.seed)
    title = about(settings, programme)[1]
    require_starters(opened, title)
    everybody = fates(opened, linked, settings)
    rows = followed(everybody)
    require_starters(rows, title)
    happened = course(rows, linked, settings, programme)
    begin = pd.Timestamp(begin_of(linked))
    columns = columns_with_history((dates[0] - begin).days)
    features = pyarrow.dataset.dataset(history / "matrix.parquet").take(
        place[rows["place"]], columns=["index_date", "person_id", *columns]
    )
    if not all(np.array_equal(features[key].to_numpy(), rows[key].to_numpy()) for key in ("index_date", "person_id")):
        raise RuntimeError("features and outcomes do not list the same people in the same order")
    say(f"Estimating what {title} changed, for whom, and what it cost")
    labels = {name: label.to_numpy() for name, label in groups_of(linked, rows).items() if name in GROUPINGS}
    number = eligible["index_date"].value_counts()
    X = features.select(columns).to_pandas()
    said_yes = who_said_yes(linked, dates, settings, programme)
    told = rows, happened, X, labels, attrition(everybody), number, begin, said_yes, lots, settings, title
    return rows, account(*told)


def lots_drawn(linked: Path, as_of: dt.date, settings: Settings, programme: str = CASE_MANAGEMENT) -> ByLot | None:
    """Account for the lots whose outcomes are known."""
    lots = lots_over(settings, as_of, linked, YEAR_DAYS, programme)
    if lots.empty:
        return None
    return by_lot(lots, course(lots.rename(columns={"as_of": "starts_on"}), linked, settings, programme))


def who_said_yes(linked: Path, dates: list[pd.Timestamp], settings: Settings, programme: str) -> Uptake | None:
    """Account for the offers of the months covered."""
    offers = offers_of(linked, programme)
    first = first_offers(offers, dates[0], dates[-1] + pd.DateOffset(months=1)).assign(index_date=dates[0])
    if first.empty:
        return None
    labels = {name: label.to_numpy() for name, label in groups_of(linked, first).items() if name in GROUPINGS}
    return uptake(first, labels, settings.seed)


def months_covered(mature: list[pd.Timestamp], as_of: dt.date, settings: Settings) -> list[pd.Timestamp]:
    """Return the newest index dates whose people can be followed to the end, wherever in the grace period they start.

    Raises
    ------
    TrainingError
        There is none.
    """
    wait = settings.benefit.grace_days + YEAR_DAYS + settings.training.reporting_lag_days
    over = [date for date in mature if date + pd.Timedelta(days=wait) <= pd.Timestamp(as_of)]
    if not over:
        raise TrainingError(
            f"no month is over for long enough: a start's outcomes are known {wait} days after its index date",
            "Give more history, or raise training.index_dates.",
        )
    return over[-settings.programme.months :]


def require_starters(rows: pd.DataFrame, title: str = IN_WORDS) -> None:
    """Refuse an account that nobody, or hardly anybody, started, or in which nobody is left to compare with.

    Raises
    ------
    TrainingError
        With the number of starts, and how many are needed.
    """
    starters, others = int(rows["treated"].sum()), int((~rows["treated"]).sum())
    if starters < FEWEST_STARTERS or others < FEWEST_STARTERS:
        raise TrainingError(
            f"{starters} start(s) of {title} and {others} comparator(s) can be followed to the end; "
            f"{FEWEST_STARTERS} of each are needed",
            "Look at the programme source, raise programme.months, or give more history.",
        )


def keep(
    settings: Settings, as_of: dt.date, linked: Path, told: Account, programme: str = CASE_MANAGEMENT
) -> dict[str, Any]:
    """Write the account's folder and the books; return what the command prints."""
    page = _publish(
        settings,
        as_of,
        linked,
        as_record(told),
        numbers(told),
        lambda path, synthetic: write_programme_page(told, settings.programme.costs, path, as_of, synthetic),
        programme,
    )
    return {
        "title": told.title,
        "outcome": told.outcome,
        "headline": headline(told),
        "naive": naive_sentence(told),
        "money": money_sentence(told.money),
        "believed": told.believed,
        "failed": [check.seen for check in told.checks if not check.passed],
        "page": str(page),
        "effects": told.effects,
    }


def keep_lots(
    settings: Settings,
    as_of: dt.date,
    linked: Path,
    lots: ByLot,
    refused: TrainingError,
    programme: str,
    title: str,
) -> dict[str, Any]:
    """Write what lots tell where nothing else can be told; return what the command prints."""
    low, high = lots.difference.interval()
    found = {"lots_difference": lots.difference.value, "lots_difference_low": low, "lots_difference_high": high}
    page = _publish(
        settings,
        as_of,
        linked,
        {"lots": plain(lots), "refused": refused.problems},
        found,
        lambda path, synthetic: write_lots_page(lots, refused.problems, path, as_of, synthetic, title),
        programme,
    )
    reasons = [*refused.problems, refused.advice]
    return {"title": title, "lots": lots_sentence(lots), "refused": reasons, "page": str(page)}


def _publish(
    settings: Settings,
    as_of: dt.date,
    linked: Path,
    told: dict[str, Any],
    found: dict[str, float],
    write_page: Callable[[Path, bool], Path],
    programme: str,
) -> Path:
    which = digest_of(identity(settings, as_of), settings.programme.model_dump(mode="json"), programme)
    name = f"{as_of}-programme-{which}"
    folder = settings.data_dir / "runs" / name
    partial = folder.with_name(f"{name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True, mode=0o700)
    record = {"as_of": str(as_of), **told}
    (partial / "programme.json").write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")
    synthetic = json.loads((linked / "summary.json").read_text())["synthetic"]
    write_page(partial / "programme.html", synthetic)
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
    kind = "programme" if programme == CASE_MANAGEMENT else f"programme-{programme}"
    books.record_evaluation(settings, as_of, found, [folder / "programme.json", folder / "programme.html"], kind)
    return folder / "programme.html"


@flow(name="casewell evaluate programme", validate_parameters=False)
def programme_flow(settings_file: str, as_of: str, programme: str = CASE_MANAGEMENT) -> dict[str, Any]:
    """Account for what a programme did, by its code, from what was known before a day (ISO date)."""
    settings, date = load(Path(settings_file)), dt.date.fromisoformat(as_of)
    about(settings, programme)  # refuses before anything is read
    with working(settings):
        linked = link(settings, date)
        return give_account(settings, date, linked, build_history(settings, date, linked), programme)
