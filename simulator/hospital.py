"""Hospitals: spells with their consultant episodes, sent and sent again, and outpatient appointments."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from simulator import circumstances, faults, identity, procedures
from simulator.clock import CUT_OFF, MONTHS, START, month_of
from simulator.conditions import CONDITIONS, NAMES
from simulator.extract import Extract, World, during_stay, events, later, make, pick, text
from simulator.randomness import logistic

PROVIDERS = ("RWEAA", "RWEAE", "RNS01", "RX1RA")
PROVIDER_SHARES = (0.62, 0.26, 0.07, 0.05)
ELSEWHERE = 0.10  # of spells, at a hospital drawn afresh rather than the person's own
CODES_LATE = PROVIDERS.index("RX1RA")  # the trust that sends its episodes months later than the others
OLD_SYSTEM = PROVIDERS.index("RNS01")  # the trust that still writes the retired method 28
EMERGENCY_METHODS = {"21": 0.74, "22": 0.10, "23": 0.02, "24": 0.05, "25": 0.01, "2A": 0.05, "2D": 0.03}
RETIRED_METHOD = 0.08
ELECTIVE_METHODS = {"11": 0.55, "12": 0.40, "13": 0.05}
MATERNITY_METHODS = {"31": 0.90, "32": 0.10}
BIRTH_METHODS = {"82": 0.95, "2C": 0.025, "83": 0.025}
WRONG_METHODS = {"22": 0.5, "2D": 0.3, "13": 0.2}
DAY_CASES = 0.80
DIES_THERE = 0.6
MOVED_ON = 0.030  # of emergency stays of two days or more, finished at another trust
GENERAL_DIAGNOSES = {
    "R074": 9, "R104": 8, "J189": 8, "N390": 7, "A419": 4, "R55X": 4, "K529": 3, "L031": 4, "J22X": 5, "S720": 3, "S099": 4,
    "R296": 4, "N179": 3, "K802": 3, "J069": 3, "T509": 2, "R069": 3, "G439": 2, "N12X": 2, "E86X": 1,
}  # fmt: skip
ELECTIVE_DIAGNOSES = {"H269": 6, "K635": 4, "M171": 4, "M169": 3, "K409": 3, "C509": 2, "D125": 3, "Z080": 3, "N200": 1}
FIXED_DIAGNOSES = {"maternity": "O800", "birth": "Z380"}
UNCODED = "R69X"  # what is sent before anybody has read the notes
SECONDARY_CHANCE = 0.65
KEPT_IN_LATER_EPISODE = 0.85
PALLIATIVE, FALL = "Z515", "W190"
SECONDARY = sorted({code for condition in CONDITIONS for code in condition.icd10} | {PALLIATIVE, FALL})
SENT_AGAIN = 0.055  # of completed episodes, coded anew
CORRECTED = 0.006  # of spells, all episodes sent again with another discharge date or method
UNKNOWN_TO_ALL, UNKNOWN_THIS_TIME = 0.02, 0.085  # ethnicity, of people and of their records
NOT_STATED, WRONG_ETHNICITY = 0.012, 0.048
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


def ethnicity(world: World, person: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Ethnic category on each of hospital's records: sometimes not asked, and not always the one the GP holds."""
    unknown = np.full(len(world.people), UNKNOWN_TO_ALL)
    held = faults.ethnicity(world.streams("hospital ethnicity"), world, unknown, NOT_STATED, WRONG_ETHNICITY)[person]
    return np.where(random.random(len(person)) < UNKNOWN_THIS_TIME, "99", held)


def own_provider(world: World) -> np.ndarray:
    """Index of the hospital that each person usually goes to, one for a neighbourhood."""
    area = world.people.area
    drawn = world.streams.of_part("own hospital").choice(len(PROVIDERS), area.max() + 1, p=PROVIDER_SHARES)
    return drawn[area]


def spells(world: World) -> pd.DataFrame:
    """Every hospital spell as it truly was, for the services that share it: one row a spell, in order of person.

    A stay finished at another trust is two spells: the first ends, and the second begins, on the day of transfer.
    `kind` is emergency, elective, maternity, birth or transfer; `moved_on` marks the first spell of two.
    """
    random = world.streams("spells")
    stays = pd.concat([_emergencies(random, world), *_planned(random, world)], ignore_index=True)
    admitted = stays["admitted"].to_numpy().astype("datetime64[D]")
    stays = stays[during_stay(world, stays["person"].to_numpy(), admitted)]
    stays = stays.sort_values(["person", "admitted", "kind", "method"], kind="stable", ignore_index=True)
    stays = stays[~_in_bed_already(stays)].reset_index(drop=True)
    return _numbered(_transfers(random, _discharges(world, stays)))


def _emergencies(random: np.random.Generator, world: World) -> pd.DataFrame:
    person, month, admitted = world.admissions()
    provider = _provider(random, world, person)
    method = pick(random, EMERGENCY_METHODS, len(person))
    retired = (provider == OLD_SYSTEM) & (random.random(len(person)) < RETIRED_METHOD)
    days = _lengths(random, world.lives.bed_days[person, month], world.people.age(START)[person])
    death = world.death[person]
    last = admitted.astype("datetime64[M]") == death.astype("datetime64[M]")
    dies = last & (random.random(len(person)) < DIES_THERE)
    days = np.where(dies, np.where(last, (death - admitted).astype(int), 0), days)
    return _stays("emergency", person, admitted, days, np.where(retired, "28", method), provider)


def _planned(random: np.random.Generator, world: World) -> list[pd.DataFrame]:
    frames = []
    for kind, rate, methods in (
        ("elective", _elective_rate(world), ELECTIVE_METHODS),
        ("maternity", _maternity_rate(world), MATERNITY_METHODS),
    ):
        person, _, admitted = events(random, rate[:, None] * world.here)
        share = DAY_CASES if kind == "elective" else 0.3
        days = np.where(random.random(len(person)) < share, 0, random.integers(1, 5, len(person)))
        method = pick(random, methods, len(person))
        frames.append(_stays(kind, person, admitted, days, method, _provider(random, world, person)))
    people = world.people
    born = np.flatnonzero((people.birth >= START) & (people.birth == people.enters))
    method, days = pick(random, BIRTH_METHODS, len(born)), random.integers(0, 3, len(born))
    return [*frames, _stays("birth", born, people.birth[born], days, method, _provider(random, world, born))]


def _stays(
    kind: str, person: np.ndarray, admitted: np.ndarray, days: np.ndarray, method: np.ndarray, provider: np.ndarray
) -> pd.DataFrame:
    columns = {"person": person, "admitted": admitted, "days": days, "method": method.astype(object)}
    return pd.DataFrame({**columns, "provider": provider, "kind": kind})


def _provider(random: np.random.Generator, world: World, person: np.ndarray) -> np.ndarray:
    afresh = random.choice(len(PROVIDERS), len(person), p=PROVIDER_SHARES)
    return np.where(random.random(len(person)) < ELSEWHERE, afresh, own_provider(world)[person])


def _lengths(random: np.random.Generator, mean: np.ndarray, age: np.ndarray) -> np.ndarray:
    """About a third go home the same day, fewer of the old; the rest stay so that the mean is as given."""
    none = np.clip(0.50 - 0.0032 * age, 0.15, 0.50)
    stay = 1 + np.floor(random.exponential(np.maximum(mean / (1 - none) - 0.5, 0.3)))
    return np.where(random.random(len(mean)) < none, 0, stay).astype(int)


def _elective_rate(world: World) -> np.ndarray:
    """Planned admissions a month: by age and illness, fewer for those with less access at equal need."""
    people = world.people
    age = people.age(np.datetime64("2024-10-01"))
    ill = (people.conditions_from <= MONTHS // 2).sum(axis=1)
    yearly = (0.04 + 0.20 * np.clip((age - 20) / 60, 0, 1)) * (0.85 + 0.25 * ill)
    return yearly / 12 * np.exp(people.access)


def _maternity_rate(world: World) -> np.ndarray:
    age = world.people.age(np.datetime64("2024-10-01"))
    return 0.085 / 12 * (world.people.female & (age > 19) & (age < 40))


def _in_bed_already(stays: pd.DataFrame) -> np.ndarray:
    """Mark planned stays that would begin while the person is in an emergency bed, or on the day it begins."""
    person = stays["person"].to_numpy()
    emergency = (stays["kind"] == "emergency").to_numpy()
    day = (stays["admitted"].to_numpy().astype("datetime64[D]") - START).astype(int)
    span = MONTHS * 100  # more days than any stay can reach from the start
    until = np.maximum.accumulate(person * span + np.where(emergency, day + stays["days"].to_numpy(), -1))
    return ~emergency & (until >= person * span + day)


def _discharges(world: World, stays: pd.DataFrame) -> pd.DataFrame:
    """Day of discharge: no later than the person's next admission, or death."""
    person, admitted = stays["person"].to_numpy(), stays["admitted"].to_numpy().astype("datetime64[D]")
    following = np.full(len(stays), np.datetime64("NaT"), dtype="datetime64[D]")
    same = person[:-1] == person[1:]
    following[:-1][same] = admitted[1:][same]
    death = world.death[person]
    discharged = np.fmin(np.fmin(admitted + stays["days"].to_numpy(), following), death)
    return stays.assign(discharged=discharged, died=(discharged == death) & ~(discharged == following))


def _transfers(random: np.random.Generator, stays: pd.DataFrame) -> pd.DataFrame:
    """Finish some emergency stays at another trust."""
    admitted, discharged = (stays[name].to_numpy().astype("datetime64[D]") for name in ("admitted", "discharged"))
    days = (discharged - admitted).astype(int)
    moved = (stays["kind"] == "emergency").to_numpy() & (days >= 2) & (random.random(len(stays)) < MOVED_ON)
    after = 1 + (random.random(len(stays)) * (days - 1)).astype(int)
    at = admitted + np.where(moved, after, days)
    other = (stays["provider"].to_numpy() + 1 + random.integers(len(PROVIDERS) - 1, size=len(stays))) % len(PROVIDERS)
    urgent = random.random(len(stays)) < np.where(after <= 3, 0.6, 0.2)
    second = stays.assign(
        admitted=at, provider=other, kind="transfer", method=np.where(urgent, "2B", "81"), moved_on=False
    )[moved]
    first = stays.assign(discharged=at, died=stays["died"].to_numpy() & ~moved, moved_on=moved)
    both = pd.concat([first, second], ignore_index=True)
    return both.sort_values(["person", "admitted", "discharged", "moved_on"], kind="stable", ignore_index=True)


def _numbered(stays: pd.DataFrame) -> pd.DataFrame:
    """Number the spells in order of admission."""
    order = np.argsort(stays["admitted"].to_numpy(), kind="stable")
    number = np.empty(len(stays), dtype=np.int64)
    number[order] = np.arange(1, len(stays) + 1)
    return stays.assign(number=number)


def hospital_spells(world: World, stays: pd.DataFrame) -> Extract:
    """Consultant episodes: the admission's notice, the episode once completed, and for some the same again, changed.

    A row whose episode was not completed and sent by the cut-off tells of the admission alone. What is sent again
    tells the truth; the first version was coded in haste.
    """
    random = world.streams("hospital records")
    rows = _versions(random, stays, _episodes(random, world, stays))
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
    primary, secondary = _diagnoses(random, world, stays)
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


def _diagnoses(random: np.random.Generator, world: World, stays: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Primary diagnosis, and which codes are secondary (spells x SECONDARY).

    The primary is a condition that the person has, by how far it drives admission, or a general one. Hospital
    codes what it finds, whether or not the GP ever wrote it down.
    """
    person, kind = stays["person"].to_numpy(), stays["kind"].to_numpy()
    month = month_of(stays["admitted"].to_numpy().astype("datetime64[D]"))
    unplanned = np.isin(kind, ["emergency", "transfer"])
    ill = world.people.conditions_from[person] <= month[:, None]
    drive = ill * np.exp([2 * condition.admission for condition in CONDITIONS]) - ill
    edges = np.cumsum(np.column_stack([np.full(len(person), 2.5), drive]), axis=1)
    choice = ((random.random(len(person)) * edges[:, -1])[:, None] > edges).sum(axis=1) - 1
    primary = np.where(
        unplanned, pick(random, GENERAL_DIAGNOSES, len(person)), pick(random, ELECTIVE_DIAGNOSES, len(person))
    )
    secondary = np.zeros((len(person), len(SECONDARY)), dtype=bool)
    for column, condition in enumerate(CONDITIONS):
        position = np.array([SECONDARY.index(code) for code in condition.icd10])[
            random.integers(len(condition.icd10), size=len(person))
        ]
        primary = np.where((choice == column) & unplanned, np.array(SECONDARY, object)[position], primary)
        written = ill[:, column] & ~((choice == column) & unplanned) & (random.random(len(person)) < SECONDARY_CHANCE)
        secondary[np.flatnonzero(written), position[written]] = True
    for fixed, code in FIXED_DIAGNOSES.items():
        primary = np.where(kind == fixed, code, primary)
    dying = (world.lives.terminal_from[person] <= month) & (random.random(len(person)) < 0.35)
    secondary[:, SECONDARY.index(PALLIATIVE)] = dying
    secondary[:, SECONDARY.index(FALL)] = np.isin(primary, ["S720", "S099"])
    return primary, secondary


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


def _versions(random: np.random.Generator, stays: pd.DataFrame, episodes: pd.DataFrame) -> pd.DataFrame:
    """First versions of all episodes, and second ones of some, a month to five after the first."""
    spell = episodes["spell"].to_numpy()
    settled = ~stays["moved_on"].to_numpy() & stays["kind"].isin(["emergency", "elective"]).to_numpy()
    corrected = (settled & (random.random(len(stays)) < CORRECTED))[spell]
    recoded = ~corrected & (random.random(len(episodes)) < SENT_AGAIN)
    wait = random.integers(30, 151, len(stays))[spell]
    again = episodes[corrected | recoded].assign(again=True)
    again["completed"] = again["completed"].to_numpy() + wait[corrected | recoded].astype("timedelta64[D]")
    first = _mistaken(random, episodes, stays, corrected)
    first = _miscoded(random, first, recoded).assign(again=False)
    rows = pd.concat([first, again], ignore_index=True)
    unsent = (rows["order"] > 1) | rows["again"]
    return rows[~(unsent & (rows["completed"] >= CUT_OFF))].reset_index(drop=True)


def _mistaken(
    random: np.random.Generator, episodes: pd.DataFrame, stays: pd.DataFrame, corrected: np.ndarray
) -> pd.DataFrame:
    """First versions with a discharge a day early, or another method."""
    spell = episodes["spell"].to_numpy()
    day = (random.random(len(stays)) < 0.5)[spell]
    wrong = pick(random, WRONG_METHODS, len(stays))[spell]
    planned = (episodes["kind"] == "elective").to_numpy()
    wrong = np.where(planned, np.where(episodes["method"] == "11", "12", "11"), wrong)
    wrong = np.where(wrong == episodes["method"], "21", wrong)
    discharged, starts, ends = (
        episodes[name].to_numpy().astype("datetime64[D]") for name in ("discharged", "starts", "ends")
    )
    last_start = pd.Series(starts).groupby(spell).transform("max").to_numpy().astype("datetime64[D]")
    earlier = corrected & day & (last_start < discharged) & ~episodes["died"].to_numpy()
    shown = discharged - earlier.astype(int)
    return episodes.assign(
        discharged=shown,
        ends=np.minimum(ends, shown),
        method=np.where(corrected & ~earlier, wrong, episodes["method"]),
    )


def _miscoded(random: np.random.Generator, episodes: pd.DataFrame, recoded: np.ndarray) -> pd.DataFrame:
    """First versions with a primary diagnosis that will not stand, or with none of the secondary ones."""
    fuller = recoded & (random.random(len(episodes)) < 0.4) & (episodes["secondary"] != "").to_numpy()
    guess = pick(random, GENERAL_DIAGNOSES, len(episodes))
    guess = np.where((random.random(len(episodes)) < 0.5) | (guess == episodes["primary"]), UNCODED, guess)
    return episodes.assign(
        primary=np.where(recoded & ~fuller, guess, episodes["primary"]),
        secondary=np.where(fuller, "", episodes["secondary"]),
        procedures=np.where(fuller, "", episodes["procedures"]),
    )


def outpatients(world: World) -> Extract:
    """Appointments, oftener with conditions and fewer with less access; missed oftener by some."""
    random, people = world.streams("outpatients"), world.people
    months = np.arange(MONTHS)
    number = sum(
        (people.diagnosed_from[:, column][:, None] <= months).astype(np.float32)
        for column, name in enumerate(NAMES)
        if name not in ("hypertension", "hearing_loss")
    )
    rate = (0.075 + 0.085 * number + 0.06 * world.lives.illness[:, :MONTHS]) * np.exp(people.access)[:, None]
    person, _, date = events(random, rate * (world.here & people.registered[:, None]))
    keep = during_stay(world, person, date)
    person, date = person[keep], date[keep]
    missed = random.random(len(person)) < 0.02 + 0.38 * people.misses[person] + 0.02 * people.deprivation[person]
    attendance = np.where(missed, np.where(random.random(len(person)) < 0.1, 7, 3), random.choice([5, 6], len(person)))
    received = faults.month_end(date) + random.integers(12, 22, len(person))
    columns = {
        "nhs_number": identity.nhs_number(random, world.cards, people, person, 0.0, 0.003),
        "appointment_date": date,
        "attendance": text(["3", "5", "6", "7"], np.searchsorted([3, 5, 6, 7], attendance)),
        "treatment_function_code": pick(random, SPECIALTIES, len(person)),
        "received_date": received,
    }
    return make("outpatients", person, columns, received)
