"""What linkage remembers of long past weeks can be removed on purpose, and no week is then made otherwise without a word."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

import records
from casewell.errors import AsOfError, SettingsError
from flows.linking import prune_register
from records import pruning, register

from .conftest import NUMBERS, WEEKS, settle, whole_system
from .weeks import altered


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Three weeks; in the second a registration without a number has got one, and its person is merged."""
    root = tmp_path_factory.mktemp("weeks")
    system = altered(whole_system(), "demographics", 3, nhs_number=None, family_name="Quill")
    for week in WEEKS[:3]:
        settings = settle(root, system)
        records.build(settings, week, root / "linked" / str(week))
        system = altered(system, "demographics", 3, nhs_number=NUMBERS[3])
    return settings, root


@pytest.fixture
def three_weeks(built, tmp_path):
    settings, root = built
    shutil.copytree(settings.data_dir, tmp_path / "data")
    return settings.model_copy(update={"data_dir": tmp_path / "data"}), root / "linked"


def test_weeks_from_the_day_on_are_made_again_as_they_were_and_earlier_ones_are_refused(three_weeks, tmp_path):
    settings, linked = three_weeks
    before, merged = contents(register.home(settings)), register.changes(settings)
    told = pruning.planned(settings, WEEKS[2])
    assert (told.entries, told.kept) == ([WEEKS[0]], WEEKS[1:3])
    assert contents(register.home(settings)) == before, "a plan removes nothing"

    # A removal killed between writing its entry and putting it in place leaves this.
    shutil.copy2(
        register.home(settings) / str(WEEKS[0]) / register.META,
        (register.home(settings) / str(WEEKS[0]) / register.META).with_suffix(".partial"),
    )
    before = contents(register.home(settings))
    freed = pruning.planned(settings, WEEKS[2]).size
    pruning.prune(settings, WEEKS[2])
    after = contents(register.home(settings))
    assert freed == sum(len(before[name]) for name in set(before) - set(after))
    assert {Path(name).name for name in after if name.startswith(str(WEEKS[0]))} == {register.META, register.CHANGES}
    assert len(merged)
    pd.testing.assert_frame_equal(register.changes(settings), merged)
    assert register.at(settings, False, WEEKS[0]) is None
    assert pruning.planned(settings, WEEKS[2]).entries == []

    records.build(settings, WEEKS[2], tmp_path / "again")
    # How far the weights moved goes by the weeks that lie beside the folder.
    again, first = (contents(folder) | {"linkage.json": b""} for folder in (tmp_path / "again", linked / str(WEEKS[2])))
    assert again == first
    with pytest.raises(SettingsError, match=f"week of {WEEKS[1]} cannot be made again") as caught:
        records.build(settings, WEEKS[1], tmp_path / "earlier")
    assert f"Ask for a day after {WEEKS[1]}" in caught.value.advice
    with pytest.raises(SettingsError, match="pruned"):
        register.start_digest(settings, False, WEEKS[1])


def test_a_removal_that_was_broken_off_is_ended_by_the_next(three_weeks, monkeypatch):
    settings, _ = three_weeks
    unlink = Path.unlink

    def full(path, *arguments, **named):
        if path.name == "pairs.parquet":
            raise OSError("input/output error")
        unlink(path, *arguments, **named)

    monkeypatch.setattr(Path, "unlink", full)
    with pytest.raises(OSError, match="input/output"):
        pruning.prune(settings, WEEKS[2])
    with pytest.raises(SettingsError, match="pruned"):
        register.start_digest(settings, False, WEEKS[1])
    monkeypatch.undo()
    assert pruning.planned(settings, WEEKS[2]).entries == WEEKS[:1]
    pruning.prune(settings, WEEKS[2])
    assert pruning.planned(settings, WEEKS[2]).entries == []


def test_the_command_removes_nothing_unless_told_so_and_counts_what_goes(three_weeks):
    settings, _ = three_weeks
    before, screen = contents(register.home(settings)), Console(record=True, width=200)
    prune_register(settings, str(WEEKS[2]), False, screen)
    assert contents(register.home(settings)) == before
    prune_register(settings, str(WEEKS[2]), True, screen)
    prune_register(settings, str(WEEKS[2]), True, screen)
    said = screen.export_text()
    assert f"of 1 week(s) from {WEEKS[0]} to {WEEKS[0]}; 2 week(s) stay whole, from {WEEKS[1]} on" in said
    assert said.index("Would remove") < said.index("Say --yes") < said.index("Removed") < said.index("Nothing to prune")
    with pytest.raises(AsOfError):
        prune_register(settings, "last year", True, screen)
