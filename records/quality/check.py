"""Every check of every source, one after the other; a broken source is a finding and the others go on."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import duckdb
import pandas as pd

from casewell.errors import LawfulBasisError, SourceError
from casewell.settings import Settings
from records import opt_outs, own_ids, staleness, stamps
from records.checking import read_rows
from records.database import working_database
from records.extracts import Extract, open_extract
from records.lawful import check_lawful_basis
from records.own_ids import OwnIds
from records.quality import codes, contract, feeds, shifts
from records.quality import identified as identification
from records.quality.areas import about_areas
from records.quality.feeds import Freshness
from records.quality.findings import INFORM, LOOK, STOP, Finding, shown, table_of
from records.quality.own_sources import as_told, check_own_ids
from records.quality.profile import Profile, profile
from records.quality.registered import about_registered_numbers
from records.reading import DAMAGED, is_damage
from records.span import NOT_ACTIVITY, span_of

FEWEST_PEOPLE = 50  # registered with a practice, to expect records from it
EVERYWHERE = ""
MONTH_OLD = 28  # days; older opt-outs, of which nobody said how often they should come, deserve a look


@dataclass(frozen=True)
class Report:
    """What the check found.

    Attributes
    ----------
    findings
        The table `SOURCE_FINDINGS` of records/tables.py, the gravest first.
    freshness
        How old each readable source is.
    profiles
        The counts behind the findings, for pictures.
    """

    as_of: dt.date
    purpose: str
    synthetic: bool
    findings: pd.DataFrame
    freshness: list[Freshness]
    profiles: list[Profile] = field(default_factory=list)

    @property
    def stops(self) -> bool:
        """Whether a run would stop."""
        return bool((self.findings["severity"] == STOP).any())


def check_sources(settings: Settings, as_of: dt.date | None = None, today: dt.date | None = None) -> Report:
    """Check every enabled source and return all that was found; nothing is raised over a source.

    A source without a lawful basis for the settings' purpose is not opened.

    Parameters
    ----------
    as_of
        The day to stand on; by default the day after the newest record of any service, as for a run.
    today
        Days after it are faults.
    """
    today = today or dt.date.today()
    findings, lawful = _lawful(settings, today)
    with working_database() as con:
        extracts, well = [], set()
        for place, (name, source) in enumerate(sorted(lawful.sources.items())):
            if source.kind == "extract":
                extract, problems = open_extract(con, name, source, f"rows_{place}", settings.programmes)
                findings += contract.about_opening(name, _file(name, settings), source.table or name, problems)
                extracts += [extract] if extract else []
                well |= set() if problems else {name}
        own, problems = own_ids.open_own_ids(con, lawful)
        findings += [as_told(problem) for problem in problems]
        findings += _whole(settings, extracts, own)
        day = as_of or _end(con, extracts, own, today) or today
        profiles, fresh = [], []

        def look_at(extract: Extract) -> list[Finding]:
            found, counted = _check_extract(con, extract, settings, day, today, extract.name in well)
            if counted:
                profiles.append(counted)
                if extract.contract.known:
                    fresh.append(feeds.freshness(extract.name, extract.source, counted.days["day"], day))
            return found

        # The opt-outs come first, as in a run: a choice that is upheld is still a row that must be right.
        opted = [extract for extract in extracts if extract.table == "opt_outs"]
        opt_outs.no_opt_outs(con)
        findings += [finding for extract in opted for finding in look_at(extract)]
        findings += _opt_outs(con, opted, settings, day, today)
        others = [extract for extract in extracts if extract.table != "opt_outs"]
        findings += [finding for extract in others for finding in look_at(extract)]
        for one in own:
            found, newest, more = check_own_ids(con, one, settings, day, today)
            findings += found
            fresh += newest
            profiles += more
        findings += _across(profiles)
        synthetic = any([*(e.synthetic for e in extracts), *(one.synthetic for one in own)])
        return Report(day, settings.purpose, synthetic, table_of(dict.fromkeys(findings)), fresh, profiles)


def _lawful(settings: Settings, today: dt.date) -> tuple[list[Finding], Settings]:
    """Leave only sources that may be read, and say which may not."""
    findings, allowed = [], {}
    for name, source in settings.sources.items():
        if not source.enabled:
            continue
        alone = settings.model_copy(update={"sources": {name: source}})
        try:
            check_lawful_basis(alone, today)
            allowed[name] = source
        except LawfulBasisError as error:
            findings += [
                Finding(name, "lawful basis", STOP, f"{_capital(problem)}. It was not opened.", error.advice)
                for problem in error.problems
            ]
    return findings, settings.model_copy(update={"sources": allowed})


def _check_extract(
    con: duckdb.DuckDBPyConnection,
    extract: Extract,
    settings: Settings,
    as_of: dt.date,
    today: dt.date,
    well: bool,
) -> tuple[list[Finding], Profile | None]:
    """Read a source as the run would, and judge it; `well` says that nothing was wrong with its columns."""
    limits = settings.quality
    try:
        problems = read_rows(con, extract, as_of, today, limits.max_bad_share)
        if any(problem.endswith(DAMAGED) for problem in problems):
            return contract.about_opening(extract.name, _file(extract.name, settings), extract.table, [DAMAGED]), None
        counted = profile(con, extract, as_of, today)
        identified = identification.about_identification(con, extract)
        homes = about_areas(con, extract)
        registered = about_registered_numbers(con, extract, as_of)
    except duckdb.Error as error:
        if not is_damage(error):
            raise
        return contract.about_opening(extract.name, _file(extract.name, settings), extract.table, [DAMAGED]), None
    finally:
        con.execute("DROP VIEW IF EXISTS counted")
        con.execute(f"DROP TABLE IF EXISTS {extract.rows}")
    findings = identified + contract.about_rows(counted, problems if well else None, limits.max_bad_share)
    findings += homes + registered
    if not extract.contract.known or not counted.rows:
        return findings, counted
    newest = feeds.freshness(extract.name, extract.source, counted.days["day"], as_of)
    # Registrations and opt-outs are lists of people: what they hold of a month says nothing of a feed.
    if extract.table == "opt_outs":
        return findings, counted
    # Without its columns of dates a source has no age, and that they are missing is said already.
    if well or newest.newest:
        findings += feeds.about_freshness(newest, counted.file, limits)
    findings += feeds.stopped_places(counted, limits)
    findings += shifts.about_completeness(counted, limits)
    findings += shifts.about_groups(counted, limits)
    if extract.table != "demographics":
        findings += shifts.about_volumes(counted, limits)
        findings += shifts.about_missing(counted, limits)
        findings += codes.about_codes(counted, limits)
    return findings, counted


def _opt_outs(
    con: duckdb.DuckDBPyConnection, opted: list[Extract], settings: Settings, as_of: dt.date, today: dt.date
) -> list[Finding]:
    """Learn who opted out, so that their rows are not counted, and judge whether the feed can be relied on."""
    opt_outs.no_opt_outs(con)
    read, findings = [], []
    for extract in opted:
        problems = read_rows(con, extract, as_of, today, settings.quality.max_bad_share)
        damaged = any(problem.endswith(DAMAGED) for problem in problems)
        if not damaged and con.execute(f"SELECT 1 FROM {extract.rows} LIMIT 1").fetchone():
            read.append(extract)
    opt_outs.find_opted_out(con, read, settings)
    named = {source.table or name for name, source in settings.sources.items() if source.enabled}
    if "opt_outs" in named and not read:
        findings.append(
            Finding(
                EVERYWHERE,
                "opt-outs",
                INFORM,
                "The opt-outs could not be read, so the counts of this report include people who opted out.",
                "Mend the opt-out source first.",
            )
        )
    findings += [
        Finding(
            extract.name,
            "opt-outs",
            STOP,
            f"{_capital(problem)}.",
            staleness.ADVICE,
            column="received_date",
        )
        for extract in read
        for problem in staleness.stale(con, [extract], as_of)
    ]
    findings += [_unwatched(con, extract, as_of) for extract in read if extract.source.expected_every_days is None]
    return findings


def _unwatched(con: duckdb.DuckDBPyConnection, extract: Extract, as_of: dt.date) -> Finding:
    """Say that nobody said how often the opt-outs should come, the louder the older the newest is."""
    (newest,) = con.execute(f"SELECT max(known) FROM {extract.rows}").fetchone() or (None,)
    age = None if newest is None else (as_of - newest).days
    old = age is None or age > MONTH_OLD
    file = extract.file.path.name
    words = f"The settings do not say how often {file} should come, so a run cannot tell when it is too old."
    if old:
        told = "no day of receipt" if age is None else f"{age} days old"
        words = f"{words} Its newest row {'has' if age is None else 'is'} {told} on {as_of}; who opted out since is not known."
    advice = "Say it with `expected_every_days`; a run is then stopped when the newest opt-out is older."
    return Finding(extract.name, "opt-outs", LOOK if old else INFORM, words, advice, column="received_date")


def _whole(settings: Settings, extracts: list[Extract], own: list[OwnIds]) -> list[Finding]:
    """Find what no single source lacks."""
    tables, findings = {extract.table for extract in extracts}, []

    def stop(sentence: str, advice: str, source: str = EVERYWHERE) -> None:
        findings.append(Finding(source, "settings", STOP, sentence, advice))

    mixed = stamps.mixed_stamps([*extracts, *own])
    if mixed:
        findings.append(Finding(EVERYWHERE, "settings", LOOK, f"{_capital(mixed)}.", stamps.ADVICE))
    named = {source.table or name for name, source in settings.sources.items() if source.enabled}
    if (
        not own
        and not any(source.kind != "extract" for source in settings.sources.values())
        and "demographics" not in named
    ):
        stop("No source says who the people are.", "Add a demographics extract, an OMOP folder or a MEDS data set.")
    if settings.teams.by == "network" and "practices" not in named:
        stop(
            "Teams are primary care networks, and no source of the kind 'practices' names them.",
            "Add a practices source, or set teams.by to practice or all.",
        )
    if "opt_outs" in tables:
        for one in own:
            stop(
                f"Opt-outs go by NHS number, which {one.name!r} does not hold.",
                "Take opted-out people out of it, and run it without an opt-out source.",
                one.name,
            )
    elif "opt_outs" not in named:
        findings.append(
            Finding(
                EVERYWHERE,
                "opt-outs",
                LOOK,
                "No source says who opted out; the run takes it that the sources hold nobody who did.",
                "Add an opt_outs source, or have it confirmed in writing that opt-outs were upheld before the records came.",
            )
        )
    return findings


def _across(profiles: list[Profile]) -> list[Finding]:
    """Find practices with registered people that a source by practice knows nothing of."""
    registered = [p.places for p in profiles if p.about.table == "demographics"]
    if not registered:
        return []
    people = pd.concat(registered).groupby("place")["rows"].sum()
    people = people[(people.index != "") & (people >= FEWEST_PEOPLE)]
    findings = []
    for counted in profiles:
        if counted.about.table == "demographics" or counted.place_column != "practice_code":
            continue
        listing = counted.about.table == "practices"
        for place in sorted(set(people.index) - set(counted.places["place"])):
            findings.append(
                Finding(
                    counted.name,
                    "coverage",
                    LOOK,
                    f"{counted.file} has no row of practice {place}, with which {shown(people[place])} people are or were registered.",
                    "Add the practice to the file; its people have no team until then."
                    if listing
                    else "Ask the supplier whether the practice is part of the feed; its people look healthier than they are.",
                    column="practice_code",
                    place=str(place),
                    rows=0,
                )
            )
    return findings


def _end(con: duckdb.DuckDBPyConnection, extracts: list[Extract], own: list[OwnIds], today: dt.date) -> dt.date | None:
    """Return the day after the newest record of any service that can be read."""
    ends = []
    for extract in extracts:
        if extract.table in NOT_ACTIVITY:
            continue
        try:
            ends.append(span_of(con, [extract], [], today).cut_off)
        except (SourceError, KeyError):
            continue
    for one in own:
        try:
            ends.append(span_of(con, [], [one], today).cut_off)
        except SourceError:
            continue
    return max(ends, default=None)


def _file(name: str, settings: Settings) -> str:
    source = settings.sources[name]
    return (source.relation or name) if source.connection else source.path.name


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
