"""A table of descriptions to link: everybody twice, the second time with faults."""

from __future__ import annotations

import numpy as np
import pandas as pd

PEOPLE = 700
LETTERS = np.array(list("ABCDEFGHIKLMNOPRSTUVW"))


def words(random, count, length):
    return ["".join(random.choice(LETTERS, length)) for _ in range(count)]


def everybody_twice():
    """Everybody twice, in two files; the second time with faults."""
    random = np.random.default_rng(5)
    given, family = words(random, 60, 6), words(random, 90, 7)
    born = np.datetime64("1930-01-01") + random.integers(0, 30_000, PEOPLE)
    right = pd.DataFrame(
        {
            "number": None,
            "given_name": random.choice(given, PEOPLE),
            "family_name": random.choice(family, PEOPLE),
            "date_of_birth": born.astype(str),
            "sex": random.choice(["1", "2"], PEOPLE),
            "postcode": [f"ZZ{random.integers(10, 40)}{random.integers(1, 9)}A{random.choice(LETTERS)}" for _ in born],
            "address": [f"{random.integers(1, 90)} {street} ROAD" for street in random.choice(family, PEOPLE)],
        }
    ).astype(object)
    wrong = right.copy()
    fault = random.integers(0, 8, PEOPLE)
    wrong.loc[fault == 0, ["given_name", "family_name"]] = right.loc[fault == 0, ["family_name", "given_name"]].values
    wrong.loc[fault == 1, "family_name"] = right.loc[fault == 1, "family_name"].str[:5]
    wrong.loc[fault == 2, "date_of_birth"] = right.loc[fault == 2, "date_of_birth"].str[:4] + "-01-01"
    wrong.loc[fault == 3, "postcode"] = "ZZ991ZZ"
    wrong.loc[fault == 4, "address"] = None
    both = pd.concat([right.assign(file="a"), wrong.assign(file="b")], ignore_index=True)
    return both.assign(person=np.tile(np.arange(PEOPLE), 2)).sample(frac=1, random_state=3).reset_index(drop=True)


def scored(found):
    pairs = pd.concat([found.pairs, found.doubtful])
    return pairs.sort_values(["left", "right"], ignore_index=True)
