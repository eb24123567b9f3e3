"""What `evaluation.html` says of other programmes."""

from __future__ import annotations

from casewell.settings import Settings
from flows.other_programmes import evidence_of
from models.benefit.evidence import Evidence
from models.evaluation.page_programmes import programmes_section
from models.other_programmes.learn import LearnedProgramme
from models.train import Models

BENEFIT = {"share": 0.1, "source": "A board's paper"}
TOLD = {"owner": "A. Director", "review_date": "2999-01-01", "benefit": BENEFIT}


def test_each_programme_has_its_grade_and_its_sentence_and_no_count_of_a_few():
    settings = Settings.model_validate(
        {
            "name": "test",
            "sources": {"demographics": {"path": "x"}},
            "programmes": {
                "one": TOLD | {"title": "Falls <clinic>"},
                "two": TOLD | {"title": "Reablement"},
                "new": TOLD | {"title": "Befriending"},
            },
        }
    )
    few, many = Evidence("assumed", (), 3, None, None), Evidence("compared", (), 1_234, None, None)
    learned = {"one": LearnedProgramme(few), "two": LearnedProgramme(many)}
    told = evidence_of(settings, Models(None, None, None, None, many, settings.benefit, programmes=learned))
    assert {code: one["treated"] for code, one in told.items()} == {"new": 0, "one": None, "two": 1_234}
    page = programmes_section(told)
    assert "Of 3 programme(s) beside case management the benefit of 1 is learned" in page
    assert "Falls &lt;clinic&gt;" in page
    assert "<clinic>" not in page
    assert "fewer than 8" in page
    assert "1,234" in page
    assert "trained before the programme was declared" in page
