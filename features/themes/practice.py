"""The GP record: contacts, circumstances, symptoms, prevention and measurements."""

from __future__ import annotations

from features.declare import change, counted, distinct, first, gap, overdue, present, recency, regular, seen_by
from features.derive import share
from features.feature import Feature

SOURCE = "general practice"
SYMPTOMS = {
    "breathlessness": "breathlessness",
    "dizziness": "dizziness",
    "fatigue": "tiredness",
    "incontinence": "urinary incontinence",
    "memory": "memory problems",
    "poor_sleep": "poor sleep",
    "unsteady_gait": "unsteady walking",
    "weight_loss": "weight loss",
}
SPOKEN_OF = ("breathlessness", "dizziness", "unsteady_gait", "weight_loss")
# Prevention: days within which each is due again, None for once.
PREVENTION = {
    "flu_vaccination": 365,
    "covid_vaccination": 365,
    "pneumococcal_vaccination": None,
    "shingles_vaccination": None,
    "breast_screening": 1095,
    "bowel_screening": 730,
    "cervical_screening": 1826,
    "health_check": 1826,
}
NOT_SAID = ("learning_disability", "autism", "homeless", "drug_dependence", "vulnerable_migrant")


def general_practice() -> list[Feature]:
    """Everything from the GP record but medicines, conditions and measurements."""
    return [*entries(), *contacts(), *illness(), *circumstances(), *prevention()]


def entries() -> list[Feature]:
    """How full the record is."""
    entry, entries = "GP record entry", "GP record entries"
    return [
        *counted(SOURCE, "any_gp_event", entry, entries, (30, 90, 365, 1095), show=False),
        recency(SOURCE, "any_gp_event", entry, show=False),
        first(SOURCE, "any_gp_event", entry),
        change(SOURCE, "any_gp_event", entries, show=False),
        gap(SOURCE, "any_gp_event", entries, 365),
        gap(SOURCE, "any_gp_event", entries, 1095),
        overdue(SOURCE, "any_gp_event", entries, 1095),
        *regular(SOURCE, "any_gp_event", entries, (360, 1080)),
        *distinct(SOURCE, "any_gp_event", "GP record codes", (365, 1095), show=False),
    ]


def contacts() -> list[Feature]:
    """Contacts with the practice, missed ones, and how they are held.

    Continuity of care is missing, never zero, where the GP extract names no clinician.
    """
    contact, missed = "contact with the practice", "missed practice appointment"
    contacts = "contacts with the practice"
    seen = {f.window_days: f for f in counted(SOURCE, "gp_contact", contact, contacts, (30, 90, 365, 1095))}
    away = {f.window_days: f for f in counted(SOURCE, "gp_missed", missed, f"{missed}s", (365, 1095))}
    remote = counted(
        SOURCE, "gp_contact_remote", "contact by telephone or online", "contacts by telephone or online", (365,), False
    )
    return [
        *seen.values(),
        recency(SOURCE, "gp_contact", contact, show=False),
        change(SOURCE, "gp_contact", contacts),
        gap(SOURCE, "gp_contact", contacts, 1095),
        overdue(SOURCE, "gp_contact", contacts, 1095),
        *regular(SOURCE, "gp_contact", contacts, (360, 1080)),
        *away.values(),
        recency(SOURCE, "gp_missed", missed),
        *[
            share(
                SOURCE,
                f"gp_missed_share_{days}d",
                away[days],
                [seen[days]],
                "Missed practice appointments over those and contacts",
            )
            for days in (365, 1095)
        ],
        *remote,
        *[seen_by(SOURCE, "gp_clinician", contacts, days, "usual_provider") for days in (365, 730)],
        seen_by(SOURCE, "gp_clinician", contacts, 730, "bice_boxerman"),
        present(SOURCE, "interpreter_needed", "Needs an interpreter", in_model=False),
        *counted(SOURCE, "medication_review", "medication review", "medication reviews", (365,), show=False),
        recency(SOURCE, "medication_review", "medication review", show=False),
    ]


def illness() -> list[Feature]:
    """Falls, fractures, symptoms and infections."""
    symptoms = [
        feature
        for name, words in SYMPTOMS.items()
        for feature in counted(
            SOURCE, f"symptom_{name}", f"record of {words}", f"records of {words}", (365,), show=name in SPOKEN_OF
        )
    ]
    return [
        *counted(SOURCE, "falls", "recorded fall", "recorded falls", (90, 365, 1095)),
        recency(SOURCE, "falls", "recorded fall"),
        *counted(SOURCE, "frailty_symptom", "symptom of frailty", "symptoms of frailty", (365, 1095), show=False),
        *distinct(SOURCE, "frailty_symptom", "kinds of symptom of frailty", (1095,)),
        *symptoms,
        *counted(SOURCE, "fracture", "recorded fracture", "recorded fractures", (1095,)),
        *counted(SOURCE, "urinary_infection", "urinary infection", "urinary infections", (365,)),
        present(SOURCE, "hip_fracture", "Has had a hip fracture"),
        present(SOURCE, "osteoarthritis", "Has osteoarthritis"),
        present(SOURCE, "osteoporosis", "Has osteoporosis"),
        present(SOURCE, "pneumonia", "Has had pneumonia in the last 3 years", 1095),
        present(SOURCE, "gastrointestinal_bleed", "Has had a gastrointestinal bleed in the last 3 years", 1095),
        present(SOURCE, "severe_frailty", "Recorded as severely frail"),
    ]


def circumstances() -> list[Feature]:
    """How the person lives."""
    return [
        present(SOURCE, "housebound", "Recorded as housebound"),
        present(SOURCE, "lives_alone", "Recorded as living alone"),
        present(SOURCE, "carer", "Recorded as a carer"),
        present(SOURCE, "smoking", "Recorded as a smoker in the last 3 years", 1095),
        present(SOURCE, "ex_smoker", "Recorded as an ex-smoker", show=False),
        present(SOURCE, "never_smoked", "Recorded as never having smoked", show=False),
        present(SOURCE, "end_of_life", "On the end of life register"),
        *[present(SOURCE, group, group.replace("_", " ").capitalize()) for group in NOT_SAID],
    ]


def prevention() -> list[Feature]:
    """Vaccinations, screening and health checks: whether the person was reached while they were due."""
    return [
        present(SOURCE, group, f"Had {group.replace('_', ' ')}", days, show=False) for group, days in PREVENTION.items()
    ]
