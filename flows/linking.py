"""Looking at how records were linked: the newest linked week, its uncertain pairs, and decisions about them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from prefect import flow
from rich.console import Console

from casewell import doors
from casewell.errors import AsOfError, SettingsError
from casewell.settings import Settings, load
from flows.dates import date_within_the_data
from flows.progress import say
from flows.stages import LINKING, link
from flows.working import working
from flows.workspace import identity, stamped
from records import deciding, decisions, looking, pruning, register, review
from records.descriptions import NAME as DESCRIBED
from records.explain import as_compared
from records.probabilistic import compare
from records.tables import DESCRIPTIONS, DOUBTFUL
from records.words import sentences


@flow(name="casewell link", validate_parameters=False)
def link_flow(settings_file: str, as_of: str) -> str:
    """Link the sources as they were known before a day (ISO date); return the folder of linked tables."""
    settings = load(Path(settings_file))
    with working(settings):
        return str(link(settings, dt.date.fromisoformat(as_of)))


def day_of(text: str | None, option: str = "--as-of") -> dt.date | None:
    """Return the day that an option gives.

    Raises
    ------
    AsOfError
        Not a date.
    """
    try:
        return None if text is None else dt.date.fromisoformat(text)
    except ValueError:
        raise AsOfError(f"{option} is not a date", "Write it as YYYY-MM-DD.") from None


def linked_week(settings_file: Path, as_of: str | None) -> tuple[dt.date, Path]:
    """Return the newest linked week, or that of a day, and its folder; if there is none it is linked now."""
    settings, day = load(settings_file), day_of(as_of)
    folders = [
        path
        for path in (settings.data_dir / "linked").glob("*" if day is None else f"{day}-*")
        if path.is_dir() and path.suffix != ".partial"
    ]
    if not folders:
        if not stamped(settings):
            looking.key_held(settings)
        date = str(date_within_the_data(settings, as_of))
        return dt.date.fromisoformat(date), Path(link_flow(str(settings_file), date))
    newest = max(folders, key=lambda path: (path.name[:10], path.stat().st_mtime))
    return dt.date.fromisoformat(newest.name[:10]), newest


def weigher(
    settings: Settings, linked: Path, week: dt.date
) -> Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame | None]:
    """Return what weighs pairs of descriptions as a linked week did; it gives None where nothing was estimated or kept."""
    entry = register.at(settings, looking.is_demonstration(linked), week)

    def weigh(nodes: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame | None:
        fitted = None if entry is None else entry.fitted(nodes)
        return None if fitted is None else compare(nodes, pairs, fitted)

    return weigh


def write_review(settings_file: Path, as_of: str | None, out: Path | None, most: int) -> tuple[Path, int]:
    """Write the uncertain pairs that are not decided, for their owner only; return the file and the number of pairs.

    Raises
    ------
    SettingsError
        This machine may not, or the file holds decisions that were not read back.
    """
    settings = load(settings_file)
    week, linked = linked_week(settings_file, as_of)
    looking.check_allowed(settings, linked)
    if linked.name != f"{week}-{identity(settings, week, *LINKING)}":
        say(f"Sources, settings, decisions or code have changed since {week} was linked; `casewell run` links it anew")
    path = out or settings.data_dir / "review" / f"{week}.csv"
    kept = settings.linkage.decisions
    if path.exists() and deciding.unread(path, kept):
        raise SettingsError(
            f"{str(path)!r} holds decisions that were not read back",
            "Read them with `casewell link decide`, or name another file with --out.",
        )
    described = doors.read(linked / DESCRIBED, DESCRIPTIONS)
    # All that is decided, whenever it counts from: nothing is asked twice.
    decided = decisions.read(settings, dt.date.max) if kept is not None and kept.exists() else decisions.nothing()
    pairs = review.uncertain(
        doors.read(linked / "doubtful.parquet", DOUBTFUL), described, decided, settings.linkage.match_probability, most
    )
    if pairs.empty:
        return path, 0
    looking.note(settings, f"review of {len(pairs)} pairs")
    review.write(review.side_by_side(pairs, described, _why(pairs, described, weigher(settings, linked, week))), path)
    return path, len(pairs)


def _why(
    pairs: pd.DataFrame, described: pd.DataFrame, weigh: Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame | None]
) -> pd.Series:
    places = pd.concat([pairs["left_place"], pairs["right_place"]]).drop_duplicates().sort_values(ignore_index=True)
    asked = pd.DataFrame({side: places.searchsorted(pairs[f"{side}_place"].to_numpy()) for side in review.SIDES})
    weights = weigh(as_compared(described.iloc[places]), asked)
    if weights is None:
        return pd.Series("the weights of this week are not kept", index=pairs.index)
    return asked.join(sentences(weights).rename("why"), on=list(review.SIDES))["why"]


def take_decisions(settings: Settings, settings_file: Path, filled: Path) -> tuple[Path, deciding.Taken]:
    """Add the decisions of a filled-in file to those that the settings name; return that file and what was added.

    Raises
    ------
    SettingsError
        The settings name no file of decisions, or the filled-in file is not there.
    """
    kept = _place_of_decisions(settings, settings_file)
    if not filled.is_file():
        raise SettingsError(f"{str(filled)!r} does not exist", "Give the file that `casewell link review` wrote.")
    with working(settings):
        return kept, deciding.take_in(filled, kept, settings.sources, dt.date.today())


def begin_decisions(settings: Settings, settings_file: Path) -> tuple[Path, bool]:
    """Make the file of decisions that the settings name, if it is not there; return it, and whether it was made.

    Raises
    ------
    SettingsError
        The settings name none.
    """
    kept = _place_of_decisions(settings, settings_file)
    return kept, deciding.begin(kept)


def _place_of_decisions(settings: Settings, settings_file: Path) -> Path:
    kept = settings.linkage.decisions
    if kept is None:
        suggested = settings.data_dir / "decisions.csv"
        raise SettingsError(
            f"{settings_file} does not say where decisions are kept",
            f"Add these lines to it, and make the file with `casewell link decide`:\n\nlinkage:\n  decisions: {suggested}\n",
        )
    return kept


def prune_register(settings: Settings, before: str, yes: bool, console: Console) -> None:
    """Say what linkage remembers of weeks before a day that none from then on needs, and remove it if told so.

    Raises
    ------
    AsOfError
        Not a date.
    SourceError
        The register is damaged.
    """
    day = day_of(before, "--before") or dt.date.min
    with working(settings):
        found = pruning.planned(settings, day)
        size = found.size / 1e6
        if yes:
            pruning.prune(settings, day)
    if not found.entries:
        console.print(f"Nothing to prune: every entry before {day} is needed, or was pruned already")
        return
    console.print(
        f"{'Removed' if yes else 'Would remove'} {len(found.files)} file(s), {size:,.1f} MB, of {len(found.entries)} week(s) "
        f"from {found.entries[0]} to {found.entries[-1]}; {len(found.kept)} week(s) stay whole, from {found.kept[0]} on",
        soft_wrap=True,
    )
    if not yes:
        console.print(f"Weeks up to {found.kept[0]} could then not be made again as they were. Say --yes to remove it.")
