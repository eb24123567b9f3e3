"""Mistakes a user can put right, each with its own exit code.

Anything that is not a `CasewellError` is a bug and keeps its traceback. No message
may hold a value that belongs to a person: name the file, the column, the rule and the
number of rows instead.
"""

from __future__ import annotations

from collections.abc import Sequence


class CasewellError(Exception):
    """Base of every error that is shown without a traceback."""

    exit_code = 1
    heading = "Casewell stopped"

    def __init__(self, problems: str | Sequence[str], advice: str = "") -> None:
        """Hold one or many problems, all found together, and what to do about them."""
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        self.advice = advice
        super().__init__("; ".join(self.problems))


class PlanError(CasewellError):
    """The numbers given to a plan mean nothing."""

    exit_code = 2
    heading = "There is no such plan"


class SettingsError(CasewellError):
    """The settings file cannot be read or breaks a rule."""

    exit_code = 3
    heading = "The settings need mending"


class SourceError(CasewellError):
    """A source is missing or breaks its contract."""

    exit_code = 4
    heading = "The sources need mending"


class LawfulBasisError(CasewellError):
    """A source may not be read for this purpose."""

    exit_code = 5
    heading = "These records may not be read for this purpose"


class AsOfError(CasewellError):
    """The date asked for lies outside the data."""

    exit_code = 6
    heading = "There is nothing to be had for this date"


class TrainingError(CasewellError):
    """The history cannot support a model, or the model does not fit the features."""

    exit_code = 7
    heading = "No model can be trained or used"


class WithheldError(CasewellError):
    """The lists were made but the fairness gate did not release them."""

    exit_code = 8
    heading = "The lists are withheld"


class StorageError(CasewellError):
    """The disk is full or cannot be written; whatever was published before still stands."""

    exit_code = 9
    heading = "The results could not be written"


class OrchestrationError(CasewellError):
    """Prefect's own server, which every flow reports to, did not answer in time."""

    exit_code = 10
    heading = "Prefect could not be started"
