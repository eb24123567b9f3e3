"""What each aggregation means in SQL: one query for each family of aggregations, its result in long form.

Plain enough for Spark and DuckDB alike: days are whole numbers, values whole millionths, and sums of them decimals,
so that no order can change a digit. Of several windows of a group an event has a row each (`inside`).

Tables: `told` (person, code, happened, known_at, known_until, ended, value), `asked` (piece, place, person, day: who is
described, and where the answer goes), `members` (code, code_group) and `wanted` (feature, code_group, aggregation,
length: the window in days, reach: how far back events matter). A family's query gives piece, place, feature, value.
"""

from __future__ import annotations

from features.feature import LARGEST_USABLE_VALUE
from features.plan import PERIOD_DAYS

EVENTS = f"""
SELECT person, code, CAST(unix_date(CAST(happened AS DATE)) AS BIGINT) AS day,
    CAST(unix_date(CAST(known_at AS DATE)) AS BIGINT) AS known,
    CAST(unix_date(CAST(known_until AS DATE)) AS BIGINT) AS until,
    CAST(unix_date(CAST(ended AS DATE)) AS BIGINT) AS end_day,
    CASE WHEN abs(value) < {LARGEST_USABLE_VALUE:.0f} THEN CAST(rint(value * 1000000) AS BIGINT) END AS y
FROM told WHERE happened IS NOT NULL AND known_at IS NOT NULL
"""
# The one place where an event becomes visible, as `features.visible` is for the kernel.
SEEN = f"""
SELECT a.piece, a.place, m.code_group, e.code, a.day - e.day AS age, a.day - e.end_day AS end_age, e.known, e.y
FROM asked AS a
JOIN ({EVENTS}) AS e ON e.person = a.person AND e.day < a.day AND e.known < a.day
    AND (e.until IS NULL OR e.until >= a.day)
JOIN members AS m ON m.code = e.code
"""
INSIDE = """
SELECT s.*, w.feature, w.aggregation, w.length FROM seen AS s
JOIN wanted AS w ON w.code_group = s.code_group AND s.age <= w.reach
"""
COUNTS = f"""
SELECT piece, place, feature, CAST(CASE aggregation
    WHEN 'any' THEN 1
    WHEN 'count' THEN count(*)
    WHEN 'change' THEN sum(CASE WHEN age <= length THEN 1 ELSE -1 END)
    WHEN 'days_since_last' THEN min(age)
    WHEN 'days_since_first' THEN max(age) END AS FLOAT) AS value
FROM ({INSIDE}) AS i
WHERE aggregation IN ('any', 'count', 'change', 'days_since_last', 'days_since_first')
GROUP BY piece, place, feature, aggregation
"""
DISTINCT = f"""
SELECT piece, place, feature, CAST(count(DISTINCT code) AS FLOAT) AS value
FROM ({INSIDE}) AS i WHERE aggregation = 'distinct_codes' GROUP BY piece, place, feature
"""
STAYS = f"""
SELECT piece, place, feature, CAST(CASE aggregation
    WHEN 'running' THEN max(CASE WHEN end_age >= 0 THEN 0 ELSE 1 END)
    WHEN 'days_running' THEN sum(days)
    WHEN 'days_spent' THEN sum(CASE WHEN end_age >= 0 THEN days ELSE 0 END) END AS FLOAT) AS value
FROM (
    SELECT *, greatest(0, least(age, length) - greatest(0, coalesce(end_age, 0))) AS days FROM ({INSIDE}) AS i
    WHERE aggregation IN ('running', 'days_running', 'days_spent')
) AS stays GROUP BY piece, place, feature, aggregation
"""
VALUES = f"""
SELECT piece, place, feature, CAST(CASE aggregation
    WHEN 'sum' THEN CAST(sum(CAST(y AS DECIMAL(28, 0))) AS DOUBLE) / 1000000
    WHEN 'mean' THEN CAST(sum(CAST(y AS DECIMAL(28, 0))) AS DOUBLE) / count(*) / 1000000
    WHEN 'min' THEN CAST(min(y) AS DOUBLE) / 1000000
    WHEN 'max' THEN CAST(max(y) AS DOUBLE) / 1000000 END AS FLOAT) AS value
FROM ({INSIDE}) AS i WHERE aggregation IN ('sum', 'mean', 'min', 'max') AND y IS NOT NULL
GROUP BY piece, place, feature, aggregation
"""
# The latest of all is the latest of every window that holds it.
LAST = """
SELECT l.piece, l.place, w.feature, CAST(CAST(l.y AS DOUBLE) / 1000000 AS FLOAT) AS value FROM (
    SELECT *, row_number() OVER (PARTITION BY piece, place, code_group ORDER BY age, known DESC, y DESC) AS back
    FROM seen WHERE y IS NOT NULL
) AS l JOIN wanted AS w ON w.code_group = l.code_group AND l.age <= w.reach
WHERE l.back = 1 AND w.aggregation = 'last'
"""
SLOPE = f"""
SELECT piece, place, feature, CAST(
    CAST(n * xy - x * total AS DOUBLE) / CAST(n * xx - x * x AS DOUBLE) * 365.25 / 1000000 AS FLOAT) AS value
FROM (
    SELECT piece, place, feature, CAST(count(*) AS DECIMAL(10, 0)) AS n, CAST(sum(-age) AS DECIMAL(18, 0)) AS x,
        CAST(sum(age * age) AS DECIMAL(28, 0)) AS xx, sum(CAST(y AS DECIMAL(18, 0))) AS total,
        sum(CAST(-age AS DECIMAL(8, 0)) * CAST(y AS DECIMAL(28, 0))) AS xy
    FROM ({INSIDE}) AS i WHERE aggregation = 'slope' AND y IS NOT NULL GROUP BY piece, place, feature
) AS sums WHERE n * xx - x * x > 0
"""
GAPS = f"""
SELECT piece, place, feature, CAST(CASE aggregation
    WHEN 'longest_gap' THEN max(gap)
    WHEN 'overdue' THEN CASE WHEN count(gap) >= 2 THEN min(age) / median(gap) END
    WHEN 'periods_with' THEN
        CAST(count(DISTINCT CASE WHEN period < floor(length / {PERIOD_DAYS}) THEN period END) AS DOUBLE)
        / floor(max(length) / {PERIOD_DAYS}) END AS FLOAT) AS value
FROM (
    SELECT *, floor((age - 1) / {PERIOD_DAYS}) AS period,
        lead(age) OVER (PARTITION BY piece, place, feature ORDER BY age) - age AS gap
    FROM (
        SELECT DISTINCT piece, place, feature, aggregation, length, age FROM ({INSIDE}) AS i
        WHERE aggregation IN ('longest_gap', 'overdue', 'periods_with')
    ) AS days
) AS gaps GROUP BY piece, place, feature, aggregation
"""
VISITS = f"""
SELECT piece, place, feature, CAST(CASE aggregation
    WHEN 'usual_provider' THEN CAST(max(visits) AS DOUBLE) / sum(visits)
    WHEN 'bice_boxerman' THEN CAST(sum(visits * visits) - sum(visits) AS DOUBLE) / (sum(visits) * (sum(visits) - 1))
    END AS FLOAT) AS value
FROM (
    SELECT piece, place, feature, aggregation, code, count(DISTINCT age) AS visits FROM ({INSIDE}) AS i
    WHERE aggregation IN ('usual_provider', 'bice_boxerman') GROUP BY piece, place, feature, aggregation, code
) AS seen_by GROUP BY piece, place, feature, aggregation HAVING sum(visits) >= 2
"""
FAMILIES: dict[tuple[str, ...], str] = {
    ("any", "count", "change", "days_since_last", "days_since_first"): COUNTS,
    ("distinct_codes",): DISTINCT,
    ("running", "days_running", "days_spent"): STAYS,
    ("sum", "mean", "min", "max"): VALUES,
    ("last",): LAST,
    ("slope",): SLOPE,
    ("longest_gap", "overdue", "periods_with"): GAPS,
    ("usual_provider", "bice_boxerman"): VISITS,
}
# Of stays the days that fall in the window count, however long ago the stay began.
REACH_BACK = ("days_running", "days_spent")


def long_form(aggregations: set[str]) -> str:
    """Return the query for these aggregations: piece, place, feature and a float32 value, missing or without a row if none."""
    return "\nUNION ALL".join(query for names, query in FAMILIES.items() if aggregations & set(names))
