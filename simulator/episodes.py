"""Consultant episodes of hospital spells, with their codes, as the trusts send them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from simulator import circumstances, faults, identity, procedures
from simulator.clock import CUT_OFF, month_of
from simulator.conditions import NAMES
from simulator.diagnoses import GENERAL_DIAGNOSES, SECONDARY, diagnoses
from simulator.extract import Extract, World, later, make, pick, text
from simulator.hospital import PROVIDERS, ethnicity
from simulator.randomness import logistic
from simulator.resubmissions import versions

CODES_LATE = PROVIDERS.index("RX1RA")  # the trust that sends its episodes months later than the others
KEPT_IN_LATER_EPISODE = 0.85
# Treatment functions: what each diagnosis calls for, and what others are treated under.
SURGERY = {"R104": "100", "K802": "100", "K409": "100", "K635": "100", "D125": "100", "S720": "110", "S099": "110"}
SURGERY |= {"M171": "110", "M169": "110", "H269": "130", "N200": "101", "C509": "103", "Z080": "101"}
FIXED_FUNCTIONS = {"maternity": "501", "birth": "424"}
ACUTE = {"300": 0.45, "326": 0.55}
PAEDIATRICS, GERIATRICS = "420", "430"
WARDS = {"301": 0.14, "340": 0.24, "320": 0.22, "328": 0.08, "100": 0.20, "110": 0.07, "361": 0.05}
CARE_HOMES = {"54": 0.10, "55": 0.34, "56": 0.34, "65": 0.07, "85": 0.15}
SPECIALTIES = {
    "100": 8, "110": 12, "130": 9, "120": 7, "300": 8, "301": 7, "320": 9, "340": 7, "307": 4, "410": 5, "502": 7,
}  # fmt: skip


def hospital_spells(world: World, stays: pd.DataFrame) -> Extract:
    """Consultant episodes: the admission's notice, the episode once completed, and for some the same again, changed.

    A row whose episode was not completed and sent by the cut-off tells of the admission alone. What is sent again
    tells the truth; the first version was coded in haste.
    """
    random = world.streams("hospital records")
    rows = versions(random, stays, _episodes(random, world, stays))
    person = rows["person"].to_numpy()
    date = {
        name: rows[name].to_numpy().astype("datetime64[D]")
        for name in ("admitted", "discharged", "starts", "ends", "notice", "completed")
    }
    known = date["completed"] < CUT_OFF
    first = (rows["order"] == 1).to_numpy() & ~rows["again"].to_numpy()
    number = pc.utf8_lpad(pc.cast(pa.array(rows["number"]), pa.string()), 7, "0")
    spell = pc.binary_join_element_wise(f"H{world.streams.part:03d}{world.streams.chunk:02d}", number, "")
    _, postcode = identity.home(random, world.cards, world.people, person, date["admitted"], 0.03)
    columns = {
        "nhs_number": identity.nhs_number(random, world.cards, world.people, person, 0.022, 0.008),
        "date_of_birth": faults.birth_date(random, world, person, date["admitted"], 0.006),
        "sex": text(["1", "2"], world.people.female[person].astype(int)),
        "postcode": postcode,
        "provider_code": text(PROVIDERS, rows["provider"].to_numpy()),
        "spell_id": spell,
        "episode_order": rows["order"].to_numpy(),
        "episode_start_date": date["starts"],
        "episode_end_date": _when(known, date["ends"]),
        "admission_date": date["admitted"],
        "admission_method": rows["method"].to_numpy(dtype=object),
        "admission_received_date": date["notice"],
        "discharge_date": _when(known, date["discharged"]),
        "discharge_destination": _blank(~known, rows["destination"].to_numpy()),
        "primary_diagnosis": _blank(~known, rows["primary"].to_numpy()),
        "secondary_diagnoses": _blank(~known | (rows["secondary"] == "").to_numpy(), rows["secondary"].to_numpy()),
        "procedures": _blank(~known | (rows["procedures"] == "").to_numpy(), rows["procedures"].to_numpy()),
        "treatment_function_code": rows["function"].to_numpy(dtype=object),
        "ethnic_category": ethnicity(world, person, random),
        "received_date": _when(known, date["completed"]),
    }
    return make("hospital_spells", person, columns, np.where(first, date["notice"], date["completed"]))


def _when(known: np.ndarray, date: np.ndarray) -> np.ndarray:
    return np.where(known, date, np.datetime64("NaT"))


def _blank(where: np.ndarray, values: np.ndarray) -> np.ndarray:
    filled = values.astype(object)
    filled[where] = None
    return filled


def _episodes(random: np.random.Generator, world: World, stays: pd.DataFrame) -> pd.DataFrame:
    """The true consultant episodes, fully coded: one row each, with what belongs to its spell repeated."""
    admitted, discharged = (stays[name].to_numpy().astype("datetime64[D]") for name in ("admitted", "discharged"))
    days = (discharged - admitted).astype(int)
    unplanned = stays["kind"].isin(["emergency", "transfer"]).to_numpy()
    more = random.random((2, len(stays))) < np.where(
        unplanned, np.interp(days, [0, 1, 4, 10], [0.03, 0.3, 0.6, 0.7]), 0.02
    )
    count = 1 + more[0] + (more[0] & more[1] & (days >= 5))
    # Taken in, then moved to a ward after a day or so; later, to another.
    second = np.minimum(random.integers(0, 3, len(stays)), days)
    third = second + ((days - second) * random.uniform(0.3, 0.9, len(stays))).astype(int)
    primary, secondary = diagnoses(random, world, stays)
    stays = stays.assign(
        notice=_notice(random, world, admitted),
        completed=_completed(random, discharged, stays["provider"].to_numpy()),
        destination=_destination(random, world, stays),
        primary=primary,
        procedures=procedures.of_spells(world, stays["person"].to_numpy(), stays["kind"].to_numpy(), admitted, primary),
    )
    spell = np.repeat(np.arange(len(stays)), count)
    order = np.arange(len(spell)) - np.repeat(np.cumsum(count) - count, count) + 1
    begins = np.choose(order - 1, [np.zeros(len(spell), dtype=int), second[spell], third[spell]])
    last = order == count[spell]
    following = np.append(begins[1:], 0)
    ends = np.where(last, days[spell], following)
    rows = stays.iloc[spell].reset_index(drop=True)
    rows = rows.assign(spell=spell, order=order, starts=admitted[spell] + begins, ends=admitted[spell] + ends)
    other = pick(random, GENERAL_DIAGNOSES, len(rows))
    later_on = (order > 1) & (random.random(len(rows)) < 0.4)
    kept = secondary[spell] & (
        (order == 1)[:, None] | (random.random((len(rows), secondary.shape[1])) < KEPT_IN_LATER_EPISODE)
    )
    return rows.assign(
        primary=np.where(later_on, other, rows["primary"]),
        secondary=_joined(kept),
        function=_functions(random, world, rows),
        procedures=np.where(order == 1, rows["procedures"], ""),
    )


def _notice(random: np.random.Generator, world: World, admitted: np.ndarray) -> np.ndarray:
    return faults.backlogs(world, "admissions", random, later(random, admitted, 1, 2), count=2, days=5)


def _completed(random: np.random.Generator, discharged: np.ndarray, provider: np.ndarray) -> np.ndarray:
    """Day on which a spell's coded episodes are received: weeks after discharge, months from one trust."""
    slow = np.where(provider == CODES_LATE, random.integers(45, 105, len(discharged)), 0)
    tail = np.where(random.random(len(discharged)) < 0.02, random.integers(30, 120, len(discharged)), 0)
    return later(random, discharged, 15, 45) + slow + tail


def _destination(random: np.random.Generator, world: World, stays: pd.DataFrame) -> np.ndarray:
    """Where each spell's patient went; for some who leave a hospital for good, a care home or a hospice."""
    people = world.people
    person, discharged = stays["person"].to_numpy(), stays["discharged"].to_numpy().astype("datetime64[D]")
    month, draw = month_of(discharged), random.random(len(stays))
    unplanned = stays["kind"].isin(["emergency", "transfer"]).to_numpy()
    care_home = people.care_home_from[person] <= month + 1
    homeless = people.inclusion[person] == circumstances.INCLUSION.index("homeless")
    psychosis = people.conditions_from[person, NAMES.index("psychosis_bipolar")] <= month
    destination = np.where(draw < np.where(homeless, 0.35, 0.008), "29", "19").astype(object)
    destination = np.where(unplanned & psychosis & (draw > 0.985), "84", destination)
    destination = np.where(care_home, pick(random, CARE_HOMES, len(stays)), destination)
    hospice = unplanned & (world.lives.terminal_from[person] <= month) & (draw > 0.93)
    destination = np.where(hospice, "88", destination)
    destination = np.where(stays["moved_on"], "51", destination)
    return np.where(stays["died"], "79", destination)


def _joined(written: np.ndarray) -> np.ndarray:
    """Join each row's codes (a column for each of SECONDARY) with semicolons."""
    joined = np.full(len(written), "", dtype=object)
    for column, code in enumerate(SECONDARY):
        rows = np.flatnonzero(written[:, column])
        joined[rows] = joined[rows] + (";" + code)
    return pd.Series(joined, dtype=object).str.slice(1).to_numpy(dtype=object)


def _functions(random: np.random.Generator, world: World, rows: pd.DataFrame) -> np.ndarray:
    """Treatment function of each episode: acute medicine or surgery first, then a ward, geriatrics for the old."""
    person, kind = rows["person"].to_numpy(), rows["kind"].to_numpy()
    age = (rows["admitted"].to_numpy().astype("datetime64[D]") - world.people.birth[person]).astype(int) / 365.25
    surgical = rows["primary"].map(SURGERY).to_numpy(dtype=object)
    is_surgical = ~pd.isna(surgical)
    taken_in = np.where(is_surgical, surgical, pick(random, ACUTE, len(rows)))
    geriatric = random.random(len(rows)) < logistic((age - 79) / 4)
    ward = np.where(geriatric, GERIATRICS, np.where(is_surgical, surgical, pick(random, WARDS, len(rows))))
    first = (rows["order"] == 1).to_numpy() & (kind != "transfer")
    function = np.where(first, taken_in, ward)
    function = np.where((kind == "elective") & ~is_surgical, pick(random, SPECIALTIES, len(rows)), function)
    function = np.where((age < 16) & (kind != "elective"), PAEDIATRICS, function)
    for fixed, code in FIXED_FUNCTIONS.items():
        function = np.where(kind == fixed, code, function)
    return function
