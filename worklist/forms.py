"""The one form: what became of a person on the list."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone

from cohorts.team_lists import OUTCOMES
from worklist.models import AGREED, DECLINED

MEANINGS = {
    "agreed": "Agreed, and has started",
    "declined": "Declined",
    "not reached": "Not reached",
    "not suitable": "Not suitable",
    "already supported": "Already supported by another team",
}


class OutcomeForm(forms.Form):
    """An outcome; with an agreement the first day on the caseload, and with a no, if wanted, from when to offer again."""

    outcome = forms.ChoiceField(
        choices=[(outcome, MEANINGS[outcome]) for outcome in OUTCOMES],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose an outcome.", "invalid_choice": "Choose one of the outcomes shown."},
    )
    start_date = forms.DateField(
        required=False,
        input_formats=["%Y-%m-%d", "%d/%m/%Y"],
        error_messages={"invalid": "Write the first day as day/month/year, for example 27/10/2026."},
    )

    offer_again = forms.DateField(
        required=False,
        input_formats=["%Y-%m-%d", "%d/%m/%Y"],
        error_messages={"invalid": "Write the day as day/month/year, for example 27/10/2026."},
    )

    def __init__(self, data: Any, as_of: dt.date) -> None:
        """Take the request's data, or None for an empty form, and the day of the list."""
        super().__init__(data)
        self.today = timezone.localdate()
        self.earliest = min(as_of, self.today)

    def clean(self) -> dict[str, Any]:
        """Hold the answers against each other."""
        outcome, start = self.cleaned_data.get("outcome"), self.cleaned_data.get("start_date")
        if outcome == AGREED and start is None and "start_date" not in self.errors:
            self.add_error("start_date", "Give the first day on the caseload.")
        if outcome is not None and outcome != AGREED and start is not None:
            self.add_error(
                "start_date", "A first day goes only with an agreement: take it out, or choose that the person agreed."
            )
        elif start is not None and start > self.today:
            self.add_error("start_date", "The first day lies in the future. Record it when the person has started.")
        elif start is not None and start < self.earliest:
            day = f"{self.earliest.day} {self.earliest:%B %Y}"
            self.add_error("start_date", f"The first day is before this list was made ({day}).")
        again = self.cleaned_data.get("offer_again")
        if again is not None and outcome is not None and outcome != DECLINED:
            self.add_error("offer_again", "A day to offer again goes only with somebody who declined.")
        elif again is not None and again <= self.earliest:
            self.add_error("offer_again", "The day to offer again must be after the list was made.")
        return self.cleaned_data
