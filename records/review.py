"""The uncertain pairs, side by side, for a person to decide."""

from __future__ import annotations

import csv
import hashlib
import io
import math
import os
import re
from pathlib import Path

import pandas as pd

from records import decisions
from records.private import write_private

SIDES = ("left", "right")
# What a spreadsheet would read as a number, a date, a truth value or a formula, and save as something else.
_REREAD = re.compile(r"[^a-z]|(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|true$|false$)", re.IGNORECASE)
_FORMULA = re.compile(r"[=+\-@\t\r]")
SEX = {"1": "male", "2": "female"}
SHOWN = ("given_name", "family_name", "date_of_birth", "sex", "postcode", "address", "nhs_number", "source", "record")
COLUMNS = (
    *("pair", "now_linked", "probability", "why"),
    *(f"{name}_{side}" for name in SHOWN for side in (1, 2)),
    *decisions.COLUMNS[4:],
)


def uncertain(
    doubtful: pd.DataFrame, descriptions: pd.DataFrame, decided: pd.DataFrame, threshold: float, most: int
) -> pd.DataFrame:
    """Choose the pairs worth a person's time, the most uncertain first.

    First come pairs that are likely and yet not linked, such as ties; then those nearest to the threshold; last,
    unlikely pairs whose records other evidence joined. Of the pairs that two unlinked people share the likeliest is
    kept. Pairs that are decided, also through another record that says the same, are left out, and so are those of
    people who are not in `descriptions`.

    Parameters
    ----------
    doubtful, descriptions
        The doors DOUBTFUL and DESCRIPTIONS.
    decided
        From `decisions.read`.
    threshold
        The match probability from which a pair is linked.
    most
        Pairs to return at most.

    Returns
    -------
    The columns of DOUBTFUL, with `linked` as it is now, and `left_place` and `right_place`: rows of `descriptions`. The
    record that is surer of its person stands left: if the two are different people, the other is the one that leaves.
    """
    pairs = _placed(doubtful, descriptions)
    answered = _placed(decided.rename(columns=dict(zip(decisions.PAIR, _ENDS, strict=True)))[list(_ENDS)], descriptions)
    linked = pairs["left_person"] == pairs["right_person"]
    known = _among(pairs, answered, "description") | (_among(pairs, answered, "person") & ~linked)
    pairs = pairs.assign(linked=linked)[~known]
    bar = math.log2(threshold / (1 - threshold))
    likely = pairs["weight"] >= bar
    pairs = pairs.assign(
        order=(pairs["linked"] == likely).astype("int64").where(likely | ~pairs["linked"], 2),
        distance=(pairs["weight"] - bar).abs(),
    )
    together = _unordered(pairs, "person")
    best = pairs.assign(**together).sort_values(["weight", *_ENDS], ascending=[False, True, True, True, True])
    again = best.duplicated(list(together)) & ~best["linked"]
    chosen = best[~again].sort_values(["order", "distance", *_ENDS], ignore_index=True).head(most)
    return _surer_first(chosen, descriptions)[[*doubtful.columns, "left_place", "right_place"]]


def _surer_first(pairs: pd.DataFrame, descriptions: pd.DataFrame) -> pd.DataFrame:
    sure = (descriptions["match_probability"].fillna(0.0) + descriptions["numbered"]).to_numpy()
    turn = sure[pairs["right_place"]] > sure[pairs["left_place"]]
    ends = [f"{side}_{what}" for side in SIDES for what in ("source", "record", "place")]
    turned = pairs[[*ends[3:], *ends[:3]]].set_axis(ends, axis=1)
    return pairs.assign(**{name: pairs[name].where(~turn, turned[name]) for name in ends})


_ENDS = ("left_source", "left_record", "right_source", "right_record")


def _placed(pairs: pd.DataFrame, descriptions: pd.DataFrame) -> pd.DataFrame:
    """Join to both records of each pair their place, description and person; pairs without either are left out."""
    known = descriptions.reset_index(names="place")[["source", "record", "place", "description", "person_id"]]
    known = known.rename(columns={"person_id": "person"})
    for side in SIDES:
        pairs = pairs.merge(known.add_prefix(f"{side}_"), on=[f"{side}_source", f"{side}_record"])
    return pairs


def _unordered(pairs: pd.DataFrame, what: str) -> dict[str, pd.Series]:
    both = pairs[[f"left_{what}", f"right_{what}"]]
    return {f"first_{what}": both.min(axis=1), f"second_{what}": both.max(axis=1)}


def _among(pairs: pd.DataFrame, answered: pd.DataFrame, what: str) -> pd.Series:
    keys = [pd.MultiIndex.from_frame(pd.DataFrame(_unordered(table, what))) for table in (pairs, answered)]
    return pd.Series(keys[0].isin(keys[1]), index=pairs.index)


def side_by_side(pairs: pd.DataFrame, descriptions: pd.DataFrame, why: pd.Series) -> pd.DataFrame:
    """Return the file for a person to fill in, as text: COLUMNS.

    Parameters
    ----------
    pairs, descriptions
        From `uncertain`, and what it was given.
    why
        The weights of each pair in words, in the order of `pairs`.
    """
    table = pd.DataFrame(
        {
            "now_linked": pairs["linked"].map({True: "yes", False: "no"}),
            "probability": pairs["probability"].map("{:.3f}".format),
            "why": why.to_numpy(),
        }
    )
    for side, number in zip(SIDES, (1, 2), strict=True):
        record = descriptions.iloc[pairs[f"{side}_place"]].reset_index(drop=True)
        record = record.assign(
            date_of_birth=record["date_of_birth"].dt.strftime("%Y-%m-%d").fillna(""),
            sex=record["sex"].map(SEX).fillna(""),
            nhs_number=record["numbered"].map({True: "has one", False: "none"}),
        )
        table = table.assign(**{f"{name}_{number}": record[name] for name in SHOWN})
    table["pair"] = mark(table)
    for number in (1, 2):
        table[f"record_{number}"] = _kept_as_text(table[f"record_{number}"], _REREAD)
        texts = [f"{name}_{number}" for name in SHOWN[:6]]
        table[texts] = table[texts].apply(lambda text: _kept_as_text(text, _FORMULA))
    return table.reindex(columns=list(COLUMNS), fill_value="").astype("str")


def mark(table: pd.DataFrame) -> pd.Series:
    """Return a short text for each pair that tells whether a spreadsheet changed its records' identifiers."""
    joined = table[list(decisions.PAIR)].astype("str").agg("\0".join, axis=1) if len(table) else pd.Series(dtype="str")
    return joined.map(lambda text: "pair-" + hashlib.sha256(text.encode()).hexdigest()[:12]).astype("str")


def _kept_as_text(values: pd.Series, risky: re.Pattern[str]) -> pd.Series:
    """Put an apostrophe before what a spreadsheet would not keep as it is."""
    return ("'" + values).where(values.str.match(risky), values)


def as_written(values: pd.Series) -> pd.Series:
    """Take off the apostrophe that `side_by_side` put before an identifier."""
    bare = values.str.removeprefix("'")
    return bare.where(values.str.startswith("'") & bare.str.match(_REREAD), values)


def write(table: pd.DataFrame, path: Path) -> None:
    """Write the file whole or not at all, for its owner only, as spreadsheets read it: UTF-8 with a mark."""
    buffer = io.StringIO()
    table.to_csv(buffer, index=False, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    os.replace(write_private(path.with_name(f".{path.name}.partial"), buffer.getvalue().encode("utf-8-sig")), path)
