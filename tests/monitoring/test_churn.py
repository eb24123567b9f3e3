"""Who came and went, and whose score did it."""

import pandas as pd

from casewell.settings import Monitoring
from monitoring.churn import about_churn, churn

COHORT = pd.DataFrame({"status": ["listed"] * 10 + ["reserve"] * 3})


def turnover(*rows):
    return pd.DataFrame(rows, columns=["person_id", "movement", "cause"])


def scores(**benefit):
    return pd.DataFrame({"person_id": [int(name[1:]) for name in benefit], "benefit": list(benefit.values())})


CAME = turnover((1, "entered", "score"), (2, "entered", "score"), (3, "left", "score"), (4, "left", "died"))
NOW, THEN = scores(p1=0.05, p2=0.03, p3=0.01), scores(p1=0.02, p2=0.03, p3=0.04, p4=0.04)


def causes(found):
    return {(row.movement, row.cause): row.people for row in found.causes.itertuples()}


def test_whose_score_moved_is_told_apart_from_places_that_came_free():
    found = churn(CAME, NOW, THEN, COHORT, "2026-09-24", 10, new_model=False)
    assert causes(found) == {
        ("entered", "own score rose"): 1,
        ("entered", "others' scores, or places that came free"): 1,
        ("left", "own score fell"): 1,
        ("left", "died"): 1,
    }
    assert (found.people("entered"), found.people("left"), found.listed_now) == (2, 2, 10)


def test_under_a_new_model_nobodys_score_is_held_against_the_old_one():
    found = churn(CAME, NOW, THEN, COHORT, "2026-09-24", 10, new_model=True)
    assert causes(found)[("left", "new model")] == 1
    assert causes(found)[("left", "died")] == 1


def test_a_list_that_is_mostly_new_is_named_with_the_commonest_cause():
    assert about_churn(churn(CAME, NOW, THEN, COHORT, "2026-09-24", 10, False), Monitoring()) == []
    (few,) = about_churn(churn(CAME, NOW, THEN, COHORT, "2026-09-24", 3, False), Monitoring())
    assert few.sentence.startswith("* of the people listed on 2026-09-24")
    gone = turnover(*((person, "left", "died") for person in range(40)))
    (finding,) = about_churn(churn(gone, NOW, THEN, COHORT, "2026-09-24", 60, False), Monitoring())
    assert finding.sentence.startswith("67% of the people")
    assert finding.sentence.endswith("Most often because of: died.")


def test_without_an_earlier_list_there_is_nothing_to_say():
    assert about_churn(None, Monitoring()) == []
