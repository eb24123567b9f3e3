"""A settings file that is wrong is refused with every mistake named, and what was probably meant."""

import pytest
import yaml

from casewell.errors import SettingsError
from casewell.settings import load
from tests.support import REPOSITORY

BASIS = {"reference": "test agreement", "purposes": ["direct_care"], "review_date": "2999-01-01"}
SOURCE = {"path": "people.csv", "lawful_basis": BASIS}


@pytest.fixture
def refused(tmp_path):
    """Write a settings file, load it, and return the refusal."""

    def refused(content: bytes | dict) -> SettingsError:
        path = tmp_path / "settings.yaml"
        path.write_bytes(content if isinstance(content, bytes) else yaml.safe_dump(content).encode())
        with pytest.raises(SettingsError) as refusal:
            load(path)
        assert refusal.value.exit_code == 3
        return refusal.value

    return refused


def told(**changes):
    return {"name": "test", "sources": {"demographics": SOURCE}} | changes


@pytest.mark.parametrize("name", ["demo.yaml", "omop.yaml", "programmes.yaml"])
def test_the_settings_that_come_with_casewell_are_sound(name):
    assert load(REPOSITORY / "config" / name).sources


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "must hold keys and values"),
        (b"- a\n- b\n", "must hold keys and values"),
        (b"a: [1, 2\nb: }", "is not YAML (line 2"),
        (b"\x00\x01\x02", "is not YAML"),
        (bytes(range(256)), "is not UTF-8 text"),
        (b"!!python/object/apply:os.getcwd []", "is not YAML (line 1"),
    ],
)
def test_a_file_of_another_kind_is_refused(refused, content, said):
    assert said in refused(content).problems[0]


def test_a_file_that_is_not_there_or_is_a_folder_is_named(tmp_path):
    for path, said in [(tmp_path / "nothing.yaml", "does not exist"), (tmp_path, "directory")]:
        with pytest.raises(SettingsError, match=said) as refusal:
            load(path)
        assert str(path) in refusal.value.problems[0]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"fairnes": {}}, "unknown key 'fairnes'; did you mean 'fairness'?"),
        ({"training": {"tree": 3}}, "unknown key 'training.tree'; did you mean 'trees'?"),
        (
            {"sources": {"housing": {**SOURCE, "pth": "x"}}},
            "unknown key 'sources.housing.pth'; did you mean 'path'?",
        ),
        (
            {"sources": {"housing": {"path": "x", "lawful_basis": {**BASIS, "reviewed": 1}}}},
            "unknown key 'sources.housing.lawful_basis.reviewed'; did you mean 'review_date'?",
        ),
        ({"schedule": {"time_zone": "Europe/Londn"}}, "unknown time zone; did you mean 'Europe/London'?"),
    ],
)
def test_a_misspelt_key_comes_with_the_nearest_known_one(refused, changes, problem):
    assert any(problem in line for line in refused(told(**changes)).problems)


def test_all_mistakes_come_at_once(refused):
    wrong = told(
        name="Bad Name",
        purpose="research",
        seed=-1,
        teams={"by": "ward", "default_capacity": -2, "capacity": {"U1": -1}},
        linkage=None,
    )
    keys = {line.split(":")[0] for line in refused(wrong).problems}
    assert keys == {"name", "purpose", "seed", "teams.by", "teams.default_capacity", "teams.capacity", "linkage"}


def test_a_key_given_twice_is_refused_with_its_lines(refused):
    content = yaml.safe_dump(told()).encode() + b"teams: {default_capacity: 5}\nteams: {by: all}\n"
    line = content.count(b"\n")
    assert refused(content).problems == [f"key 'teams' is given twice, in lines {line - 1} and {line}"]


def test_a_basis_may_be_shared_by_reference_and_changed_for_one_source(tmp_path):
    path = tmp_path / "settings.yaml"
    path.write_text(
        "name: test\n"
        "sources:\n"
        "  housing:\n"
        "    path: a.csv\n"
        "    lawful_basis: &basis {reference: test agreement, purposes: [planning], review_date: 2999-01-01}\n"
        "  community: {path: b.csv, lawful_basis: {<<: *basis, reference: another agreement}}\n"
    )
    assert load(path).sources["community"].lawful_basis.reference == "another agreement"


def test_a_model_can_only_be_trained_without_a_source_that_there_is(refused):
    wrong = told(monitoring={"fall_back_without": ["demographic"]})
    assert "did you mean 'demographics'?" in refused(wrong).problems[0]


def test_names_of_sources_that_no_folder_or_figure_can_bear_are_refused_together(refused):
    wrong = told(sources={"a//b": SOURCE, "..": SOURCE, "gp events": SOURCE, "gp_Events-2": SOURCE})
    (problem,) = refused(wrong).problems
    assert "letters, digits, _ and - only; not so: '..', 'a//b', 'gp events'" in problem
    assert "gp_Events-2" not in problem


PROGRAMME = {
    "title": "Social prescribing",
    "owner": "A. Director",
    "review_date": "2999-01-01",
    "benefit": {"share": 0.1, "source": "A board's paper"},
}


def test_programmes_are_read_with_their_places_of_each_team(tmp_path):
    path = tmp_path / "settings.yaml"
    places = {"default_places": 2, "places": {"N1": 5}}
    path.write_text(yaml.safe_dump(told(programmes={"social_prescribing": PROGRAMME | places})))
    programme = load(path).programmes["social_prescribing"]
    assert [programme.places_of(team) for team in ("N1", "N2")] == [5, 2]


@pytest.mark.parametrize(
    ("programmes", "said"),
    [
        ({"Social": PROGRAMME}, "not so: 'Social'"),
        ({"case_management": PROGRAMME}, "there already"),
        ({"one": PROGRAMME, "two": PROGRAMME | {"title": "social Prescribing"}}, "more than one is"),
        ({"one": PROGRAMME, "two": PROGRAMME | {"title": "Social  prescribing "}}, "more than one is"),
        ({"one": PROGRAMME | {"title": "case management"}}, "more than one is"),
        ({"one": PROGRAMME | {"title": "case_management"}}, "another programme's code: 'case_management'"),
        ({"falls": PROGRAMME, "one": PROGRAMME | {"title": "falls"}}, "another programme's code: 'falls'"),
        ({"one": {name: value for name, value in PROGRAMME.items() if name != "owner"}}, "programmes.one.owner"),
        ({"one": PROGRAMME | {"benefit": {"share": 0.1}}}, "programmes.one.benefit.source"),
        ({"one": PROGRAMME | {"benefit": {"share": 1.1, "source": "A board's paper"}}}, "less than or equal to 1"),
        ({"one": PROGRAMME | {"eligible": [{"feature": "age"}]}}, "needs `minimum`, `maximum` or both"),
        ({"one": PROGRAMME | {"eligible": [{"feature": "age", "minimum": 2, "maximum": 1}]}}, "nobody could meet it"),
        ({"one": PROGRAMME | {"cots": 1}}, "did you mean 'cost'"),
    ],
)
def test_a_programme_that_is_not_answered_for_or_means_nothing_is_refused(refused, programmes, said):
    assert said in " ".join(refused(told(programmes=programmes)).problems)


def test_a_team_that_draws_lots_can_have_no_other_programme(refused, tmp_path):
    margin = {
        "share": 0.2,
        "owner": "A. Director",
        "approval": "REC 26/1",
        "approved_on": "2026-01-01",
        "ends_on": "2999-01-01",
    }
    teams = {"margins": {"U1": margin}}
    said = " ".join(refused(told(teams=teams, programmes={"falls": PROGRAMME | {"default_places": 2}})).problems)
    assert "teams.margins names 'U1', which has places of falls besides" in said
    elsewhere = told(teams=teams, programmes={"falls": PROGRAMME | {"places": {"U2": 3}}})
    (tmp_path / "settings.yaml").write_text(yaml.safe_dump(elsewhere))
    assert load(tmp_path / "settings.yaml").programmes["falls"].places_of("U1") == 0


def test_a_budget_without_any_cost_limits_nothing_and_is_refused(refused, tmp_path):
    teams = {"budgets": {"U1": 5000}}
    for programmes in ({}, {"falls": PROGRAMME}):
        (problem,) = refused(told(teams=teams, programmes=programmes)).problems
        assert problem.startswith("teams.budgets limits nothing"), "no key is named before what concerns several"
    place = {"amount": 900, "year": "2026", "source": "Finance, May 2026"}
    for costed in ({"programmes": {"falls": PROGRAMME | {"cost": 250}}}, {"programme": {"costs": {"place": place}}}):
        (tmp_path / "settings.yaml").write_text(yaml.safe_dump(told(teams=teams, **costed)))
        assert load(tmp_path / "settings.yaml").teams.budgets == {"U1": 5000}
