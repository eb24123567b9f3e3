"""The tables that leave `models/`."""

from __future__ import annotations

import pandera.pandas as pa

from casewell.doors import column, door

GRADES = ("randomised", "compared", "assumed")

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
        "supported": column("bool", "People like this one are in the evidence"),
        "evidence_grade": column("str", "Where the benefit comes from", pa.Check.isin(GRADES)),
    },
)

OUTCOMES = door(
    "outcomes",
    "what happened to an eligible person in the horizon after an index date",
    {
        "index_date": column("datetime64[us]", "The index date; the horizon is [index_date, index_date + horizon)"),
        "person_id": column("int64", "The person's pseudonym"),
        "treated": column("bool", "Started case management within the grace period after the index date"),
        "outcome": column("bool", "Admission of the outcome's group, or death, within the horizon"),
        "died": column("bool", "Died within the horizon"),
        "bed_days": column("float64", "Days in hospital after emergency admissions within the horizon", pa.Check.ge(0)),
        "days_at_home": column("float64", "Days of the horizon alive and not in a hospital bed", pa.Check.ge(0)),
        "early": column(
            "bool", "The outcome came before the grace period was over, so before case management could act"
        ),
        "days_to_outcome": column(
            "float64",
            "Days from the index date to the first admission of the outcome's group, or death; missing without one",
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
        "outcome": column("bool", "What happened"),
        "need": column("float64", "Need on the index date"),
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
