"""What the simulator plants is found, and nothing where it planted nothing, on seeds that nothing was tuned on."""

from __future__ import annotations

import pandas as pd
import pytest

from records.quality import check_sources
from records.quality.findings import INFORM, LOOK
from tests.records.checks import found
from tests.support import demonstration_settings


@pytest.fixture(scope="module")
def wronged(tmp_path_factory):
    """A population with three wrongs at once, and its settings."""
    import simulator

    folder = tmp_path_factory.mktemp("wronged")
    planted = ["feed_outage", "missing_ethnicity", "coding_change"]
    simulator.simulate(4_000, 77, folder / "sources", folder / "truth", scenario=planted)
    return demonstration_settings(folder, folder / "sources")


@pytest.fixture(scope="module")
def wrongs(wronged):
    from casewell.settings import load

    return check_sources(load(wronged))


def test_practices_whose_feed_stopped_are_all_found_and_no_other(wronged, wrongs):
    gp = pd.read_parquet(wronged.parent / "sources" / "gp_events.parquet", columns=["practice_code", "received_date"])
    last = pd.to_datetime(gp.groupby("practice_code")["received_date"].max())
    silent = set(last.index[last < last.max() - pd.Timedelta(days=60)])
    assert silent
    assert set(found(wrongs, check="stopped", severity=LOOK)["place"]) == silent


def test_a_change_of_coding_is_found_with_its_month(wrongs):
    gone = found(wrongs, check="codes", severity=LOOK)
    new = found(wrongs, check="codes", severity=INFORM)
    assert {"1003671000000109", "11429006"} <= set(gone["sentence"].str.extract(r"code (\d+) ")[0])
    assert new["sentence"].str.contains("43396009 in unit '%'").any()
    assert set(gone["month"]) == {pd.Timestamp("2025-04-01")}


def test_missing_ethnicity_is_found_in_every_source_that_holds_it(wrongs):
    assert set(found(wrongs, check="missing ethnicity")["source"]) == {
        "demographics",
        "emergency_care",
        "hospital_spells",
    }
    assert not wrongs.stops


def test_a_population_without_planted_wrongs_raises_none_of_them(population, tmp_path):
    from casewell.settings import load

    report = check_sources(load(demonstration_settings(tmp_path, population)))
    assert not report.stops
    unusual = report.findings[
        report.findings["check"].isin(["stopped", "coverage", "volume", "missing ethnicity", "codes", "freshness"])
    ]
    assert list(unusual[unusual["severity"] == LOOK]["sentence"]) == []
    # The one practice of each network that the simulator silences for 35 days has sent everything since.
    gaps = unusual[unusual["check"] == "stopped"]
    assert set(gaps["source"]) == {"gp_events"}
    assert gaps["sentence"].str.contains("35 days; then it came again").all()
