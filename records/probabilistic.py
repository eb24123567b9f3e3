"""Which records describe the same person: Splink, with parameters estimated on the records themselves.

Works on any plain table of `COLUMNS`. No label is used: m and u of every level, and the share of pairs
that are one person's, come from the records that are to be linked.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
from dataclasses import dataclass, field
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
from splink import DuckDBAPI, Linker
from splink.internals.database_api import DatabaseAPI
from splink.internals.exceptions import EMTrainingException

from records.comparing import (
    COLUMNS,
    IN_A_BLOCK,
    WEIGHED_BY_FREQUENCY,
    add_blocks,
    compared,
    in_dialect,
    settings_for,
    specification,
)
from records.database import working_database
from records.engines import engine_api
from records.estimating import estimate, moved, predicted, share_of
from records.reading import connect

# Fewer records than this cannot tell agreement by chance from agreement of one person.
MINIMUM_RECORDS = 500
# Pairs less likely than this are not kept; those between here and the threshold are the doubtful ones.
DOUBTFUL = 0.01
PAIR_COLUMNS = ["left", "right", "weight", "probability"]
NOT_COMPARED = "not compared"
Model = dict[str, Any]


@dataclass(frozen=True)
class Fitted:
    """A model with its parameters as they were estimated.

    Attributes
    ----------
    specification
        Digest of what is compared and how (`records.comparing.specification`); pairs scored under another one
        cannot be mixed with this one's.
    model
        Splink's own form, from which it can be loaded.
    frequencies
        `column`, `value`, `frequency`: the share of descriptions with this name or postcode.
    """

    specification: str
    model: Model
    frequencies: pd.DataFrame


@dataclass(frozen=True)
class Memory:
    """What an earlier run compared.

    Attributes
    ----------
    fitted
        The model it used; its frequencies may be those of the present descriptions alone.
    known
        For each present description, whether it was compared with the other known ones.
    pairs
        Pairs of known descriptions by present position, with their weight and probability; from DOUBTFUL on.
    """

    fitted: Fitted
    known: np.ndarray
    pairs: pd.DataFrame


@dataclass(frozen=True)
class Found:
    """Pairs of records of one person, and how they were found.

    Attributes
    ----------
    pairs
        `left`, `right` (positions), `weight` (bits), `probability`; those at the threshold or above.
    doubtful
        The same of pairs below the threshold, down to DOUBTFUL.
    method
        `splink`, or `exact` where there are too few records to estimate on.
    model
        Its parameters for the report; empty for `exact`.
    blocking
        Records in blocks that were refined, and in blocks left out, by what the block shares.
    fitted
        The model, to be remembered; None for `exact`.
    compared
        Descriptions and pairs (from DOUBTFUL on) scored in this run, and remembered.
    moved
        How far each comparison's m has moved on the pairs scored in this run, where the model is a remembered one.
    """

    pairs: pd.DataFrame
    doubtful: pd.DataFrame
    method: str
    model: Model
    blocking: dict[str, dict[str, int]]
    fitted: Fitted | None = None
    compared: dict[str, int] = field(default_factory=dict)
    moved: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def nothing(cls) -> Found:
        """Return what is found where nothing is looked for."""
        return cls(_no_pairs(), _no_pairs(), "not needed", {}, {})


@dataclass(frozen=True)
class _Scored:
    pairs: pd.DataFrame
    fitted: Fitted
    blocking: dict[str, dict[str, int]]
    moved: dict[str, Any]


def _no_pairs() -> pd.DataFrame:
    pairs = pd.DataFrame({name: [] for name in PAIR_COLUMNS}, dtype="float64")
    return pairs.astype({"left": "int64", "right": "int64"})


def same_person_pairs(
    nodes: pd.DataFrame,
    threshold: float,
    seed: int,
    one_each: str | None = None,
    memory: Memory | None = None,
    engine: str = "duckdb",
) -> Found:
    """Find pairs of records of one person, at least one of which has no number.

    Parameters
    ----------
    nodes
        One row a distinct description, in a total order, with the columns COLUMNS (birth dates as text,
        names, postcode and address in capitals). Its position is its name in the result.
    threshold
        Match probability from which a pair counts.
    seed
        Of the random pairs on which chance agreement is measured.
    one_each
        A column that names each record's source, where every source has one row a person; of the pairs
        that would give a person two rows of a source, the best is kept.
    memory
        What an earlier run compared: only pairs with a description that is not known are scored, with its
        parameters. It is left aside where other things are compared now, or in another way.
    engine
        Where pairs are scored: `duckdb` or `spark`.
    """
    nodes = nodes.reset_index(drop=True)
    if len(nodes) < MINIMUM_RECORDS:
        return _exact(nodes)
    told = specification(nodes, seed)
    if memory is not None and memory.fitted.specification != told:
        memory = None
    try:
        scored = _estimate(nodes, seed, told, engine) if memory is None else _score_new(nodes, memory, engine)
    except EMTrainingException:
        return _exact(nodes)
    pairs = scored.pairs
    if memory is not None:
        pairs = pd.concat([pairs, memory.pairs[PAIR_COLUMNS]]).sort_values(["left", "right"], ignore_index=True)
    known, remembered = (0, 0) if memory is None else (int(memory.known.sum()), len(memory.pairs))
    compared = {
        "descriptions_new": len(nodes) - known,
        "descriptions_known": known,
        "pairs_scored": len(scored.pairs),
        "pairs_remembered": remembered,
    }
    if one_each is not None:
        pairs = one_to_one(pairs, nodes[one_each])
    sure = pairs["probability"] >= threshold
    parts = [pairs[part].reset_index(drop=True) for part in (sure, ~sure)]
    model, blocking = _told(scored.fitted.model), scored.blocking
    return Found(parts[0], parts[1], "splink", model, blocking, scored.fitted, compared, scored.moved)


def _exact(nodes: pd.DataFrame) -> Found:
    pairs = exact_pairs(nodes)
    return Found(pairs, pairs.head(0), "exact", {}, {})


def exact_pairs(nodes: pd.DataFrame) -> pd.DataFrame:
    """Pair descriptions that agree exactly on both names and the birth date; no probability is claimed."""
    keys = ["given_name", "family_name", "date_of_birth"]
    whole = nodes.reset_index(names="position").dropna(subset=keys)
    pairs = whole[whole["number"].isna()].merge(whole, on=keys, suffixes=("_left", "_right"))
    pairs = pairs[pairs["position_left"] != pairs["position_right"]]
    return pd.DataFrame(
        {"left": pairs["position_left"], "right": pairs["position_right"], "weight": 0.0, "probability": float("nan")}
    ).reset_index(drop=True)


def one_to_one(pairs: pd.DataFrame, source: pd.Series) -> pd.DataFrame:
    """Keep pairs, the best first, so that no record is paired with two of one source, nor with its own source's."""
    codes = pd.factorize(source)[0].astype("int64")
    kinds = codes.max(initial=0) + 1
    rest = pairs.assign(
        mine=pairs["left"] * kinds + codes[pairs["right"]], theirs=pairs["right"] * kinds + codes[pairs["left"]]
    )[codes[pairs["left"]] != codes[pairs["right"]]]
    rest = rest.sort_values(["weight", "left", "right"], ascending=[False, True, True])
    rest["rank"] = np.arange(len(rest))
    kept = []
    while len(rest):
        # What is best for both of its records is kept whatever else there is; then the next best, without what that rules out.
        place = pd.concat([rest.set_index("mine")["rank"], rest.set_index("theirs")["rank"]]).groupby(level=0).min()
        best = rest[(rest["rank"] == rest["mine"].map(place)) & (rest["rank"] == rest["theirs"].map(place))]
        taken = pd.concat([best["mine"], best["theirs"]])
        kept.append(best.index)
        rest = rest[~rest["mine"].isin(taken) & ~rest["theirs"].isin(taken)]
    return pairs.loc[sorted(np.concatenate(kept))].reset_index(drop=True) if kept else pairs.head(0)


def drift(before: Model, now: Model) -> dict[str, Any]:
    """Return, for each comparison, the level whose match weight moved most since another run, and by how much."""
    moved: dict[str, Any] = {}
    for name, comparison in now.get("comparisons", {}).items():
        old = before.get("comparisons", {}).get(name, {})
        changes = {
            level: abs(found["weight"] - old[level]["weight"])
            for level, found in comparison.items()
            if level in old and found["weight"] is not None and old[level]["weight"] is not None
        }
        if changes:
            level = max(sorted(changes), key=lambda item: changes[item])
            moved[name] = {"level": level, "bits": round(changes[level], 3)}
    return moved


def _estimate(nodes: pd.DataFrame, seed: int, told: str, engine: str) -> _Scored:
    """Estimate every parameter on the descriptions, and score every pair that shares a block."""
    with working_database() as con:
        blocking = add_blocks(con, nodes, np.ones(len(nodes), dtype=bool))
        records = _one_order(con, "SELECT * FROM blocked")
        told_of = settings_for(compared(nodes), engine)
        linker = Linker(engine_api(engine, con).register(records), told_of, log_level=logging.ERROR)
        estimate(linker, nodes["number"], seed)
        # Splink names every linker by chance.
        model = {name: value for name, value in linker.misc.save_model_to_json().items() if name != "linker_uid"}
        fitted = Fitted(told, in_dialect(model, "duckdb"), frequencies_of(nodes))
        return _Scored(_pairs_of(predicted(linker)), fitted, blocking, {})


def _score_new(nodes: pd.DataFrame, memory: Memory, engine: str) -> _Scored:
    """Score the pairs that share a block and hold a description that is not known, as the remembered model does.

    Names and postcodes that are new take the frequency they have now.
    """
    weighed = pd.concat([memory.fitted.frequencies, frequencies_of(nodes)]).drop_duplicates(["column", "value"])
    fitted = Fitted(memory.fitted.specification, memory.fitted.model, weighed.reset_index(drop=True))
    with working_database() as con:
        blocking = add_blocks(con, nodes, ~memory.known)
        records = _one_order(con, f"SELECT * FROM blocked WHERE {IN_A_BLOCK}")
        if not len(records):
            return _Scored(_no_pairs(), fitted, blocking, {})
        linker = _loaded(engine_api(engine, con), records, fitted)
        found = predicted(linker)
        return _Scored(_pairs_of(found), fitted, blocking, moved(linker, found))


def _one_order(con: duckdb.DuckDBPyConnection, query: str) -> pa.Table:
    """Return descriptions in their order; from here on, sums are the same each time."""
    # Sums in another order differ in the last bit, and sampling is repeatable only on one thread.
    con.execute("SET threads = 1")
    return con.sql(f"{query} ORDER BY unique_id").to_arrow_table()


def frequencies_of(nodes: pd.DataFrame) -> pd.DataFrame:
    """Return `column`, `value` and `frequency` of every value whose frequency is weighed."""
    parts = {name: nodes[name].value_counts(normalize=True) for name in WEIGHED_BY_FREQUENCY}
    whole = pd.concat(parts, names=["column", "value"]).rename("frequency")
    return whole.reset_index().sort_values(["column", "value"], ignore_index=True)


def _loaded(api: DatabaseAPI[Any], records: pa.Table, fitted: Fitted) -> Linker:
    """Return a linker with a model and frequencies as they were estimated."""
    model = in_dialect(fitted.model, api.sql_dialect.sql_dialect_str)
    # The settings are our own and were checked when the model was estimated: a second look costs as much as the scoring.
    linker = Linker(api.register(records), model, log_level=logging.ERROR, validate_settings=False)
    for name in WEIGHED_BY_FREQUENCY:
        part = fitted.frequencies[fitted.frequencies["column"] == name]
        part = part[part["value"].isin(records[name].unique().to_pylist())]
        lookup = pa.table({name: pa.array(part["value"], pa.string()), f"tf_{name}": pa.array(part["frequency"])})
        linker.table_management.register_term_frequency_lookup(api.register(lookup), name)
    return linker


def compare(nodes: pd.DataFrame, pairs: pd.DataFrame, fitted: Fitted) -> pd.DataFrame:
    """Tell what speaks for and against each of some pairs of descriptions being one person's.

    Parameters
    ----------
    nodes
        Descriptions, with the columns COLUMNS; the position is the name.
    pairs
        `left` and `right`, positions.
    fitted
        The model, with at least the frequencies of these descriptions' values.

    Returns
    -------
    A row a pair and comparison: `left`, `right`, `comparison`, `level` (its label, or NOT_COMPARED where one of the
    two says nothing), `bits` (for if positive, against if negative) and `frequency_bits` (more if rare, less if
    common); `prior_bits`, `weight` and `probability` of the pair. `prior_bits` and all bits add up to `weight`.
    """
    nodes = nodes.reset_index(drop=True)
    with connect() as con:
        con.execute("SET threads = 1")
        con.register("given_nodes", nodes[list(COLUMNS)].reset_index(names="unique_id"))
        texts = ", ".join(f"{name}::VARCHAR AS {name}" for name in COLUMNS)
        records = con.sql(f"SELECT unique_id, {texts} FROM given_nodes ORDER BY 1").to_arrow_table()
        # These pairs are given, whatever block they share.
        model = {
            **fitted.model,
            "retain_intermediate_calculation_columns": True,
            "blocking_rules_to_generate_predictions": [],
        }
        api = DuckDBAPI(con)
        linker = _loaded(api, records, Fitted(fitted.specification, model, fitted.frequencies))
        asked = pairs[["left", "right"]].drop_duplicates().set_axis(["join_key_l", "join_key_r"], axis=1)
        table = api.register(pa.Table.from_pandas(asked.assign(match_key="0"), preserve_index=False))
        linker.table_management.register_blocked_pairs_for_predict(table)
        told = linker.inference.predict().physical_name
        found = con.sql(f"SELECT * FROM {told} ORDER BY unique_id_l, unique_id_r").df()
    share = share_of(linker)
    parts = []
    for place, comparison in enumerate(linker._settings_obj.comparisons):
        name = comparison.output_column_name
        labels = {
            level.comparison_vector_value: NOT_COMPARED if level.is_null_level else level.label_for_charts
            for level in comparison.comparison_levels
        }
        parts.append(
            pd.DataFrame(
                {
                    "left": found["unique_id_l"],
                    "right": found["unique_id_r"],
                    "comparison": name,
                    "level": found[f"gamma_{name}"].map(labels),
                    "bits": found[f"mw_{name}"],
                    "frequency_bits": found.get(f"mw_tf_adj_{name}", 0.0),
                    "prior_bits": math.log2(share / (1 - share)),
                    "weight": found["match_weight"],
                    "probability": found["match_probability"],
                    "place": place,
                }
            )
        )
    whole = pd.concat(parts).sort_values(["left", "right", "place"], ignore_index=True).drop(columns="place")
    return whole.round({"bits": 6, "frequency_bits": 6, "prior_bits": 6, "weight": 6, "probability": 6})


def _pairs_of(found: pd.DataFrame) -> pd.DataFrame:
    pairs = found[["unique_id_l", "unique_id_r", "match_weight", "match_probability"]].set_axis(PAIR_COLUMNS, axis=1)
    return pairs.round({"weight": 6, "probability": 6})


def _told(told: Model) -> Model:
    """Return a model's parameters in short, with a digest that names them."""
    found: Model = {}
    for comparison in told["comparisons"]:
        found[comparison["output_column_name"]] = {
            level["label_for_charts"]: _level(level)
            for level in comparison["comparison_levels"]
            if not level.get("is_null_level")
        }
    prior = told["probability_two_random_records_match"]
    model = {"probability_two_random_records_match": float(f"{prior:.6g}"), "comparisons": found}
    digest = hashlib.sha256(json.dumps(model, sort_keys=True).encode()).hexdigest()[:16]
    return {"digest": digest, **model}


def _level(level: dict[str, Any]) -> dict[str, float | None]:
    m, u = level.get("m_probability"), level.get("u_probability")
    weight = round(math.log2(m / u), 4) if m and u else None
    return {"m": m and float(f"{m:.6g}"), "u": u and float(f"{u:.6g}"), "weight": weight}
