"""Cost, savings, payback and break-even, on figures small enough to work out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from casewell.settings.programme import Costs, UnitCost
from models.benefit.comparison import Estimate
from models.programme.effect import Arms
from models.programme.money import break_even, money, payback
from models.programme.outcomes import MONTHS, Course
from models.programme.sentences import money_sentence

SOURCE = "Figures of this test"


def pounds(amount: float) -> UnitCost:
    return UnitCost(amount=amount, year="2024", source=SOURCE)


def costs(place: float | None) -> Costs:
    return Costs(
        place=None if place is None else pounds(place),
        emergency_admission=pounds(1000),
        gp_contact=pounds(10),
        community_contact=None,
    )


def made_up(people: int = 4000) -> tuple[Arms, Course]:
    """Half start; those without have two admissions a year, those with one; starters see their practice once more in the first month."""
    random = np.random.default_rng(4)
    treated = np.arange(people) % 2 == 0
    after = np.zeros((people, 3 * MONTHS))
    after[:, 2 * MONTHS :] = random.poisson(np.where(treated, 1, 2)[:, None] / 12, (people, MONTHS))
    contacts = np.zeros((people, 3 * MONTHS))
    contacts[treated, 2 * MONTHS] = 1
    nothing = np.zeros((people, 3 * MONTHS))
    counts = {"admissions": after, "gp_contacts": contacts, "bed_days": nothing, "attendances": nothing}
    course = Course(counts, np.full(people, np.nan), np.ones(people, dtype=bool), np.zeros(people, dtype=bool))
    return Arms(np.arange(people), treated, np.ones(people), np.ones(people)), course


def told(place: float | None):
    arms, course = made_up()
    expected = {"admissions": np.full(4000, 2.0), "gp_contacts": np.zeros(4000)}
    return money(arms, course, expected, costs(place), np.full(4000, 0.5))


def test_savings_are_admissions_spared_less_contacts_added() -> None:
    found = told(600)
    low, high = found.saved.interval()
    assert low < 990 < high
    assert high - low < 200
    assert found.relative.value == pytest.approx(0.5, abs=0.05)


def test_a_place_is_paid_back_in_the_month_by_which_savings_meet_it() -> None:
    # £1,000 a year is £83 a month: £600 and the £10 of contacts are met in month 8.
    month, earliest, latest = told(600).payback
    assert earliest <= month <= latest
    assert 7 <= month <= 8
    assert np.isnan(told(5000).payback[0])
    assert told(None).payback is None


def test_the_month_of_payback_follows_the_ends_of_the_interval() -> None:
    curve = pd.DataFrame({"month": [1, 2, 3], "saved": [50, 90, 120], "low": [0, 20, 60], "high": [100, 150, 180]})
    month, earliest, latest = payback(curve, 100)
    assert (month, earliest) == (3, 1)
    assert np.isnan(latest)


def test_the_list_breaks_even_where_the_last_person_saves_what_a_place_costs() -> None:
    without, stands_for = np.array([1000.0, 2000.0, 4000.0]), np.array([100.0, 10.0, 1.0])
    # A quarter less saves 250, 500 and 1,000 pounds; a tenth 100, 200 and 400; four tenths 400, 800 and 1,600.
    ratio = Estimate(0.75, 0.15 / 1.96)
    assert break_even(without, stands_for, ratio, 390) == (11.0, 1.0, 111.0)
    assert break_even(without, stands_for, Estimate(1.1, 0.01), 390) == (0.0, 0.0, 0.0)


def test_nothing_is_said_of_money_where_nothing_has_a_price() -> None:
    arms, course = made_up(40)
    nothing = Costs(emergency_admission=None, gp_contact=None, community_contact=None)
    assert money(arms, course, {}, nothing, np.ones(40)) is None


def test_where_nothing_with_a_price_ever_happened_nothing_is_said_of_money() -> None:
    arms, course = made_up(40)
    nothing = {name: np.zeros_like(values) for name, values in course.counts.items()}
    quiet = Course(nothing, course.died, course.stayed, course.started)
    expected = {"admissions": np.full(40, 1e-6), "gp_contacts": np.full(40, 1e-6)}
    found = money(arms, quiet, expected, costs(600), np.ones(40))
    assert np.isnan(found.relative.value)
    assert found.break_even is None
    assert "nothing can be said" in money_sentence(found)


def test_days_in_hospital_are_not_counted_twice() -> None:
    with pytest.raises(ValueError, match="twice"):
        Costs(bed_day=pounds(400))
    assert Costs(bed_day=pounds(400), emergency_admission=None).bed_day is not None
