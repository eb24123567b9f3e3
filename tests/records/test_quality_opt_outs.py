"""Opt-outs that are empty or old, and other feeds that are, stop a run as the settings say; the check says the same."""

from __future__ import annotations

import pandas as pd
import pytest

import records
from casewell.errors import SourceError
from records.quality.findings import INFORM, LOOK, STOP
from tests.records.checks import AS_OF, changed, checked, found
from tests.records.conftest import number


def with_opt_outs(system, received):
    system["opt_outs"]["received_date"] = received
    return system


@pytest.mark.parametrize(
    ("received", "every", "stale"), [("2022-10-08", 7, False), ("2022-09-12", 7, True), ("2022-09-12", None, False)]
)
def test_stale_opt_outs_stop_run_and_check(system, settled, tmp_path, received, every, stale):
    settings = changed(settled(with_opt_outs(system, received)), "opt_outs", expected_every_days=every)
    assert checked(settings).stops == stale
    if not stale:
        records.build(settings, AS_OF, tmp_path / "out")
        return
    with pytest.raises(SourceError, match="the newest row is 31 days old on 2022-10-13") as caught:
        records.build(settings, AS_OF, tmp_path / "out")
    assert "expected every 7 days" in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_opt_outs_newer_than_the_day_of_the_run_are_fresh(system, settled, tmp_path):
    settings = changed(settled(with_opt_outs(system, "2022-12-01")), "opt_outs", expected_every_days=7)
    records.build(settings, AS_OF, tmp_path / "out")


@pytest.mark.parametrize(("when_stale", "stops"), [("report", False), ("stop", True)])
def test_a_stale_feed_stops_a_run_only_where_the_settings_say_so(system, settled, tmp_path, when_stale, stops):
    settings = changed(settled(system, quality={"when_stale": when_stale}), "gp_events", expected_every_days=30)
    report = checked(settings)
    assert list(found(report, check="freshness")["source"]) == ["gp_events"]
    assert report.stops == stops
    if not stops:
        records.build(settings, AS_OF, tmp_path / "out")
        return
    with pytest.raises(SourceError, match=r"'gp_events'.*the newest row is 222 days old on 2022-10-13"):
        records.build(settings, AS_OF, tmp_path / "out")


def test_an_empty_opt_out_file_stops_the_run(system, settled):
    system["opt_outs"] = system["opt_outs"].head(0)
    report = checked(settled(system))
    assert list(found(report, source="opt_outs", severity=STOP)["check"]) == ["opt-outs"]
    assert (
        found(report, check="opt-outs", severity=INFORM)["sentence"].str.contains("include people who opted out").any()
    )


def test_rows_of_opted_out_people_are_not_counted(system, settled):
    report = checked(settled(system))
    gp = next(profile for profile in report.profiles if profile.name == "gp_events")
    assert gp.rows == 39  # type 1 holds for direct care, the national opt-out does not


@pytest.mark.parametrize("faulty", [1, 2])
def test_faulty_opt_outs_are_judged_as_the_run_judges_them(system, settled, tmp_path, faulty):
    """Thirty choices are upheld; of those that are, as of all others, each is a row that must be right."""
    people = system["demographics"]["nhs_number"].iloc[:30]
    choices = {"opt_out_type": "type_1", "start_date": "2020-01-01", "received_date": "2020-01-02"}
    system["opt_outs"] = pd.DataFrame({"record_id": [f"O{n}" for n in range(30)], "nhs_number": people, **choices})
    system["opt_outs"].loc[: faulty - 1, "start_date"] = "long ago"
    settings = settled(system)
    (told,) = found(checked(settings), source="opt_outs", check="types")["sentence"]
    assert "of 30 rows" in told
    assert checked(settings).stops == (faulty > 1)
    if faulty > 1:
        with pytest.raises(SourceError, match="column start_date is not a date"):
            records.build(settings, AS_OF, tmp_path / "out")
    else:
        records.build(settings, AS_OF, tmp_path / "out")


@pytest.mark.parametrize(("received", "severity"), [("2022-10-01", INFORM), ("2022-09-01", LOOK)])
def test_old_opt_outs_deserve_a_look_where_nobody_said_how_often_they_should_come(system, settled, received, severity):
    report = checked(settled(with_opt_outs(system, received)))
    (told,) = found(report, source="opt_outs", severity=severity)["sentence"]
    assert "do not say how often" in told
    assert ("42 days old on 2022-10-13" in told) == (severity == LOOK)


def test_an_opt_out_source_that_is_switched_off_is_not_one_that_could_not_be_read(system, settled):
    sentences = found(checked(changed(settled(system), "opt_outs", enabled=False)), check="opt-outs")[
        "sentence"
    ].tolist()
    assert sentences == ["No source says who opted out; the run takes it that the sources hold nobody who did."]


def test_one_choice_of_many_that_names_nobody_deserves_a_look(system, settled):
    choices = {"opt_out_type": "type_1", "start_date": "2020-01-01", "received_date": "2022-10-01"}
    numbers = [number(n) for n in range(300, 500)]
    system["opt_outs"] = pd.DataFrame({"record_id": [f"O{n}" for n in range(200)], "nhs_number": numbers, **choices})
    system["opt_outs"].loc[7, "nhs_number"] = "9999999999"
    (told,) = found(checked(settled(system)), source="opt_outs", check="NHS numbers")[["severity", "advice"]].to_numpy()
    assert told[0] == LOOK
    assert "whose choice" in told[1]
