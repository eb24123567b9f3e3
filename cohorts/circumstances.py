"""What a coordinator has to know besides the reasons: who helps already, the last contact, and what to know before calling.

Whoever calls must know that an interpreter is needed; that is an access need (Accessible Information Standard, DCB1605),
and never a reason. Mental health services other than memory clinics are named only where `lists.name_mental_health` says so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from pathlib import Path

import duckdb
import pandas as pd

from cohorts.private_days import private_days
from cohorts.tables import CIRCUMSTANCES
from features.code_groups import map_codes

RECENT_DAYS = 90
LASTING_DAYS = 3 * 365
"""How long a record of a need that may pass is believed."""
HELPERS = {
    "community_district_nursing": "district nursing",
    "community_therapy": "community therapy",
    "community_falls": "falls team",
    "mental_health_memory": "memory service",
    "home_support": "home support",
    "reablement": "reablement",
    "social_care_assessment": "adult social care",
    "social_care_request": "adult social care",
}
MENTAL_HEALTH = dict.fromkeys(
    ("mental_health_community", "mental_health_crisis", "mental_health_talking_therapies"), "mental health services"
)
CONTACTS = {
    "gp_contact": "the practice",
    "outpatient_attended": "outpatient clinic",
    "ed_attendance": "emergency department",
    "any_admission": "hospital",
} | HELPERS
NEEDS = {
    "interpreter_needed": "interpreter needed",
    "housebound": "housebound",
    "lives_alone": "lives alone",
    "carer": "is a carer",
}
FOR_GOOD = "interpreter_needed"
"""The need that is believed however old its record is."""

_EVENTS = """
SELECT e.subject_id AS person_id, coded."group", "time", "end" FROM read_parquet($events) AS e
JOIN coded USING (code) SEMI JOIN asked ON asked.person_id = e.subject_id
WHERE known_at < $as_of AND "time" < $as_of AND coalesce(known_until >= $as_of, TRUE)
"""


def circumstances(
    people: pd.Series,
    steps: pd.DataFrame,
    events: Path,
    as_of: dt.date,
    code_groups: pd.DataFrame,
    name_mental_health: bool,
    silent: Collection[int],
) -> pd.DataFrame:
    """Return `person_id` and the columns of `CIRCUMSTANCES` for each of `people`.

    Parameters
    ----------
    steps
        As `first_steps.first_steps` returns it.
    events
        The Parquet file of the `events` table.
    silent
        Pseudonyms of people whose practice has stopped sending records.
    """
    helpers = HELPERS | (MENTAL_HEALTH if name_mental_health else {})
    date = pd.Timestamp(as_of)
    seen = _seen(people, events, date, code_groups, {*helpers, *CONTACTS, *NEEDS})
    private = pd.MultiIndex.from_frame(private_days(people.to_numpy(), events, code_groups))
    seen["day"] = seen["time"].dt.normalize()
    seen["hidden"] = pd.MultiIndex.from_frame(seen[["person_id", "day"]]).isin(private)
    columns = {
        "first_step": steps.set_index("person_id")["first_step"],
        "helped_by": _helped_by(seen, helpers, date),
        "last_contact": _last_contact(seen),
        "needs": _needs(seen, date),
        "data_gaps": pd.Series("no GP records lately", index=pd.Index(sorted(silent), dtype="int64"), dtype="str"),
    }
    table = pd.DataFrame({name: columns[name].reindex(people).fillna("").to_numpy() for name in CIRCUMSTANCES})
    return table.astype("str").assign(person_id=people.to_numpy())


def _seen(
    people: pd.Series, events: Path, as_of: pd.Timestamp, code_groups: pd.DataFrame, groups: set[str]
) -> pd.DataFrame:
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as database:
        codes = database.execute("SELECT DISTINCT code FROM read_parquet(?)", [str(events)]).df()["code"]
        database.register("coded", map_codes(codes, code_groups[code_groups["group"].isin(groups)]))
        database.register("asked", pd.DataFrame({"person_id": people.to_numpy()}))
        return database.execute(_EVENTS, {"events": str(events), "as_of": as_of}).df()


def _helped_by(seen: pd.DataFrame, helpers: dict[str, str], as_of: pd.Timestamp) -> pd.Series:
    # A service with a planned end is going on until that day.
    going_on = (seen["end"].isna() | (seen["end"] > as_of)) & seen["group"].isin(["home_support", "reablement"])
    recent = (as_of - seen["day"]).dt.days <= RECENT_DAYS
    table = seen[seen["group"].isin(helpers) & (recent | going_on)]
    table = table.assign(service=table["group"].map(helpers), going_on=going_on.loc[table.index])
    newest = table.sort_values(["person_id", "service", "going_on", "day", "hidden"]).drop_duplicates(
        ["person_id", "service"], keep="last"
    )
    link = newest["going_on"].map({True: " since ", False: ", latest "})
    words = newest["service"] + (link + _day(newest["day"])).mask(newest["hidden"], "")
    return words.groupby(newest["person_id"]).agg("; ".join)


def _last_contact(seen: pd.DataFrame) -> pd.Series:
    named = seen[seen["group"].isin(CONTACTS) & ~seen["hidden"]]
    table = named.assign(service=named["group"].map(CONTACTS))
    newest = table.sort_values(["person_id", "day", "service"]).drop_duplicates("person_id", keep="last")
    return (newest["service"] + ", " + _day(newest["day"])).set_axis(newest["person_id"])


def _needs(seen: pd.DataFrame, as_of: pd.Timestamp) -> pd.Series:
    believed = ((as_of - seen["day"]).dt.days <= LASTING_DAYS) | (seen["group"] == FOR_GOOD)
    table = seen[seen["group"].isin(NEEDS) & believed].drop_duplicates(["person_id", "group"])
    order = {group: place for place, group in enumerate(NEEDS)}
    table = table.assign(place=table["group"].map(order)).sort_values(["person_id", "place"])
    return table["group"].map(NEEDS).groupby(table["person_id"]).agg("; ".join)


def _day(days: pd.Series) -> pd.Series:
    return days.dt.day.astype("str") + days.dt.strftime(" %B %Y")
