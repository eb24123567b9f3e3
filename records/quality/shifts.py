"""Sudden shifts: months with too few or too many rows, or with ethnicity or NHS number missing oftener.

Each month is held against the same place's other months and, where there are several places, against
the others' same month; the usual spread is a median absolute deviation, so that the odd month does not
hide itself. Only months whose records have arrived are judged.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from casewell.settings import Quality
from records.quality.feeds import kind
from records.quality.findings import LOOK, Finding, countable, month_words, share, shown
from records.quality.profile import Profile
from records.tables import NO_ETHNIC_GROUP

SETTLED = 0.9  # of a month's rows have come
SLOWEST = 12  # months
WINDOW = 13  # months, of which the middle one is judged
FEWEST_MONTHS = 6
FEWEST_PLACES = 3
NORMAL = 1.4826  # a standard deviation, in median absolute deviations
FEWEST_TO_COMPARE = 5  # places, to call one of them an outlier
FEWEST_ROWS = 100  # of a place, to judge its completeness
MISSING = {
    "no_ethnicity": ("missing ethnicity", "ethnic_category", "without a known ethnicity"),
    "no_number": ("missing NHS numbers", "nhs_number", "without an NHS number"),
}


def months_to_settle(arrivals: pd.DataFrame) -> int:
    """Return after how many whole months nearly all of a month's records have come."""
    if arrivals.empty:
        return 0
    late = _month_number(arrivals["arrived"]) - _month_number(arrivals["month"])
    end = _month_number(arrivals["arrived"]).max()
    old = arrivals.assign(late=late)[_month_number(arrivals["month"]) <= end - SLOWEST]
    if old.empty:
        old = arrivals.assign(late=late)
    by_month = old.pivot_table(index="month", columns="late", values="rows", aggfunc="sum", fill_value=0)
    within = by_month.cumsum(axis=1).div(by_month.sum(axis=1), axis=0)
    typical = within.median()
    return int(typical.index[typical >= SETTLED].min())


def settled(profile: Profile, together: bool = False) -> pd.DataFrame:
    """Return `profile.months`, each place from the first whole month to the last whose records have come.

    Months without a row are there with nought. With `together` all places are one, named by an empty text.
    """
    months, days, wait = profile.months, profile.days, months_to_settle(profile.arrivals)
    if months.empty:
        return months
    first = _whole_month_after(days["day"].min())
    if together:
        counts = ["rows", "no_number", "no_ethnicity"]
        months, days = months.groupby("month", as_index=False)[counts].sum().assign(place=""), days.assign(place="")
    # A place's last day of receipt settles the month that was over and `wait` months older by then.
    last = days.groupby("place")["day"].max() + pd.Timedelta(days=1)
    ends = last.map(_first_of_month) - pd.DateOffset(months=wait + 1)
    parts = []
    for place, rows in months.groupby("place"):
        begun = rows["month"].min()
        begin = first if begun <= first else _next_month(begun)
        if place not in ends.index or ends[place] < begin:
            continue
        span = pd.date_range(begin, ends[place], freq="MS", name="month").as_unit("us")
        filled = rows.set_index("month").drop(columns="place").reindex(span, fill_value=0)
        parts.append(filled.reset_index().assign(place=place))
    return pd.concat(parts, ignore_index=True) if parts else months.head(0)


def unusual_volumes(months: pd.DataFrame, limits: Quality) -> pd.DataFrame:
    """Return the months of places with far fewer or more rows than usual: place, month, rows, usual."""
    rows = months.pivot_table(index="place", columns="month", values="rows", aggfunc="sum")
    rows = rows[rows.notna().sum(axis=1) >= FEWEST_MONTHS]
    if rows.empty:
        return pd.DataFrame(columns=["place", "month", "rows", "usual"])
    logs = np.log(rows + 0.5)
    common = logs.sub(logs.median(axis=1), axis=0).median() if len(rows) >= FEWEST_PLACES else 0.0
    level = (logs - common).T.rolling(WINDOW, center=True, min_periods=FEWEST_MONTHS // 2).median().T
    off = logs - common - level
    usual = np.exp(level + common)
    own = NORMAL * off.abs().median(axis=1)
    spread = np.sqrt(np.maximum(own, NORMAL * np.nanmedian(off.abs())).pow(2).to_numpy()[:, None] + 1 / usual)
    least = -np.log(1 - limits.unusual_volume)
    odd = (off.abs() > limits.beyond_chance * spread) & (off.abs() > least) & (usual >= limits.smallest_usual)
    return _cells(odd, {"rows": rows, "usual": usual})


def unusual_shares(months: pd.DataFrame, column: str, limits: Quality) -> pd.DataFrame:
    """Return the months of places with `column` missing far oftener or seldomer than usual: place, month, rows, base, usual."""
    base = months.pivot_table(index="place", columns="month", values="rows", aggfunc="sum")
    part = months.pivot_table(index="place", columns="month", values=column, aggfunc="sum")
    # A hair from nought and one, so that a place that never missed any has a spread.
    shares = ((part + 0.5) / (base + 1)).where(base >= limits.smallest_usual)
    shares = shares[shares.notna().sum(axis=1) >= FEWEST_MONTHS]
    if shares.empty:
        return pd.DataFrame(columns=["place", "month", "rows", "base", "usual"])
    usual = shares.median(axis=1)
    chance = np.sqrt((usual * (1 - usual)).to_numpy()[:, None] / base.loc[shares.index])
    # From month to month, so that a lasting change does not widen the spread that would find it.
    steps = (shares.diff(axis=1) / chance).abs().stack().median() / np.sqrt(2)
    wider = max(1.0, NORMAL * steps) if np.isfinite(steps) else 1.0
    off = shares.sub(usual, axis=0)
    odd = (off.abs() > limits.beyond_chance * wider * chance) & (off.abs() > limits.unusual_missing)
    named = pd.DataFrame(np.broadcast_to(usual.to_numpy()[:, None], shares.shape), shares.index, shares.columns)
    return _cells(odd, {"rows": part.loc[shares.index], "base": base.loc[shares.index], "usual": named})


def about_volumes(profile: Profile, limits: Quality) -> list[Finding]:
    """Find months with too few or too many rows: of all places together, then of single places."""
    months = settled(profile)
    odd = unusual_volumes(settled(profile, together=True), limits)
    # A source that stopped altogether, place by place, is said once.
    alone = unusual_volumes(months[months["place"] != ""], limits)
    alone = alone[~alone["month"].isin(odd["month"])]
    return [_volume_finding(profile, place, run) for table in (odd, alone) for place, run in stretches(table)]


def about_missing(profile: Profile, limits: Quality) -> list[Finding]:
    """Find months in which ethnicity, or the NHS number, is missing far oftener or seldomer than usual."""
    months, together, findings = settled(profile), settled(profile, together=True), []
    for column, (check, named, words) in MISSING.items():
        if not profile.has(named) or months.empty:
            continue
        odd = unusual_shares(together, column, limits)
        alone = unusual_shares(months[months["place"] != ""], column, limits)
        alone = alone[~alone["month"].isin(odd["month"])]
        for table in (odd, alone):
            for place, run in stretches(table):
                rows, base = run["rows"].sum(), run["base"].sum()
                findings.append(
                    Finding(
                        profile.name,
                        check,
                        LOOK,
                        f"{profile.file}{_of(profile, place)}: {share(rows, base)} of rows are {words} (column {named}) "
                        f"in {month_words(run['month'].min(), run['month'].max())}, {shown(rows)} of {shown(base)}; "
                        f"usual there are {run['usual'].mean():.1%}.",
                        "Ask the supplier what changed in how it is recorded or sent. Groups that are not recorded "
                        "cannot be checked for fairness, and records without a number are linked less surely.",
                        column=named,
                        place=place,
                        month=run["month"].min().date(),
                        rows=countable(rows),
                    )
                )
    return findings


def about_completeness(profile: Profile, limits: Quality) -> list[Finding]:
    """Find a source in which too many rows have no known ethnicity, and single places far beyond the others."""
    if not profile.has("ethnic_category") or profile.places.empty:
        return []
    rows, base = profile.places["no_ethnicity"].sum(), profile.places["rows"].sum()
    findings = []
    if rows > limits.maximum_missing_ethnicity * base and rows >= limits.smallest_usual:
        findings.append(
            Finding(
                profile.name,
                "missing ethnicity",
                LOOK,
                f"{profile.file}: {share(rows, base)} of rows have no known ethnicity (column ethnic_category empty, 99 or no code), "
                f"{shown(rows)} of {shown(base)}; at most {limits.maximum_missing_ethnicity:.0%} is usual.",
                "Ask the supplier to send what is recorded. Whoever is seldom seen is missing first: read the fairness "
                "report's group *not known* with that in mind.",
                column="ethnic_category",
                rows=countable(rows),
            )
        )
    places = profile.places[(profile.places["place"] != "") & (profile.places["rows"] >= FEWEST_ROWS)]
    if len(places) < FEWEST_TO_COMPARE:
        return findings
    shares = places["no_ethnicity"] / places["rows"]
    usual = shares.median()
    spread = np.sqrt((NORMAL * (shares - usual).abs().median()) ** 2 + usual * (1 - usual) / places["rows"])
    high = (shares - usual > limits.unusual_missing) & (shares - usual > limits.beyond_chance * spread)
    for place in places[high].itertuples():
        findings.append(
            Finding(
                profile.name,
                "missing ethnicity",
                LOOK,
                f"{profile.file}{_of(profile, place.place)}: {share(place.no_ethnicity, place.rows)} of rows have no known "
                f"ethnicity (column ethnic_category), {shown(place.no_ethnicity)} of {shown(place.rows)}; the middle one "
                f"of all such places has {usual:.1%}.",
                "Ask there how ethnicity is asked and written down.",
                column="ethnic_category",
                place=place.place,
                rows=countable(place.no_ethnicity),
            )
        )
    return findings


def about_groups(profile: Profile, limits: Quality) -> list[Finding]:
    """Find ethnic groups whose rows lack a usable NHS number far oftener than those of the group best served."""
    if profile.groups.empty:
        return []
    groups = profile.groups[
        ~profile.groups["ethnic_group"].isin(NO_ETHNIC_GROUP) & (profile.groups["rows"] >= FEWEST_ROWS)
    ].set_index("ethnic_group")
    if len(groups) < 2:
        return []
    shares = groups["no_usable"] / groups["rows"]
    best = shares.idxmin()
    both = (groups["no_usable"] + groups.loc[best, "no_usable"]) / (groups["rows"] + groups.loc[best, "rows"])
    chance = np.sqrt(both * (1 - both) * (1 / groups["rows"] + 1 / groups.loc[best, "rows"]))
    off = shares - shares[best]
    return [
        Finding(
            profile.name,
            "NHS numbers",
            LOOK,
            f"{profile.file}: {share(groups.loc[group, 'no_usable'], groups.loc[group, 'rows'])} of the rows of people whose "
            f"ethnic group is {group} have no usable NHS number (column nhs_number), "
            f"{shown(groups.loc[group, 'no_usable'])} of {shown(groups.loc[group, 'rows'])}; of the group {best} it is "
            f"{share(groups.loc[best, 'no_usable'], groups.loc[best, 'rows'])}.",
            "Ask the supplier how numbers are traced, and for whom it fails. These people's records are linked by name and "
            "address or not at all: look at linkage by group before the lists are believed.",
            column="nhs_number",
            rows=countable(groups.loc[group, "no_usable"]),
        )
        for group in groups.index[(off > limits.unusual_missing) & (off > limits.beyond_chance * chance)]
    ]


def stretches(cells: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each place's months, those that follow one another together and in one direction."""
    for place, rows in cells.sort_values(["place", "month"]).groupby("place"):
        up = rows["rows"] / rows.get("base", 1) > rows["usual"]
        breaks = (_month_number(rows["month"]).diff() != 1) | (up != up.shift())
        for _, run in rows.groupby(breaks.cumsum()):
            yield str(place), run


def _volume_finding(profile: Profile, place: str, run: pd.DataFrame) -> Finding:
    rows, usual = run["rows"].sum(), run["usual"].sum()
    few = rows < usual
    return Finding(
        profile.name,
        "coverage" if few else "volume",
        LOOK,
        f"{profile.file}{_of(profile, place)}: {'too few' if few else 'too many'} rows happened in "
        f"{month_words(run['month'].min(), run['month'].max())}: {shown(rows)}, where about {shown(usual)} would be usual.",
        "Ask the supplier whether a part of the period was not sent, and have it sent again."
        if few
        else "Ask the supplier whether a period was sent twice under other identifiers, or another service was added.",
        column=profile.about.happened,
        place=place,
        month=run["month"].min().date(),
        rows=countable(rows),
    )


def _of(profile: Profile, place: str) -> str:
    return f", {kind(profile)} {place}" if place else ""


def _cells(odd: pd.DataFrame, values: dict[str, pd.DataFrame]) -> pd.DataFrame:
    at = np.argwhere(odd.to_numpy())
    found = {name: table.to_numpy()[at[:, 0], at[:, 1]] for name, table in values.items()}
    return pd.DataFrame({"place": odd.index[at[:, 0]], "month": odd.columns[at[:, 1]], **found})


def _month_number(dates: pd.Series) -> pd.Series:
    return dates.dt.year * 12 + dates.dt.month


def _first_of_month(day: pd.Timestamp) -> pd.Timestamp:
    return day.replace(day=1)


def _next_month(day: pd.Timestamp) -> pd.Timestamp:
    return _first_of_month(day) + pd.DateOffset(months=1)


def _whole_month_after(day: pd.Timestamp) -> pd.Timestamp:
    return day if day.day == 1 else _next_month(day)
