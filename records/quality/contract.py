"""Does a source keep its contract? Its file, its columns, their types and values, repeats and NHS numbers."""

from __future__ import annotations

import re

from records.checking import REPLACED, SENT_AGAIN
from records.ethnic_codes import NO_SUCH_CODE
from records.quality.findings import INFORM, LOOK, STOP, Finding, countable, masked, share, shown
from records.quality.profile import Broken, Profile

OPT_OUTS = "opt_outs"
WORTH_A_LOOK = 0.02
ASK = "Ask the supplier, and compare the file with docs/reference/sources.md."
FETCH_AGAIN = "Fetch the file again, and compare its size and digest with the supplier's."
ADVICE = {
    "is empty": "Ask the supplier to fill the column; a row without it cannot be used.",
    "is not a date": "Have dates sent as YYYY-MM-DD, or declare `date_format`.",
    "is not a ": "Have the column sent as a plain number, without units or thousands separators.",
    "holds a value": "Compare the supplier's codes with docs/reference/sources.md, and have them sent as it says.",
    "is not between": "Ask the supplier for values as docs/reference/sources.md says.",
    "is later than": "Ask the supplier; day and month may be swapped, or the two columns.",
    "lies in the future": "Ask the supplier; day and month may be swapped.",
    "names a programme": "Declare it under `programmes`, mend the code, or leave its rows out; case management may be left empty.",
    "names rows that differ": "Ask the supplier for an identifier that names one row.",
}
NUMBER_FAILS = "column nhs_number fails its check digit"


def about_opening(name: str, file: str, table: str, problems: list[str]) -> list[Finding]:
    """Turn what is wrong with a file and its columns into findings; each of them stops the run."""
    findings = []
    for problem in problems:
        words, _, advice = problem.partition("; ")
        column = re.search(r"column '?(\w+)'?", words)
        about = "types" if column and " is not " in words else "columns" if column else "file"
        if "has no rows" in words and table == OPT_OUTS:
            about, words = "opt-outs", f"{words}: nobody's choice could be upheld, so nothing is read"
        findings.append(
            Finding(
                name,
                about,
                STOP,
                masked(f"{file}: {words}."),
                _sentence(advice) or (ASK if column else FETCH_AGAIN),
                column=column.group(1) if column else "",
            )
        )
    return findings


def about_rows(profile: Profile, problems: list[str] | None, maximum: float) -> list[Finding]:
    """Find the rows that break a rule of the contract, copy another row, or carry a number that fails its check.

    `problems` are those for which the run would stop, and one that no count explains is repeated as it is;
    None when columns are missing, so that no row could be used.
    """
    told = problems or []
    findings = [
        _about_rule(profile, broken, broken.rows if problems is None else broken.first, told, maximum)
        for broken in profile.broken
    ]
    findings += [_about_copies(profile, why, rows) for why, rows in sorted(profile.copies.items())]
    if profile.bad_numbers:
        findings.append(
            Finding(
                profile.name,
                "NHS numbers",
                _severity(profile.bad_numbers, profile.numbered, maximum, profile.about.table),
                f"{profile.file}: {NUMBER_FAILS}, or is a known dummy, in {shown(profile.bad_numbers)} of "
                f"{profile.numbered:,} rows with a number.",
                "Nobody can tell whose choice such a row is, so it is not upheld: have its number mended at once."
                if profile.about.table == OPT_OUTS
                else "Such rows are linked by name, birth date and address where they have them. Ask the supplier how "
                "numbers are entered, and whether the column was cut or turned into a fraction.",
                column="nhs_number",
                rows=countable(profile.bad_numbers),
            )
        )
    explained = [f": {broken.words} in " for broken in profile.broken] + [NUMBER_FAILS]
    rest = [problem for problem in told if not any(words in problem for words in explained)]
    plain = [problem.split(": ", 1)[-1] for problem in rest]
    return findings + about_opening(profile.name, profile.file, "", plain)


def _about_rule(profile: Profile, broken: Broken, decisive: int, problems: list[str], maximum: float) -> Finding:
    severity = _severity(decisive, profile.rows, maximum, profile.about.table)
    limit = f"; at most {maximum:.0%} may be set aside" if severity == STOP else "; they are set aside"
    if broken.words == NO_SUCH_CODE:
        severity = _severity(broken.rows, profile.rows, maximum)
        limit = f"; at most {maximum:.0%} may" if severity == STOP else "; it counts as not known there"
    told = next(
        (p.split("may be set aside; ", 1)[-1] for p in problems if f": {broken.words} in " in p and "aside; " in p), ""
    )
    named = ", ".join(broken.columns)
    check = (
        "duplicates" if "rows that differ" in broken.words else "types" if " is not a " in broken.words else "values"
    )
    return Finding(
        profile.name,
        check if named else "file",
        severity,
        f"{profile.file}: {broken.words} in {shown(broken.rows)} of {profile.rows:,} rows{limit}.",
        " ".join(filter(None, [_sentence(masked(told)), _advice(broken.words)])),
        column=named,
        rows=countable(broken.rows),
    )


def _about_copies(profile: Profile, why: str, rows: int) -> Finding:
    again = why == SENT_AGAIN
    if why == REPLACED:
        return Finding(
            profile.name,
            "duplicates",
            INFORM,
            f"{profile.file}: {shown(rows)} rows are each a {REPLACED}.",
            "Nothing: on each day the newest version known by then holds.",
            column=profile.about.key,
            rows=countable(rows),
        )
    severity = LOOK if again or rows > WORTH_A_LOOK * (profile.rows + rows) else INFORM
    whole = profile.rows + sum(profile.copies.values())
    return Finding(
        profile.name,
        "duplicates",
        severity,
        f"{profile.file}: {shown(rows)} of {whole:,} rows ({share(rows, whole)}) are a {why}."
        if not again
        else f"{profile.file}: {shown(rows)} of {whole:,} rows ({share(rows, whole)}) were {why}.",
        "Each is used once." + (" Ask the supplier whether a period was sent twice." if severity == LOOK else ""),
        column=profile.about.key,
        rows=countable(rows),
    )


def _severity(rows: int, whole: int, maximum: float, table: str = "") -> str:
    if rows > maximum * whole:
        return STOP
    # One choice that may not be upheld is one too many.
    return LOOK if rows > WORTH_A_LOOK * whole or table == OPT_OUTS else INFORM


def _advice(words: str) -> str:
    return next((advice for sign, advice in ADVICE.items() if sign in words), ASK)


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:].rstrip('.')}." if words else ""
