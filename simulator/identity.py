"""What identifies people, and how each service gets it wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from simulator import names
from simulator.people import People
from simulator.randomness import Streams

STREETS = [
    "High Street", "Station Road", "Mill Lane", "Church Lane", "London Road", "Victoria Road",
    "Park Road", "Manor Road", "Queens Road", "Kings Road", "Albert Street", "Main Street",
    "The Green", "Green Lane", "School Lane", "Chestnut Avenue", "Oak Drive", "Elm Close",
    "Willow Way", "Beech Road", "Saffron Lane", "Narborough Road", "Melton Road", "Uppingham Road",
    "Evington Lane", "Abbey Lane", "Forest Road", "Leicester Road", "Ashby Road", "Loughborough Road",
    "Bradgate Road", "Charnwood Avenue", "Swithland Lane", "Rectory Close", "Meadow Way", "Orchard Close",
    "Spinney Road", "Wharf Street", "Canal Street", "Bridge Street",
]  # fmt: skip
UNITS = "ABDEFGHJLNPQRSTUWXYZ"
UNITS_AN_AREA = 40
NOISIER = {"white": 1.0, "asian": 1.9, "black": 1.8, "mixed": 1.3, "other": 2.0}


@dataclass(frozen=True)
class Cards:
    """Each person's true particulars."""

    true_id: np.ndarray
    nhs_number: np.ndarray
    given: np.ndarray
    family: np.ndarray
    address: np.ndarray
    postcode: np.ndarray
    old_address: np.ndarray
    old_postcode: np.ndarray
    noise: np.ndarray  # how much likelier than usual a service is to write a particular wrong


def issue(streams: Streams, people: People) -> Cards:
    """Draw everybody's particulars."""
    total = len(people)
    given, family = names.draw(streams, people.ethnic_category, people.female)
    address, postcode = _homes(streams("homes"), people.area)
    old_address, old_postcode = _homes(streams("old homes"), np.maximum(people.area - 1, 0))
    return Cards(
        true_id=streams("true id").permutation(total).astype(np.int64) + 1,
        nhs_number=_nhs_numbers(streams("nhs numbers"), total),
        given=given,
        family=family,
        address=address,
        postcode=postcode,
        old_address=old_address,
        old_postcode=old_postcode,
        noise=np.array([NOISIER[name] for name in NOISIER])[_index(people.group)],
    )


def _index(group: np.ndarray) -> np.ndarray:
    order = list(NOISIER)
    return pd.Categorical(group, categories=order).codes


def check_digit(body: np.ndarray) -> np.ndarray:
    """Modulus 11 check digit of nine-digit bodies; 10 where no number exists."""
    digits = body[:, None] // 10 ** np.arange(8, -1, -1) % 10
    remainder = 11 - (digits * np.arange(10, 1, -1)).sum(axis=1) % 11
    return np.where(remainder == 11, 0, remainder)


def _nhs_numbers(random: np.random.Generator, total: int) -> np.ndarray:
    """Distinct valid numbers that begin with 999, never issued to anyone; about 900,000 exist."""
    body = 999_000_000 + random.permutation(999_999)
    digit = check_digit(body)
    valid = np.flatnonzero(digit < 10)[:total]
    if len(valid) < total:
        raise ValueError(f"only {len(valid):,} test NHS numbers exist; ask for fewer people")
    return (body[valid] * 10 + digit[valid]).astype(str).astype(object)


def _homes(random: np.random.Generator, area: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Addresses with postcodes of districts ZZ10 to ZZ98, which do not exist; a postcode is in one area."""
    unit = random.integers(UNITS_AN_AREA, size=len(area))
    letters = np.array([first + second for first in "ABDE" for second in UNITS[:10]], dtype=object)
    district = pd.Series(10 + area // 10).astype(str)
    postcode = "ZZ" + district + " " + pd.Series(area % 10).astype(str) + pd.Series(letters[unit])
    street = pd.Series(np.array(STREETS, dtype=object)[(area * 7 + unit) % len(STREETS)])
    address = pd.Series(random.integers(1, 90, len(area))).astype(str) + " " + street
    return address.to_numpy(dtype=object), postcode.to_numpy(dtype=object)


def nhs_number(
    random: np.random.Generator, cards: Cards, people: People, person: np.ndarray, missing: float, wrong: float
) -> np.ndarray:
    """The number as a service wrote it: missing oftener for strangers to the list, or with one digit wrong."""
    draw = random.random((2, len(person)))
    written = cards.nhs_number[person].copy()
    faulty = np.flatnonzero(draw[0] < wrong * cards.noise[person])
    place, shift = random.integers(3, 10, len(faulty)), random.integers(1, 10, len(faulty))
    number = written[faulty].astype(np.int64)
    power = 10 ** (9 - place)
    digit = number // power % 10
    written[faulty] = (number + ((digit + shift) % 10 - digit) * power).astype(str).astype(object)
    rate = missing * cards.noise[person] + np.where(people.registered[person], 0.0, 0.5)
    written[draw[1] < rate] = None
    return written


def birth_date(
    random: np.random.Generator, cards: Cards, people: People, person: np.ndarray, rate: float
) -> np.ndarray:
    """Date of birth with slips: day and month swapped, another day, the first of January, another year."""
    true = people.birth[person]
    year = true.astype("datetime64[Y]")
    month = (true.astype("datetime64[M]") - year.astype("datetime64[M]")).astype(int)
    day = (true - true.astype("datetime64[M]").astype("datetime64[D]")).astype(int)
    months = (year.astype("datetime64[M]") + np.minimum(day, 11)).astype("datetime64[D]")
    swapped = np.where(day < 12, months + month, true)
    slips = [swapped, true - 1, year.astype("datetime64[D]"), true - 366]
    return _slip(random, true, slips, rate * cards.noise[person])


def full_name(
    random: np.random.Generator, cards: Cards, person: np.ndarray, rate: float
) -> tuple[np.ndarray, np.ndarray]:
    """Given and family name with misspellings, and the two swapped."""
    chance = rate * cards.noise[person]
    given = _misspell(random, cards.given[person], chance)
    family = _misspell(random, cards.family[person], chance)
    swap = random.random(len(person)) < chance * 0.4
    return np.where(swap, family, given), np.where(swap, given, family)


def home(random: np.random.Generator, cards: Cards, person: np.ndarray, old: float) -> tuple[np.ndarray, np.ndarray]:
    """Address and postcode, sometimes those of the last home."""
    stale = random.random(len(person)) < old * cards.noise[person]
    address = np.where(stale, cards.old_address[person], cards.address[person])
    return address, np.where(stale, cards.old_postcode[person], cards.postcode[person])


def _misspell(random: np.random.Generator, text: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """A letter lost, doubled, or swapped with the next; or the name cut short."""
    series = pd.Series(text, dtype="str").str
    head, third, fourth = series.slice(0, 2), series.slice(2, 3), series.slice(3, 4)
    slips = [
        head + series.slice(3),
        head + third + series.slice(2),
        head + fourth + third + series.slice(4),
        series.slice(0, 4),
    ]
    return _slip(random, text, [slip.to_numpy(dtype=object) for slip in slips], chance)


def _slip(random: np.random.Generator, true: np.ndarray, slips: list[np.ndarray], chance: np.ndarray) -> np.ndarray:
    which = random.integers(len(slips), size=len(true))
    happens = random.random(len(true)) < chance
    return np.where(happens, np.choose(which, np.stack(slips)) if len(true) else true, true)
