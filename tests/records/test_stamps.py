"""Simulated people beside others are told of: everybody then counts as real, and gets another id."""

from __future__ import annotations

import datetime as dt
import json

import pytest

import records
from casewell.errors import SettingsError
from records.quality.check import check_sources
from records.quality.findings import LOOK

from .checks import found

AS_OF = dt.date(2022, 10, 13)


def apart(settings, tmp_path, *names):
    """Settings whose sources lie in a folder stamped SYNTHETIC, but for those named."""
    folder = next(iter(settings.sources.values())).path.parent
    (folder / "SYNTHETIC").touch()
    (tmp_path / "other").mkdir()
    sources = dict(settings.sources)
    for name in names:
        path = sources[name].path.rename(tmp_path / "other" / sources[name].path.name)
        sources[name] = sources[name].model_copy(update={"path": path})
    return settings.model_copy(update={"sources": sources})


def test_mixed_stamps_are_named_by_the_check_and_by_the_run(system, settled, tmp_path):
    settings = apart(settled(system), tmp_path, "housing", "gp_events")
    (told,) = found(check_sources(settings, AS_OF), check="settings")[["severity", "sentence"]].to_numpy().tolist()
    assert told[0] == LOOK
    assert "stamped SYNTHETIC and gp_events and housing are not, so everybody is pseudonymised as a real" in told[1]
    linked = records.build(settings, AS_OF, tmp_path / "out")
    assert json.loads(linked.summary.read_text())["stamps"] in told[1].replace("Demographics", "demographics")


def test_stamps_that_agree_are_nothing_to_tell(system, settled, tmp_path):
    settings = apart(settled(system), tmp_path)
    assert found(check_sources(settings, AS_OF), check="settings").empty
    assert json.loads(records.build(settings, AS_OF, tmp_path / "out").summary.read_text())["stamps"] == ""


def test_a_week_with_all_stamps_after_one_without_says_that_a_stamp_was_missing_and_not_a_key(
    system, settled, tmp_path
):
    settings = apart(settled(system), tmp_path, "housing")
    records.build(settings, AS_OF - dt.timedelta(days=7), tmp_path / "mixed")
    (tmp_path / "other" / "SYNTHETIC").touch()
    with pytest.raises(SettingsError, match="everybody would get a new id") as refused:
        records.build(settings, AS_OF, tmp_path / "stamped")
    assert "made when not every source was stamped SYNTHETIC" in str(refused.value)
    assert "a stamp was missing in the earlier weeks: move that folder away" in refused.value.advice
    assert "Bring the key back" not in refused.value.advice
