"""One team's list as a FHIR R4 bundle: who (Patient, Group), why (RiskAssessment), what to do (Task), and what made it (Provenance).

Resources and codes are those of FHIR 4.0.1 (hl7.org/fhir/R4); NHS numbers and ODS codes carry the NHS England systems. A
RiskAssessment holds the probability (in R4 a percentage) for systems and the band for people, as the list does. Nothing is live: narratives
are escaped text, and identifiers are made from the row's reference, so that the same list gives the same bytes.
"""

from __future__ import annotations

import datetime as dt
import html
import json
import re
import uuid
from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from casewell import __version__
from casewell.settings import CASE_MANAGEMENT
from cohorts.fhir_checks import RISK_CODES, SYNTHETIC_LABEL, problems_of
from cohorts.reasons import FALLBACK
from cohorts.safe_text import clean
from cohorts.tables import LISTED
from cohorts.team_lists import GRADES_IN_WORDS, NOT_RECORDED, Heading, caveats, reasons_of

NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
ODS_CODE = "https://fhir.nhs.uk/Id/ods-organization-code"
TEAM_CODE = "urn:casewell:team"
"""The system of a team's code that is not one of ODS: a place's own, or that of everybody."""
REFERENCE = "urn:casewell:list-row"
PROGRAMME = "urn:casewell:programme"
"""The system of a programme's code, which is the settings' own; used where there is another than case management."""
AGENT_SYSTEM = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
RISK_SYSTEM = "http://terminology.hl7.org/CodeSystem/risk-probability"
# Of practices and primary care networks.
_ODS_SHAPE = re.compile(r"[A-Z][0-9]{5}")
_XHTML = "http://www.w3.org/1999/xhtml"


def fhir_bundle(
    rows: pd.DataFrame,
    team_code: str,
    team_name: str,
    heading: Heading,
    outcome: str,
    horizon_days: int,
    synthetic: bool,
) -> bytes:
    """Write one team's rows (`team_lists.with_contacts`, with `list_version`) as a bundle of the type `collection`.

    Parameters
    ----------
    outcome, horizon_days
        What the probability is of, in plain words, and within how many days.
    synthetic
        Label every resource as test data (`meta.security`).

    Raises
    ------
    RuntimeError
        The bundle breaks a rule of FHIR or of `fhir_checks`: a mistake in the house.
    """
    key = f"{heading.as_of}/{team_code}"
    team, device = _url(key, "Organization"), _url(key, "Device")
    people = rows.to_dict("records")
    entries = [
        (team, _organization(team_code, team_name)),
        (device, {"resourceType": "Device", "deviceName": [{"name": "Casewell", "type": "manufacturer-name"}], "version": [{"value": __version__}]}),
        *[entry for row in people for entry in _about(row, team, device, heading, outcome, horizon_days)],
        *_groups(people, key, team, team_name or team_code, heading),
    ]  # fmt: skip
    told = [url for url, resource in entries if resource["resourceType"] in ("RiskAssessment", "Task", "Group")]
    entries.append((_url(key, "Provenance"), _provenance(told, team, device, heading)))
    label = {"meta": {"security": [SYNTHETIC_LABEL]}} if synthetic else {}
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "identifier": {
            "system": "urn:casewell:list",
            "value": f"{key}/{rows['list_version'].iloc[0] if people else 'empty'}",
        },
        "timestamp": f"{heading.as_of}T00:00:00Z",
        "entry": [{"fullUrl": url, "resource": resource | label} for url, resource in entries],
    } | label
    found = problems_of(bundle)
    if found:
        raise RuntimeError(f"the FHIR bundle of a team breaks its rules: {'; '.join(found)}")
    return json.dumps(bundle, ensure_ascii=False, sort_keys=True).encode("utf-8", "replace")


def _url(key: str, kind: str) -> str:
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'casewell:{key}:{kind}')}"


def _organization(team_code: str, team_name: str) -> dict[str, Any]:
    code = clean(team_code)
    name = clean(team_name) or code or NOT_RECORDED
    system = ODS_CODE if _ODS_SHAPE.fullmatch(code) else TEAM_CODE
    identifier = {"identifier": [{"system": system, "value": code}]} if code else {}
    return {"resourceType": "Organization", "name": name, "active": True} | identifier


def _about(
    row: Mapping[Hashable, Any], team: str, device: str, heading: Heading, outcome: str, horizon_days: int
) -> list[tuple[str, dict[str, Any]]]:
    key = str(row["reference"])
    person, risk = _url(key, "Patient"), _url(key, "RiskAssessment")
    return [
        (person, _patient(row)),
        (risk, _risk(row, person, device, heading, outcome, horizon_days)),
        (_url(key, "Task"), _task(row, person, risk, team, device, heading)),
    ]


def _patient(row: Mapping[Hashable, Any]) -> dict[str, Any]:
    number, record = row["nhs_number"], row["source_record"]
    identifiers = [] if number == NOT_RECORDED else [{"system": NHS_NUMBER, "value": number}]
    if not identifiers and clean(record) not in ("", NOT_RECORDED):
        identifiers = [{"system": "urn:casewell:source-record", "value": clean(record)}]
    family, given = clean(row["family_name"]), clean(row["given_name"])
    name: dict[str, Any] = ({"family": family} if family else {}) | ({"given": [given]} if given else {})
    born = row["date_of_birth"]
    patient = {
        "resourceType": "Patient",
        "text": _narrative(clean(row["name"]) or NOT_RECORDED),
        "generalPractitioner": [{"display": clean(row["practice"]) or NOT_RECORDED}],
    }
    patient |= {"identifier": identifiers} if identifiers else {}
    patient |= {"name": [{"text": clean(row["name"])} | name]} if name else {}
    return patient | ({} if pd.isna(born) else {"birthDate": born.date().isoformat()})


def _risk(
    row: Mapping[Hashable, Any], person: str, device: str, heading: Heading, outcome: str, horizon_days: int
) -> dict[str, Any]:
    said = [text for text in map(clean, reasons_of(row)) if text] or [FALLBACK]
    # A period holds its last day whole.
    ends = heading.as_of + dt.timedelta(days=horizon_days - 1)
    prediction = {
        "outcome": {"text": clean(outcome)},
        "probabilityDecimal": round(100 * float(row["risk"]), 2),
        "qualitativeRisk": {
            "coding": [{"system": RISK_SYSTEM, "code": RISK_CODES[row["risk_band"]]}],
            "text": row["risk_band"],
        },
        "whenPeriod": {"start": heading.as_of.isoformat(), "end": ends.isoformat()},
        "rationale": "; ".join(said),
    }
    return {
        "resourceType": "RiskAssessment",
        "text": _narrative(f"{row['risk_band']}: {clean(outcome)}", said),
        "status": "final",
        "subject": {"reference": person},
        "occurrenceDateTime": heading.as_of.isoformat(),
        "performer": {"reference": device},
        "prediction": [prediction],
        "mitigation": clean(row["first_step"]) or _title(row, heading),
        "note": [{"text": clean(line)} for line in (_evidence(row, heading), *caveats(heading))],
    }


def _task(
    row: Mapping[Hashable, Any], person: str, risk: str, team: str, device: str, heading: Heading
) -> dict[str, Any]:
    known = [clean(str(row[name])) for name in ("changed", "helped_by", "last_contact", "needs", "data_gaps")]
    offer = f"offer {_title(row, heading)}"
    return {
        "resourceType": "Task",
        "text": _narrative(f"{row['status']}: {offer}", [text for text in known if text]),
        "identifier": [{"system": REFERENCE, "value": clean(str(row["reference"]))}],
        "status": "requested" if row["status"] == LISTED else "draft",
        "intent": "proposal",
        "priority": "routine",
        "businessStatus": {"text": row["status"]},
        "code": _coding(row, heading) | {"text": offer[0].upper() + offer[1:]},
        "description": clean(row["first_step"]) or offer[0].upper() + offer[1:],
        "focus": {"reference": risk},
        "for": {"reference": person},
        "authoredOn": heading.as_of.isoformat(),
        "requester": {"reference": device},
        "owner": {"reference": team},
        "reasonReference": {"reference": risk},
    }


def _title(row: Mapping[Hashable, Any], heading: Heading) -> str:
    """Name what is offered, in the middle of a sentence."""
    code = row.get("programme", CASE_MANAGEMENT)
    return "case management" if code == CASE_MANAGEMENT else clean(heading.titles[code])


def _coding(row: Mapping[Hashable, Any], heading: Heading) -> dict[str, Any]:
    """Return the programme's code, where there is another than case management."""
    if not heading.titles:
        return {}
    code = row["programme"]
    return {"coding": [{"system": PROGRAMME, "code": code, "display": clean(heading.titles[code])}]}


def _evidence(row: Mapping[Hashable, Any], heading: Heading) -> str:
    return heading.assumptions.get(row.get("programme", CASE_MANAGEMENT)) or GRADES_IN_WORDS[row["evidence_grade"]]


def _groups(
    people: list[dict[Hashable, Any]], key: str, team: str, name: str, heading: Heading
) -> list[tuple[str, dict[str, Any]]]:
    """Return the group of the people on the list; where there are several programmes, one for each that somebody is offered."""
    codes = sorted({row["programme"] for row in people}) if heading.titles else []
    if codes in ([], [CASE_MANAGEMENT]):
        return [
            (_url(key, "Group"), _group(people, team, f"Case management list, {clean(name) or NOT_RECORDED}", heading))
        ]
    groups = []
    for code in codes:
        those = [row for row in people if row["programme"] == code]
        title = clean(heading.titles[code])
        group = _group(those, team, f"{title} list, {clean(name) or NOT_RECORDED}", heading)
        told = {
            "code": _coding(those[0], heading)
            | {"text": f"People offered {_title(those[0], heading)}, and their reserve"}
        }
        groups.append((_url(f"{key}/{code}", "Group"), group | told))
    return groups


def _group(people: list[dict[Hashable, Any]], team: str, name: str, heading: Heading) -> dict[str, Any]:
    group = {
        "resourceType": "Group",
        "active": True,
        "type": "person",
        "actual": True,
        "code": {"text": "People offered case management, and their reserve"},
        "name": f"{name}, {heading.as_of}",
        "quantity": len(people),
        "managingEntity": {"reference": team},
    }
    members = [{"entity": {"reference": _url(str(row["reference"]), "Patient")}} for row in people]
    return group | ({"member": members} if members else {})


def _provenance(targets: list[str], team: str, device: str, heading: Heading) -> dict[str, Any]:
    """Say of everything that was worked out who made it, when, and from which model, settings and run."""
    sources = [
        {
            "role": "source",
            "what": {"identifier": {"system": f"urn:casewell:{name}", "value": clean(value)}, "display": name},
        }
        for name, value in sorted(heading.made_from.items())
    ]
    assembler = {"coding": [{"system": AGENT_SYSTEM, "code": "assembler"}]}
    return {
        "resourceType": "Provenance",
        "target": [{"reference": url} for url in targets],
        "occurredDateTime": heading.as_of.isoformat(),
        # Not the clock's: the same week gives the same bytes.
        "recorded": f"{heading.as_of}T00:00:00Z",
        "activity": {"text": "The week's list, from records known before its day"},
        "agent": [{"type": assembler, "who": {"reference": device}, "onBehalfOf": {"reference": team}}],
    } | ({"entity": sources} if sources else {})


def _narrative(line: str, items: list[str] | None = None) -> dict[str, str]:
    listed = "".join(f"<li>{html.escape(item)}</li>" for item in items or [])
    below = f"<ul>{listed}</ul>" if listed else ""
    return {"status": "generated", "div": f'<div xmlns="{_XHTML}"><p>{html.escape(line)}</p>{below}</div>'}
