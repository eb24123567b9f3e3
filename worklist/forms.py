"""The one form: who looks after a person on the list, and what became of the offer."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone

from cohorts.team_lists import OUTCOMES, PROGRESS
from worklist.models import AGREED, DECLINED
from worklist.returned_rows import as_read
from worklist.standing import WORDS, Answer

MEANINGS = {
    "agreed": "Agreed, and has started",
    "declined": "Declined",
    "not reached": "Not reached",
    "not suitable": "Not suitable",
    "already supported": "Already supported by another team",
}


class OutcomeForm(forms.Form):
    """Owner, progress, note, or an outcome; with an agreement the first day on the caseload, with a no from when to offer again."""

    # With what each held when the page was opened, so that what somebody else changed since is not undone.
    owner = forms.CharField(
        required=False,
        max_length=100,
        show_hidden_initial=True,
        widget=forms.TextInput({"aria-describedby": "owner-hint"}),
    )
    progress = forms.ChoiceField(
        required=False, choices=[("", "not said"), *((text, text) for text in PROGRESS)], show_hidden_initial=True
    )
    note = forms.CharField(
        required=False,
        max_length=500,
        show_hidden_initial=True,
        widget=forms.Textarea({"rows": 3, "aria-describedby": "note-hint"}),
    )
    outcome = forms.ChoiceField(
        required=False,
        choices=[(outcome, MEANINGS[outcome]) for outcome in OUTCOMES],
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": "Choose one of the outcomes shown."},
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

    def __init__(self, data: Any, as_of: dt.date, now: Answer) -> None:
        """Take the request's data, or None for a fresh form, the day of the list, and what counts now."""
        super().__init__(data, initial=now.words)
        self.now = now
        self.today = timezone.localdate()
        self.earliest = min(as_of, self.today)

    def clean(self) -> dict[str, Any]:
        """Hold the answers against each other."""
        for name in WORDS:
            written = as_read(self.cleaned_data.get(name, ""))
            self.cleaned_data[name] = written if name in self.changed_data else self.now.words[name]
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
        if not self.errors and outcome == "" and self.answer.words == self.now.words:
            self.add_error("outcome", "Choose an outcome, or change the owner, the progress or the note.")
        return self.cleaned_data

    @property
    def answer(self) -> Answer:
        """What the form says; only of a form without errors."""
        told = self.cleaned_data
        days = told["start_date"], told["offer_again"]
        return Answer(told["outcome"], *days, told["owner"], told["progress"], told["note"])
