"""How long, and with how many practices, people were registered, how deprived their area is, and how far from services."""

from __future__ import annotations

from features.feature import DOMAINS, TRAVEL

REGISTERED_DAYS = 1095
OF_AREA = ("imd_decile", *DOMAINS, *TRAVEL)
COLUMNS = (*OF_AREA, "registered_days", "registrations_begun", "practices")
# What a table of residences must hold for these and for `features.households`.
NEEDED = ("person_id", "start", "end", "end_known_at", "household_id", "practice_code", *OF_AREA)

# The registrations (`residing`) that describe people on $day: of several the newest tells the address, until its end
# is known; a death is known on the day it was received.
LIVING_THEN = f"""CREATE OR REPLACE TABLE living AS
    SELECT person_id, start, household_id, died_on, {", ".join(OF_AREA)},
        birth_month + INTERVAL 18 YEAR > $day AS child, coalesce(birth_month + INTERVAL 75 YEAR <= $day, false) AS old,
        coalesce("end" <= $day AND end_known_at < $day, false) AS left_by_then,
        coalesce(died_on < $day AND death_known_at < $day, false) AS dead,
        coalesce("end" < died_on AND end_known_at < $day, false) AS left_before
    FROM residing WHERE start IS NULL OR start < $day
    QUALIFY row_number() OVER (PARTITION BY person_id ORDER BY start DESC NULLS LAST) = 1
"""
# A registration counts for a practice while it lasted, as far as its end was known.
PAST = f"""CREATE OR REPLACE TABLE past AS
    SELECT person_id, count(*) FILTER (start >= $day - INTERVAL {REGISTERED_DAYS} DAY) AS registrations_begun,
        count(DISTINCT practice_code) FILTER (practice_code <> '' AND NOT coalesce(
            "end" <= $day - INTERVAL {REGISTERED_DAYS} DAY AND end_known_at < $day, false)) AS practices
    FROM residing WHERE start IS NULL OR start < $day GROUP BY 1
"""
QUERY = f"""
SELECT a.row_number, {", ".join(f"l.{name}" for name in OF_AREA)}, p.registrations_begun, p.practices,
    CASE WHEN NOT l.left_by_then AND NOT l.dead THEN date_diff('day', l.start, $day) END AS registered_days
FROM asked AS a JOIN living AS l USING (person_id) JOIN past AS p USING (person_id)
"""
