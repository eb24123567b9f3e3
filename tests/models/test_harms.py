from types import SimpleNamespace

import pytest

from casewell.settings import CASE_MANAGEMENT
from models import harms


def evidence(harm="", suspicion=""):
    return SimpleNamespace(harm=harm, suspicion=suspicion)


@pytest.mark.parametrize(
    ("offered", "told"),
    [
        (set(), []),
        ({CASE_MANAGEMENT}, [(False, "Case management may have harmed.")]),
        ({"walks"}, [(True, "Walks harmed.")]),
        ({CASE_MANAGEMENT, "help"}, [(False, "Case management may have harmed.")]),
        ({CASE_MANAGEMENT, "walks", "help"}, [(True, "Walks harmed."), (False, "Case management may have harmed.")]),
    ],
)
def test_harm_is_told_of_the_programmes_that_are_offered_and_of_no_other(offered, told):
    models = SimpleNamespace(
        evidence=evidence(suspicion="Case management may have harmed."),
        programmes={
            "walks": SimpleNamespace(evidence=evidence(harm="Walks harmed.")),
            "help": SimpleNamespace(evidence=evidence()),
        },
    )
    assert harms(models, offered) == told
