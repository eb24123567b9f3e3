"""True stays of two people, and the rows in which trusts tell them, for property tests."""

from __future__ import annotations

import datetime as dt

from hypothesis import strategies as st

days = st.integers(0, 6)
lists_of_codes = st.lists(
    st.sampled_from(["I500", "J440", "E119", "N183", "S720"]), min_size=1, max_size=3, unique=True
)


@st.composite
def histories(draw):
    """True stays of two people, and the rows in which trusts tell them, mistakes first, in any order."""
    stays, rows = [], []
    for person in "ab":
        day = dt.date(2022, 1, 1)
        for _ in range(draw(st.integers(0, 3))):
            day += dt.timedelta(days=2 + draw(days))
            stay = {"person": person, "method": draw(st.sampled_from(["21", "2A", "11"])), "from": day, "codes": set()}
            for left in reversed(range(draw(st.integers(1, 3)))):
                spell = {
                    "person": person,
                    "provider_code": draw(st.sampled_from(["RAA", "RBB"])),
                    "spell_id": f"S{len(rows)}",
                    "admission_date": day,
                    "admission_method": draw(st.sampled_from(["81", "2B"])) if "to" in stay else stay["method"],
                    "admission_received_date": day + dt.timedelta(days=1),
                    "discharge_destination": draw(st.sampled_from(["51", "87"])) if left else "19",
                }
                day += dt.timedelta(days=draw(days) + ("to" in stay))
                rows += draw(tellings(spell | {"discharge_date": day}, stay))
                stay["to"] = day
            stays.append(stay)
    return stays, draw(st.permutations(rows))


@st.composite
def tellings(draw, spell, stay):
    """Versions of the episodes of a spell; the last of each is true, the others err in codes or discharge."""
    rows = []
    for order in range(1, draw(st.integers(1, 3)) + 1):
        received = spell["discharge_date"] + dt.timedelta(days=5 + draw(days))
        versions = draw(st.lists(lists_of_codes, min_size=1, max_size=3))
        for place, written in enumerate(versions):
            last = place == len(versions) - 1
            slip = dt.timedelta(days=0 if last else draw(st.integers(0, 2)))
            rows.append(
                spell
                | {
                    "episode_order": order,
                    "discharge_date": spell["discharge_date"] + slip,
                    "primary_diagnosis": written[0],
                    "secondary_diagnoses": ";".join(written[1:]) or None,
                    "received_date": received + dt.timedelta(days=60 * last + 10 * place),
                }
            )
            if last:
                stay["codes"] |= {(spell["spell_id"], code) for code in written}
    return rows
