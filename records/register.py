"""The register of linkage: what each week compared and decided, so that the next one need not do it again.

`<data_dir>/links/<name>/<as_of>/` holds a whole snapshot, readable by its owner only. Of what people are called and where
they live it holds keyed hashes only, but `parted` names records as their source does: `handles` (a record's handle on its person, and whose it is), `nodes` (the descriptions compared so far),
`pairs` (those scored from DOUBTFUL on), `frequencies` (of names and postcodes), `parted` (the identifiers of records
that took another handle by a rule or decision), `changes` (merges and splits of the week), the model, and `entry.json` with a digest of each. A week starts from the newest entry before it, so that a past
week can be built again as it was; history grows only forward.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from casewell import doors
from casewell.errors import SettingsError, SourceError
from casewell.settings import Settings
from records import pseudonyms, tables
from records.comparing import COLUMNS, WEIGHED_BY_FREQUENCY
from records.keyed import keyed, keyed_hashes, pads
from records.ledger import private
from records.probabilistic import Fitted, Memory
from records.reading import connect

META, MODEL, CHANGES, ROTATION = "entry.json", "model.json", "changes.parquet", "rotation.parquet"
TABLES = ("handles", "nodes", "pairs", "frequencies")
PARTED = "parted.parquet"
PRUNED = "pruned"
SEPARATOR, MISSING = "\x1f", "\x1e"


@dataclass(frozen=True)
class Draft:
    """What a build leaves for the next.

    Attributes
    ----------
    handles
        In order of `handle` (hash): `person_id`, `method`, `formerly` (the id before a merge, nullable), `seen` (day).
    nodes
        The descriptions that took part, each with its hash (`node`).
    pairs
        `left`, `right` (positions in `nodes`), `weight`, `probability`.
    fitted
        The model; None where none was estimated.
    since
        The day for which it was estimated, as text; empty without one.
    changes
        The door CHANGES, of this week.
    parted
        `source` and `record` of those that took another handle, by one row a person or a decision.
    rotated
        `old_person_id` and `person_id`, where the week before was made under another key; else None.
    """

    handles: pd.DataFrame
    nodes: pd.DataFrame
    pairs: pd.DataFrame
    fitted: Fitted | None
    since: str
    changes: pd.DataFrame
    parted: pd.DataFrame
    rotated: pd.DataFrame | None = None


@dataclass(frozen=True)
class Entry:
    """The snapshot of one week, and the key under which its hashes were made."""

    folder: Path
    key: bytes
    meta: dict[str, Any]

    @property
    def as_of(self) -> dt.date:
        """The day of the week it is of."""
        return dt.date.fromisoformat(self.meta["as_of"])

    @property
    def since(self) -> str:
        """The day for which its model was estimated, as text; empty without one."""
        return str(self.meta["model_since"])

    def table(self, name: str) -> pd.DataFrame:
        """Return one of TABLES."""
        return pd.read_parquet(self.folder / f"{name}.parquet")

    def parted(self) -> pd.DataFrame:
        """Return `source` and `record` of those that took another handle; none in an entry older than the table."""
        return pd.read_parquet(self.folder / PARTED) if PARTED in self.meta["files"] else nobody_parted()

    def fitted(self, nodes: pd.DataFrame) -> Fitted | None:
        """Return the model, with the frequencies of what these descriptions say; None where none was estimated."""
        told = json.loads((self.folder / MODEL).read_text(encoding="utf-8"))
        if not told:
            return None
        stored = self.table("frequencies")
        values = pd.concat(
            [pd.DataFrame({"column": name, "value": nodes[name].dropna().unique()}) for name in WEIGHED_BY_FREQUENCY],
            ignore_index=True,
        )
        found = values.assign(hash=_value_hashes(self.key, values)).merge(stored, on="hash")
        return Fitted(told["specification"], told["model"], found[["column", "value", "frequency"]])

    def memory(self, nodes: pd.DataFrame) -> Memory | None:
        """Return what was compared before, in terms of the present descriptions; None where no model was estimated.

        The descriptions' `node` is their hash under the key of this entry.
        """
        fitted = self.fitted(nodes)
        if fitted is None:
            return None
        hashes = nodes["node"].to_numpy()
        stored = self.table("pairs")
        places = pd.Index(hashes)
        left, right = places.get_indexer(stored["left"]), places.get_indexer(stored["right"])
        pairs = stored.assign(left=np.minimum(left, right), right=np.maximum(left, right))
        return Memory(fitted, nodes["node"].isin(self.table("nodes")["node"]).to_numpy(), pairs[pairs["left"] >= 0])


def nobody_parted() -> pd.DataFrame:
    """Return the table `parted` of a week in which no record took another handle."""
    return pd.DataFrame({"source": [], "record": []}, dtype="str")


def node_hashes(key: bytes, nodes: pd.DataFrame) -> np.ndarray:
    """Return the keyed hash of all that each description says."""
    parts = [f"coalesce({name}::VARCHAR, $missing)" for name in COLUMNS]
    text = "'description|' || " + " || $separator || ".join(parts)
    told = nodes[list(COLUMNS)].astype("str").assign(place=np.arange(len(nodes)))
    with connect() as con:
        con.register("nodes_to_hash", pa.Table.from_pandas(told, preserve_index=False))
        found = con.execute(
            f"SELECT {keyed(text)} AS hash FROM nodes_to_hash ORDER BY place",
            {**pads(key), "missing": MISSING, "separator": SEPARATOR},
        )
        return np.asarray(found.fetchnumpy()["hash"], dtype="int64")


def _value_hashes(key: bytes, values: pd.DataFrame) -> np.ndarray:
    with connect() as con:
        return keyed_hashes(con, key, "frequency|" + values["column"] + "|" + values["value"])


def home(settings: Settings) -> Path:
    """Return the folder of this population's entries."""
    return settings.data_dir / "links" / settings.name


def days(settings: Settings) -> list[dt.date]:
    """Return the days that have an entry, in order; of some there may be no more than changes and rotations."""
    folders = home(settings).glob("????-??-??")
    return sorted(dt.date.fromisoformat(folder.name) for folder in folders if (folder / META).is_file())


def meta_of(settings: Settings, day: dt.date) -> dict[str, Any]:
    """Return what `entry.json` of a day says.

    Raises
    ------
    SourceError
        It is damaged.
    """
    path = home(settings) / str(day) / META
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        told = None
    if not isinstance(told, dict) or not {"as_of", "pseudonym_key", "files", "model_since"} <= set(told):
        raise _damaged(path.parent, META)
    return told


def _damaged(folder: Path, name: str) -> SourceError:
    return SourceError(
        f"the register of linkage is damaged: {name} in {str(folder)!r} is not as it was written",
        "Bring the folder back from a backup. Or remove it: the next run then starts from the week before, and ids of "
        "people who were merged or split since may change.",
    )


def at(settings: Settings, synthetic: bool, as_of: dt.date) -> Entry | None:
    """Return the entry that the build of a day left under the present key; None if there is none, or it was pruned.

    Raises
    ------
    SourceError
        It is damaged.
    """
    if as_of not in days(settings):
        return None
    return _opened(settings, as_of, pseudonyms.key_of(settings, synthetic))


def before(settings: Settings, key: bytes, as_of: dt.date) -> Entry | None:
    """Return the entry that a build for a day starts from: the newest before it that was made under the key.

    If there is none, the newest made under the previous key that the settings name: the key is being rotated.

    Raises
    ------
    SourceError
        It is damaged.
    SettingsError
        The week was made by a rotation, and cannot be made again without the previous key. Or every entry was made
        under another key, which is not given.
    """
    found = _start(settings, key, as_of)
    return None if found is None else _opened(settings, *found)


def _start(settings: Settings, key: bytes, as_of: dt.date) -> tuple[dt.date, bytes] | None:
    """Return the day of the entry to start from, and the key it was made under."""
    previous = pseudonyms.previous_key(settings)
    for made_with in [key] if previous is None else [key, previous]:
        print_ = pseudonyms.fingerprint_of(made_with)
        earlier = (day for day in reversed(days(settings)) if day < as_of)
        day = next((day for day in earlier if meta_of(settings, day)["pseudonym_key"] == print_), None)
        if day is not None:
            _check_that_it_is_whole(settings, day, as_of)
            return day, made_with
    here = home(settings) / str(as_of)
    if (here / ROTATION).is_file() and meta_of(settings, as_of)["pseudonym_key"] == pseudonyms.fingerprint_of(key):
        raise SettingsError(
            f"the week of {as_of} was the first with a new pseudonym key, and the previous key is not given any more: "
            "made again, people would get other ids",
            "Give the previous key once more (previous_pseudonym_key_file), or run a later week.",
        )
    _check_that_no_key_is_lost(settings, [key] if previous is None else [key, previous])
    return None


def _check_that_it_is_whole(settings: Settings, day: dt.date, as_of: dt.date) -> None:
    """Refuse to make a week anew whose start was pruned: people would get other ids than they had."""
    key = meta_of(settings, day)["pseudonym_key"]
    if meta_of(settings, day).get(PRUNED):
        told = {other: meta_of(settings, other) for other in days(settings)}
        whole = [other for other, meta in told.items() if meta["pseudonym_key"] == key and not meta.get(PRUNED)]
        raise SettingsError(
            f"the week of {as_of} cannot be made again as it was: it started from what linkage remembered of {day}, "
            "which was pruned (`casewell link prune`)",
            f"Ask for a day after {whole[0]}, or bring the folder {str(home(settings) / str(day))!r} back from a backup."
            if whole
            else "Bring the folders back from a backup.",
        )


def _check_that_no_key_is_lost(settings: Settings, keys: list[bytes]) -> None:
    """Refuse to start anew where all entries of real people were made under a key that is not given."""
    simulated = pseudonyms.fingerprint_of(pseudonyms.DEMONSTRATION_KEY)
    made_with = {meta_of(settings, day)["pseudonym_key"] for day in days(settings)} - {simulated}
    if made_with and not made_with & {pseudonyms.fingerprint_of(key) for key in keys}:
        if keys[0] == pseudonyms.DEMONSTRATION_KEY:
            raise SettingsError(
                f"the register of linkage in {str(home(settings))!r} was made when not every source was stamped SYNTHETIC, with the "
                f"private key ({', '.join(sorted(made_with))}); now all are, which means the public key of simulated people: "
                "everybody would get a new id",
                "If anybody in the sources is real, remove the file SYNTHETIC from beside them. If nobody is, a stamp was missing in "
                "the earlier weeks: move that folder away, and earlier lists of this data_dir too, since their ids are others.",
            )
        raise SettingsError(
            f"the register of linkage in {str(home(settings))!r} was made under another pseudonym key "
            f"({', '.join(sorted(made_with))}) than the present one ({pseudonyms.fingerprint_of(keys[0])}): without that "
            "key everybody would get a new id",
            "Bring the key back; or, if the key was changed on purpose, give the one before it as "
            "previous_pseudonym_key_file. Only if everybody is to have a new id, move the folder away.",
        )


def _opened(settings: Settings, day: dt.date, key: bytes) -> Entry | None:
    folder, told = home(settings) / str(day), meta_of(settings, day)
    if told["pseudonym_key"] != pseudonyms.fingerprint_of(key) or told.get(PRUNED):
        return None
    for name, digest in told["files"].items():
        path = folder / name
        if not path.is_file() or _digest(path) != digest:
            raise _damaged(folder, name)
    return Entry(folder, key, told)


def start_digest(settings: Settings, synthetic: bool, as_of: dt.date) -> str:
    """Return a digest of the entry that a build for a day starts from; empty without one."""
    found = _start(settings, pseudonyms.key_of(settings, synthetic), as_of)
    return "" if found is None else _digest(home(settings) / str(found[0]) / META)


def changes(settings: Settings) -> pd.DataFrame:
    """Return the merges and splits of every week, in order; the door CHANGES."""
    found = []
    for day in days(settings):
        path = home(settings) / str(day) / CHANGES
        if not path.is_file() or _digest(path) != meta_of(settings, day)["files"].get(CHANGES):
            raise _damaged(path.parent, CHANGES)
        found.append(doors.read(path, tables.CHANGES))
    return pd.concat(found, ignore_index=True) if found else doors.empty(tables.CHANGES)


def rotations(settings: Settings) -> list[pd.DataFrame]:
    """Return for each rotation of the key, in order, `old_person_id` and the `person_id` that took its place."""
    paths = [home(settings) / str(day) / ROTATION for day in days(settings)]
    return [pd.read_parquet(path) for path in paths if path.is_file()]


def write(settings: Settings, key: bytes, as_of: dt.date, start: Entry | None, draft: Draft) -> Path | None:
    """Keep a week's linkage for the next; nothing is kept of a week before the newest entry. Return the folder."""
    print_ = pseudonyms.fingerprint_of(key)
    if any(day > as_of and meta_of(settings, day)["pseudonym_key"] == print_ for day in days(settings)):
        return None
    folder = home(settings) / str(as_of)
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True, mode=0o700)
    folder.parent.chmod(0o700)
    hashes = draft.nodes["node"].to_numpy()
    pairs = draft.pairs.assign(left=hashes[draft.pairs["left"]], right=hashes[draft.pairs["right"]])
    contents = {
        "handles": draft.handles,
        "nodes": pd.DataFrame({"node": np.sort(hashes)}),
        "pairs": pairs.sort_values(["left", "right"]),
        "frequencies": _frequencies(key, start, draft.fitted, draft.since),
        "parted": draft.parted,
    }
    for name, table in contents.items():
        table.reset_index(drop=True).to_parquet(private(partial / f"{name}.parquet"), index=False, compression="zstd")
    doors.write(draft.changes, tables.CHANGES, private(partial / CHANGES))
    if draft.rotated is not None:
        draft.rotated.to_parquet(private(partial / ROTATION), index=False, compression="zstd")
    fitted = draft.fitted
    model = {} if fitted is None else {"specification": fitted.specification, "model": fitted.model}
    private(partial / MODEL).write_text(json.dumps(model, sort_keys=True) + "\n", encoding="utf-8")
    meta = {
        "as_of": str(as_of),
        "pseudonym_key": print_,
        "model_since": draft.since,
        "started_from": "" if start is None else _digest(start.folder / META),
        "files": {path.name: _digest(path) for path in sorted(partial.iterdir())},
    }
    private(partial / META).write_text(json.dumps(meta, sort_keys=True, indent=2) + "\n", encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    return partial.rename(folder)


def _frequencies(key: bytes, start: Entry | None, fitted: Fitted | None, since: str) -> pd.DataFrame:
    """Return the frequencies known so far, by hash: those of a remembered model stay, also of names not met this week."""
    if fitted is None:
        return pd.DataFrame({"hash": np.array([], "int64"), "frequency": np.array([], "float64")})
    now = fitted.frequencies
    found = pd.DataFrame({"hash": _value_hashes(key, now), "frequency": now["frequency"].to_numpy()})
    if start is not None and start.key == key and start.since == since:
        found = pd.concat([found, start.table("frequencies")])
    return found.drop_duplicates("hash").sort_values("hash")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
