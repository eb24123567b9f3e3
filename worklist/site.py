"""Django's settings, and the private folder where outcomes are kept."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

import django
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import OperationalError

from casewell.errors import SettingsError, StorageError
from casewell.settings import Settings
from cohorts.storage import disk

HOSTS = ["127.0.0.1", "localhost"]


def open_site(settings: Settings) -> Path:
    """Set Django up for this process, once, and return the folder of outcomes, `worklist` in the data folder.

    Raises
    ------
    StorageError
        The folder or the store in it cannot be made or written.
    SettingsError
        The secret key can be read by others.
    """
    folder = settings.data_dir.resolve() / "worklist"
    with disk(f"the folder of outcomes {str(folder)!r} could not be made", "Mend its permissions, or free some space."):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        store = private_file(folder / "worklist.sqlite3")
        key = _secret_key(folder / "secret.key")
    django_settings.configure(
        DEBUG=False,
        ALLOWED_HOSTS=HOSTS,
        SECRET_KEY=key,
        DATA_DIR=settings.data_dir.resolve(),
        WORKLIST_FOLDER=folder,
        INSTALLED_APPS=["worklist"],
        ROOT_URLCONF="worklist.pages",
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": store,
                "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20},
            }
        },
        MIDDLEWARE=[
            "django.middleware.security.SecurityMiddleware",
            "worklist.middleware.AroundEveryPage",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "DIRS": [Path(__file__).parent / "templates"],
                "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
            }
        ],
        CSRF_COOKIE_HTTPONLY=True,
        CSRF_COOKIE_SAMESITE="Strict",
        CSRF_FAILURE_VIEW="worklist.pages.form_was_old",
        SECURE_REFERRER_POLICY="same-origin",
        DATA_UPLOAD_MAX_MEMORY_SIZE=64 * 1024,
        LANGUAGE_CODE="en-gb",
        USE_I18N=False,
        USE_TZ=True,
        TIME_ZONE=settings.schedule.time_zone,
        LOGGING=_BUGS_ONLY,
    )
    django.setup()
    try:
        call_command("migrate", verbosity=0, interactive=False)
    except OperationalError:
        raise StorageError(f"the store of outcomes in {str(folder)!r} cannot be written") from None
    return folder


# No line for a request: a page's address says which list was read when. A bug still shows its traceback.
_BUGS_ONLY = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}, "nowhere": {"class": "logging.NullHandler"}},
    "loggers": {
        "django": {"handlers": ["stderr"], "level": "ERROR", "propagate": False},
        "django.server": {"handlers": ["nowhere"], "propagate": False},
        "django.security": {"handlers": ["nowhere"], "propagate": False},
    },
}


def private_file(path: Path) -> Path:
    """Make a file, if there is none, that only its owner can read; what SQLite puts beside it follows its mode."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    path.chmod(0o600)
    return path


def _secret_key(path: Path) -> str:
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise SettingsError(f"secret key file {str(path)!r} can be read by others", "Remove it to have a new one made.")
    return path.read_text(encoding="ascii")
