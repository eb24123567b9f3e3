"""Who may look at what makes a person up, and the note that is kept of every look."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import os
import pwd
from pathlib import Path

from casewell.errors import SettingsError
from casewell.settings import Settings
from records import pseudonyms

PRIVATE = ("identities.parquet", "contacts.parquet", "descriptions.parquet")
LOOKS = "looks.csv"
HEADER = ("time", "user", "settings", "what", "person_id")


def check_allowed(settings: Settings, linked: Path) -> None:
    """Refuse to show what makes people up on a machine that is not allowed to.

    Allowed is a machine that holds the key these people's pseudonyms were made with, and a user who may read the
    private files. Simulated people may be looked at by anybody: their key is public.

    Raises
    ------
    SettingsError
        No key, another key, or files that belong to another user.
    """
    if not is_demonstration(linked):
        key = key_held(settings)
        if pseudonyms.fingerprint_of(key) != _made_with(linked):
            raise SettingsError(
                "the pseudonym key on this machine is not the one these people were linked with",
                f"Mend pseudonym_key_file or {pseudonyms.ENVIRONMENT_VARIABLE}, or run `casewell run` with the new key.",
            )
    closed = [name for name in PRIVATE if not os.access(linked / name, os.R_OK)]
    if closed:
        raise SettingsError(
            [f"{name} in {str(linked)!r} may not be read by this user" for name in closed],
            "Look as the user who makes the lists.",
        )


def key_held(settings: Settings) -> bytes:
    """Return the pseudonym key of real people, which must be there already.

    Raises
    ------
    SettingsError
        This machine does not hold it.
    """
    key = pseudonyms.held_key(settings)
    if key is None:
        raise SettingsError(
            "this machine does not hold the pseudonym key, so nobody may be looked up on it",
            "Look on the machine that makes the lists. No key was made.",
        )
    return key


def is_demonstration(linked: Path) -> bool:
    """Say whether everybody in a linked week is simulated, so that the public key was used."""
    return _made_with(linked) == pseudonyms.fingerprint_of(pseudonyms.DEMONSTRATION_KEY)


def _made_with(linked: Path) -> str:
    told = json.loads((linked / "summary.json").read_text(encoding="utf-8"))["linkage"].get("pseudonym_key")
    if told is None:
        raise SettingsError(
            f"{linked.name} was linked by an earlier version, which did not note the pseudonym key",
            "Link it anew: casewell run.",
        )
    return str(told)


def note(settings: Settings, what: str, person_id: int | None = None) -> None:
    """Add a line to the private file of looks, before anything is shown: time, user, settings, what, and whom.

    Raises
    ------
    OSError
        The line could not be written; nothing may then be shown.
    """
    path = settings.data_dir / "links" / settings.name / LOOKS
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8") as file:
        if file.tell() == 0:
            writer.writerow(HEADER)
        time = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        writer.writerow([time, _user(), settings.name, what, "" if person_id is None else person_id])
        file.write(buffer.getvalue())
        file.flush()
        os.fsync(file.fileno())


def _user() -> str:
    """Return who the operating system says is looking; the environment could say anybody."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
