from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohorts.safe_text import LONGEST_CELL, clean, file_stems, inert

HARMFUL = [
    "=1+1",
    "+44",
    "-2",
    "@SUM(A1)",
    "\t=1",
    "\r\n=1",
    " \u00a0=1",
    "\uff1d1+1",
    "\ufe621",
    "\u202e=1",
    "\u200b@x",
    "\u22121",
]


@pytest.mark.parametrize("text", HARMFUL)
def test_a_text_that_could_be_a_formula_gets_an_apostrophe(text):
    assert inert(text).startswith("'")
    assert inert(text)[1:] == clean(text)


@pytest.mark.parametrize("text", ["O'Neill, Siân", "Smith-Jones, Ann", "9990653399", "", "de la Cruz, José", "李, 明"])
def test_an_ordinary_text_is_left_as_it_is(text):
    assert inert(text) == text


@given(st.text(max_size=2 * LONGEST_CELL))
def test_no_text_keeps_a_formula_a_control_character_or_a_direction_mark(text):
    safe = inert(text)
    assert not unicodedata.normalize("NFKC", safe).lstrip().startswith(("=", "+", "-", "@"))
    assert not {unicodedata.category(character) for character in safe} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert len(safe) <= LONGEST_CELL + 1


@given(st.sets(st.text(max_size=80), max_size=8))
def test_every_team_has_a_file_name_of_its_own_on_every_file_system(codes):
    stems = file_stems(codes)
    assert set(stems) == codes
    assert len({stem.casefold() for stem in stems.values()}) == len(codes)
    assert all(
        stem and set(stem) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
        for stem in stems.values()
    )


def test_a_plain_team_code_is_its_own_file_name_and_a_path_is_not():
    stems = file_stems(["U12345", "../../etc/passwd", "u12345"])
    assert stems["../../etc/passwd"].startswith("-etc-passwd-")
    assert stems["U12345"] != "U12345"
    assert file_stems(["U12345"]) == {"U12345": "U12345"}
