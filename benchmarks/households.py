"""Households held against the simulator's truth: who lives alone, how many live together, whose household had a death.

    python -m benchmarks.households [--people 20000] [--seed 5] [--as-of 2026-10-01 2025-10-01]

True is who is here on the day: simulated as one household, moved in, not away, not dead. Registrations differ from
it: some who leave stay registered, some addresses are old, some people opted out or were never registered.
"""

from __future__ import annotations

import argparse
import datetime as dt
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from rich.console import Console
from rich.table import Table

import records
from casewell.environment import prepare
from features import CATALOGUE, build
from features.feature import LIVING
from features.households import BEREAVED_DAYS, LARGEST_HOUSEHOLD

DEMONSTRATION = Path(__file__).parents[1] / "config" / "demo.yaml"
CUT_OFF = dt.date(2026, 10, 1)


def true_households(truth: Path, day: pd.Timestamp) -> pd.DataFrame:
    """Return, for everybody truly here on a day, the true `size` of the household, `alone` and `bereaved`."""
    people = pd.read_parquet(truth / "people.parquet")
    dates = {name: pd.to_datetime(people[name]) for name in ("moved_in", "moved_away", "died")}
    people = people[["true_person_id", "household", "registered"]].assign(**dates)
    gone = (people["moved_away"] <= day) | (people["died"] < day)
    here = people[(people["moved_in"] < day) & ~gone]
    recent = (people["died"] < day) & (people["died"] >= day - pd.Timedelta(days=BEREAVED_DAYS))
    # Who had moved away before dying did not die in the household.
    last = people[recent & ~(people["moved_away"] < people["died"])].groupby("household")["died"].max()
    died = here["household"].map(last)
    size = here["household"].map(here["household"].value_counts())
    return here.assign(size=size, alone=size == 1, bereaved=died >= here["moved_in"])


def found_households(linked: Path, day: pd.Timestamp, folder: Path) -> pd.DataFrame:
    """Return the household features of everybody in the demographics on a day."""
    events, known, residences = (linked / f"{name}.parquet" for name in ("events", "people", "residences"))
    people = pd.read_parquet(known, columns=["person_id", "in_spine"]).query("in_spine")
    population = people[["person_id"]].assign(index_date=day.as_unit("us"))[["index_date", "person_id"]]
    wanted = [feature for feature in CATALOGUE if feature.aggregation in LIVING]
    return pd.read_parquet(build(population, events, known, residences, folder / "households.parquet", wanted))


def compare(linked: Path, truth: Path, as_of: dt.date, folder: Path) -> pd.DataFrame:
    """Return one row a person with a registration who is truly here: what was found beside what is true."""
    day = pd.Timestamp(as_of)
    taken = pd.read_parquet(linked / "identities.parquet").query("source == 'demographics'")
    true = pd.read_parquet(truth / "identities.parquet").query("source == 'demographics'")
    same = taken.merge(true, left_on="source_record", right_on="record_id").drop_duplicates("person_id")
    found = found_households(linked, day, folder).merge(same[["person_id", "true_person_id"]], on="person_id")
    return found.merge(true_households(truth, day), on="true_person_id")


def figures(rows: pd.DataFrame) -> dict[str, float]:
    """Return the shares by which found and true agree; people without a known household are counted apart."""
    known = rows[rows["household_size"].notna()]
    alone, bereaved = known["lives_alone"] == 1, known["household_bereavement"] == 1
    off = (known["household_size"] - known["size"]).abs()
    return {
        "people": len(rows),
        "household not known": 1 - len(known) / len(rows),
        f"of them truly more than {LARGEST_HOUSEHOLD}": float(
            (rows.loc[rows["household_size"].isna(), "size"] > LARGEST_HOUSEHOLD).mean()
        ),
        "truly alone": known["alone"].mean(),
        "lives alone: sensitivity": _share(alone, known["alone"]),
        "lives alone: specificity": _share(~alone, ~known["alone"]),
        "lives alone: right when said": _share(known["alone"], alone),
        "household size exact": (off == 0).mean(),
        "household size within one": (off <= 1).mean(),
        "truly bereaved": known["bereaved"].mean(),
        "bereavement: sensitivity": _share(bereaved, known["bereaved"]),
        "bereavement: right when said": _share(known["bereaved"], bereaved),
    }


def _share(of: pd.Series, among: pd.Series) -> float:
    return float(of[among].mean()) if among.any() else np.nan


def main() -> None:
    """Simulate, link, compare, print."""
    import simulator
    from casewell.settings import load

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--as-of", nargs="+", type=dt.date.fromisoformat, default=[CUT_OFF, dt.date(2025, 10, 1)])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="casewell-households-") as name:
        folder = Path(name)
        simulator.simulate(arguments.people, arguments.seed, folder / "sources", folder / "truth")
        told = yaml.safe_load(DEMONSTRATION.read_text())
        for source in told["sources"].values():
            source["path"] = str(folder / "sources" / Path(source["path"]).name)
        settings = folder / "settings.yaml"
        settings.write_text(yaml.safe_dump(told | {"data_dir": str(folder / "data")}))
        linked = records.build(load(settings), CUT_OFF, folder / "linked").people.parent
        found = {str(day): figures(compare(linked, folder / "truth", day, folder)) for day in arguments.as_of}
    table = Table("", *found, title=f"Households, {arguments.people:,} people, seed {arguments.seed}")
    for figure in next(iter(found.values())):
        values = [one[figure] for one in found.values()]
        table.add_row(figure, *(f"{value:,.0f}" if figure == "people" else f"{value:.1%}" for value in values))
    Console().print(table)


if __name__ == "__main__":
    prepare(Path.cwd())
    main()
