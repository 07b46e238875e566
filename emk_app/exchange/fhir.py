"""The same conclusion as a FHIR R4 document: a Bundle that begins with its Composition.

The profile leaves no freedom: what is read has to be, byte for byte in its canonical form, what
``write`` makes of what it says.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any, Final

from emk_app.crypto import canonical
from emk_app.crypto.errors import NotCanonical
from emk_app.domain.clearance import Conclusion, Fitness
from emk_app.domain.errors import Invalid, InvalidValue
from emk_app.domain.examinations import ExaminationKind, ItemKind
from emk_app.domain.exchange import (
    DOCUMENT_LIMIT,
    DocumentRefused,
    DocumentTooLarge,
    Organisation,
    Shot,
    Statement,
    Study,
)
from emk_app.domain.people import FullName, Sex
from emk_app.domain.vaccinations import RecordKind
from emk_app.exchange import cda

SNILS: Final = "https://fhir.ru/ig/core/systems/snils"
INTERPRETATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
NOT_GIVEN: Final = (RecordKind.EXEMPTION, RecordKind.REFUSAL)
JUDGED: Final = {True: "A", False: "N"}

Resource = dict[str, Any]


def write(statement: Statement) -> bytes:
    """Return the document as canonical JSON; always the same bytes for the same statement."""
    return canonical.canonical(_bundle(statement))


def read(raw: bytes) -> Statement:
    """Return what a document says; raises as ``cda.read``."""
    if len(raw) > DOCUMENT_LIMIT:
        raise DocumentTooLarge
    try:
        bundle = json.loads(raw.decode("utf-8"))
        said = _read(bundle)
        if canonical.canonical(bundle) != write(said):
            raise DocumentRefused("profile")
    except (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        RecursionError,
        StopIteration,
        NotCanonical,
        InvalidValue,
        Invalid,
    ) as error:
        if isinstance(error, DocumentRefused):
            raise
        raise DocumentRefused("content") from error
    return said


def _bundle(said: Statement) -> Resource:
    clinic, subject = _url(said, "organization"), _url(said, "patient")
    sections = [_section(code, urls) for code, urls in _contents(said).items()]
    composition: Resource = {
        "resourceType": "Composition",
        "identifier": {"system": oid(f"{said.clinic.oid}.100.1.1.50"), "value": said.application},
        "status": "final",
        "type": {
            "coding": [
                {"system": oid(cda.DOCUMENT_TYPES), "code": "502", "display": cda.TITLE},
                {"system": oid(cda.DOCUMENT_KINDS), "code": "230"},
            ]
        },
        "subject": {"reference": subject},
        "date": moment(said.signed_at),
        "author": [{"reference": _url(said, "practitioner")}],
        "title": cda.TITLE,
        "confidentiality": "N",
        "attester": [
            {
                "mode": "legal",
                "time": moment(said.signed_at),
                "party": {"reference": _url(said, "practitioner")},
            }
        ],
        "custodian": {"reference": clinic},
        "section": sections,
    }
    resources: list[tuple[str, Resource]] = [
        (_url(said, "composition"), composition),
        (subject, patient(said.name, said.snils, said.born_on, said.sex)),
        (clinic, organization(said.clinic)),
        (_url(said, "practitioner"), _practitioner(said)),
        *((url, made) for _, url, made in _entries(said)),
    ]
    return {
        "resourceType": "Bundle",
        "meta": {"versionId": str(said.version)},
        "identifier": {"system": oid(said.root), "value": said.extension},
        "type": "document",
        "timestamp": moment(said.signed_at),
        "entry": [{"fullUrl": url, "resource": made} for url, made in resources],
    }


def _contents(said: Statement) -> dict[str, list[str]]:
    """Return the entries of each section, sections in the order of the document."""
    found: dict[str, list[str]] = {}
    for section, url, _ in _entries(said):
        found.setdefault(section, []).append(url)
    return {code: found[code] for code in cda.TITLES if code in found}


def _section(code: str, urls: list[str]) -> Resource:
    return {
        "title": cda.TITLES[code],
        "code": concept(cda.SECTIONS, code, cda.TITLES[code]),
        "entry": [{"reference": url} for url in urls],
    }


def _entries(said: Statement) -> Iterable[tuple[str, str, Resource]]:
    """Yield section, address and resource of everything the sections hold."""
    for section, facts in cda.stories(said).items():
        for number, (code, value, shown) in enumerate(facts):
            made = observation(
                _url(said, "patient"), cda.FACTS, code, cda.WORDS[code], value, shown
            )
            yield section, _url(said, f"{section}-{number}"), made
    order = list(cda.BY_KIND)
    studies = sorted(said.studies, key=lambda each: order.index(each.kind))
    shots = sorted(said.shots, key=lambda each: each.kind is not RecordKind.HAD_DISEASE)
    for number, study in enumerate(studies):
        made = observation(
            _url(said, "patient"), cda.STUDIES, study.code, study.name, study.value, study.shown
        )
        made["effectivePeriod"] = period(study.performed_on, study.valid_until)
        made["interpretation"] = [
            {"coding": [{"system": INTERPRETATION, "code": JUDGED[study.deviation]}]}
        ]
        if study.performer:
            made["performer"] = [{"display": study.performer}]
        if study.device:
            made["device"] = {"display": study.device}
        if study.number:
            made["identifier"] = [{"system": oid(cda.NUMBERS), "value": study.number}]
        yield cda.BY_KIND[study.kind], _url(said, f"study-{number}"), made
    for number, shot in enumerate(shots):
        section = "infections" if shot.kind is RecordKind.HAD_DISEASE else "vaccinations"
        yield section, _url(said, f"shot-{number}"), immunization(_url(said, "patient"), shot)


def observation(
    subject: str, system: str, code: str, name: str, value: str, shown: str
) -> Resource:
    """Return one fact about the patient at ``subject``: ``value`` for machines, ``shown`` for
    people.
    """
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": concept(system, code, name),
        "subject": {"reference": subject},
        "valueString": value,
        "note": [{"text": shown}],
    }


def immunization(subject: str, shot: Shot) -> Resource:
    """Return what is recorded of one infection: an immunization, given or not, or a fact."""
    if shot.kind is not RecordKind.DONE and shot.kind not in NOT_GIVEN:
        made = observation(
            subject, cda.INFECTIONS, shot.code, shot.name, shot.kind.value, cda.RECORDS[shot.kind]
        )
        made["effectivePeriod"] = period(shot.on, shot.until)
        return made
    made = {
        "resourceType": "Immunization",
        "status": "completed" if shot.kind is RecordKind.DONE else "not-done",
        "vaccineCode": concept(cda.INFECTIONS, shot.code, shot.name),
        "patient": {"reference": subject},
        "occurrenceDateTime": shot.on.isoformat(),
    }
    if shot.kind in NOT_GIVEN:
        made["statusReason"] = concept(cda.FACTS, shot.kind.value, cda.RECORDS[shot.kind])
    if shot.vaccine:
        made["vaccineCode"]["text"] = shot.vaccine
    if shot.series:
        made["lotNumber"] = shot.series
    if shot.dose:
        made["protocolApplied"] = [{"doseNumberString": shot.dose}]
    if shot.until:
        made["expirationDate"] = shot.until.isoformat()
    return made


def patient(name: FullName, snils: str, born_on: date, sex: Sex | None) -> Resource:
    """Return the person; without a sex where the document does not say it."""
    given = [name.first, *([name.patronymic] if name.patronymic else [])]
    return {
        "resourceType": "Patient",
        "identifier": [{"system": SNILS, "value": snils}],
        "name": [{"family": name.last, "given": given}],
        **({"gender": sex.value} if sex else {}),
        "birthDate": born_on.isoformat(),
    }


def organization(clinic: Organisation) -> Resource:
    """Return the clinic with the numbers that are known of it."""
    numbers = [{"system": "urn:ietf:rfc:3986", "value": oid(clinic.oid)}]
    if clinic.ogrn:
        numbers.append({"system": oid(cda.OGRN), "value": clinic.ogrn})
    made: Resource = {
        "resourceType": "Organization",
        "identifier": numbers,
        "name": clinic.name,
    }
    if clinic.phone:
        made["telecom"] = [{"system": "phone", "value": clinic.phone}]
    if clinic.address:
        made["address"] = [{"text": clinic.address}]
    return made


def _practitioner(said: Statement) -> Resource:
    return {
        "resourceType": "Practitioner",
        "identifier": [{"system": oid(f"{said.clinic.oid}.100.1.1.70"), "value": said.chair_id}],
        "name": [{"text": said.chair}],
    }


def concept(system: str, code: str, name: str) -> Resource:
    """Return a code of one of our lists with its words."""
    return {"coding": [{"system": oid(system), "code": code, "display": name}]}


def period(first: date, last: date | None) -> Resource:
    """Return a period, both days inclusive; without an end if it has none."""
    return {"start": first.isoformat()} | ({"end": last.isoformat()} if last else {})


def _url(said: Statement, name: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_OID, f"{said.uid}#{name}").urn


def oid(number: str) -> str:
    """Return an OID as an address."""
    return f"urn:oid:{number}"


def moment(at: datetime) -> str:
    """Return a moment in UTC, whole seconds."""
    return at.astimezone(UTC).isoformat(timespec="seconds")


def _read(bundle: Any) -> Statement:
    entries = {each["fullUrl"]: each["resource"] for each in bundle["entry"]}
    composition, patient, organization, practitioner = (
        each["resource"] for each in bundle["entry"][:4]
    )
    sections: dict[str, list[Resource]] = {
        section["code"]["coding"][0]["code"]: [
            entries[each["reference"]] for each in section["entry"]
        ]
        for section in composition["section"]
    }
    facts = {
        code: [(_code(each), each["valueString"]) for each in sections[code]]
        for code in ("referral", "work", "commission", "conclusion")
    }
    referral, work, end = (dict(facts[code]) for code in ("referral", "work", "conclusion"))
    given = patient["name"][0]["given"]
    return Statement(
        application=referral["number"],
        version=int(bundle["meta"]["versionId"]),
        signed_at=datetime.fromisoformat(bundle["timestamp"]),
        name=FullName.parse(
            last=patient["name"][0]["family"],
            first=given[0],
            patronymic=given[1] if len(given) > 1 else "",
        ),
        born_on=date.fromisoformat(patient["birthDate"]),
        sex=Sex(patient["gender"]),
        snils=patient["identifier"][0]["value"],
        referred_on=datetime.strptime(referral["date"], "%Y%m%d").date(),  # noqa: DTZ007
        kind=ExaminationKind(work["kind"]),
        point=work["point"],
        work=work["name"],
        occupation=work["occupation"],
        book_number=referral.get("book", ""),
        clinic=_read_organisation(organization),
        chair_id=practitioner["identifier"][0]["value"],
        chair=practitioner["name"][0]["text"],
        commission=tuple(value for _, value in facts["commission"]),
        studies=tuple(
            _read_study(each, kind)
            for code, kind in cda.KIND_OF.items()
            for each in sections.get(code, [])
        ),
        shots=tuple(
            _read_shot(each)
            for code in ("infections", "vaccinations")
            for each in sections.get(code, [])
        ),
        conclusion=Conclusion(
            fitness=Fitness(end["fitness"]),
            restrictions=end.get("restrictions", ""),
            until=(
                datetime.strptime(end["until"], "%Y%m%d").date()  # noqa: DTZ007
                if "until" in end
                else None
            ),
            note=end.get("note", ""),
            contraindications=end.get("contraindications", ""),
        ),
    )


def _read_organisation(found: Resource) -> Organisation:
    numbers = {each["system"]: each["value"] for each in found["identifier"]}
    return Organisation(
        oid=numbers["urn:ietf:rfc:3986"].removeprefix("urn:oid:"),
        name=found["name"],
        ogrn=numbers.get(oid(cda.OGRN), ""),
        address=found["address"][0]["text"] if "address" in found else "",
        phone=found["telecom"][0]["value"] if "telecom" in found else "",
    )


def _read_study(found: Resource, kind: ItemKind) -> Study:
    period = found["effectivePeriod"]
    return Study(
        code=_code(found),
        name=found["code"]["coding"][0]["display"],
        kind=kind,
        value=found["valueString"],
        shown=found["note"][0]["text"],
        deviation=found["interpretation"][0]["coding"][0]["code"] == JUDGED[True],
        performed_on=date.fromisoformat(period["start"]),
        valid_until=date.fromisoformat(period["end"]) if "end" in period else None,
        performer=found["performer"][0]["display"] if "performer" in found else "",
        device=found["device"]["display"] if "device" in found else "",
        number=found["identifier"][0]["value"] if "identifier" in found else "",
    )


def _read_shot(found: Resource) -> Shot:
    if found["resourceType"] == "Observation":
        period, coding = found["effectivePeriod"], found["code"]["coding"][0]
        return Shot(
            coding["code"],
            coding["display"],
            RecordKind(found["valueString"]),
            date.fromisoformat(period["start"]),
            until=date.fromisoformat(period["end"]) if "end" in period else None,
        )
    coding = found["vaccineCode"]["coding"][0]
    kind = (
        RecordKind(found["statusReason"]["coding"][0]["code"])
        if "statusReason" in found
        else RecordKind.DONE
    )
    return Shot(
        coding["code"],
        coding["display"],
        kind,
        date.fromisoformat(found["occurrenceDateTime"]),
        dose=found["protocolApplied"][0]["doseNumberString"] if "protocolApplied" in found else "",
        vaccine=found["vaccineCode"].get("text", ""),
        series=found.get("lotNumber", ""),
        until=date.fromisoformat(found["expirationDate"]) if "expirationDate" in found else None,
    )


def _code(found: Resource) -> str:
    return found["code"]["coding"][0]["code"]
