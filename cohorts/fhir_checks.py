"""What a bundle must keep besides the shape that the library checks.

fhir.resources (its R4B models, which have the elements of R4 for the resources used here) checks elements and types, but
takes any code, any probability and any reference. These rules are its complement; they are FHIR's own, with the NHS
number's check digit (NHS data dictionary).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
from defusedxml import ElementTree
from fhir.resources.R4B.bundle import Bundle
from pydantic import ValidationError

from cohorts.assembly import risk_bands
from cohorts.tables import RISK_BANDS

RISK_CODES = dict(zip(RISK_BANDS, ("high", "moderate", "low", "negligible"), strict=True))
"""The list's bands, in the codes of http://terminology.hl7.org/CodeSystem/risk-probability."""
SYNTHETIC_LABEL = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}
# FHIR 4.0.1, bindings of the strength `required`.
VALUE_SETS: dict[tuple[str, str], set[str]] = {
    ("Bundle", "type"): {"document", "message", "transaction", "transaction-response", "batch", "batch-response", "history", "searchset", "collection"},
    ("RiskAssessment", "status"): {"registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error", "unknown"},
    ("Group", "type"): {"person", "animal", "practitioner", "device", "medication", "substance"},
    ("Task", "status"): {"draft", "requested", "received", "accepted", "rejected", "ready", "cancelled", "in-progress", "on-hold", "failed", "completed", "entered-in-error"},
    ("Task", "intent"): {"unknown", "proposal", "plan", "order", "original-order", "reflex-order", "filler-order", "instance-order", "option"},
    ("Task", "priority"): {"routine", "urgent", "asap", "stat"},
    ("Patient", "gender"): {"male", "female", "other", "unknown"},
}  # fmt: skip
ENTITY_ROLES = {"derivation", "revision", "quotation", "source", "removal"}
# What each reference may lead to.
TARGETS: dict[tuple[str, str], set[str]] = {
    ("RiskAssessment", "subject"): {"Patient", "Group"},
    ("RiskAssessment", "performer"): {"Practitioner", "PractitionerRole", "Device"},
    ("Group", "managingEntity"): {"Organization", "RelatedPerson", "Practitioner", "PractitionerRole"},
    ("Group", "member"): {"Patient", "Practitioner", "PractitionerRole", "Device", "Medication", "Substance", "Group"},
    ("Task", "for"): {"Patient"},
    ("Task", "focus"): {"RiskAssessment"},
    ("Task", "reasonReference"): {"RiskAssessment"},
    ("Task", "requester"): {"Device", "Organization", "Patient", "Practitioner", "PractitionerRole", "RelatedPerson"},
    ("Provenance", "target"): {"RiskAssessment", "Task", "Group"},
    ("Provenance", "agent"): {"Device", "Organization"},
    ("Task", "owner"): {"Practitioner", "PractitionerRole", "Organization", "CareTeam"},
}
_NARRATIVE = {"div", "p", "ul", "li"}


def problems_of(bundle: dict[str, Any]) -> list[str]:
    """Return every rule that a bundle breaks, with where and how often, without any value of a person."""
    try:
        Bundle.model_validate(bundle)
    except ValidationError as error:
        places = {
            ".".join("*" if isinstance(step, int) else str(step) for step in told["loc"]) for told in error.errors()
        }
        return [f"not a FHIR bundle: {', '.join(sorted(places))}"]
    entries = bundle.get("entry", [])
    kinds = {entry.get("fullUrl"): entry["resource"]["resourceType"] for entry in entries}
    found = ["two entries have one fullUrl"] if len(kinds) < len(entries) else []
    for resource in [bundle, *[entry["resource"] for entry in entries]]:
        found += [f"{resource['resourceType']}: {problem}" for problem in _of_resource(resource, kinds)]
    return [f"{problem} ({found.count(problem)})" for problem in sorted(set(found))]


def _of_resource(resource: dict[str, Any], kinds: dict[str, str]) -> Iterator[str]:
    kind = resource["resourceType"]
    for (owner, name), codes in VALUE_SETS.items():
        if owner == kind and name in resource and resource[name] not in codes:
            yield f"{name} is not in its value set"
    if kind == "Bundle":
        return
    for name, reference in _references(resource):
        target = kinds.get(reference)
        if target is None:
            yield f"{name} leads nowhere"
        elif target not in TARGETS.get((kind, name), {target}):
            yield f"{name} leads to {target}"
    if any(entity["role"] not in ENTITY_ROLES for entity in resource.get("entity", [])):
        yield "entity.role is not in its value set"
    for prediction in resource.get("prediction", []):
        yield from _of_prediction(prediction)
    for identifier in resource.get("identifier", []):
        if identifier["system"].endswith("/nhs-number") and not is_nhs_number(identifier["value"]):
            yield "identifier is not an NHS number"
    if "text" in resource and not _is_plain(resource["text"]["div"]):
        yield "the narrative holds more than plain paragraphs and lists"


def _of_prediction(prediction: dict[str, Any]) -> Iterator[str]:
    percentage = prediction.get("probabilityDecimal")
    if percentage is None or not 0 <= percentage <= 100:
        yield "probabilityDecimal is not a percentage"
        return
    told = prediction.get("qualitativeRisk", {})
    codes = [coding["code"] for coding in told.get("coding", [])]
    if codes != [RISK_CODES.get(told.get("text", ""))]:
        yield "qualitativeRisk is not a band of the list"
    # The percentage is rounded to two places, so a risk on the border may lie on either side.
    elif told["text"] not in risk_bands(np.array([percentage - 5e-3, percentage, percentage + 5e-3]) / 100):
        yield "qualitativeRisk is not the band of the probability"


def _references(resource: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Return each literal reference below a resource with the element of the resource that it is in."""
    for name, content in resource.items():
        stack = [content]
        while stack:
            item = stack.pop()
            if isinstance(item, list):
                stack += item
            elif isinstance(item, dict):
                if isinstance(item.get("reference"), str):
                    yield name, item["reference"]
                stack += [value for key, value in item.items() if key != "reference"]


def is_nhs_number(text: str) -> bool:
    """Say whether a text is ten digits with the right check digit, and not one digit repeated."""
    if not re.fullmatch(r"[0-9]{10}", text) or len(set(text)) == 1:
        return False
    weighted = sum(weight * int(digit) for weight, digit in zip(range(10, 1, -1), text, strict=False))
    return (11 - weighted % 11) % 11 == int(text[9])


def _is_plain(div: str) -> bool:
    try:
        root = ElementTree.fromstring(div)
    except ElementTree.ParseError:
        return False
    return all(
        part.tag.removeprefix("{http://www.w3.org/1999/xhtml}") in _NARRATIVE and not part.attrib
        for part in root.iter()
    )
