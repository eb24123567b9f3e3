from types import SimpleNamespace

import pytest

from casewell.settings import CASE_MANAGEMENT
from models import harms


def programme(harm):
    return SimpleNamespace(evidence=SimpleNamespace(harm=harm))


@pytest.mark.parametrize(
    ("offered", "told"),
    [
        (set(), []),
        ({CASE_MANAGEMENT}, ["Case management harmed."]),
        ({"walks"}, ["Walks harmed."]),
        ({CASE_MANAGEMENT, "help"}, ["Case management harmed."]),
        ({CASE_MANAGEMENT, "walks", "help"}, ["Case management harmed.", "Walks harmed."]),
    ],
)
def test_harm_is_told_of_the_programmes_that_are_offered_and_of_no_other(offered, told):
    case_management = SimpleNamespace(harm="Case management harmed.")
    models = SimpleNamespace(
        evidence=case_management, programmes={"walks": programme("Walks harmed."), "help": programme("")}
    )
    assert harms(models, offered) == told
