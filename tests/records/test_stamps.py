"""Simulated people beside others are told of: everybody then counts as real, and gets another id."""

from __future__ import annotations

import datetime as dt
import json

import records
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
