"""Several programmes in one source, and none of them taken for another."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pandas as pd
import pytest

import records
from casewell.errors import SourceError
from casewell.settings import CASE_MANAGEMENT
from records.programmes import draws_of, enrolments_of, offers_of
from records.quality.check import check_sources

AS_OF = dt.date(2022, 10, 13)
HOUSE = Path(__file__).parents[2]
PRESCRIBING = {
    "title": "Social prescribing",
    "owner": "A. Director",
    "review_date": "2999-01-01",
    "benefit": {"share": 0.1, "source": "A board's paper"},
}


def with_codes(system, *codes):
    """One start a code, each of another person as far as there are enough."""
    numbers = system["demographics"]["nhs_number"].iloc[[10 + n % 30 for n in range(len(codes))]].tolist()
    started = system["programme"].iloc[[0] * len(codes)]
    return system | {
        "programme": started.assign(
            record_id=[f"C{n}" for n in range(len(codes))], nhs_number=numbers, programme=list(codes)
        )
    }


def test_an_empty_code_is_case_management_and_every_other_programme_is_kept_apart(system, settled, tmp_path):
    system = with_codes(system, "social_prescribing", None, CASE_MANAGEMENT, "")
    asked = {"referral_route": "randomised_margin", "randomised_probability": [0.5, None, None, None]}
    system["programme"] = system["programme"].assign(**asked)
    settings = settled(system, programmes={"social_prescribing": PRESCRIBING})
    records.build(settings, AS_OF, tmp_path / "out")
    for of in (enrolments_of, offers_of):
        found = {code: of(tmp_path / "out", code) for code in (CASE_MANAGEMENT, "social_prescribing")}
        assert {code: len(table) for code, table in found.items()} == {CASE_MANAGEMENT: 3, "social_prescribing": 1}
        assert not set(found[CASE_MANAGEMENT]["person_id"]) & set(found["social_prescribing"]["person_id"])
    assert len(draws_of(tmp_path / "out", "social_prescribing")) == 1
    assert draws_of(tmp_path / "out", CASE_MANAGEMENT).empty


def test_the_same_records_give_the_same_spells_whether_case_management_is_named_or_not(system, settled, tmp_path):
    records.build(settled(system), AS_OF, tmp_path / "plain")
    named = system | {"programme": system["programme"].assign(programme=CASE_MANAGEMENT)}
    records.build(settled(named), AS_OF, tmp_path / "named")
    for name in ("enrolments", "offers", "draws"):
        plain, other = (pd.read_parquet(tmp_path / folder / f"{name}.parquet") for folder in ("plain", "named"))
        pd.testing.assert_frame_equal(plain, other)


def test_a_programme_that_the_settings_do_not_name_is_set_aside_and_not_taken_for_case_management(
    system, settled, tmp_path
):
    system = with_codes(system, *[None] * 20, "reablement")
    records.build(settled(system, quality={"max_bad_share": 0.05}), AS_OF, tmp_path / "out")
    assert len(enrolments_of(tmp_path / "out", CASE_MANAGEMENT)) == 20
    counts = pd.read_parquet(tmp_path / "out" / "source_counts.parquet")
    told = counts[(counts["source"] == "programme") & (counts["fate"] == "quarantined")]
    assert told[["why", "rows"]].to_numpy().tolist() == [
        ["column programme names a programme that the settings do not", 1]
    ]


def test_too_many_of_them_stop_the_run_with_what_to_do_and_the_check_of_sources_says_so(system, settled, tmp_path):
    settings = settled(with_codes(system, None, "reablement"))
    with pytest.raises(SourceError) as stopped:
        records.build(settings, AS_OF, tmp_path / "out")
    (problem,) = stopped.value.problems
    assert "names a programme that the settings do not in 1 of 2 row(s)" in problem
    assert "declare them under `programmes`" in problem
    found = check_sources(settings, AS_OF).findings
    found = found[found["column"] == "programme"]
    assert found["severity"].tolist() == ["stops the run"]


def test_only_case_management_counts_as_its_history(system, settled, tmp_path):
    settings = settled(
        with_codes(system, "social_prescribing", "social_prescribing"), programmes={"social_prescribing": PRESCRIBING}
    )
    linked = records.build(settings, AS_OF, tmp_path / "out")
    assert "case-management history" in linked.summary.read_text()


def test_whoever_reads_spells_offers_or_lots_says_of_which_programme():
    rooms = ("features", "models", "fairness", "cohorts", "monitoring", "worklist", "flows")
    files = [path for room in rooms for path in (HOUSE / room).rglob("*.py")]
    assert len(files) > 100
    readers = 0
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\b(ENROLMENTS|OFFERS|DRAWS)\b(?!_)", "\n".join(_imported(text))), (
            f"{path}: read them by `records.programmes`"
        )
        joined = text.count("AS enrolments")
        readers += joined
        assert joined == text.count("enrolments.programme ="), f"{path}: a query counts every programme's spells"
    assert readers >= 3


def _imported(text: str) -> list[str]:
    return re.findall(r"from records\.tables import (\([^)]*\)|[^\n]*)", text)


def test_codes_that_nobody_declared_are_named_with_the_nearest_but_none_that_few_rows_hold(system, settled, tmp_path):
    codes = ["case_managment"] * 9 + ["Jones, Mary"] * 9 + ["walks"] * 8 + ["rare"] * 7
    with pytest.raises(SourceError) as stopped:
        records.build(settled(with_codes(system, *codes)), AS_OF, tmp_path / "out")
    (problem,) = stopped.value.problems
    assert problem.endswith("most often 'case_managment' (did you mean 'case_management'?), 'walks'")
