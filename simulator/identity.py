"""What identifies people, and how each service gets it wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from simulator import names, scenarios
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
    nhs_number: np.ndarray  # whole numbers
    given: np.ndarray
    family: np.ndarray
    address: np.ndarray
    postcode: np.ndarray
    old_address: np.ndarray  # before the household's move, or its last home before the history
    old_postcode: np.ndarray
    noise: np.ndarray  # how much likelier than usual a service is to write a particular wrong


def issue(streams: Streams, people: People, true_id: np.ndarray, nhs_number: np.ndarray) -> Cards:
    """Draw everybody's particulars; ids and numbers come from outside, since no two networks may share one."""
    given, family = names.draw(streams, people.ethnic_category, people.female, people.household)
    place = _numbered(streams("places"), people.household, people.area)
    before = streams("old homes").integers(place.max() + 1, size=people.household.max() + 1)[people.household]
    address, postcode = _homes(place, people.area)
    old_address, old_postcode = _homes(before, people.area)
    noise = np.array(list(NOISIER.values()))[_index(people.group)]
    if scenarios.LINKAGE_BIAS in people.scenarios:
        noise = np.where(people.group == "white", noise, 6.0 * noise)
    return Cards(
        true_id=true_id,
        nhs_number=nhs_number,
        given=given,
        family=family,
        address=address,
        postcode=postcode,
        old_address=old_address,
        old_postcode=old_postcode,
        noise=noise,
    )


def _index(group: np.ndarray) -> np.ndarray:
    order = list(NOISIER)
    return pd.Categorical(group, categories=order).codes


def check_digit(body: np.ndarray) -> np.ndarray:
    """Modulus 11 check digit of nine-digit bodies; 10 where no number exists."""
    digits = body[:, None] // 10 ** np.arange(8, -1, -1) % 10
    remainder = 11 - (digits * np.arange(10, 1, -1)).sum(axis=1) % 11
    return np.where(remainder == 11, 0, remainder)


def true_ids(seed: int, total: int) -> np.ndarray:
    """Ids from 1 in an order drawn by lot, for everybody simulated."""
    return np.random.default_rng([seed, 1]).permutation(total) + 1


def nhs_numbers(seed: int, total: int) -> np.ndarray:
    """Distinct valid numbers never issued to anyone, in an order drawn by lot, as whole numbers.

    About 909,000 begin with 999. A larger population goes on with 998: England issues from 400 to 499 and from
    600 to 799 only.
    """
    numbers: list[np.ndarray] = []
    for prefix in range(999, 800, -1):
        body = prefix * 1_000_000 + np.arange(1_000_000)
        digit = check_digit(body)
        valid = (body * 10 + digit)[digit < 10]
        missing = total - sum(map(len, numbers))
        numbers.append(np.random.default_rng([seed, prefix]).permutation(valid)[:missing])
        if missing <= len(valid):
            break
    return np.random.default_rng([seed, 2]).permutation(np.concatenate(numbers))


def _homes(places: np.ndarray, area: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Address and postcode of numbered places in areas; districts ZZ10 to ZZ98 do not exist; each is in one area."""
    unit = places % UNITS_AN_AREA
    letters = np.array([first + second for first in "ABDE" for second in UNITS[:10]], dtype=object)
    district = pd.Series(10 + area // 10).astype(str)
    postcode = "ZZ" + district + " " + pd.Series(area % 10).astype(str) + pd.Series(letters[unit])
    street = pd.Series(np.array(STREETS, dtype=object)[(area * 7 + unit) % len(STREETS)])
    address = pd.Series(places // UNITS_AN_AREA + 1).astype(str) + " " + street
    return address.to_numpy(dtype=object), postcode.to_numpy(dtype=object)


def _numbered(random: np.random.Generator, household: np.ndarray, area: np.ndarray) -> np.ndarray:
    """Number each person's household among those of its area, from 0, in an order that says nothing of its members."""
    _, first = np.unique(household, return_index=True)
    order = np.lexsort((random.random(len(first)), area[first]))
    place = np.empty(len(first), dtype=np.int64)
    place[order] = np.arange(len(first)) - np.searchsorted(area[first][order], area[first][order])
    return place[household]


def number(cards: Cards, person: np.ndarray) -> pa.Array:
    """The true number, as text."""
    return pc.cast(pa.array(cards.nhs_number[person]), pa.string())


def nhs_number(
    random: np.random.Generator, cards: Cards, people: People, person: np.ndarray, missing: float, wrong: float
) -> pa.Array:
    """The number as a service wrote it: missing oftener for strangers to the list, or with one digit wrong."""
    draw = random.random((2, len(person)))
    written = cards.nhs_number[person]
    faulty = np.flatnonzero(draw[0] < wrong * cards.noise[person])
    place, shift = random.integers(3, 10, len(faulty)), random.integers(1, 10, len(faulty))
    power = 10 ** (9 - place)
    digit = written[faulty] // power % 10
    written[faulty] += ((digit + shift) % 10 - digit) * power
    odds = missing / (1 - missing) * cards.noise[person]
    rate = odds / (1 + odds) + np.where(people.registered[person], 0.0, 0.5)
    return pc.cast(pa.array(written, mask=draw[1] < rate), pa.string())


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


def home(
    random: np.random.Generator, cards: Cards, people: People, person: np.ndarray, date: np.ndarray, stale: float
) -> tuple[np.ndarray, np.ndarray]:
    """Address and postcode on a date, sometimes those of the last home."""
    before = ~(date >= people.moves_home[person]) & ~np.isnat(people.moves_home[person])
    old = before | (random.random(len(person)) < stale * cards.noise[person])
    address = np.where(old, cards.old_address[person], cards.address[person])
    return address, np.where(old, cards.old_postcode[person], cards.postcode[person])


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
