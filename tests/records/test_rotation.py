"""A new pseudonym key gives everybody a new id, and changes nothing else."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import stat
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

import records
from casewell.errors import SettingsError
from casewell.settings import load
from records import pseudonyms, register, rotation

REPOSITORY = Path(__file__).parents[2]
NEW, OLD = "n" * 40, "o" * 40


@pytest.fixture(autouse=True)
def _no_keys_around(monkeypatch):
    for name in (pseudonyms.ENVIRONMENT_VARIABLE, pseudonyms.PREVIOUS_VARIABLE):
        monkeypatch.delenv(name, raising=False)


def key_file(path, text, mode=0o600):
    path.write_text(text)
    path.chmod(mode)
    return path


def test_the_previous_key_is_read_from_its_file_or_before_that_from_the_environment(
    settled, system, tmp_path, monkeypatch
):
    assert pseudonyms.previous_key(settled(system)) is None
    settings = settled(system, previous_pseudonym_key_file=key_file(tmp_path / "previous.key", OLD))
    assert pseudonyms.previous_key(settings) == OLD.encode()
    monkeypatch.setenv(pseudonyms.PREVIOUS_VARIABLE, "e" * 40)
    assert pseudonyms.previous_key(settings) == b"e" * 40


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        (None, None, "does not exist"),
        ("short", 0o600, "previous pseudonym key is shorter than 32"),
        (OLD, 0o644, "can be read by others"),
    ],
)
def test_a_previous_key_that_cannot_be_used_is_refused(settled, system, tmp_path, text, mode, said):
    path = tmp_path / "previous.key"
    if text is not None:
        key_file(path, text, mode)
    with pytest.raises(SettingsError, match=said):
        pseudonyms.previous_key(settled(system, previous_pseudonym_key_file=path))


def test_the_id_that_takes_an_old_ones_place_depends_on_the_new_key_and_the_old_id_alone():
    old = pd.Series([5, 9, 5])
    new = pseudonyms.rotated_ids(NEW.encode(), old)
    assert new[0] == new[2] != new[1]
    assert not set(new) & set(pseudonyms.rotated_ids(OLD.encode(), old))
    assert new.dtype == "int64"


def test_an_id_that_took_no_other_ones_place_stays_to_the_last_digit(settled, system):
    settings, large = settled(system), 2**62
    folder = register.home(settings) / "2022-09-22"
    folder.mkdir(parents=True)
    (folder / register.META).write_text("{}")
    pairs = pd.DataFrame({"old_person_id": [large + 1], "person_id": [large + 5]})
    pairs.to_parquet(folder / register.ROTATION, index=False)
    assert rotation.present(settings, pd.Series([large + 1, large + 2, large + 3])).tolist() == [
        large + 5,
        large + 2,
        large + 3,
    ]


WEEKS = dt.date(2026, 8, 24), dt.date(2026, 9, 24)


@pytest.fixture(scope="module")
def weeks(tmp_path_factory):
    """Two weeks of a population: the second under the same key, and under another after the same first week."""
    import simulator

    root = tmp_path_factory.mktemp("rotation")
    simulator.simulate(1_200, 5, root / "sources", root / "truth")
    # As real people: the public key is for stamped sources alone.
    (root / "sources" / "SYNTHETIC").unlink()
    told = load(REPOSITORY / "config" / "demo.yaml")
    sources = {
        name: source.model_copy(update={"path": root / "sources" / source.path.name})
        for name, source in told.sources.items()
    }
    key_file(root / "old.key", OLD)
    key_file(root / "new.key", NEW)
    old = told.model_copy(
        update={"sources": sources, "data_dir": root / "kept", "pseudonym_key_file": root / "old.key"}
    )
    first = records.build(old, WEEKS[0], root / "first")
    shutil.copytree(root / "kept", root / "turned")
    new = old.model_copy(
        update={
            "data_dir": root / "turned",
            "pseudonym_key_file": root / "new.key",
            "previous_pseudonym_key_file": root / "old.key",
        }
    )
    return SimpleNamespace(
        old=old,
        new=new,
        root=root,
        first=first,
        control=records.build(old, WEEKS[1], root / "control"),
        turned=records.build(new, WEEKS[1], root / "turned_week"),
    )


def test_a_new_key_changes_every_id_and_no_link(weeks):
    control, turned = (pd.read_parquet(linked.identities) for linked in (weeks.control, weeks.turned))
    both = control.merge(turned, on=["source", "source_record"], suffixes=("_old", "_new"), validate="one_to_one")
    assert len(both) == len(control) == len(turned)
    pairs = both[["person_id_old", "person_id_new"]].drop_duplicates()
    assert not pairs["person_id_old"].duplicated().any()
    assert not pairs["person_id_new"].duplicated().any()
    assert both["method_old"].equals(both["method_new"])
    assert both["match_probability_old"].equals(both["match_probability_new"])
    assert not set(pairs["person_id_old"]) & set(pairs["person_id_new"])


def test_the_table_of_the_rotation_says_whose_place_each_id_took(weeks):
    first, turned = (pd.read_parquet(linked.identities) for linked in (weeks.first, weeks.turned))
    both = first.merge(turned, on=["source", "source_record"], suffixes=("_old", "_new"))
    translated = rotation.present(weeks.new, both["person_id_old"])
    assert (translated == both["person_id_new"]).mean() > 0.999
    assert rotation.present(weeks.new, turned["person_id"]).equals(turned["person_id"])
    path = weeks.new.data_dir / "links" / "demo" / str(WEEKS[1]) / "rotation.parquet"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_was_compared_under_the_old_key_is_not_compared_again(weeks):
    told = [json.loads(linked.summary.read_text())["linkage"] for linked in (weeks.control, weeks.turned)]
    assert told[0]["descriptions_known"] > 1000
    for name in ("descriptions_known", "pairs_scored", "people_kept", "people_new", "people_merged", "people_split"):
        assert told[0][name] == told[1][name], name


def test_no_old_id_is_left_in_what_the_week_wrote_but_in_the_table_of_the_rotation(weeks):
    entry = weeks.new.data_dir / "links" / "demo" / str(WEEKS[1])
    old = set(pd.read_parquet(weeks.first.people)["person_id"]) | set(
        pd.read_parquet(weeks.old.data_dir / "links" / "demo" / str(WEEKS[0]) / "handles.parquet")["handle"]
    )
    found = {}
    for path in [*weeks.turned.people.parent.glob("*.parquet"), *entry.glob("*.parquet")]:
        whole = pd.read_parquet(path).select_dtypes("number")
        if path.name != "rotation.parquet" and any(whole[name].isin(old).any() for name in whole):
            found[path.name] = len(whole)
    assert not found


def test_the_week_after_needs_the_new_key_alone_and_keeps_the_ids(weeks):
    alone = weeks.new.model_copy(update={"previous_pseudonym_key_file": None})
    after = records.build(alone, WEEKS[1] + dt.timedelta(days=7), weeks.root / "after")
    turned, later = (pd.read_parquet(linked.identities) for linked in (weeks.turned, after))
    both = turned.merge(later, on=["source", "source_record"], suffixes=("_now", "_later"))
    assert (both["person_id_now"] == both["person_id_later"]).mean() > 0.9999


def test_the_week_of_the_rotation_is_not_made_again_without_the_previous_key(weeks):
    alone = weeks.new.model_copy(update={"previous_pseudonym_key_file": None})
    with pytest.raises(SettingsError, match="first with a new pseudonym key"):
        records.build(alone, WEEKS[1], weeks.root / "again")
