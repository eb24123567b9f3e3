"""What does not come from events: age and sex, the area and what is near it, who is registered at the address, and for how long."""

from __future__ import annotations

from typing import cast

from features.declare import period
from features.feature import DOMAINS, MEANINGS, TRAVEL, Aggregation, Feature
from features.registrations import REGISTERED_DAYS


def person() -> list[Feature]:
    """Age, sex and deprivation; they inform models and are never shown.

    The domain "barriers to housing and services", which road distances and connectivity are part of, is known of every
    area; how far it is to what is known only where the site has a table (`travel`).
    """
    decile = "decile, 1 most deprived"
    return [
        Feature("age", "people", None, "age", None, "years", MEANINGS["age"]),
        Feature("sex_female", "people", None, "sex_female", None, "yes/no", MEANINGS["sex_female"]),
        Feature("imd_decile", "people", None, "imd_decile", None, decile, MEANINGS["imd_decile"]),
        *[
            Feature(f"imd_{name}", "people", None, cast(Aggregation, name), None, decile, MEANINGS[name])
            for name in DOMAINS
        ],
    ]


def travel() -> list[Feature]:
    """How far it is to services, by the table of the site's own (the source `travel_times`); never shown."""
    return [Feature(name, "travel", None, cast(Aggregation, name), None, "minutes", MEANINGS[name]) for name in TRAVEL]


def registration() -> list[Feature]:
    """For how long, and with how many practices, the person was registered; never shown."""

    def counted(name: Aggregation, unit: str) -> Feature:
        what = f"{MEANINGS[name].removesuffix(' in the window')}, {period(REGISTERED_DAYS)}"
        return Feature(f"{name}_{REGISTERED_DAYS}d", "registration", None, name, REGISTERED_DAYS, unit, what)

    return [
        Feature("registered_days", "registration", None, "registered_days", None, "days", MEANINGS["registered_days"]),
        counted("registrations_begun", "registrations"),
        counted("practices", "practices"),
    ]


def household() -> list[Feature]:
    """Who is registered at the person's address.

    Living alone may be said: it is a fact that care can act on. A death is not: who died, and whether it was a
    bereavement, nobody recorded, and a list is no place to learn of it. Nor is the age of those who live there.
    """
    source = "household"
    unseen = "; missing without an address, or with more than 10 people at it; people who opted out are not counted"
    alone = "Nobody else is registered at the same address"

    def silent(name: Aggregation, unit: str, more: str = unseen) -> Feature:
        return Feature(name, source, None, name, None, unit, MEANINGS[name] + more)

    return [
        silent("household_size", "people"),
        Feature(
            "lives_alone",
            source,
            None,
            "lives_alone",
            None,
            "yes/no",
            f"{MEANINGS['lives_alone']}{unseen}: a person may seem to live alone who does not",
            alone,
            alone,
            showable=True,
        ),
        silent("household_bereavement", "yes/no"),
        silent("household_children", "people"),
        silent("household_old", "people"),
        silent("large_address", "yes/no", "; missing without an address"),
    ]
