"""What happens around every page: the newest week is read once, mistakes become sentences, nothing is kept."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from worklist.pages import plain_message
from worklist.plain import PlainMessageError
from worklist.published import newest_week

OWN_STYLE_ONLY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


class AroundEveryPage:
    """Django middleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer from one reading of the newest week; keep pages with names out of the browser's stores."""
        request.week = newest_week(settings.DATA_DIR)
        response = self.get_response(request)
        response.setdefault("Content-Security-Policy", OWN_STYLE_ONLY)
        response["Cache-Control"] = "no-store"
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Show a plain message; anything else is a bug."""
        if isinstance(exception, PlainMessageError):
            return plain_message(request, str(exception), exception.status)
        return None
