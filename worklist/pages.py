"""The pages and their addresses. An address holds a week, a team and a rank: nothing that is a person's."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods, require_safe

from worklist.forms import OutcomeForm
from worklist.look import STYLE
from worklist.plain import PlainMessageError
from worklist.published import TeamList, Week
from worklist.recording import history, history_of, record, row_of, standings
from worklist.standing import standing

ROWS_A_PAGE = 50
TABLES = "fairness_tables.html"
"""By the same name as on disk, so that the page for a board points to it from either."""


@require_safe
def teams(request: HttpRequest) -> HttpResponse:
    """Show the teams of the newest published week."""
    lists = [request.week.team_list(stem) for stem in request.week.stems()] if request.week else []
    return render(request, "teams.html", {"teams": [_summary(team) for team in lists]})


@require_safe
def team_page(request: HttpRequest, day: str, stem: str) -> HttpResponse:
    """Show a team's list, fifty people a page; all of it, or one programme's."""
    team = _week(request, day).team_list(stem)
    programmes = _programmes(team)
    only = next((code for code, _, _ in programmes if code == request.GET.get("programme")), "")
    rows = [row for row in team.rows if only in ("", row.programme)]
    page = Paginator(rows, ROWS_A_PAGE).get_page(request.GET.get("page"))
    lines = standings(team, page.object_list)
    rank = request.GET.get("recorded")
    just_recorded = next((line for line in lines if line[2] and str(line[0].rank) == rank), None)
    return render(
        request,
        "team.html",
        {
            "team": team,
            "summary": _summary(team),
            "page": page,
            "lines": lines,
            "just_recorded": just_recorded,
            "programmes": programmes,
            "only": only,
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
def person_page(request: HttpRequest, day: str, stem: str, rank: int) -> HttpResponse:
    """Show one person on a list, and record what became of them."""
    team = _week(request, day).team_list(stem)
    row = row_of(team, rank)
    now = standing(row, history_of(team, row))
    form = OutcomeForm(request.POST if request.method == "POST" else None, team.week.as_of, now)
    if form.is_valid():
        record(
            team,
            request.POST.get("reference", ""),
            request.POST.get("version", ""),
            form.answer,
            settings.WORKLIST_FOLDER,
        )
        page = 1 + team.rows.index(row) // ROWS_A_PAGE
        return HttpResponseRedirect(f"{reverse('team', args=[day, stem])}?page={page}&recorded={rank}#recorded")
    told = {"team": team, "row": row, "form": form, "history": history(team, row)}
    return render(request, "person.html", told, status=422 if form.is_bound else 200)


@require_safe
def fairness_page(request: HttpRequest, day: str, name: str = "fairness.html") -> HttpResponse:
    """Show the week's fairness audit as it was published: the page for a board, or the tables that it points to."""
    response = HttpResponse(_week(request, day).read(name))
    # The page carries its own style and pictures, and no script.
    response["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    return response


@require_safe
def style(request: HttpRequest) -> HttpResponse:
    """Give the one style sheet."""
    return HttpResponse(STYLE, content_type="text/css; charset=utf-8")


def no_such_page(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Say that an address leads nowhere."""
    return plain_message(request, "There is no such page.", 404)


def form_was_old(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Say that a form did not come from these pages, or is too old (Django's CSRF check)."""
    return plain_message(
        request, "The page was too old, or the form did not come from here. Nothing was recorded: open it again.", 403
    )


def plain_message(request: HttpRequest, text: str, status: int) -> HttpResponse:
    """Show one sentence and the way back."""
    return render(request, "message.html", {"text": text}, status=status)


def _week(request: HttpRequest, day: str) -> Week:
    if request.week is None or day != str(request.week.as_of):
        raise PlainMessageError(
            "That is not the newest week. Nothing was recorded: go to this week's teams and look again.", 409
        )
    return request.week


def _programmes(team: TeamList) -> list[tuple[str, str, int]]:
    """Return code, title and number of people of each programme on the list; nothing where the list does not say which."""
    titles = {row.programme: row.offered for row in team.rows if row.offered}
    return [(code, title, sum(row.programme == code for row in team.rows)) for code, title in sorted(titles.items())]


def _summary(team: TeamList) -> dict[str, Any]:
    listed = sum(row.status == "listed" for row in team.rows)
    return {
        "team": team,
        "listed": listed,
        "reserve": len(team.rows) - listed,
        "people": len(team.rows),
        "done": sum(bool(answer.outcome) for _, answer, _ in standings(team, team.rows)),
        "practices": sorted({row.practice for row in team.rows}),
    }


urlpatterns = [
    path("", teams, name="teams"),
    path("style.css", style, name="style"),
    path("<str:day>/fairness/", fairness_page, name="fairness"),
    path(f"<str:day>/fairness/{TABLES}", fairness_page, {"name": TABLES}, name="fairness_tables"),
    path("<str:day>/lists/<str:stem>/", team_page, name="team"),
    path("<str:day>/lists/<str:stem>/<int:rank>/", person_page, name="person"),
]
handler404 = no_such_page
