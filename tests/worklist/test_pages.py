"""What coordinators see."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from .conftest import AS_OF, HOSTILE
from .test_giving_back import offered

LIST = f"/{AS_OF}/lists/N1/"


def text_of(response):
    return response.content.decode("utf-8")


def test_the_first_page_shows_the_teams_of_the_newest_week(client, publish):
    publish(as_of=dt.date(2022, 9, 1))
    publish()
    page = text_of(client.get("/"))
    assert "N1" in page
    assert "N2" in page, "a team with nobody on its list is missing"
    assert "0 of 3" in page
    assert "13 October 2022" in page
    assert "2022-09-01" not in page


def test_without_a_published_week_the_first_page_says_so(client):
    response = client.get("/")
    assert response.status_code == 200
    assert "No lists are published yet" in text_of(response)


@pytest.mark.parametrize("address", ["/", LIST, f"{LIST}1/", "/nowhere", f"{LIST}99/"])
def test_every_page_says_what_the_week_is_worth(client, publish, address):
    publish(synthetic=True)
    page = text_of(client.get(address))
    assert "SYNTHETIC: these people do not exist" in page
    assert "CANNOT TELL" in page
    assert "Dr Owner, until 31 March 2027" in page
    assert "A reason in a sentence" in page
    assert "Benefit is ASSUMED" in page
    assert "Not in the data: ethnicity" in page
    assert f"/{AS_OF}/fairness/" in page


def test_every_page_names_the_source_that_the_scores_do_without(client, publish):
    publish(without=("emergency",))
    assert "emergency: its feed has failed" in text_of(client.get(f"{LIST}1/"))
    publish()
    assert "its feed has failed" not in text_of(client.get(LIST))


def test_a_list_of_real_people_that_passed_carries_no_stamp_and_no_override(client, publish):
    publish(verdict="pass")
    page = text_of(client.get("/"))
    assert "SYNTHETIC" not in page
    assert "Released by" not in page


def test_a_list_shows_who_why_and_how_sure(client, publish):
    publish()
    page = text_of(client.get(LIST))
    for shown in ("Family2, Ada", "999 000 0002", "4 Mar 1950", "The Practice", "Reason 1 of 2", "highest tenth"):
        assert shown in page
    for shown in ("more than 1 in 2", "Unsure", "listed"):
        assert shown in page


def test_a_list_has_fifty_people_a_page(client, publish):
    publish(60)
    first, second = text_of(client.get(LIST)), text_of(client.get(f"{LIST}?page=2"))
    assert first.count('<tr id="rank-') == 50
    assert second.count('<tr id="rank-') == 10
    assert "Page 2 of 2" in second
    assert "reserve" in second


def test_a_team_with_nobody_has_a_page_that_says_so(client, publish):
    publish()
    assert "Nobody is listed for this team this week" in text_of(client.get(f"/{AS_OF}/lists/N2/"))


def test_a_hostile_name_stays_text_on_every_page(client, publish):
    publish([{"family_name": HOSTILE, "practice_name": HOSTILE}])
    for address in ("/", LIST, f"{LIST}1/"):
        page = text_of(client.get(address))
        assert "<script" not in page
        assert "&lt;script&gt;" in page


def test_a_name_shows_without_the_apostrophe_that_spreadsheets_need(client, publish):
    publish([{"family_name": "-Smith"}, {"family_name": "'Brien"}])
    page = text_of(client.get(LIST))
    assert ">-Smith, Ada<" in page
    assert ">&#x27;Brien, Ada<" in page


def test_what_is_not_recorded_says_so(client, publish):
    publish([{"nhs_number": "", "date_of_birth": None}])
    for address in (LIST, f"{LIST}1/"):
        page = text_of(client.get(address))
        assert "NHS number not recorded" in page
        assert "record D1" in page, "without a number, the source's own identifier finds the person"
        assert "born not recorded" in page


def test_a_list_changed_after_it_was_published_is_not_shown(client, publish):
    folder = publish()
    path = folder / "lists" / "N1.csv"
    path.write_bytes(path.read_bytes().replace(b"Family1", b"Somebody"))
    response = client.get(LIST)
    assert response.status_code == 409
    assert "Somebody" not in text_of(response)


@pytest.mark.parametrize("stem", ["N3", "..", "N1.csv", "%2e%2e%2fmanifest"])
def test_only_a_team_of_the_week_has_a_list(client, publish, stem):
    publish()
    assert client.get(f"/{AS_OF}/lists/{stem}/").status_code == 404


def test_the_audit_is_served_as_published_and_may_run_nothing(client, publish):
    publish()
    response = client.get(f"/{AS_OF}/fairness/")
    assert "The audit" in text_of(response)
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert "script-src" not in response["Content-Security-Policy"]


def test_the_tables_stand_where_the_audit_points_to(client, publish):
    publish()
    assert "The tables" in text_of(client.get(f"/{AS_OF}/fairness/fairness_tables.html"))


@pytest.mark.parametrize("address", ["/", LIST, f"{LIST}1/", "/nowhere", f"/{AS_OF}/fairness/"])
def test_no_page_may_be_kept_framed_or_reach_out(client, publish, address):
    publish()
    response = client.get(address)
    assert response["Cache-Control"] == "no-store"
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"].startswith("default-src 'none'")
    assert "<script" not in text_of(response)
    assert "http://" not in text_of(response)
    assert "https://" not in text_of(response)


def test_no_address_on_a_page_holds_anything_of_a_person(client, publish):
    import re

    publish()
    links = [
        link for page in ("/", LIST, f"{LIST}1/") for link in re.findall('href="([^"]*)"', text_of(client.get(page)))
    ]
    assert any(link.endswith("/lists/N1/1/") for link in links)
    assert not [link for link in links if re.search(r"999\s?0|Family|Ada|1950", link)]


def test_another_host_name_is_refused(client, publish):
    publish()
    assert client.get(LIST, SERVER_NAME="lists.example").status_code == 400
    assert client.get(LIST, SERVER_NAME="localhost").status_code == 200


def test_a_list_of_several_programmes_says_which_and_can_be_narrowed_to_one(client, publish):
    offered(publish(3), "Social prescribing", "Case management", "Social prescribing")
    page = text_of(client.get(LIST))
    assert "Social prescribing (2)" in page
    assert page.count('<span class="quiet">Social prescribing</span>') == 2
    only = text_of(client.get(LIST, {"programme": "social_prescribing"}))
    assert [f'id="rank-{rank}"' in only for rank in (1, 2, 3)] == [True, False, True]
    unknown = text_of(client.get(LIST, {"programme": "<b>yoga"}))
    assert "yoga" not in unknown
    assert 'id="rank-2"' in unknown
    assert "<dt>Programme</dt><dd>Social prescribing</dd>" in text_of(client.get(f"{LIST}1/"))


def test_every_page_says_where_the_benefit_of_each_programme_comes_from(client, publish):
    final = publish(2)
    offered(final, "Social prescribing", "Case management")
    told = json.loads((final / "manifest.json").read_text())
    told["programmes"] = {"social_prescribing": {"sentence": "Benefit of Social prescribing is <assumed>."}}
    (final / "manifest.json").write_text(json.dumps(told))
    for address in ("/", LIST, f"{LIST}1/"):
        page = text_of(client.get(address))
        assert "Benefit is ASSUMED" in page
        assert "Benefit of Social prescribing is &lt;assumed&gt;." in page


def test_what_was_recorded_says_of_which_programme_it_is(client, publish, answer):
    offered(publish(2), "Social prescribing", "Case management")
    for rank in (1, 2):
        answer(rank=rank, outcome="declined")
    said = [", social prescribing</span>" in text_of(client.get(f"{LIST}{rank}/")) for rank in (1, 2)]
    assert said == [True, False]


def test_a_list_of_case_management_alone_says_nothing_of_programmes(client, publish):
    publish(2)
    assert "programme" not in text_of(client.get(LIST)).lower()
    assert "<dt>Programme</dt>" not in text_of(client.get(f"{LIST}1/"))
