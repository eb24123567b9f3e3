"""Recording outcomes: what is kept, what is refused."""

from __future__ import annotations

import datetime as dt
import logging

import pytest
from django.db import DatabaseError, IntegrityError

from .conftest import AS_OF, shown_fields

LIST = f"/{AS_OF}/lists/N1/"


def recorded():
    from worklist.models import Outcome

    return list(Outcome.objects.order_by("pk").values_list("reference", "outcome", "start_date"))


@pytest.mark.parametrize("outcome", ["declined", "not reached", "not suitable", "already supported"])
def test_an_outcome_is_recorded_and_shown(answer, client, publish, outcome):
    publish()
    response = answer(rank=2, outcome=outcome)
    assert response.status_code == 302
    assert [row[1:] for row in recorded()] == [(outcome, None)]
    page = client.get(response["Location"]).content.decode()
    assert f"Recorded for rank 2: <strong>{outcome}</strong>" in page
    assert "Outcomes recorded for 1 of 3" in page


def test_an_agreement_is_recorded_with_its_first_day(answer, client, publish):
    publish()
    assert answer(outcome="agreed", start_date="2022-10-20").status_code == 302
    assert recorded()[0][1:] == ("agreed", dt.date(2022, 10, 20))
    assert "from 20 Oct 2022" in client.get(LIST).content.decode()


def test_the_newest_outcome_counts_and_all_are_kept(answer, client, publish):
    publish()
    answer(outcome="not reached")
    answer(outcome="agreed", start_date="2022-10-20")
    answer(outcome="declined")
    assert [row[1] for row in recorded()] == ["not reached", "agreed", "declined"]
    assert '<span class="done">declined</span>' in client.get(LIST).content.decode()
    person = client.get(f"{LIST}1/").content.decode()
    assert person.index("declined</strong>") < person.index("agreed</strong>") < person.index("not reached</strong>")


def test_pressing_the_button_twice_records_once(answer, publish):
    publish()
    answer(outcome="declined")
    assert answer(outcome="declined").status_code == 302
    assert len(recorded()) == 1


def test_an_outcome_can_be_neither_changed_nor_deleted(answer, publish):
    from worklist.models import Outcome

    publish()
    answer(outcome="declined")
    with pytest.raises(DatabaseError, match="only ever added to"):
        Outcome.objects.update(outcome="not reached")
    with pytest.raises(DatabaseError, match="only ever added to"):
        Outcome.objects.all().delete()
    assert recorded()[0][1] == "declined"


def test_the_store_itself_refuses_an_unknown_outcome_or_a_start_without_agreement(publish):
    from worklist.models import Outcome

    row = {"reference": "r", "week": AS_OF, "team_code": "N1", "list_version": "v", "synthetic": False}
    with pytest.raises(IntegrityError):
        Outcome.objects.create(**row, outcome="cured")
    with pytest.raises(IntegrityError):
        Outcome.objects.create(**row, outcome="declined", start_date=AS_OF)
    with pytest.raises(IntegrityError):
        Outcome.objects.create(**row, outcome="agreed")


def tomorrow():
    return (dt.date.today() + dt.timedelta(days=2)).isoformat()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "Choose an outcome, or change the owner"),
        ({"outcome": "cured"}, "Choose one of the outcomes shown."),
        ({"outcome": "agreed"}, "Give the first day on the caseload."),
        ({"outcome": "agreed", "start_date": "soon"}, "Write the first day as day/month/year"),
        ({"outcome": "agreed", "start_date": tomorrow()}, "lies in the future"),
        ({"outcome": "agreed", "start_date": "2022-10-12"}, "before this list was made (13 October 2022)"),
        ({"outcome": "declined", "start_date": "2022-10-20"}, "goes only with an agreement"),
    ],
)
def test_a_faulty_answer_is_explained_and_nothing_is_written(answer, publish, data, fields, said):
    publish()
    response = answer(**fields)
    page = response.content.decode()
    assert response.status_code == 422
    assert said in page
    assert "<title>Error: " in page
    assert recorded() == []
    assert not (data / "worklist" / "programme.csv").exists()


@pytest.mark.parametrize("reference", ["", f"{AS_OF}/N1/99", f"{AS_OF}/N2/1", "' OR 1=1 --"])
def test_a_reference_that_is_not_on_the_list_is_refused(answer, publish, reference):
    publish()
    response = answer(outcome="declined", reference=reference)
    assert response.status_code == 404
    assert "not on this team&#x27;s list. Nothing was recorded" in response.content.decode()
    assert recorded() == []


def test_the_answer_for_an_older_week_is_refused(client, publish):
    publish()
    fields = shown_fields(client, f"{LIST}1/") | {"outcome": "declined"}
    publish(as_of=AS_OF + dt.timedelta(days=7))
    response = client.post(f"{LIST}1/", fields)
    assert response.status_code == 409
    assert "not the newest week. Nothing was recorded" in response.content.decode()
    assert recorded() == []


def test_the_answer_for_a_list_that_was_published_again_is_refused(client, publish):
    publish()
    fields = shown_fields(client, f"{LIST}1/") | {"outcome": "declined"}
    publish([{"family_name": "Another", "nhs_number": "9990000099"}])
    response = client.post(f"{LIST}1/", fields)
    assert response.status_code == 409
    assert "published again" in response.content.decode()
    assert recorded() == []


@pytest.mark.parametrize("number", ["9990000099", ""])
def test_when_a_week_is_published_again_nobody_inherits_the_outcome_of_who_had_the_rank(
    answer, client, publish, number
):
    publish([{}, {"nhs_number": ""}])
    answer(rank=1, outcome="declined")
    answer(rank=2, outcome="not reached")
    publish([{"nhs_number": number, "family_name": "Another"}, {"nhs_number": "", "family_name": "Third"}])
    assert 'class="done"' not in client.get(LIST).content.decode()


def test_an_outcome_stays_with_its_person_when_the_week_is_published_again(answer, client, publish):
    publish(3)
    answer(rank=1, outcome="declined")
    publish(2)
    assert client.get(LIST).content.decode().count('class="done"') == 1


def test_a_person_s_page_shows_what_was_recorded_in_earlier_weeks(answer, client, publish):
    publish()
    answer(outcome="declined")
    later = AS_OF + dt.timedelta(days=7)
    publish(as_of=later)
    page = client.get(f"/{later}/lists/N1/1/").content.decode()
    assert "<strong>declined</strong>" in page
    assert "list of 13 October 2022" in page


def test_a_form_from_elsewhere_is_refused(client, publish):
    publish()
    fields = shown_fields(client, f"{LIST}1/") | {"outcome": "declined"}
    del fields["csrfmiddlewaretoken"]
    response = client.post(f"{LIST}1/", fields)
    assert response.status_code == 403
    assert "Nothing was recorded" in response.content.decode()
    fields = shown_fields(client, f"{LIST}1/") | {"outcome": "declined"}
    assert client.post(f"{LIST}1/", fields, HTTP_ORIGIN="http://lists.example").status_code == 403
    assert recorded() == []


def test_simulated_and_real_outcomes_are_never_mixed(answer, publish):
    publish(synthetic=True)
    answer(outcome="declined")
    publish(synthetic=False)
    response = answer(rank=2, outcome="declined")
    assert response.status_code == 409
    assert len(recorded()) == 1


def test_when_the_source_cannot_be_written_nothing_is_recorded(answer, publish, monkeypatch):
    import worklist.giving_back

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    publish()
    monkeypatch.setattr(worklist.giving_back.os, "replace", full)
    response = answer(outcome="declined")
    assert response.status_code == 503
    assert "Nothing was recorded" in response.content.decode()
    assert recorded() == []


def test_no_log_names_anybody(answer, client, publish, caplog, capfd):
    publish()
    with caplog.at_level(logging.DEBUG):
        answer(outcome="declined")
        answer(outcome="cured")
        client.get("/nowhere")
    told = caplog.text + "".join(capfd.readouterr())
    assert "Family1" not in told
    assert "9990000001" not in told
