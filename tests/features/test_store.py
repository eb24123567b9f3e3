"""The coded store: the same bytes from the same events, the same matrix however it came to be, and cheap weeks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings

from casewell.errors import SourceError
from features import load_code_groups, store
from features.coding import NEVER, NO_VALUE
from tests.features.coded import CODES, from_events, from_store
from tests.features.months import write_months
from tests.features.test_kernel import EVERYBODY, event_tables, history, populations, same
from tests.features.tiny import EVENT_COLUMNS, event, events_table

GROUPS = load_code_groups()


def refreshed(folder: Path, events: pd.DataFrame, groups: pd.DataFrame = GROUPS) -> store.Store:
    folder.mkdir(exist_ok=True)
    events.to_parquet(folder / "events.parquet", index=False)
    return store.refresh(folder / "events.parquet", folder / "store", groups)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "store").iterdir()}


def everything(coded: store.Store) -> pd.DataFrame:
    return pd.concat([pd.DataFrame(store.read(coded, shard)._asdict()) for shard in range(coded.shards)])


def test_an_event_becomes_whole_numbers(tmp_path):
    told = event("1970-01-03 13:30", CODES[0], 1.25, "1970-01-05", "1970-01-04", "1970-01-09 08:00", person=3)
    held = everything(refreshed(tmp_path, events_table([told, event("1970-01-02", CODES[0], person=3)])))
    assert held.values.tolist() == [[3, 0, 1, 1, NEVER, NEVER, NO_VALUE], [3, 0, 2, 3, 8, 4, 1_250_000]]


def test_days_before_1970_are_rounded_down_as_those_after_are(tmp_path):
    held = everything(refreshed(tmp_path, events_table([event("1969-12-31 13:30", CODES[0])])))
    assert held["day"].tolist() == [-1]


def test_only_codes_of_the_groups_wanted_are_kept(tmp_path):
    wanted = GROUPS[GROUPS["group"] == "bp_systolic"]
    coded = refreshed(tmp_path, history(200), wanted)
    assert coded.codes == [CODES[0]]
    assert coded.parts[0].rows == (history(200)["code"] == CODES[0]).sum()


def test_the_order_of_the_events_changes_no_byte_of_a_part(tmp_path):
    events = history(400).sort_values(["subject_id", "time"])
    refreshed(tmp_path / "one", events)
    refreshed(tmp_path / "other", events.sample(frac=1, random_state=1))
    assert contents(tmp_path / "one")["events.arrow"] == contents(tmp_path / "other")["events.arrow"]


def test_a_week_without_news_writes_no_part(tmp_path, monkeypatch):
    refreshed(tmp_path, history(100))
    before = contents(tmp_path)
    monkeypatch.setattr(store, "_write_part", None)
    refreshed(tmp_path, history(100))
    assert contents(tmp_path) == before


def test_a_part_that_is_gone_or_of_other_codes_is_made_again(tmp_path):
    refreshed(tmp_path, history(100))
    before = contents(tmp_path)
    (tmp_path / "store" / "events.arrow").unlink()
    refreshed(tmp_path, history(100))
    assert contents(tmp_path) == before
    refreshed(tmp_path, history(100), GROUPS[GROUPS["group"] == "bp_systolic"])
    assert contents(tmp_path)["events.arrow"] != before["events.arrow"]


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(events=event_tables, population=populations)
def test_months_of_events_give_what_one_file_gives(tmp_path_factory, events, population):
    # A version that ends before it is known is none.
    told = events.assign(known_until=events["known_until"].where(events["known_until"] > events["known_at"]))
    folder = tmp_path_factory.mktemp("months")
    coded = store.refresh(write_months(told, folder / "events"), folder / "store", GROUPS)
    same(from_store(population, coded), from_events(population, told))


def test_a_store_kept_up_week_by_week_has_the_bytes_of_one_made_at_once(tmp_path):
    events = history(2000)
    for day in pd.date_range("2026-01-01", "2026-10-01", freq="28D"):
        known = events[events["known_at"] < day]
        held = known.assign(known_until=known["known_until"].where(known["known_until"] < day)).astype(EVENT_COLUMNS)
        coded = store.refresh(write_months(held, tmp_path / "events"), tmp_path / "store", GROUPS)
    afresh = store.refresh(write_months(held, tmp_path / "again"), tmp_path / "afresh" / "store", GROUPS)
    assert len(afresh.parts) > 15
    assert contents(tmp_path) == contents(tmp_path / "afresh")
    same(from_store(EVERYBODY, coded), from_events(EVERYBODY, held))


def test_news_of_one_month_leave_the_parts_of_others_alone(tmp_path):
    events = history(2000)
    store.refresh(write_months(events, tmp_path / "events"), tmp_path / "store", GROUPS)
    before = {path.name: path.stat().st_ino for path in (tmp_path / "store").iterdir()}
    news = events_table([event("2026-03-02", CODES[0], 7.0, person=0)])
    store.refresh(write_months(pd.concat([events, news]), tmp_path / "events"), tmp_path / "store", GROUPS)
    after = {path.name: path.stat().st_ino for path in (tmp_path / "store").iterdir()}
    assert {name for name in before if after[name] != before[name]} == {"store.json", "2026-03.arrow"}


def test_a_month_that_is_no_longer_there_leaves_the_store(tmp_path):
    store.refresh(write_months(history(500), tmp_path / "events"), tmp_path / "store", GROUPS)
    (tmp_path / "events" / "2025-03.parquet").unlink()
    later = [path.name for path in (tmp_path / "events").iterdir() if path.name > "2025-03"]
    store.refresh(tmp_path / "events", tmp_path / "store", GROUPS)
    assert later
    assert not (tmp_path / "store" / "2025-03.arrow").exists()


def test_a_retirement_of_an_event_that_nobody_told_is_refused(tmp_path):
    write_months(history(500), tmp_path / "events")
    told = pd.read_parquet(tmp_path / "events" / "2026-01.parquet")
    lost = events_table([event("2025-11-02", CODES[0], 1.0, known_until="2026-01-05", person=0)])
    pd.concat([lost, told]).sort_values(["subject_id", "time"]).to_parquet(tmp_path / "events" / "2026-01.parquet")
    coded = store.refresh(tmp_path / "events", tmp_path / "store", GROUPS)
    with pytest.raises(SourceError, match="1 retirement"):
        from_store(EVERYBODY, coded)


@pytest.mark.parametrize(("at_most", "shards"), [(store.MOST_EVENTS, 64), (8, 128), (2, 512)])
def test_every_range_of_pseudonyms_holds_its_people_and_no_other(tmp_path, monkeypatch, at_most, shards):
    monkeypatch.setattr(store, "MOST_EVENTS", at_most)
    people = np.random.default_rng(1).integers(0, 2**63 - 1, 1000)
    events = events_table([event("2026-01-01", CODES[0], person=int(who)) for who in [*people, -5, 0, 2**63 - 1]])
    coded = refreshed(tmp_path, events)
    assert coded.shards == shards
    found = [store.read(coded, shard).person for shard in range(shards)]
    assert np.concatenate(found).tolist() == sorted([*people, -5, 0, 2**63 - 1])
    assert np.mean([len(some) > 0 for some in found]) > 0.8
    for shard, some in enumerate(found):
        assert (store.shard_of(some, shards) == shard).all()


def test_more_events_are_cut_into_more_ranges_and_describe_people_alike(tmp_path, monkeypatch):
    events = history(500)
    before = from_store(EVERYBODY, refreshed(tmp_path, events))
    monkeypatch.setattr(store, "MOST_EVENTS", 4)
    coded = refreshed(tmp_path, events)
    assert coded.shards == 128
    same(from_store(EVERYBODY, coded), before)


def test_the_store_holds_no_name_of_a_source_and_no_path(tmp_path):
    refreshed(tmp_path, history(50))
    told = json.loads((tmp_path / "store" / "store.json").read_text())
    assert sorted(told[0]) == ["codes", "first_known", "made_from", "name", "rows"]
    assert str(tmp_path) not in json.dumps(told)


def test_events_that_lack_a_column_are_refused_by_name(tmp_path):
    with pytest.raises(SourceError, match="missing column 'known_until'"):
        refreshed(tmp_path, history(10).drop(columns="known_until"))
    assert not list((tmp_path / "store").glob("*.arrow"))


def test_the_store_can_be_read_by_its_owner_only(tmp_path):
    refreshed(tmp_path, history(50))
    modes = {
        path.name: oct(path.stat().st_mode & 0o777) for path in [tmp_path / "store", *(tmp_path / "store").iterdir()]
    }
    assert modes == {"store": "0o700", "events.arrow": "0o600", "store.json": "0o600"}


def test_a_refresh_killed_between_a_part_and_its_entry_leaves_no_entry_of_another_part(tmp_path, monkeypatch):
    refreshed(tmp_path, history(200))
    before = contents(tmp_path)
    write_part = store._write_part

    def killed(*told):
        write_part(*told)
        raise KeyboardInterrupt

    monkeypatch.setattr(store, "_write_part", killed)
    with pytest.raises(KeyboardInterrupt):
        refreshed(tmp_path, history(200), GROUPS[GROUPS["group"] == "any_gp_event"])
    monkeypatch.undo()
    assert contents(tmp_path)["events.arrow"] != before["events.arrow"]
    refreshed(tmp_path, history(200))
    assert contents(tmp_path) == before


def test_what_a_killed_refresh_left_half_made_does_not_matter(tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "events.partial").write_bytes(b"half")
    refreshed(tmp_path, history(50))
    refreshed(tmp_path / "other", history(50))
    assert contents(tmp_path) == contents(tmp_path / "other")


def test_a_folder_without_a_month_is_refused(tmp_path):
    (tmp_path / "events").mkdir()
    with pytest.raises(SourceError, match="no month"):
        store.refresh(tmp_path / "events", tmp_path / "store", GROUPS)
