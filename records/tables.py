"""The tables that leave `records/`.

Everything here is already cut at `as_of`: no row was known on that day or later. People
are pseudonyms; `identities` and `contacts` are the exception, kept apart and readable only
by the file's owner.
"""

from __future__ import annotations

import pandera.pandas as pa

from casewell.doors import column, door

# Asked and not stated is the person's answer; not known is the service's gap. Neither is a group of people.
NOT_STATED, NOT_KNOWN = "not stated", "not known"
NO_ETHNIC_GROUP = (NOT_STATED, NOT_KNOWN)
ETHNIC_GROUPS = ("White", "Asian", "Black", "Mixed", "Other", *NO_ETHNIC_GROUP)
NOT_RECORDED = "not recorded"
# Deciles of the seven domains of the index of multiple deprivation; 1 most deprived.
DOMAINS = (
    "income_decile",
    "employment_decile",
    "education_decile",
    "health_decile",
    "crime_decile",
    "housing_services_decile",
    "environment_decile",
)
# Minutes from the area of residence, where a source tells.
TRAVEL = ("minutes_to_gp", "minutes_to_pharmacy", "minutes_to_hospital")

PEOPLE = door(
    "people",
    "a person found in any source, after linkage and opt-outs",
    {
        "person_id": column("int64", "Pseudonym (keyed hash); the `subject_id` of events", unique=True),
        "birth_month": column("datetime64[us]", "First day of the month of birth", nullable=True),
        "sex": column(
            "str", "female, male, other or not recorded", pa.Check.isin(["female", "male", "other", NOT_RECORDED])
        ),
        "ethnic_category": column("str", "NHS 16+1 category letter; Z asked but not stated, 99 not known"),
        "ethnic_group": column(
            "str",
            "Five census groups, not stated (Z) or not known (99, empty, no such code)",
            pa.Check.isin(ETHNIC_GROUPS),
        ),
        "ethnicity_source": column(
            "str", "Name of the source whose category it is, a GP's before a hospital's; empty when not known"
        ),
        "ethnicity_known_at": column(
            "datetime64[us]",
            "When the first valid category was received, if a hospital's; missing for a GP's, and when not known",
            nullable=True,
        ),
        "household_id": column(
            "Int64",
            "Pseudonym (keyed hash) of the address of the registration that describes the person; missing without one",
            nullable=True,
        ),
        "lsoa": column(
            "str",
            "Lower layer super output area of residence, a 2011 code converted to 2021 where it has one successor; "
            "empty when not known",
        ),
        "lsoa_vintage": column(
            "str",
            "Census whose area the code in `lsoa` is: 2021, 2011 (since split) or, for a code nobody knows, empty",
            pa.Check.isin(["2021", "2011", ""]),
        ),
        "imd_decile": column(
            "float64",
            "Index of multiple deprivation decile, 1 most deprived; missing when the area is not known",
            pa.Check.in_range(1, 10),
            nullable=True,
        ),
        "imd_version": column(
            "str", "Edition of the index, and vintage of the area, that the decile is from; empty when missing"
        ),
        "practice_code": column("str", "GP practice of registration; empty when not registered here"),
        "team_code": column("str", "Case management team that serves the person; empty when none"),
        "registered_from": column("datetime64[us]", "Start of the present registration", nullable=True),
        "registered_to": column("datetime64[us]", "End of the registration, as known before as_of", nullable=True),
        "died_on": column("datetime64[us]", "Date of death, as known before as_of", nullable=True),
        "death_known_at": column("datetime64[us]", "When a death was first known; missing without one", nullable=True),
        "in_spine": column("bool", "Has a demographics record; False for people known only to other services"),
        "sources": column("int64", "Number of sources with at least one record of the person"),
        "synthetic": column("bool", "Comes from a source stamped SYNTHETIC"),
    },
)

RESIDENCES = door(
    "residences",
    "a registration of a person, and where the person lived then",
    {
        "person_id": column("int64", "The person's pseudonym"),
        "start": column(
            "datetime64[us]", "Start of the registration, known from then on; missing: always", nullable=True
        ),
        "end": column("datetime64[us]", "End of the registration, exclusive, as known before as_of", nullable=True),
        "end_known_at": column("datetime64[us]", "When the end was known; missing without one", nullable=True),
        "household_id": column("Int64", "As in `people`, of the registration's address", nullable=True),
        "imd_decile": column("float64", "As in `people`, of the registration's area", nullable=True),
        **{
            name: column("float64", f"Likewise, of the domain {name.removesuffix('_decile')} alone", nullable=True)
            for name in DOMAINS
        },
        **{
            name: column("float64", "Minutes from the registration's area, by a source of travel times", nullable=True)
            for name in TRAVEL
        },
        "practice_code": column("str", "GP practice of the registration"),
    },
    unique=["person_id", "start"],
)

EVENTS = door(
    "events",
    "something that happened to a person (MEDS, with when it became known)",
    {
        "subject_id": column("int64", "The person's pseudonym"),
        "time": column("datetime64[us]", "When it happened"),
        "known_at": column("datetime64[us]", "When the care system could first have known; never before `time`"),
        "known_until": column(
            "datetime64[us]", "When a later version replaced it; missing while it holds", nullable=True
        ),
        "code": column("str", "Vocabulary//code, for example ICD10//I500, SNOMED//84114007, ADMISSION//21"),
        "numeric_value": column("float64", "Measured value; for lengths, days", nullable=True),
        "end": column(
            "datetime64[us]", "End of a spell, stay or package, when it has one and it is known", nullable=True
        ),
        "source": column("str", "Name of the source in the settings"),
    },
)

ENROLMENTS = door(
    "enrolments",
    "one spell of case management, or of another programme; whoever counts one's must leave the others out",
    {
        "person_id": column("int64", "The person's pseudonym"),
        "programme": column("str", "Its code in the settings, or `case_management`"),
        "team_code": column("str", "The team that provides it"),
        "start": column("datetime64[us]", "First day on the caseload"),
        "end": column(
            "datetime64[us]", "Last day, exclusive; missing while on the caseload, as known before as_of", nullable=True
        ),
        "known_at": column("datetime64[us]", "When the start was known"),
        "route": column("str", "How the person came to be referred"),
        "randomised_probability": column(
            "float64",
            "Recorded probability where the place was drawn by lot at a declared margin",
            pa.Check.in_range(0, 1),
            nullable=True,
        ),
    },
)

OFFERS = door(
    "offers",
    "a referral to case management, or to another programme, and what became of it, as known before as_of",
    {
        "person_id": column("int64", "The person's pseudonym"),
        "programme": column("str", "Its code in the settings, or `case_management`"),
        "offered": column("datetime64[us]", "Date of the referral"),
        "outcome": column("str", "What became of it, in the words of the contract"),
        "start": column("datetime64[us]", "First day on the caseload; missing unless started", nullable=True),
        "end": column("datetime64[us]", "Last day, exclusive; missing while on the caseload", nullable=True),
        "known_at": column("datetime64[us]", "When the outcome was known"),
        "offer_again": column(
            "datetime64[us]", "From which day to offer again, where the person who declined said so", nullable=True
        ),
    },
)

DRAWS = door(
    "draws",
    "a place that was drawn by lot, as the programme's own records tell it, known before as_of",
    {
        "person_id": column("int64", "The person's pseudonym"),
        "programme": column("str", "Its code in the settings, or `case_management`"),
        "drawn_on": column("datetime64[us]", "Date of the referral by lot"),
        "team_code": column("str", "The team referred to"),
        "chance": column("float64", "Recorded chance of a place", pa.Check.in_range(0, 1)),
        "drawn": column("bool", "Was offered a place"),
    },
)

IDENTITIES = door(
    "identities",
    "which person a source record was taken to be (private: holds record identifiers)",
    {
        "source": column("str", "Name of the source in the settings"),
        "source_record": column("str", "The record's own identifier within the source"),
        "person_id": column("int64", "The person's pseudonym"),
        "method": column(
            "str",
            "nhs_number, splink, demographics (fits exactly one person), decision (a person's), alone (matched nobody) "
            "or source_id",
            pa.Check.isin(["nhs_number", "splink", "demographics", "decision", "alone", "source_id"]),
        ),
        "match_probability": column(
            "float64",
            "Splink's probability for the link; 1 for an identifier; missing where none was estimated",
            pa.Check.in_range(0, 1),
            nullable=True,
        ),
    },
)

DOUBTFUL = door(
    "doubtful",
    "a pair of descriptions that may or may not be of one person (private: holds record identifiers)",
    {
        "left_source": column("str", "Source of the record that stands for the one description"),
        "left_record": column("str", "Its own identifier within the source"),
        "right_source": column("str", "Source of the record that stands for the other"),
        "right_record": column("str", "Its own identifier within the source"),
        "probability": column("float64", "Splink's match probability", pa.Check.in_range(0, 1)),
        "weight": column("float64", "Splink's match weight, bits"),
        "linked": column("bool", "They ended in one person"),
    },
)

CHANGES = door(
    "changes",
    "what became of a person's identity since the week before (private)",
    {
        "as_of": column("datetime64[us]", "The week in which it changed"),
        "kind": column(
            "str",
            "merged: two people are one now; split: records left to form another person; moved: they left to one known before",
            pa.Check.isin(["merged", "split", "moved"]),
        ),
        "person_id": column("int64", "Who stays (merged), or whom records left (split, moved)"),
        "other_person_id": column("int64", "The id that is no longer used (merged), or where the records are now"),
        "reason": column("str", "Why, in plain words"),
        "records": column("int64", "Number of records concerned"),
    },
)

CONTACTS = door(
    "contacts",
    "how to reach a person (private: joined back only when a team's list is written)",
    {
        "person_id": column("int64", "The person's pseudonym", unique=True),
        "nhs_number": column("str", "Ten digits; empty when not known"),
        "given_name": column("str", "As last recorded"),
        "family_name": column("str", "As last recorded"),
        "date_of_birth": column("datetime64[us]", "As last recorded", nullable=True),
        "practice_code": column("str", "GP practice of registration"),
        "practice_name": column("str", "Its name; empty when not known"),
        "source_record": column("str", "The demographics record's own identifier, to find people without a number by"),
    },
)

PRACTICES = door(
    "practices",
    "a practice and the team that serves its people",
    {
        "practice_code": column("str", "ODS code", unique=True),
        "practice_name": column("str", "Name"),
        "team_code": column("str", "Primary care network's code, or the practice's own, or `all`"),
        "team_name": column("str", "The team's name"),
    },
)

REMOVED = door(
    "removed",
    "a person who left the house in records/, before any model",
    {
        "person_id": column("int64", "The person's pseudonym", unique=True),
        "door": column("str", "opted_out or quarantined", pa.Check.isin(["opted_out", "quarantined"])),
        "why": column("str", "The reason, in plain words"),
        "imd_decile": column("float64", "As in `people`", nullable=True),
        "ethnic_group": column("str", "As in `people`", pa.Check.isin(ETHNIC_GROUPS)),
        "sex": column("str", "As in `people`"),
    },
)

DESCRIPTIONS = door(
    "descriptions",
    "a record, and what it says of the person, as linkage compared it (private: for people to look at)",
    {
        "source": column("str", "Name of the source in the settings"),
        "record": column("str", "The record's own identifier within the source"),
        "person_id": column("int64", "The pseudonym of the person it was linked to"),
        "match_probability": column("float64", "As in `identities`", nullable=True),
        "description": column("int64", "Equal in records that say the same; means nothing outside this table"),
        "numbered": column("bool", "Has an NHS number that is believed"),
        "given_name": column("str", "In capitals, without accents or spaces; empty when not known"),
        "family_name": column("str", "In the same way"),
        "date_of_birth": column("datetime64[us]", "As the record has it", nullable=True),
        "sex": column("str", "1 male, 2 female; empty when not known", pa.Check.isin(["1", "2", ""])),
        "postcode": column("str", "In capitals, without spaces; empty when not known"),
        "address": column("str", "First line, in capitals, words apart by one space; empty when not known"),
    },
)

LOSSES = ("no_person_found", "likely_missed", "one_service_only", "opted_out", "quarantined")

LINKAGE = door(
    "linkage",
    "one way of being lost before any model, in one group (exact counts: show them only through `fairness`)",
    {
        "grouping": column("str", "imd_quintile or ethnic_group", pa.Check.isin(["imd_quintile", "ethnic_group"])),
        "group": column("str", "Deprivation fifth or ethnic group, or that none is known"),
        "measure": column(
            "str",
            "no_person_found: people with a record that found nobody (it counts for whom it resembles, else for a "
            "person of its own). likely_missed: links missed, as the match probabilities expect. one_service_only: "
            "people in no register whom a single service knows. opted_out, quarantined: people who left by that door",
            pa.Check.isin(LOSSES),
        ),
        "base": column("float64", "People in the group; for likely_missed, links expected", pa.Check.gt(0)),
        "count": column("float64", "Of them lost", pa.Check.ge(0)),
        "share": column("float64", "`count` over `base`", pa.Check.in_range(0, 1)),
        "low": column("float64", "Lower limit of the share, 95 % (Wilson)", pa.Check.in_range(0, 1)),
        "high": column("float64", "Upper limit of the share, 95 % (Wilson)", pa.Check.in_range(0, 1)),
    },
    unique=["grouping", "group", "measure"],
)

SOURCE_COUNTS = door(
    "source_counts",
    "what became of one source's rows, for one reason",
    {
        "source": column("str", "Name of the source in the settings"),
        "fate": column(
            "str",
            "used, not_yet_known, duplicate, opted_out or quarantined",
            pa.Check.isin(["used", "not_yet_known", "duplicate", "opted_out", "quarantined"]),
        ),
        "why": column("str", "The rule, in plain words; empty when used"),
        "rows": column("int64", "Number of rows", pa.Check.ge(0)),
    },
)

SOURCE_FINDINGS = door(
    "source_findings",
    "something that `casewell sources check` found in a source; no value of a person, no count from 1 to 7",
    {
        "source": column("str", "Name of the source in the settings; empty for all of them together"),
        "check": column("str", "Which check found it"),
        "severity": column(
            "str",
            "What follows from it",
            pa.Check.isin(["stops the run", "look at it", "for information"]),
        ),
        "sentence": column("str", "File, column, place and number of rows, in a plain sentence"),
        "advice": column("str", "What to do"),
        "column": column("str", "Column of the contract, or empty"),
        "place": column("str", "Code of the practice, hospital or team, or empty"),
        "month": column("datetime64[us]", "First day of the (first) month it is about", nullable=True),
        "rows": column("Int64", "Rows it is about; missing where that says nothing, or is 1 to 7", nullable=True),
    },
)
