"""What a commission signs, whole, as one canonical structure.

Everything that leaves this service about an examination (exchange, exports) is made from it and
from nothing else, so that it says what was signed, whatever has changed since.
"""

from __future__ import annotations

import json
import unicodedata
from datetime import date, datetime
from typing import Any, Final, cast

from sqlmodel import Session

from emk_app.crypto import canonical
from emk_app.db import vault
from emk_app.db.repositories import applications, attachments, desks, examinations, vaccinations
from emk_app.db.tables.applications import Application
from emk_app.db.tables.clinics import Clinic
from emk_app.db.tables.examinations import Examination, SignedConclusion
from emk_app.db.tables.people import User
from emk_app.domain.clearance import Conclusion, valid_until
from emk_app.domain.examinations import BeingCorrected, ItemKind
from emk_app.domain.intake import Field
from emk_app.domain.vaccinations import INFECTIONS
from emk_app.services import cases

FORMAT: Final = "emk-conclusion/1"


def canonical_report(
    db: Session,
    application: Application,
    examination: Examination,
    conclusion: Conclusion,
    *,
    signer: User,
    now: datetime,
) -> bytes:
    """Return the canonical JSON (RFC 8785) of what ``signer`` signs ``now``.

    Only NFC strings, booleans, integers, lists and objects; days are ISO dates, moments ISO in UTC,
    what is absent is "". ``value`` of a line is for people, ``raw`` for machines. ``number`` counts
    the conclusions of the examination from 1, and ``previous_hash`` is the SHA-256 of the one
    before. Raises ``BeingCorrected`` while name, birth date or СНИЛС do not read.
    """
    holder = examinations.vault_of(db, application)
    before = examinations.signed_of(db, examination.id)
    clinic = db.get(Clinic, examination.clinic_id)
    patient = cases.patient_of(db, application, now=now)
    if None in (patient.name, patient.born_on, patient.snils, patient.sex):
        raise BeingCorrected
    assert patient.name and patient.born_on and patient.snils and patient.sex
    assert patient.occupation and patient.kind
    assert clinic is not None and signer.name_sealed is not None
    person, work = patient.name, patient.occupation
    said: dict[str, Any] = {
        "format": FORMAT,
        "application": application.tracking_number,
        "examination": examination.id,
        "number": len(before) + 1,
        "previous_hash": (before[-1].report_hash or "") if before else "",
        "kind": patient.kind.value,
        "patient": {
            "last_name": person.last,
            "first_name": person.first,
            "patronymic": person.patronymic or "",
            "born_on": _iso(patient.born_on),
            "sex": patient.sex.value,
            "snils": patient.snils.digits,
            **_reachable(db, application, now),
        },
        "work": {
            "code": work.code,
            "name": work.name,
            "group": work.group,
            "point": work.point,
            "legal_name": work.work_point.name,
        },
        "clinic": {
            "oid": clinic.oid,
            "name": clinic.name,
            "inn": clinic.inn,
            "ogrn": clinic.ogrn,
            "okpo": clinic.okpo,
            "licence": clinic.licence_number,
            "address": clinic.address,
            "phone": clinic.phone,
        },
        "opened_at": _moment(examination.opened_at),
        "identity_checked_at": _moment(examination.identity_checked_at),
        "lines": _lines(db, application, examination, holder, now),
        "vaccinations": _vaccinations(db, application, holder),
        "attachments": _attachments(db, examination),
        "conclusion": {
            "fitness": conclusion.fitness.value,
            "restrictions": conclusion.restrictions,
            "contraindications": conclusion.contraindications,
            "until": _iso(conclusion.until),
            "note": conclusion.note,
        },
        "chair": {
            "id": signer.uid,
            "name": vault.vault_of(signer).open(signer.name_sealed, "users", "name", signer.uid),
        },
        "signed_at": _moment(now),
    }
    return canonical.canonical(_nfc(said))


def signed_report(db: Session, signed: SignedConclusion) -> dict[str, Any] | None:
    """Return the structure that was signed; None for a conclusion older than such structures."""
    examination = db.get(Examination, signed.examination_id)
    assert examination is not None
    application = applications.get(db, examination.application_id)
    raw = examinations.report_of(signed, examinations.vault_of(db, application))
    return None if raw is None else json.loads(raw)


def _reachable(db: Session, application: Application, now: datetime) -> dict[str, str]:
    """Return policy and address; as typed while the holder is correcting one of them."""
    form = applications.form_of(db, application)
    applicant = cases.applicant_of(db, application, now=now)
    said = {
        "policy_kind": form.get(Field.POLICY_KIND, ""),
        "policy_series": form.get(Field.POLICY_SERIES, ""),
        "policy_number": form.get(Field.POLICY_NUMBER, ""),
        "postal_index": form.get(Field.POSTAL_INDEX, ""),
        "address": form.get(Field.ADDRESS, ""),
    }
    if applicant is None:
        return said
    policy, address = applicant.policy, applicant.address
    return said | {
        "policy_kind": policy.kind.value,
        "policy_series": policy.series,
        "policy_number": policy.number,
        "postal_index": address.index,
        "address": address.text,
    }


def _lines(
    db: Session,
    application: Application,
    examination: Examination,
    holder: vault.Vault,
    now: datetime,
) -> list[dict[str, Any]]:
    entries = {each.code: each for each in examinations.standing(db, examination.id)}
    names = desks.names_of(db, [each.entered_by for each in entries.values()])
    work = cases.occupation_of(application)
    programme = work.work_point.name if work else ""
    lines: list[dict[str, Any]] = []
    for study in cases.studies_of(db, application, examination, now=now):
        if (entry := entries.get(study.code)) is None:
            continue
        result = examinations.result_of(entry, holder)
        details = examinations.details_of(entry, holder)
        lines.append(
            {
                "code": study.code,
                "name": study.name,
                "kind": study.kind.value,
                "specialty": study.specialty,
                "value": study.words(result.value),
                "raw": result.value,
                "unit": study.unit,
                "deviation": result.deviation,
                "performed_on": _iso(result.performed_on),
                "valid_until": _iso(valid_until(study, result)),
                "source": entry.source.value if entry.source else "",
                "performer": details.performer,
                "device": details.device,
                "number": details.number,
                "programme": programme if study.kind is ItemKind.ATTESTATION else "",
                "entered_by": names.get(entry.entered_by, ""),
            }
        )
    return lines


def _vaccinations(
    db: Session, application: Application, holder: vault.Vault
) -> list[dict[str, Any]]:
    told = [
        vaccinations.opened(row, holder)
        for row in vaccinations.of_holder(db, application.holder_id)
    ]
    return [
        {
            "code": each.code,
            "name": INFECTIONS[each.code].name,
            "kind": each.kind.value,
            "dose": each.dose.value if each.dose else "",
            "on": _iso(each.on),
            "vaccine": each.vaccine,
            "series": each.series,
            "until": _iso(each.until),
        }
        for each in told
        if each.code in INFECTIONS
    ]


def _attachments(db: Session, examination: Examination) -> list[dict[str, Any]]:
    """Return what lay before the commission; the hash is that of the file as it is kept."""
    return [
        {
            "ref": each.ref,
            "kind": each.kind.value,
            "media_type": each.media_type.value,
            "pages": each.pages,
            "sha256": each.sha256,
            "added_at": _moment(each.added_at),
        }
        for each in attachments.of_examination(db, examination.id)
    ]


def _iso(day: date | None) -> str:
    return "" if day is None else day.isoformat()


def _moment(at: datetime | None) -> str:
    return "" if at is None else at.isoformat(timespec="seconds")


def _nfc(value: Any) -> Any:
    match value:
        case str():
            return unicodedata.normalize("NFC", value)
        case list():
            return [_nfc(each) for each in cast("list[Any]", value)]
        case dict():
            return {key: _nfc(each) for key, each in cast("dict[str, Any]", value).items()}
        case _:
            return value
