import datetime as dt
import json
import re

import numpy as np
import pandas as pd
import pytest

from casewell.settings import Fairness, Override
from fairness import intervals
from fairness.analyst import write_tables_page
from fairness.charts import CHARTS, chart
from fairness.controlled import controlled_labels, controlled_measures
from fairness.disclosure import control, shown
from fairness.gate import decide
from fairness.page import TABLES_PAGE, write_page
from fairness.record import to_json


def page_of(found, path, settings=None, **changes):
    about = {"title": "Northshire", "as_of": dt.date(2026, 9, 28), "synthetic": True, "evidence_grade": "assumed"}
    verdict = decide(found, settings or Fairness(), as_of=about["as_of"])
    write_page(found, verdict, path, **(about | changes))
    return path.read_text(encoding="utf-8")


def tables_of(found, path, settings=None, **changes):
    about = {"title": "Northshire", "as_of": dt.date(2026, 9, 28), "synthetic": True}
    write_tables_page(found, decide(found, settings or Fairness()), path, **(about | changes))
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def unfair_page(unfair, tmp_path_factory):
    return page_of(unfair, tmp_path_factory.mktemp("page") / "fairness.html")


def test_counts_from_1_to_7_are_hidden_and_others_rounded_to_5():
    assert [shown(n) for n in (0, 1, 7, 8, 12, 13, 1_234)] == ["0", "*", "*", "10", "10", "15", "1,235"]
    assert control(pd.Series([0, 3, 8, 22])).fillna(-1).tolist() == [0, -1, 10, 20]


def test_a_figure_that_rests_on_a_hidden_count_is_hidden(small):
    table = controlled_measures(small)
    resting = small.measures[["people", "count", "base"]].isin(range(1, 8)).any(axis=1)
    assert resting.any()
    assert table.loc[resting, "hidden"].all()
    assert table.loc[table["hidden"], ["value", "low", "high", "wide_low", "wide_high"]].isna().all().all()


def test_intervals_of_proportions_tell_no_more_than_the_counts_beside_them(small):
    table = controlled_measures(small).query("measure in ['selection_rate', 'false_negative_rate'] and not hidden")
    part = table["count"].clip(upper=table["base"])
    low, high = intervals.proportion(part.to_numpy(), table["base"].to_numpy(), small.levels.plain)
    assert len(table)
    np.testing.assert_allclose(table[["low", "high"]], np.column_stack([low, high]), atol=0.0005)
    exact = small.measures.loc[table.index, ["low", "high"]]
    assert ((exact - table[["low", "high"]]).abs() > 0.001).any().all()


def test_no_hidden_count_can_be_reckoned_from_the_whole_and_the_other_groups(tools):
    world = tools["make_world"](3_000, places=0.02)
    groups = world.groups.assign(ethnic_group=["Asian"] * 5 + ["Black"] * 600 + ["White"] * 2_395)
    table = controlled_measures(tools["run"](world._replace(groups=groups)))
    people = table[(table["grouping"] == "ethnic_group") & (table["measure"] == "share_of_people")]
    assert people.set_index("group")["count"].isna().to_dict() == {"Asian": True, "Black": True, "White": False}
    singles = table[table["grouping"] != "core20"].query("not grouping.str.startswith('imd_by')")
    for _, rows in singles.groupby(["grouping", "measure"]):
        shown_beside = rows["count"].fillna(-1)
        assert (shown_beside == -1).sum() != 1 or (shown_beside[shown_beside >= 0] == 0).all()


def test_a_hidden_fifth_is_not_shown_again_as_core20(tools):
    world = tools["make_world"](6_000)
    fifth = np.array(["3"] * 5_000 + ["1 most deprived"] * 400 + ["5 least deprived"] * 600)
    listed = np.r_[
        world.groups["person_id"][:50], world.groups["person_id"][5_000:5_010], world.groups["person_id"][5_400:5_403]
    ]
    core20 = np.where(fifth == "1 most deprived", "Core20", "others")
    world = world._replace(groups=world.groups.assign(imd_quintile=fifth, core20=core20), selected=listed)
    found = tools["run"](world)
    places = controlled_measures(found).query("measure == 'share_of_places'").set_index("group")["count"]
    assert np.isnan(places["1 most deprived"])
    assert np.isnan(places["Core20"])
    assert np.isnan(places["others"])
    assert controlled_labels(found).set_index("label")["core20"].isna()["list"]


def test_shares_are_worked_out_from_rounded_counts(small):
    table = controlled_measures(small)
    shares = table[(table["measure"] == "share_of_places") & ~table["hidden"]]
    assert np.allclose(shares["value"], shares["count"] / shares["base"], atol=5e-4)
    assert (shares["count"] % 5 == 0).all()


def test_the_record_is_plain_json_in_a_fixed_order_without_small_counts(small):
    record = to_json(small, decide(small, Fairness()))
    assert json.dumps(record, allow_nan=False) == json.dumps(to_json(small, decide(small, Fairness())))
    counts = {row[name] for row in record["measures"] for name in ("people", "count", "base")}
    assert not counts & set(range(1, 8))


def test_no_reason_tells_a_small_count(tools):
    world = tools["make_world"](20_000)
    unknown = world.groups.set_index("person_id")["ethnic_group"] == "Black"
    kept = np.array([person for person in world.selected if not unknown[person]])
    four = unknown.index[unknown][:4].to_numpy()
    verdict = decide(tools["run"](world._replace(selected=np.append(kept, four))), Fairness())
    assert verdict.verdict == "fail"
    assert (
        "Ethnic group, Black: share of places over share of need rests on a count that is kept back"
        in verdict.reasons[0]
    )


def test_the_page_runs_nothing_and_asks_for_nothing(fair, tmp_path):
    page = page_of(fair, tmp_path / "fairness.html")
    assert not re.search(r"<script|https?:|//|<link|<img|@import|<iframe| on\w+=", page)


def test_the_same_audit_gives_the_same_bytes(unfair, unfair_page, tmp_path):
    assert page_of(unfair, tmp_path / "again.html") == unfair_page


def test_every_picture_has_a_title_a_sentence_and_a_table_and_ids_are_unique(unfair_page):
    ids = re.findall(r'\bid="([^"]+)"', unfair_page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:url\(#|href="#)([^)"]+)', unfair_page)) <= set(ids)
    for name in CHARTS:
        assert f'aria-labelledby="{name}-title {name}-description"' in unfair_page
    assert unfair_page.count("<svg") == unfair_page.count('class="says"') == len(CHARTS)
    assert '<html lang="en-GB">' in unfair_page
    assert not re.search(r"<th(?![^>]*scope)[ >]", unfair_page)


def test_the_board_has_pictures_and_the_analyst_the_tables_behind_them(unfair, unfair_page, tmp_path):
    tables = tables_of(unfair, tmp_path / TABLES_PAGE)
    assert "<table" not in unfair_page
    assert "<svg" not in tables
    for name in re.findall(rf'href="{TABLES_PAGE}#([a-z]+)"', unfair_page):
        assert f'<section id="{name}">' in tables
    assert unfair_page.count(f'href="{TABLES_PAGE}#') == len(CHARTS)
    assert tables == tables_of(unfair, tmp_path / "again.html")
    assert not re.search(r"<script|https?:|//|<link|<img|@import|<iframe| on\w+=", tables)
    assert not re.search(r"<th(?![^>]*scope)[ >]", tables)
    assert "SYNTHETIC" in tables
    assert "Fail:" in tables


def test_no_table_of_the_analyst_shows_a_small_count(small, tmp_path):
    tables = tables_of(small, tmp_path / TABLES_PAGE)
    # A fifth of deprivation is called 3, and those tables say only names and shares.
    counted = re.sub(r"<caption>[^<]*how far apart.*?</table>", "", tables, flags=re.S)
    whole = re.findall(r"<td>(\d[\d,]*)</td>", counted)
    assert "<td>*</td>" in tables
    assert len(whole) > 100
    assert {int(count.replace(",", "")) % 5 for count in whole} == {0}


def test_the_board_is_told_the_price_of_the_policy_where_there_is_one(unfair, unfair_page, tmp_path):
    priced = page_of(unfair, tmp_path / "priced.html", price=["This policy costs <3> & moves 40 places."])
    assert "This policy costs &lt;3&gt; &amp; moves 40 places." in priced
    assert "price of the policy" not in unfair_page


def test_the_page_opens_with_the_verdict_and_names_the_group(unfair_page):
    assert unfair_page.index("Fail:") < unfair_page.index("Ethnic group, Asian") < unfair_page.index("<svg")
    assert "The lists are withheld." in unfair_page


def test_the_banner_says_synthetic_only_where_it_is(unfair, unfair_page, tmp_path):
    assert "SYNTHETIC" in unfair_page
    assert "SYNTHETIC" not in page_of(unfair, tmp_path / "b.html", synthetic=False)


HOSTILE = {"owner": "<b>Dr & Co</b>", "reason": "<script>alert(1)</script> pilot"}


def test_an_override_that_was_not_reviewed_is_told_on_the_page_and_escaped(small, tmp_path):
    page = page_of(small, tmp_path / "a.html", Fairness(override=Override(**HOSTILE, review_date="2020-01-01")))
    assert "The lists are withheld. The override of &lt;b&gt;Dr &amp; Co&lt;/b&gt; stood until 2020-01-01" in page
    assert "<script" not in page


def test_names_are_escaped_and_the_override_is_printed(small, tmp_path):
    settings = Fairness(override=Override(**HOSTILE, review_date="2999-01-01"))
    page = page_of(small, tmp_path / "fairness.html", settings, title="<i>North</i>")
    assert "until 2999-01-01, by decision of &lt;b&gt;Dr &amp; Co&lt;/b&gt;: &lt;script&gt;" in page
    assert "<script" not in page
    assert "<i>" not in page


def test_a_hostile_group_name_cannot_break_the_page(tools, tmp_path):
    world = tools["make_world"](2_000)
    sex = world.groups["sex"].replace("male", '"><script>$x^2$')
    found = tools["run"](world._replace(groups=world.groups.assign(sex=sex)))
    assert "<script" not in page_of(found, tmp_path / "fairness.html")
    assert "<script" not in tables_of(found, tmp_path / TABLES_PAGE)


@pytest.mark.parametrize("change", ["nobody selected", "no test window", "no eligible people"])
def test_the_page_is_written_whatever_is_missing(tools, tmp_path, change):
    world = tools["make_world"](500)
    changed = {
        "nobody selected": world._replace(selected=[]),
        "no test window": world._replace(test=world.test.iloc[:0]),
        "no eligible people": world._replace(scores=world.scores.iloc[:0], selected=[]),
    }[change]
    assert "Cannot tell" in page_of(tools["run"](changed), tmp_path / "fairness.html")


@pytest.mark.parametrize("name", sorted(CHARTS))
def test_a_chart_can_be_written_as_a_picture_and_repeats_exactly(unfair, tmp_path, name):
    for suffix in (".png", ".svg"):
        first = chart(unfair, name, tmp_path / f"a{suffix}", "SYNTHETIC $5^").read_bytes()
        assert first == chart(unfair, name, tmp_path / f"b{suffix}", "SYNTHETIC $5^").read_bytes()


def test_the_page_names_the_grade_of_every_programme(unfair, tmp_path):
    beside = {"walks": {"grade": "compared", "sentence": "Benefit of <walks> was learned."}}
    page = page_of(unfair, tmp_path / "several.html", beside=beside)
    assert "benefit of case management by which people are ranked is <strong>assumed" in page
    assert "<p>Benefit of &lt;walks&gt; was learned. (grade: compared)</p>" in page
