"""The same questions to sources that bring their own person ids: do they still come, and does a month look odd?

OMOP is asked table by table, visits also by care site; MEDS by the kind of code, which is what a code begins with.
"""

from __future__ import annotations

import datetime as dt

import duckdb
import pandas as pd

from casewell.settings import Quality, Settings
from records import meds, omop, own_ids
from records.meds import Meds
from records.omop import CODED, TABLES, Cdm
from records.own_ids import OwnIds
from records.quality import contract, feeds, shifts
from records.quality.feeds import Freshness
from records.quality.findings import INFORM, LOOK, STOP, Finding, countable, masked, shown
from records.quality.identified import about_own_ids
from records.quality.profile import COUNTED, About, Profile, plain_profile
from records.reading import DAMAGED, is_damage

SENT_AGAIN = (meds.SENT_AGAIN, omop.SENT_AGAIN)
NOWHERE = "0"  # OMOP's concept of nothing


def check_own_ids(
    con: duckdb.DuckDBPyConnection, one: OwnIds, settings: Settings, as_of: dt.date, today: dt.date
) -> tuple[list[Finding], list[Freshness], list[Profile]]:
    """Read OMOP tables or a MEDS data set as the run would, and judge what came, when, and from where.

    Where dates were shifted the source has no age and no months: only its rows are judged.
    """
    file, limits = one.source.path.name, settings.quality
    problems = own_ids.read(con, one, as_of, today, limits.max_bad_share)
    findings = [about_own_ids(one), *map(as_told, problems)]
    if any(problem.endswith(DAMAGED) for problem in problems):
        return findings, [], []
    fates = con.execute(
        "SELECT why, sum(rows) AS rows, fate FROM "
        f"({' UNION ALL '.join(own_ids.fates_queries(one))}) WHERE fate IN ('quarantined', 'duplicate') GROUP BY ALL"
    ).fetchall()
    findings += [_aside(one.name, file, why, int(rows), fate) for why, rows, fate in sorted(fates)]
    if one.missing:
        words = f"{file} does without {', '.join(one.missing)}."
        findings.append(Finding(one.name, "file", INFORM, words, "Nothing, unless the supplier has them."))
    if one.source.shifted_dates:
        return findings, [], []
    profiles = _profiles(con, one, as_of)
    try:
        days = con.execute(f"SELECT DISTINCT known FROM ({' UNION ALL '.join(own_ids.known_queries(one))})").df()
    except duckdb.Error as error:
        if not is_damage(error):
            raise
        return contract.about_opening(one.name, file, "", [DAMAGED]), [], []
    fresh = feeds.freshness(one.name, one.source, days["known"].dropna(), as_of)
    findings += feeds.about_freshness(fresh, file, limits)
    for profile in profiles:
        findings += _stopped(profile, one, profiles, limits)
        findings += feeds.stopped_places(profile, limits)
        findings += shifts.about_volumes(profile, limits)
    return findings, [fresh], profiles


def as_told(problem: str) -> Finding:
    """Turn a message of the run's own checks into a finding that stops it."""
    words = masked(problem)
    return Finding(problem.split("'")[1], "contract", STOP, f"{words[:1].upper()}{words[1:]}.", contract.ASK)


def _aside(name: str, file: str, why: str, rows: int, fate: str) -> Finding:
    again = why in SENT_AGAIN
    return Finding(
        name,
        "duplicates" if fate == "duplicate" else "values",
        LOOK if again else INFORM,
        f"{file}: {shown(rows)} rows {'were' if again else 'are set aside:'} {why}.",
        "Each is used once. Ask the supplier whether a period was sent twice."
        if again
        else "Ask the supplier, if there are more than a few.",
        rows=countable(rows),
    )


def _profiles(con: duckdb.DuckDBPyConnection, one: OwnIds, as_of: dt.date) -> list[Profile]:
    """Count each OMOP table of events, or the data set, from the rows that were read."""
    parts = [_of_meds(one)] if isinstance(one, Meds) else _of_omop(one)
    profiles = []
    for about, view in parts:
        con.execute(
            f"CREATE OR REPLACE TEMP VIEW {COUNTED} AS SELECT *, '' AS code_counted, '' AS unit_counted, "
            f"false AS no_number, false AS no_ethnicity FROM ({view})"
        )
        profiles.append(plain_profile(con, about, as_of))
    con.execute(f"DROP VIEW {COUNTED}" if parts else "SELECT 1")
    return profiles


def _of_meds(one: Meds) -> tuple[About, str]:
    about = About(one.name, one.source.path.name, "", "row", "time", "code", frozenset(one.columns))
    kind = "if(contains(code, '/'), upper(split_part(code, '/', 1)), '')"
    view = (
        f"SELECT fate, CAST(time AS DATE) AS happened_on, CAST(known AS DATE) AS known, coalesce({kind}, '') AS place "
        f"FROM {one.rows} WHERE NOT birth AND NOT death"
    )
    return about, view


def _of_omop(one: Cdm) -> list[tuple[About, str]]:
    parts = []
    for table in ("visit_occurrence", *CODED):
        if table not in one.files:
            continue
        declared, file = TABLES[table], one.files[table]
        place = declared.place if declared.place in file.columns else ""
        about = About(one.name, file.path.name, table, declared.key, declared.happened, place, frozenset(file.columns))
        where = f"coalesce(nullif({place}, '{NOWHERE}'), '')" if place else "''"
        parts.append(
            (about, f"SELECT fate, {declared.happened} AS happened_on, known, {where} AS place FROM {one.kept(table)}")
        )
    return parts


def _stopped(profile: Profile, one: OwnIds, profiles: list[Profile], limits: Quality) -> list[Finding]:
    """Find a table that fell silent while the folder's others went on; that all did is said of the folder."""
    others = [other.days["day"].max() for other in profiles if other is not profile and not other.days.empty]
    if profile.days.empty or not others:
        return []
    end = (max(others) + pd.Timedelta(days=1)).date()
    at_its_own_pace = one.source.model_copy(update={"expected_every_days": None})
    fresh = feeds.freshness(profile.name, at_its_own_pace, profile.days["day"], end)
    return feeds.about_freshness(fresh, profile.file, limits)
