"""The tables that leave `cohorts/`, and the words for the doors a person can leave by."""

from __future__ import annotations

import pandera.pandas as pa

from casewell.doors import column, door
from models.tables import BENEFIT_ENDS, GRADES, PREDICTED
from records.tables import ETHNIC_GROUPS

LISTED = "listed"
RESERVE = "reserve"
ROUTED_ELSEWHERE = "routed elsewhere"
NOT_SELECTED = "not selected"
NOT_ELIGIBLE = "not eligible"
OPTED_OUT = "opted out"
QUARANTINED = "quarantined"
DOORS = (LISTED, RESERVE, ROUTED_ELSEWHERE, NOT_SELECTED, NOT_ELIGIBLE, OPTED_OUT, QUARANTINED)

ELIGIBLE = "eligible"
MAXIMUM_REASONS = 5

RISK_BANDS = ("more than 1 in 2", "1 in 4 to 1 in 2", "1 in 10 to 1 in 4", "less than 1 in 10")
NEED_BANDS = ("highest tenth", "upper half", "lower half")
BENEFIT_BANDS = ("High", "Medium", "Unsure")

PROGRAMME = column(
    "str",
    "Code of the programme that the place is of, or the reserve; empty without either. Only where there is another than case management",
    required=False,
)

ROUTES = door(
    "routes",
    "where a person goes before any model chooses",
    {
        "person_id": column("int64", "The person's pseudonym", unique=True),
        "door": column(
            "str",
            "not eligible, routed elsewhere, or eligible: goes on to the scores",
            pa.Check.isin([NOT_ELIGIBLE, ROUTED_ELSEWHERE, ELIGIBLE]),
        ),
        "why": column("str", "The first rule that applied, in plain words; empty when eligible"),
    },
)

ALLOCATION = door(
    "allocation",
    "what an eligible person's team could offer this week",
    {
        "person_id": column("int64", "The person's pseudonym", unique=True),
        "team_code": column("str", "The team that serves the person"),
        "status": column("str", "listed, reserve or not_selected", pa.Check.isin([LISTED, RESERVE, "not_selected"])),
        "rank": column(
            "Int64",
            "Order within the team, 1 first, reserve after listed; missing when not selected",
            pa.Check.ge(1),
            nullable=True,
        ),
        "why": column("str", "What decided the status, in plain words"),
        "chance": column(
            "float64",
            "Chance of a place where it was drawn by lot at the team's margin; missing where nothing was drawn",
            pa.Check.in_range(0, 1),
            nullable=True,
        ),
        "programme": PROGRAMME,
    },
)

LOTS = door(
    "lots",
    "a person who was in a lot at a team's margin, drawn or not (pseudonyms only; published beside the cohort)",
    {
        "as_of": column("datetime64[us]", "The date of the list"),
        "team_code": column("str", "The team that declared the margin"),
        "person_id": column("int64", "The person's pseudonym"),
        "chance": column("float64", "Chance of a place, known before the draw", pa.Check.in_range(0, 1)),
        "drawn": column("bool", "Was offered a place"),
        "approval": column("str", "Where the approval of the margin is written down"),
    },
    unique=["as_of", "person_id"],
)

CAUSES = (
    "score",
    "capacity",
    "policy",
    "limit on changes",
    "lot",
    "died",
    "moved",
    "routed",
    "declined",
    "opted out",
    "not eligible",
    "eligible now",
    "new here",
    "records",
)

TURNOVER = door(
    "turnover",
    "somebody who came onto a team's list, or left it, since the last published one (pseudonyms only)",
    {
        "team_code": column("str", "The team whose list it is"),
        "movement": column("str", "entered or left", pa.Check.isin(["entered", "left"])),
        "person_id": column("int64", "The person's pseudonym"),
        "cause": column("str", "What kind of reason decided it", pa.Check.isin(CAUSES)),
        "why": column("str", "The reason in plain words; internal: a team is told less (`turnover_sheet`)"),
        "programme": PROGRAMME,
    },
    unique=["team_code", "movement", "person_id"],
)

UNMET = door(
    "unmet",
    "a person in high need without an emergency admission in three years and without a place (pseudonyms only)",
    {
        "team_code": column("str", "The team that serves the person"),
        "rank": column("int64", "Order within the team, most need first", pa.Check.ge(1)),
        "person_id": column("int64", "The person's pseudonym", unique=True),
        "need": column("float64", "As in `scores`"),
        "need_band": column("str", "Place among everybody who was scored this week", pa.Check.isin(NEED_BANDS)),
    },
    unique=["team_code", "rank"],
)

WORK = door(
    "work",
    "what a team recorded of somebody on one of its lists, once (private: kept in the worklist's folder, and joined to "
    "people only when a team's list is written)",
    {
        "number": column("int64", "Order in which it was recorded", pa.Check.ge(1), unique=True),
        "list_as_of": column("datetime64[us]", "The day of the list"),
        "team_code": column("str", "The team whose list it was"),
        "programme": column(
            "str",
            "Code of the programme whose place was offered; only where one was not case management's",
            required=False,
        ),
        "nhs_number": column("str", "Ten digits; empty when not known"),
        "source_record": column("str", "Finds a person without a number, as in `contacts`; empty when not known"),
        "recorded_on": column("datetime64[us]", "The day it was recorded"),
        "owner": column("str", "Who looks after the person's offer, as the team wrote it; empty when nobody"),
        "progress": column("str", "How far it is, one of the list's choices; empty when not said"),
        "outcome": column("str", "What became of the offer, one of the list's choices; empty when nothing has yet"),
        "start": column("datetime64[us]", "First day on the caseload of somebody who agreed", nullable=True),
        "offer_again": column("datetime64[us]", "From when somebody who declined may be asked again", nullable=True),
        "note": column("str", "The team's own words; empty when none"),
    },
)

CIRCUMSTANCES = {
    "first_step": "A first step that the strongest reasons suggest: a rule of thumb, not advice about the person",
    "helped_by": "Services with a contact in the last 90 days, or going on, each with its latest day",
    "last_contact": "The latest contact with any service that may be named, and its day",
    "needs": "What to know before calling: interpreter, housebound, lives alone, is a carer",
    "data_gaps": "Feeds that tell nothing about the person at present",
}
"""What a coordinator has to know besides; empty where nothing is on record. Columns of `cohort`, and their meanings."""

LEDGER = door(
    "ledger",
    "a person who came in, and the one door by which they left",
    {
        "person_id": column("int64", "The person's pseudonym", unique=True),
        "door": column("str", "The door", pa.Check.isin(DOORS)),
        "why": column("str", "What decided it, in plain words"),
        "imd_decile": column("str", "Deprivation decile, 1 most deprived, or not recorded"),
        "ethnic_group": column("str", "Five census groups, not stated or not known", pa.Check.isin(ETHNIC_GROUPS)),
        "sex": column("str", "As in `people`"),
        "programme": PROGRAMME,
    },
)

COHORT = door(
    "cohort",
    "a person who is listed or in reserve this week (pseudonyms only, no names)",
    {
        "as_of": column("datetime64[us]", "The date of the list; nothing known on that day or later was used"),
        "team_code": column("str", "The team that serves the person"),
        "rank": column("int64", "Order within the team, 1 first, reserve after listed", pa.Check.ge(1)),
        "status": column("str", "listed or reserve", pa.Check.isin([LISTED, RESERVE])),
        "programme": PROGRAMME,
        "person_id": column("int64", "The person's pseudonym", unique=True),
        "risk": column("float64", "Probability of the outcome without case management", pa.Check.in_range(0, 1)),
        **PREDICTED,
        "risk_band": column("str", "The same in words, for people who read lists", pa.Check.isin(RISK_BANDS)),
        "need": column("float64", "Cambridge Multimorbidity Score"),
        "need_band": column("str", "Place among everybody who was scored this week", pa.Check.isin(NEED_BANDS)),
        "benefit": column("float64", "Absolute fall in risk that case management would bring", pa.Check.gt(0)),
        **BENEFIT_ENDS,
        "benefit_band": column(
            "str",
            "High: the upper half of this week's cohort; Medium: the rest; "
            "Unsure: assumed, or nobody like the person is in the evidence",
            pa.Check.isin(BENEFIT_BANDS),
        ),
        "evidence_grade": column("str", "Where the benefit comes from", pa.Check.isin(GRADES)),
        "supported": column("bool", "People like this one are in the evidence"),
        **{
            f"reason_{number}": column("str", f"Reason {number} in plain words; empty when there is none")
            for number in range(1, MAXIMUM_REASONS + 1)
        },
        "chance": column(
            "float64",
            "Chance of the place where it was drawn by lot at the team's margin; missing where nothing was drawn",
            pa.Check.in_range(0, 1),
            nullable=True,
            required=False,
        ),
        "changed": column("str", "What changed since the last list, in plain words"),
        **{name: column("str", meaning) for name, meaning in CIRCUMSTANCES.items()},
        "synthetic": column("bool", "Comes from a source stamped SYNTHETIC"),
    },
    unique=["team_code", "rank"],
)
