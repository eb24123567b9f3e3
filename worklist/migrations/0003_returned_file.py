"""Which file an outcome came back in, so that what the pages recorded since is told apart from what files said."""

from django.db import migrations, models

EVENTS = ("UPDATE", "DELETE")


def only_ever_added_to(event: str) -> str:
    """Return the SQL of a trigger that stops an event; to add a column SQLite writes the table anew, without triggers."""
    return (
        f"CREATE TRIGGER IF NOT EXISTS outcomes_are_kept_{event.lower()} BEFORE {event} ON worklist_outcome "
        "BEGIN SELECT RAISE(ABORT, 'outcomes are only ever added to'); END"
    )


class Migration(migrations.Migration):
    """One column."""

    dependencies = (("worklist", "0002_returned"),)

    operations = (
        *[migrations.RunSQL(f"DROP TRIGGER outcomes_are_kept_{event.lower()}", only_ever_added_to(event)) for event in EVENTS],
        migrations.AddField("outcome", "returned_file", models.CharField(blank=True, default="", max_length=16)),
        *[migrations.RunSQL(only_ever_added_to(event), f"DROP TRIGGER outcomes_are_kept_{event.lower()}") for event in EVENTS],
    )  # fmt: skip
