"""How Django knows this room."""

from __future__ import annotations

from django.apps import AppConfig


class Worklist(AppConfig):
    """The care coordinators' web pages."""

    name = "worklist"
    default_auto_field = "django.db.models.BigAutoField"
