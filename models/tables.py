"""The tables that leave `models/`."""

from __future__ import annotations

import pandera.pandas as pa

from casewell.doors import column, door
from models.declared_outcomes import DECLARED

GRADES = ("randomised", "compared", "assumed")

PREDICTED = {
    declared.predicted: column(
        "float64",
        f"{'Expected' if declared.counts_days else 'Probability of'} {declared.words} within the horizon without case "
        "management; only where `outcome.beside` names it",
        *([pa.Check.ge(0)] if declared.counts_days else [pa.Check.in_range(0, 1)]),
        required=False,
    )
    for declared in DECLARED.values()
}
"""What is predicted beside the outcome that ranks."""

BENEFIT_ENDS = {
    f"benefit_{end}": column(
        "float64",
        f"{which} end of a 95 % interval of the person's own benefit, given what is foretold without case management; missing "
        "where the benefit is assumed, because an assumption has no interval (docs/how-to/benefit.md)",
        pa.Check.in_range(-1, 1),
        nullable=True,
        required=False,
    )
    for end, which in (("low", "Lower"), ("high", "Upper"))
}

BEFORE_GROUPS = "risk_before_groups"
_UNMENDED = {
    BEFORE_GROUPS: column(
        "float64",
        "The same had no group's calibration been mended; only where the model mended any",
        pa.Check.in_range(0, 1),
        required=False,
    )
}

SCORES = door(
    "scores",
    "an eligible person's three scores on the index date",
    {
        "person_id": column("int64", "The person's pseudonym", unique=True),
        "risk": column(
            "float64", "Probability of the outcome within the horizon without case management", pa.Check.in_range(0, 1)
        ),
        "need": column("float64", "Cambridge Multimorbidity Score (general outcome, 20 conditions)"),
        "benefit": column(
            "float64",
            "Absolute fall in that probability that case management would bring; negative means harm",
            pa.Check.in_range(-1, 1),
        ),
        **BENEFIT_ENDS,
        "supported": column("bool", "People like this one are in the evidence"),
        "evidence_grade": column("str", "Where the benefit comes from", pa.Check.isin(GRADES)),
        **_UNMENDED,
        **PREDICTED,
        "need_expected": column(
            "float64",
            "Need as it would be recorded if everybody had been looked at alike: recorded need, and what is likely to be missing "
            "(docs/how-to/models.md); never below `need`. The weekly run adds it",
            required=False,
        ),
    },
)

PROGRAMME_SCORES = door(
    "programme_scores",
    "what a programme beside case management (`programmes`) would change for a scored person",
    {
        "person_id": column("int64", "The person's pseudonym"),
        "programme": column("str", "The programme's code in the settings"),
        "eligible": column("bool", "The programme's rules hold, and the person is not on it on the index date"),
        "benefit": column(
            "float64",
            "Absolute fall in the risk that the programme would bring; negative means harm",
            pa.Check.in_range(-1, 1),
        ),
        **BENEFIT_ENDS,
        "supported": column("bool", "People like this one are in the evidence on this programme"),
        "evidence_grade": column("str", "Where this programme's benefit comes from", pa.Check.isin(GRADES)),
    },
    unique=["person_id", "programme"],
)

OUTCOMES = door(
    "outcomes",
    "what happened to an eligible person in the horizon after an index date",
    {
        "index_date": column("datetime64[us]", "The index date; the horizon is [index_date, index_date + horizon)"),
        "person_id": column("int64", "The person's pseudonym"),
        "treated": column("bool", "Started case management within the grace period after the index date"),
        "outcome": column("bool", "The outcome that ranks (`outcome.ranks`) happened within the horizon"),
        "admission_or_death": column("bool", "Admission of the outcome's group, or death, within the horizon"),
        "admission": column("bool", "Admission of the outcome's group within the horizon"),
        "acs_admission": column(
            "bool", "Emergency admission for an ambulatory-care-sensitive condition within the horizon"
        ),
        "died": column("bool", "Died within the horizon"),
        "bed_days": column("float64", "Days in hospital after emergency admissions within the horizon", pa.Check.ge(0)),
        "days_at_home": column("float64", "Days of the horizon alive and not in a hospital bed", pa.Check.ge(0)),
        "early": column(
            "bool",
            "The outcome, or a death, came before the grace period was over, so before case management could act",
        ),
        "days_to_outcome": column(
            "float64",
            "Days from the index date to the outcome that ranks; missing without one",
            pa.Check.ge(0),
            nullable=True,
        ),
        "stayed": column(
            "bool", "Registered until the horizon ended, or died in it; otherwise what happened is not known"
        ),
        "offerable": column(
            "bool", "Not near the end of life, in a care home or in hospital on the index date, as known then"
        ),
        "negative_control": column(
            "bool", "Planned admission within the horizon; case management is not expected to change it"
        ),
    },
    unique=["index_date", "person_id"],
)

TEST_PREDICTIONS = door(
    "test_predictions",
    "a person's risk at a test index date beside what happened",
    {
        "index_date": column("datetime64[us]", "The index date"),
        "person_id": column("int64", "The person's pseudonym"),
        "risk": column("float64", "Predicted probability", pa.Check.in_range(0, 1)),
        **_UNMENDED,
        "outcome": column("bool", "What happened"),
        "need": column("float64", "Need on the index date"),
    },
)

BENEFIT_EVIDENCE = door(
    "benefit_evidence",
    "a row of the history that benefit was learned from, with predictions of models that did not see the person",
    {
        "index_date": column("datetime64[us]", "The index date"),
        "person_id": column("int64", "The person's pseudonym"),
        "treated": column("bool", "Started case management within the grace period after the index date"),
        "outcome": column("bool", "What happened"),
        "propensity": column("float64", "Probability of being treated", pa.Check.in_range(0, 1)),
        "without": column("float64", "Probability of the outcome without case management", pa.Check.in_range(0, 1)),
        "with_programme": column("float64", "The same with case management", pa.Check.in_range(0, 1)),
        "benefit": column("float64", "The benefit that the score would have said", pa.Check.in_range(-1, 1)),
    },
)

CONTRIBUTIONS = door(
    "contributions",
    "how much one feature moved one listed person's place",
    {
        "person_id": column("int64", "The person's pseudonym"),
        "feature": column("str", "Name in the catalogue"),
        "value": column("float64", "The feature's value", nullable=True),
        "contribution": column(
            "float64",
            "SHAP value on the log odds of risk, plus, where benefit is assumed, the rise in the logarithm of the amenable share",
        ),
    },
)
