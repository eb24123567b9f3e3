"""What the command line refuses before it starts anything: the message, the exit code, and nothing written."""

import datetime as dt
import subprocess
import sys

import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from casewell import __main__ as front_door
from casewell.errors import AsOfError, CasewellError, LawfulBasisError, SettingsError, SourceError, StorageError
from tests.support import REPOSITORY, demonstration_settings

DAY = dt.date(2024, 3, 1)


@pytest.fixture
def settings(tmp_path):
    """Settings over a source of two people and two events, enough to be asked about its dates."""
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "community.csv").write_text(
        "record_id,nhs_number,contact_date,team_type,received_date\n"
        "C1,9990000018,2023-01-05,therapy,2023-01-06\n"
        f"C2,9990000026,{DAY},therapy,{DAY}\n"
    )
    (sources / "demographics.csv").write_text(
        "record_id,nhs_number,given_name,family_name,date_of_birth,sex,ethnic_category,address_line,postcode,lsoa,"
        "practice_code,registration_start_date,registration_end_date,registration_end_received_date,date_of_death,"
        "death_received_date\n"
        "D1,9990000018,Ada,Ashdown,1950-01-01,2,A,1 High Street,ZZ1 1AA,E01000001,P1,2010-01-01,,,,\n"
        "D2,9990000026,Bola,Bello,1940-01-01,1,N,2 High Street,ZZ1 1AB,E01000001,P1,2010-01-01,,,,\n"
    )
    path = demonstration_settings(tmp_path, sources)
    return Bendable(path)


class Bendable:
    """A settings file that a test bends in one place."""

    def __init__(self, path):
        self.path = path
        told = self.told
        kept = {name: told["sources"][name] for name in ("community", "demographics")}
        for source in kept.values():
            source["path"] = source["path"].replace(".parquet", ".csv")
        self.write(told | {"sources": kept})

    @property
    def told(self):
        return yaml.safe_load(self.path.read_text())

    def write(self, told):
        self.path.write_text(yaml.safe_dump(told))

    def change_source(self, **changes):
        told = self.told
        told["sources"]["community"] |= changes
        self.write(told)


@pytest.fixture
def refused(settings):
    """Run a command in this process and return its refusal, which must leave nothing behind."""

    def refused(*arguments: str, command: str = "run") -> CasewellError:
        before = sorted(settings.path.parent.rglob("*"))
        outcome = CliRunner().invoke(front_door.app, [command, "--settings", str(settings.path), *arguments])
        assert isinstance(outcome.exception, CasewellError), outcome.exception
        assert sorted(settings.path.parent.rglob("*")) == before
        return outcome.exception

    return refused


@pytest.mark.parametrize("command", ["run", "train", "evaluate"])
@pytest.mark.parametrize(
    ("as_of", "said"),
    [
        ("2001-01-01", "begin on 2023-01-06 and are complete up to 2024-03-02"),
        ("2023-01-06", "begin on 2023-01-06"),
        ("2024-03-03", "complete up to 2024-03-02"),
        ("next week", "not a date"),
        ("2023-02-30", "not a date"),
        ("", "not a date"),
    ],
)
def test_a_date_outside_the_data_is_refused_with_their_span(refused, command, as_of, said):
    refusal = refused("--as-of", as_of, command=command)
    assert isinstance(refusal, AsOfError)
    assert said in refusal.problems[0]


def test_a_source_that_is_not_there_is_refused(settings, refused):
    settings.change_source(path="nothing.parquet")
    refusal = refused()
    assert isinstance(refusal, SourceError)
    assert "'community' (nothing.parquet): the file does not exist" in refusal.problems[0]


@pytest.mark.parametrize(
    "basis",
    [
        None,
        {"reference": "agreement", "purposes": ["planning"], "review_date": "2999-01-01"},
        {"reference": "agreement", "purposes": ["direct_care"], "review_date": "2020-01-01"},
    ],
)
def test_a_source_that_may_not_be_read_is_refused_even_when_its_file_is_not_there(settings, refused, basis):
    settings.change_source(path="nothing.parquet", lawful_basis=basis)
    refusal = refused()
    assert isinstance(refusal, LawfulBasisError)
    assert "'community'" in refusal.problems[0]


@pytest.mark.parametrize("command", ["run", "train", "evaluate", "schedule"])
def test_wrong_settings_are_refused_by_every_command(settings, refused, command):
    settings.write(settings.told | {"fairnes": {}})
    assert isinstance(refused(command=command), SettingsError)


def test_a_folder_that_cannot_be_made_is_a_matter_of_the_disk(tmp_path):
    (tmp_path / "file").write_text("in the way")
    outcome = CliRunner().invoke(
        front_door.app, ["simulate", "--people", "100", "--out", str(tmp_path / "file" / "sources")]
    )
    assert isinstance(outcome.exception, StorageError)


def test_files_that_no_simulation_made_are_not_overwritten(tmp_path):
    (tmp_path / "gp_events.parquet").write_text("somebody's work")
    outcome = CliRunner().invoke(front_door.app, ["simulate", "--people", "100", "--out", str(tmp_path)])
    assert isinstance(outcome.exception, SettingsError)
    assert (tmp_path / "gp_events.parquet").read_text() == "somebody's work"


@pytest.mark.parametrize(
    "arguments", [["run", "--bogus"], ["simulate", "--people", "3"], ["simulate", "--people", "many"], ["nonsense"]]
)
def test_a_mistyped_command_exits_with_2(arguments):
    assert CliRunner().invoke(front_door.app, arguments).exit_code == 2


def test_the_user_sees_every_problem_in_full_and_no_traceback(settings):
    settings.write(settings.told | {"name": "Bad Name", "seed": -1})
    ended = subprocess.run(
        [sys.executable, "-m", "casewell", "run", "--settings", str(settings.path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 3
    assert "The settings need mending" in ended.stderr
    # Square brackets are mark-up to the library that colours the text.
    assert "name: String should match pattern '^[a-z0-9][a-z0-9_-]*$'" in ended.stderr
    assert "seed: " in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_scenarios_are_listed_each_with_what_it_plants():
    import simulator

    outcome = CliRunner().invoke(front_door.app, ["simulate", "--list-scenarios"])
    assert outcome.exit_code == 0
    for name in simulator.SCENARIOS:
        assert name in outcome.output


def test_a_scenario_that_does_not_exist_is_refused_and_nothing_is_written(tmp_path):
    arguments = ["simulate", "--people", "100", "--out", str(tmp_path / "sources"), "--scenario", "leek"]
    outcome = CliRunner().invoke(front_door.app, arguments)
    assert isinstance(outcome.exception, SettingsError)
    assert "no scenario 'leek'; there are null_effect" in str(outcome.exception)
    assert not list(tmp_path.iterdir())


def test_the_truth_is_told_of_any_day_of_the_history_and_of_no_other(tmp_path):
    folder = tmp_path / "truth"
    made = [
        "simulate",
        "--people",
        "150",
        "--out",
        str(tmp_path / "sources"),
        "--scenario",
        "harm",
        "--scenario",
        "leak",
    ]
    assert CliRunner().invoke(front_door.app, made).exit_code == 0
    for name in ("answer.csv", "answer.parquet"):
        arguments = ["truth", "--as-of", "2025-03-17", "--truth", str(folder), "--out", str(tmp_path / name)]
        assert CliRunner().invoke(front_door.app, arguments).exit_code == 0
    table = pd.read_csv(tmp_path / "answer.csv")
    assert len(table) == len(pd.read_parquet(tmp_path / "answer.parquet")) > 80
    # The same for whoever started this very month.
    assert (table["admission_risk_with"] > table["admission_risk_without"]).mean() > 0.95
    for day, words in (("2027-01-01", "outside the simulated history"), ("soon", "is not a date")):
        outcome = CliRunner().invoke(front_door.app, ["truth", "--as-of", day, "--truth", str(folder)])
        assert isinstance(outcome.exception, AsOfError)
        assert words in str(outcome.exception)
