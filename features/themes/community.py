"""Community, palliative and mental health services, social care and housing."""

from __future__ import annotations

from collections.abc import Sequence

from features.declare import change, counted, days, distinct, overdue, present, recency, regular, running
from features.derive import difference
from features.feature import Feature


def community() -> list[Feature]:
    """Community, palliative and mental health services."""
    source = "community"
    mind = "mental health"
    return [
        *counted(
            source, "any_community", "community service contact", "community service contacts", (90, 365), show=False
        ),
        recency(source, "any_community", "community service contact", show=False),
        # Beside the services that are named, any of these would give away that the other one was palliative care.
        change(source, "any_community", "community service contacts", show=False),
        *distinct(source, "any_community", "community services", (365,), show=False),
        *_contacts(source, "community_district_nursing", "district nursing", (90, 365, 1095)),
        recency(source, "community_district_nursing", "district nursing contact"),
        *regular(source, "community_district_nursing", "district nursing contacts", (360,)),
        overdue(source, "community_district_nursing", "district nursing contacts", 365),
        *_contacts(source, "community_therapy", "community therapy", (365,)),
        recency(source, "community_therapy", "community therapy contact"),
        *_contacts(source, "community_falls", "falls team", (365,)),
        *_contacts(source, "palliative_care", "palliative care", (365,)),
        *_contacts(mind, "any_mental_health", "mental health", (90, 365, 1095)),
        recency(mind, "any_mental_health", "mental health contact"),
        change(mind, "any_mental_health", "mental health contacts"),
        *_contacts(mind, "mental_health_crisis", "mental health crisis", (365, 1095)),
        *_contacts(mind, "mental_health_community", "community mental health", (365,)),
        *_contacts(mind, "mental_health_memory", "memory service", (365, 1095)),
        *_contacts(mind, "mental_health_talking_therapies", "talking therapies", (365,)),
    ]


def _contacts(source: str, group: str, what: str, windows: Sequence[int]) -> list[Feature]:
    return counted(source, group, f"{what} contact", f"{what} contacts", windows)


def social_care() -> list[Feature]:
    """Adult social care."""
    source = "social care"
    asked = {
        feature.window_days: feature
        for feature in counted(
            source, "social_care_request", "request for social care", "requests for social care", (90, 365, 1095)
        )
    }
    given = counted(source, "social_care_service", "social care service", "social care services", (365,), show=False)
    return [
        *asked.values(),
        recency(source, "social_care_request", "request for social care"),
        change(source, "social_care_request", "requests for social care"),
        *counted(source, "social_care_assessment", "social care assessment", "social care assessments", (365, 1095)),
        recency(source, "social_care_assessment", "social care assessment"),
        *given,
        difference(
            source, "social_care_unanswered_365d", asked[365], given[0], "Requests for social care less services begun"
        ),
        *days(source, "home_support", "of home support", (90, 365, 1095), running=True),
        running(source, "home_support", "Has home support now"),
        *counted(source, "reablement", "reablement service", "reablement services", (365, 1095)),
        *days(source, "reablement", "of reablement", (365,), running=True),
        running(source, "reablement", "Has reablement now"),
        *counted(source, "equipment", "piece of equipment at home", "pieces of equipment at home", (365, 1095)),
        present(source, "care_home", "Has lived in a care home"),
        running(source, "care_home_stay", "Lives in a care home"),
    ]


def housing() -> list[Feature]:
    """Housing."""
    source = "housing"
    return [
        present(source, "housing_tenancy", "Has a social housing tenancy", show=False),
        *counted(source, "housing_arrears", "report of rent arrears", "reports of rent arrears", (365, 1095)),
        *counted(source, "housing_damp_report", "report of damp at home", "reports of damp at home", (365, 1095)),
        *counted(source, "housing_adaptation", "home adaptation", "home adaptations", (1095,)),
        *counted(
            source, "housing_temporary_accommodation", "temporary stay", "stays in temporary accommodation", (1095,)
        ),
        *distinct(source, "housing_problem", "housing problems", (1095,)),
        recency(source, "housing_problem", "housing problem"),
    ]
