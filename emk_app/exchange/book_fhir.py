"""A version of a book as a FHIR R4 document, for insurers and other systems.

It holds what the version says, the signed bytes themselves and their signature, so that whoever
receives it can check that the resources say what was signed.
"""

from __future__ import annotations

import base64
import html
import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from emk_app.crypto import canonical
from emk_app.crypto.canonical import sha256
from emk_app.crypto.signing import DetachedSignature, der_signature
from emk_app.domain.books import BookContent, BookLine, BookVaccination, Standing
from emk_app.domain.exchange import Organisation, Shot
from emk_app.domain.vaccinations import RecordKind
from emk_app.exchange import cda
from emk_app.exchange.fhir import (
    INTERPRETATION,
    JUDGED,
    Resource,
    concept,
    immunization,
    moment,
    observation,
    oid,
    organization,
    patient,
    period,
)

TITLE: Final = "Электронная медицинская книжка"
BOOKS: Final = f"{cda.OWN_CODES}.6"
"""Under which the versions of our books are numbered."""
OKPO: Final = f"{cda.OWN_CODES}.7"
URI: Final = "urn:ietf:rfc:3986"
SIGNATURE_TYPES: Final = "urn:iso-astm:E1762-95:2013"
SOURCE_PROOF: Final = "1.2.840.10065.1.12.1.2"
"""Verification signature of the issuer (ASTM E1762)."""
SECTIONS: Final = {
    "work": "Вид работ",
    "conclusion": "Заключение",
    "restrictions": "Ограничения",
    "studies": "Осмотры и исследования",
    "attestation": "Гигиеническая подготовка",
    "vaccinations": "Прививки",
    "evidence": "Подписанная запись",
}
"""Sections in the document's order; one without entries is left out."""
STANDINGS: Final = {
    Standing.IN_FORCE: "действует",
    Standing.SUSPENDED: "приостановлена",
    Standing.REVOKED: "аннулирована",
}

Entry = tuple[str, str, Resource]
"""Section, local name and resource."""


def write(
    content: BookContent, signed: bytes, signature: DetachedSignature, signed_at: datetime
) -> bytes:
    """Return the document as canonical JSON; always the same bytes for the same version."""
    return canonical.canonical(_bundle(content, signed, signature, signed_at))


def _bundle(
    said: BookContent, signed: bytes, signature: DetachedSignature, signed_at: datetime
) -> Resource:
    subject, clinic, chair = (_url(said, name) for name in ("patient", "organization", "chair"))
    entries = [*_entries(said), ("evidence", "document", _evidence(said, signed, signed_at))]
    composition: Resource = {
        "resourceType": "Composition",
        "identifier": _identifier(said, said.version),
        "status": "final",
        "type": {"coding": [{"system": oid(BOOKS), "code": "book"}], "text": TITLE},
        "subject": {"reference": subject},
        "date": moment(signed_at),
        "author": [{"reference": chair}],
        "title": f"{TITLE} № {said.number}, версия {said.version}",
        "confidentiality": "R",
        "attester": [{"mode": "legal", "time": moment(signed_at), "party": {"reference": clinic}}],
        "custodian": {"reference": clinic},
        "event": [
            {
                "code": [{"text": "Срок действия книжки"}],
                "period": period(said.issued_on, said.valid_until),
            }
        ],
        "section": [
            _section(said, code, [each for each in entries if each[0] == code])
            for code in SECTIONS
            if any(each[0] == code for each in entries)
        ],
    }
    if said.version > 1:
        composition["relatesTo"] = [
            {"code": "replaces", "targetIdentifier": _identifier(said, said.version - 1)}
        ]
    resources: list[tuple[str, Resource]] = [
        ("composition", composition),
        ("patient", patient(said.holder, said.snils, said.born_on, None)),
        ("organization", _clinic(said)),
        ("chair", {"resourceType": "Practitioner", "name": [{"text": said.chair_name}]}),
        ("role", _role(said)),
        *((name, made) for _, name, made in entries),
        ("signature", _provenance(said, signature, signed_at)),
    ]
    return {
        "resourceType": "Bundle",
        "meta": {"versionId": str(said.version)},
        "identifier": _identifier(said, said.version),
        "type": "document",
        "timestamp": moment(signed_at),
        "entry": [{"fullUrl": _url(said, name), "resource": made} for name, made in resources],
    }


def _entries(said: BookContent) -> Iterable[Entry]:
    subject = _url(said, "patient")
    work, outcome = said.occupation, said.conclusion
    facts = [
        ("work", "occupation", "Профессия", work.code, work.name),
        ("work", "point", "Пункт приказа № 29н", work.point, said.work),
        ("work", "kind", "Вид осмотра", said.examination.value, cda.KINDS[said.examination]),
        ("conclusion", "fitness", "Вывод", outcome.fitness.value, cda.OUTCOMES[outcome.fitness]),
        ("conclusion", "standing", "Книжка", said.standing.value, STANDINGS[said.standing]),
    ]
    if outcome.note:
        facts.append(("conclusion", "note", "Примечание", outcome.note, outcome.note))
    for section, code, name, value, shown in facts:
        made = observation(subject, cda.FACTS, code, name, value, shown)
        if section == "conclusion":
            made["effectiveDateTime"] = said.concluded_on.isoformat()
        yield section, f"fact-{code}", made
    if outcome.restrictions or outcome.until:
        yield "restrictions", "restriction", _flag(said)
    attestation = said.attestation
    for number, line in enumerate(said.lines):
        section = "attestation" if line == attestation else "studies"
        yield section, f"study-{number}", _study(subject, line)
    for number, each in enumerate(said.vaccinations):
        yield "vaccinations", f"shot-{number}", immunization(subject, _shot(each))


def _study(subject: str, line: BookLine) -> Resource:
    shown = f"{line.value} {line.unit}".strip()
    made = observation(subject, cda.STUDIES, line.code, line.name, line.value, shown)
    made["effectivePeriod"] = period(line.performed_on, line.valid_until)
    made["interpretation"] = [
        {"coding": [{"system": INTERPRETATION, "code": JUDGED[line.deviation]}]}
    ]
    return made


def _shot(each: BookVaccination) -> Shot:
    return Shot(
        each.code,
        each.name,
        RecordKind(each.kind),
        each.on,
        dose=each.dose,
        vaccine=each.vaccine,
        series=each.series,
        until=each.until,
    )


def _flag(said: BookContent) -> Resource:
    outcome = said.conclusion
    words = outcome.restrictions or cda.OUTCOMES[outcome.fitness]
    return {
        "resourceType": "Flag",
        "status": "active",
        "code": {"text": words},
        "subject": {"reference": _url(said, "patient")},
        "period": period(said.concluded_on, outcome.until),
        "author": {"reference": _url(said, "chair")},
    }


def _clinic(said: BookContent) -> Resource:
    made = organization(Organisation(said.clinic_oid, said.clinic_name, "", "", ""))
    if said.clinic_okpo:
        made["identifier"].append({"system": oid(OKPO), "value": said.clinic_okpo})
    return made


def _role(said: BookContent) -> Resource:
    return {
        "resourceType": "PractitionerRole",
        "practitioner": {"reference": _url(said, "chair")},
        "organization": {"reference": _url(said, "organization")},
        "code": [{"text": "Председатель врачебной комиссии"}],
    }


def _evidence(said: BookContent, signed: bytes, signed_at: datetime) -> Resource:
    digest = base64.urlsafe_b64encode(sha256(signed)).rstrip(b"=").decode()
    return {
        "resourceType": "DocumentReference",
        "identifier": [{"system": URI, "value": f"ni:///sha-256;{digest}"}],
        "status": "current",
        "type": {"text": f"Запись книжки в формате {said.format}"},
        "subject": {"reference": _url(said, "patient")},
        "date": moment(signed_at),
        "content": [
            {
                "attachment": {
                    "contentType": "application/json",
                    "data": base64.b64encode(signed).decode(),
                    "title": f"emk-{said.number.digits}-v{said.version}.json",
                }
            }
        ],
    }


def _provenance(said: BookContent, signature: DetachedSignature, signed_at: datetime) -> Resource:
    clinic = {"reference": _url(said, "organization")}
    return {
        "resourceType": "Provenance",
        "target": [{"reference": _url(said, "document")}],
        "recorded": moment(signed_at),
        "agent": [{"who": clinic}],
        "signature": [
            {
                "type": [{"system": SIGNATURE_TYPES, "code": SOURCE_PROOF}],
                "when": moment(signed_at),
                "who": {"display": f"Ключ {signature.key_id.hex()}"},
                "targetFormat": "application/json",
                "data": base64.b64encode(der_signature(signature.value)).decode(),
            }
        ],
    }


def _section(said: BookContent, code: str, entries: list[Entry]) -> Resource:
    return {
        "title": SECTIONS[code],
        "code": concept(cda.SECTIONS, code, SECTIONS[code]),
        "text": {"status": "generated", "div": _narrative(made for _, _, made in entries)},
        "entry": [{"reference": _url(said, name)} for _, name, _ in entries],
    }


def _narrative(resources: Iterable[Resource]) -> str:
    lines = "".join(f"<li>{html.escape(_words(each))}</li>" for each in resources)
    return f'<div xmlns="http://www.w3.org/1999/xhtml"><ul>{lines}</ul></div>'


def _words(made: Resource) -> str:
    """Return what a resource says, for people."""
    match made["resourceType"]:
        case "Observation":
            said = f"{made['code']['coding'][0]['display']}: {made['note'][0]['text']}"
            days = made.get("effectivePeriod", {})
        case "Immunization":
            code = made["vaccineCode"]
            status = made.get("statusReason", {"coding": [{"display": "привит"}]})
            parts = (
                f"{code['coding'][0]['display']}: {status['coding'][0]['display']}",
                code.get("text", ""),
                f"серия {made['lotNumber']}" if "lotNumber" in made else "",
            )
            said = ", ".join(part for part in parts if part)
            days = {"start": made["occurrenceDateTime"]}
        case "Flag":
            said, days = made["code"]["text"], made["period"]
        case _:
            return made["type"]["text"]
    dates = "–".join(days[end] for end in ("start", "end") if end in days)
    return f"{said} ({dates})" if dates else said


def _identifier(said: BookContent, version: int) -> dict[str, str]:
    return {"system": oid(BOOKS), "value": f"{said.number.digits}-{version}"}


def _url(said: BookContent, name: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_OID, f"{BOOKS}^{said.number.digits}-{said.version}#{name}").urn
