"""From what was believed on each day to events that hold from a day until another.

A group of spells that later versions or transfers may change is told once for each day on which anything of it
was received: a view. What view after view says the same is one event, known from the first of them on, and until
the first that no longer says it.
"""

from __future__ import annotations

CONTENT = 'time, code, numeric_value, "end", source'


def merged(told: str) -> str:
    """Return the query of events with `known_at` and `known_until` from `told`, the query of every view's events.

    Each row of `told` names its `view`; the table `views` says of each its person, the group `chain` of that
    person's spells, its turn among the group's views (1, 2, ...), and from which day on (`since`) and until which
    day (`until`; null for the last) it was what was known.
    """
    # A view may say the same twice, of two spells: the second is told apart by its number.
    return f"""SELECT arg_min(who, turn) AS who, min(since) AS known_at,
            CASE WHEN count(until) = count(*) THEN max(until) END AS known_until, {CONTENT}
        FROM (
            SELECT *, turn - row_number() OVER (PARTITION BY person_id, chain, {CONTENT}, copy ORDER BY turn) AS run
            FROM (SELECT *, row_number() OVER (PARTITION BY view, {CONTENT} ORDER BY who) AS copy
                  FROM ({told}) JOIN views USING (view)
                  WHERE code IS NOT NULL AND time IS NOT NULL AND known_at IS NOT NULL)
        )
        GROUP BY person_id, chain, {CONTENT}, copy, run"""
