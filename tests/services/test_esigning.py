"""The holder's electronic signature: taken in or refused for its own reason, checked ever anew."""

from __future__ import annotations

import json
import shutil
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    pkcs12,
)
from cryptography.x509.oid import NameOID
from sqlmodel import select

from emk_app import clock
from emk_app.crypto import gost
from emk_app.crypto.canonical import parse
from emk_app.db import vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import applications
from emk_app.db.tables.applications import Application, ESignature
from emk_app.db.tables.journal import AuditEntry
from emk_app.domain.actors import Actor
from emk_app.domain.applications import ApplicationStatus
from emk_app.domain.checks import Check, CheckOutcome, Finding, Reason
from emk_app.domain.corrections import Asked, NotAsked
from emk_app.domain.errors import (
    ChangedMeanwhile,
    Invalid,
    NotFound,
    NotPermitted,
    TooManyAttempts,
)
from emk_app.domain.esignature import (
    CONTAINER_LIMIT,
    Algorithm,
    ESignatureOutdated,
    ESignatureRefused,
    NothingToSign,
    Outcome,
)
from emk_app.domain.intake import Field
from emk_app.services import applying, checking, esigning, lapsing, reviewing
from emk_app.services.applying import DraftView
from emk_app.services.esigning import CONTROL, Part
from emk_app.settings import settings
from tests.conftest import NOW
from tests.factories import (
    FORM,
    ask,
    make_clinic,
    make_draft,
    make_holder,
    make_operator,
    make_physician,
    put,
)
from tests.files.signers import (
    SNILS_OID,
    GostPrivateKey,
    Key,
    Person,
    attributes_of,
    authority,
    certify,
    gost_key,
    message,
    signature,
    signer_info,
)
from tests.scenes import kept
from tests.unit.test_containers import VECTORS, container_of

pytestmark = [
    pytest.mark.usefixtures("world", "roots"),
    pytest.mark.filterwarnings("ignore:PKCS#12 bundle could not be parsed as DER"),
]

DAY = timedelta(days=1)
PASSWORD = "Пароль 1"
SUBJECT = (
    (NameOID.SURNAME, FORM[Field.LAST_NAME]),
    (NameOID.GIVEN_NAME, f"{FORM[Field.FIRST_NAME]} {FORM[Field.PATRONYMIC]}"),
    (SNILS_OID, "11223344595"),
)
ROOT = authority(ec.generate_private_key(ec.SECP256R1()))
OTHER_ROOT = authority(ec.generate_private_key(ec.SECP256R1()), name="Никому не известный центр")
KEYS: dict[str, Key] = {
    "rsa": rsa.generate_private_key(65537, 2048),
    "ecdsa": ec.generate_private_key(ec.SECP256R1()),
}


def person(**changes: Any) -> Person:
    """Return the applicant of ``FORM`` with a certificate of the trusted root."""
    given: dict[str, Any] = {"key": KEYS["ecdsa"], "subject": SUBJECT, "issuer": ROOT}
    given["dates"] = (NOW - 30 * DAY, NOW + 300 * DAY)
    return certify(**given | changes)


SIGNER = person()


@pytest.fixture
def roots() -> Iterator[Path]:
    folder = settings().trusted_roots
    folder.mkdir(parents=True)
    (folder / "root.cer").write_bytes(ROOT.certificate)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
@kept
def holder(now: datetime) -> Actor:
    return make_holder(now)


@pytest.fixture
@kept
def draft(holder: Actor, now: datetime) -> DraftView:
    return make_draft(holder, now)


def slug(draft: DraftView) -> str:
    return draft.number.slug


def text_of(holder: Actor, draft: DraftView, now: datetime) -> bytes:
    return esigning.text(holder, slug(draft), now=now).content


def signed(holder: Actor, draft: DraftView, now: datetime, by: Person = SIGNER) -> bytes:
    """Sign the draft's text and have the signature kept; return it."""
    made = signature(by, text_of(holder, draft, now))
    esigning.accept(holder, slug(draft), made, None, now=now)
    return made


def packed(by: Person = SIGNER, password: str = PASSWORD) -> bytes:
    assert not isinstance(by.key, GostPrivateKey)
    return pkcs12.serialize_key_and_certificates(
        None, by.key, by.x509, None, BestAvailableEncryption(password.encode())
    )


def standing(holder: Actor, now: datetime) -> DraftView:
    found = applying.standing_draft(holder, now=now)
    assert found is not None
    return found


def rows() -> list[ESignature]:
    with reading() as db:
        return list(db.exec(select(ESignature)))


def finding(draft: DraftView) -> Finding | None:
    with reading() as db:
        found = checking.findings_of(db, applications.get(db, draft.id))
    return next((each for each in found if each.check is Check.SIGNATURE), None)


# The text


def test_text_is_canonical_and_says_the_whole_form(holder: Actor, draft: DraftView, now: datetime):
    made = esigning.text(holder, slug(draft), now=now)
    said: Any = parse(made.content)
    assert made.name == f"{slug(draft)}.json"
    assert (said["format"], said["number"]) == ("emk.application/1", slug(draft))
    applicant = said["applicant"]
    assert applicant["name"] == {"last": "Иванова", "first": "Мария", "patronymic": "Сергеевна"}
    assert applicant["snils"] == "11223344595"
    assert applicant["born_on"] == "1990-03-27"
    assert applicant["phone"] == "+79123456789"
    assert applicant["occupation"] == "cook"
    assert applicant["address"]["index"] == "109012"
    assert draft.applicant is not None
    filled = {name for name in type(draft.applicant).__slots__ if getattr(draft.applicant, name)}
    assert filled <= set(applicant)


@pytest.mark.parametrize(
    ("field", "text"),
    [
        (Field.SNILS, "11223344595"),
        (Field.PHONE, "8 (912) 345 67 89"),
        (Field.BIRTH_DATE, "27.3.1990"),
        (Field.LAST_NAME, "  Иванова "),
    ],
)
def test_another_spelling_is_the_same_text(
    field: Field, text: str, holder: Actor, draft: DraftView, now: datetime
):
    before = text_of(holder, draft, now)
    applying.change_fields(holder, draft.id, {field: text}, now=now)
    assert text_of(holder, draft, now) == before


@pytest.mark.parametrize(
    ("field", "text"),
    [
        (Field.LAST_NAME, "Петрова"),
        (Field.PATRONYMIC, ""),
        (Field.SNILS, "087-654-303 00"),
        (Field.PHONE, "+7 912 345-67-80"),
        (Field.ADDRESS, "г. Москва, ул. Ильинка, д. 5"),
        (Field.OCCUPATION, "hairdresser"),
        (Field.KIND, "periodic"),
    ],
)
def test_every_change_is_another_text(
    field: Field, text: str, holder: Actor, draft: DraftView, now: datetime
):
    before = text_of(holder, draft, now)
    applying.change_fields(holder, draft.id, {field: text}, now=now)
    assert text_of(holder, draft, now) != before


def test_form_with_a_mistake_is_nothing_to_sign(holder: Actor, draft: DraftView, now: datetime):
    applying.change_fields(holder, draft.id, {Field.SNILS: "1"}, now=now)
    for act in (
        lambda: esigning.text(holder, slug(draft), now=now),
        lambda: esigning.permit_signing(holder, slug(draft), now=now),
        lambda: esigning.accept(holder, slug(draft), b"x", None, now=now),
        lambda: esigning.sign_with_container(holder, slug(draft), b"x", "", now=now),
    ):
        with pytest.raises(NothingToSign):
            act()


# Taken in


@pytest.mark.parametrize("kind", sorted(KEYS))
@pytest.mark.parametrize("armour", ["der", "base64", "pem"])
def test_signature_is_kept_in_every_coding(
    kind: str, armour: str, holder: Actor, draft: DraftView, now: datetime
):
    by = person(key=KEYS[kind])
    made = signature(by, text_of(holder, draft, now))
    sent = {
        "der": made,
        "base64": b64encode(made),
        "pem": b"-----BEGIN CMS-----\n" + b64encode(made) + b"\n-----END CMS-----\n",
    }[armour]
    view = esigning.accept(holder, slug(draft), sent, None, now=now)
    assert view.check.outcome is Outcome.VALID
    found = standing(holder, now)
    assert found.signature == view
    assert not found.lacking
    for part, stored in (
        (Part.TEXT, text_of(holder, draft, now)),
        (Part.SIGNATURE, sent),
        (Part.CERTIFICATE, by.certificate),
    ):
        assert esigning.kept_part(holder, slug(draft), part, now=now).content == stored


def test_gost_signature_with_its_certificate_beside_it(
    holder: Actor, draft: DraftView, now: datetime
):
    by = person(key=gost_key(next(iter(gost.PARAMETER_SETS))))
    info = signer_info(by, attributes_of(by, text_of(holder, draft, now)))
    bare = message([info], kind=by.hash)
    with pytest.raises(ESignatureRefused) as refused:
        esigning.accept(holder, slug(draft), bare, None, now=now)
    assert refused.value.check.outcome is Outcome.CERTIFICATE_MISSING
    pem = by.x509.public_bytes(Encoding.PEM)
    view = esigning.accept(holder, slug(draft), bare, pem, now=now)
    assert view.check.outcome is Outcome.VALID
    assert view.check.algorithm in (Algorithm.GOST_256, Algorithm.GOST_512)
    applying.submit(holder, draft.id, now=now)
    checking.run(draft.id, now)
    passed = finding(draft)
    assert passed is not None
    assert passed.outcome is CheckOutcome.PASSED


def test_nothing_personal_stands_in_clear(holder: Actor, draft: DraftView, now: datetime):
    signed(holder, draft, now)
    [row] = rows()
    for clear in ("Иванова", "11223344595", "Пробный"):
        for sealed in (row.content_sealed, row.found_sealed):
            assert clear.encode() not in sealed


def test_new_signature_replaces_the_one_before(holder: Actor, draft: DraftView, now: datetime):
    signed(holder, draft, now)
    by = person(key=KEYS["rsa"])
    second = signed(holder, draft, now + timedelta(minutes=1), by)
    assert len(rows()) == 1
    kept = esigning.kept_part(holder, slug(draft), Part.SIGNATURE, now=now)
    assert kept.content == second


def test_certificate_of_an_unknown_issuer_goes_to_the_operator(
    holder: Actor, draft: DraftView, now: datetime
):
    signed(holder, draft, now, person(issuer=OTHER_ROOT))
    applying.submit(holder, draft.id, now=now)
    checking.run(draft.id, now)
    found = finding(draft)
    assert found is not None
    assert (found.outcome, found.reason) == (CheckOutcome.UNKNOWN, Reason.SIGNATURE)
    operator = make_operator(now)
    case = reviewing.case(operator, slug(draft), now=now)
    assert case.signature is not None
    assert case.signature.check.outcome is Outcome.UNKNOWN_ISSUER


REFUSED: dict[str, tuple[Callable[[], Person], Outcome]] = {
    "another name": (
        lambda: person(subject=((NameOID.SURNAME, "Петрова"), *SUBJECT[1:])),
        Outcome.NAME_DIFFERS,
    ),
    "another СНИЛС": (
        lambda: person(subject=(*SUBJECT[:2], (SNILS_OID, "08765430300"))),
        Outcome.SNILS_DIFFERS,
    ),
    "expired": (lambda: person(dates=(NOW - 30 * DAY, NOW - DAY)), Outcome.EXPIRED),
    "not yet valid": (lambda: person(dates=(NOW + DAY, NOW + 30 * DAY)), Outcome.NOT_YET_VALID),
    "not for signing": (lambda: person(usage="key_encipherment"), Outcome.NOT_FOR_SIGNING),
    "forged issuer": (
        lambda: person(
            issuer=Person(OTHER_ROOT.key, ROOT.certificate), dates=(NOW - DAY, NOW + DAY)
        ),
        Outcome.ISSUER_FORGED,
    ),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_signature_that_proves_nothing_is_given_back(
    case: str, holder: Actor, draft: DraftView, now: datetime
):
    by, outcome = REFUSED[case][0](), REFUSED[case][1]
    made = signature(by, text_of(holder, draft, now))
    with pytest.raises(ESignatureRefused) as refused:
        esigning.accept(holder, slug(draft), made, None, now=now)
    assert refused.value.check.outcome is outcome
    assert rows() == []


def test_signature_under_another_text_or_by_another_certificate_is_given_back(
    holder: Actor, draft: DraftView, now: datetime
):
    content = text_of(holder, draft, now)
    for made, certificate, outcome in (
        (signature(SIGNER, content + b" "), None, Outcome.TEXT_DIFFERS),
        (signature(SIGNER, content), person().certificate, Outcome.OTHER_CERTIFICATE),
        (b"", None, Outcome.FILE_EMPTY),
        (b"\0" * 100, None, Outcome.SIGNATURE_NOT_READABLE),
        (signature(SIGNER, content), b"\0" * 100, Outcome.CERTIFICATE_NOT_READABLE),
        (b"\0" * (6 * 1024 * 1024), None, Outcome.SIGNATURE_TOO_LARGE),
    ):
        with pytest.raises(ESignatureRefused) as refused:
            esigning.accept(holder, slug(draft), made, certificate, now=now)
        assert refused.value.check.outcome is outcome
    assert rows() == []


def test_form_changed_during_the_check_is_not_signed(
    holder: Actor, draft: DraftView, now: datetime, monkeypatch: pytest.MonkeyPatch
):
    made = signature(SIGNER, text_of(holder, draft, now))
    check = esigning.signatures.check

    def slow(*given: Any, **named: Any) -> Any:
        found = check(*given, **named)
        applying.change_fields(holder, draft.id, {Field.ADDRESS: "г. Тверь, ул. Новая, 1"}, now=now)
        return found

    monkeypatch.setattr(esigning.signatures, "check", slow)
    with pytest.raises(ChangedMeanwhile):
        esigning.accept(holder, slug(draft), made, None, now=now)
    assert rows() == []


# Containers


def test_container_signs_and_nothing_of_it_is_kept(holder: Actor, draft: DraftView, now: datetime):
    container = packed()
    view = esigning.sign_with_container(holder, slug(draft), container, PASSWORD, now=now)
    assert view.check.outcome is Outcome.VALID
    [row] = rows()
    for secret in (container, PASSWORD.encode()):
        assert secret not in row.content_sealed + row.found_sealed
    kept = esigning.kept_part(holder, slug(draft), Part.SIGNATURE, now=now)
    assert esigning.accept(holder, slug(draft), kept.content, None, now=now).check.is_valid
    with reading() as db:
        entries = [row for row in db.exec(select(AuditEntry)) if row.action == "esign"]
    assert [entry.fields for entry in entries] == ["container", "files"]


def test_container_is_refused_for_its_own_reason(holder: Actor, draft: DraftView, now: datetime):
    gost_container = next(iter(VECTORS["containers"].values()))
    for container, password, outcome in (
        (packed(), "другой", Outcome.WRONG_PASSWORD),
        (b"", "", Outcome.FILE_EMPTY),
        (b"\0" * (CONTAINER_LIMIT + 1), "", Outcome.CONTAINER_TOO_LARGE),
        (b"\0" * 100, "", Outcome.CONTAINER_NOT_READABLE),
        (b64decode(gost_container), VECTORS["password"], Outcome.CONTAINER_GOST),
        (container_of(mac_iterations=1 << 31), "", Outcome.CONTAINER_TOO_COSTLY),
        (
            packed(person(subject=((NameOID.SURNAME, "Петрова"), *SUBJECT[1:]))),
            PASSWORD,
            Outcome.NAME_DIFFERS,
        ),
    ):
        with pytest.raises(ESignatureRefused) as refused:
            esigning.sign_with_container(holder, slug(draft), container, password, now=now)
        assert refused.value.check.outcome is outcome
    assert rows() == []


# A form that changes


def test_change_of_the_form_makes_the_signature_outdated_until_it_is_taken_back(
    holder: Actor, draft: DraftView, now: datetime
):
    signed(holder, draft, now)
    changed = applying.change_fields(holder, draft.id, {Field.LAST_NAME: "Петрова"}, now=now)
    assert changed.signature is not None
    assert not changed.signature.is_current
    assert isinstance(changed.lacking[CONTROL], ESignatureOutdated)
    with pytest.raises(Invalid) as refused:
        applying.submit(holder, draft.id, now=now)
    assert set(refused.value.fields) == {CONTROL}
    back = applying.change_fields(
        holder, draft.id, {Field.LAST_NAME: FORM[Field.LAST_NAME]}, now=now
    )
    assert back.signature is not None
    assert back.signature.is_current
    applying.change_fields(holder, draft.id, {Field.LAST_NAME: "Петрова"}, now=now)
    esigning.remove(holder, draft.id, now=now)
    esigning.remove(holder, draft.id, now=now)
    assert applying.submit(holder, draft.id, now=now).submitted_at == now
    checking.run(draft.id, now)
    assert finding(draft) is None


def test_form_with_a_mistake_outdates_the_signature(holder: Actor, draft: DraftView, now: datetime):
    signed(holder, draft, now)
    changed = applying.change_fields(holder, draft.id, {Field.SNILS: "1"}, now=now)
    assert isinstance(changed.lacking[CONTROL], ESignatureOutdated)


def test_correction_leaves_the_signature_under_the_earlier_text(
    holder: Actor, draft: DraftView, now: datetime
):
    signed(holder, draft, now)
    applying.submit(holder, draft.id, now=now)
    checking.run(draft.id, now)
    passed = finding(draft)
    assert passed is not None
    assert passed.outcome is CheckOutcome.PASSED
    ask(draft.id, Asked(fields=frozenset({Field.ADDRESS})), "Уточните адрес", now)
    address = {Field.ADDRESS: "г. Тверь, ул. Новая, д. 1"}
    applying.change_fields(holder, draft.id, address, now=now)
    applying.correct(holder, draft.id, now=now)
    checking.run(draft.id, now)
    found = finding(draft)
    assert found is not None
    assert (found.outcome, found.reason) == (CheckOutcome.UNKNOWN, Reason.EARLIER_TEXT)
    case = applying.case(holder, slug(draft), now=now)
    assert case.signature is not None
    assert case.signature.check.is_genuine
    assert not case.signature.is_current


def test_correction_of_the_name_shows_that_somebody_else_has_signed(
    holder: Actor, draft: DraftView, now: datetime
):
    signed(holder, draft, now)
    applying.submit(holder, draft.id, now=now)
    ask(draft.id, Asked(fields=frozenset({Field.LAST_NAME})), "Уточните фамилию", now)
    applying.change_fields(holder, draft.id, {Field.LAST_NAME: "Петрова"}, now=now)
    applying.correct(holder, draft.id, now=now)
    checking.run(draft.id, now)
    found = finding(draft)
    assert found is not None
    assert found.outcome is CheckOutcome.FAILED


# Checked anew


def test_stored_signature_is_believed_only_as_far_as_it_verifies(
    holder: Actor, draft: DraftView, now: datetime
):
    signed(holder, draft, now)
    with unit_of_work() as db:
        row = db.exec(select(ESignature)).one()
        own = vault.vault_for(db, holder.user_id)
        content = own.open_json(row.content_sealed, "esignatures", "content", draft.id)
        forged = signature(person(), text_of(holder, draft, now))
        content["signature"] = b64encode(forged).decode()
        row.content_sealed = own.seal_json(content, "esignatures", "content", draft.id)
        db.add(row)
    with pytest.raises(Invalid) as refused:
        applying.submit(holder, draft.id, now=now)
    assert isinstance(refused.value.fields[CONTROL], ESignatureRefused)
    assert isinstance(standing(holder, now).lacking[CONTROL], ESignatureRefused)


def test_issuers_are_those_of_the_folder_as_it_is(
    holder: Actor, draft: DraftView, now: datetime, roots: Path
):
    signed(holder, draft, now)
    (roots / "root.cer").unlink()
    applying.submit(holder, draft.id, now=now)
    checking.run(draft.id, now)
    found = finding(draft)
    assert found is not None
    assert found.outcome is CheckOutcome.UNKNOWN
    (roots / "root.pem").write_bytes(ROOT.x509.public_bytes(Encoding.PEM))
    checking.run(draft.id, now)
    found = finding(draft)
    assert found is not None
    assert found.outcome is CheckOutcome.PASSED


def test_certificate_that_ends_after_the_signature_was_given_harms_nothing(
    holder: Actor, draft: DraftView, now: datetime
):
    signed(holder, draft, now, person(dates=(NOW - DAY, NOW + DAY)))
    later = now + 5 * DAY
    applying.submit(holder, draft.id, now=later)
    checking.run(draft.id, later)
    found = finding(draft)
    assert found is not None
    assert found.outcome is CheckOutcome.PASSED


def test_signature_changed_since_it_was_checked_is_not_handed_in(
    holder: Actor, draft: DraftView, now: datetime, monkeypatch: pytest.MonkeyPatch
):
    signed(holder, draft, now)
    prove = esigning.prove

    def overtaken(actor: Actor, application_id: int, *, now: datetime) -> Any:
        proof = prove(actor, application_id, now=now)
        esigning.remove(actor, application_id, now=now)
        return proof

    monkeypatch.setattr(esigning, "prove", overtaken)
    with pytest.raises(ChangedMeanwhile):
        applying.submit(holder, draft.id, now=now)
    monkeypatch.undo()
    assert standing(holder, now).signature is None


# Who may


def test_nobody_else_signs_sees_or_removes(holder: Actor, draft: DraftView, now: datetime):
    signed(holder, draft, now)
    stranger = make_holder(now)
    for act in (
        lambda: esigning.text(stranger, slug(draft), now=now),
        lambda: esigning.permit_signing(stranger, slug(draft), now=now),
        lambda: esigning.accept(stranger, slug(draft), b"x", None, now=now),
        lambda: esigning.sign_with_container(stranger, slug(draft), b"x", "", now=now),
        lambda: esigning.remove(stranger, draft.id, now=now),
        lambda: esigning.prove(stranger, draft.id, now=now),
        lambda: esigning.kept_part(stranger, slug(draft), Part.TEXT, now=now),
        # A draft is its holder's alone.
        lambda: esigning.kept_part(make_operator(now), slug(draft), Part.TEXT, now=now),
        lambda: esigning.text(holder, "EMK-2026-999999-0", now=now),
        lambda: esigning.text(holder, "нет такой", now=now),
    ):
        with pytest.raises(NotFound):
            act()


def test_other_roles_have_nothing_to_do_with_it(holder: Actor, draft: DraftView, now: datetime):
    physician = make_physician(make_clinic(), now)
    operator = make_operator(now)
    for actor in (physician, operator):
        for act in (
            lambda actor=actor: esigning.text(actor, slug(draft), now=now),
            lambda actor=actor: esigning.permit_signing(actor, slug(draft), now=now),
            lambda actor=actor: esigning.accept(actor, slug(draft), b"x", None, now=now),
            lambda actor=actor: esigning.sign_with_container(actor, slug(draft), b"", "", now=now),
            lambda actor=actor: esigning.remove(actor, draft.id, now=now),
            lambda actor=actor: esigning.prove(actor, draft.id, now=now),
        ):
            with pytest.raises(NotPermitted):
                act()
    with pytest.raises(NotPermitted):
        esigning.kept_part(physician, slug(draft), Part.TEXT, now=now)


def test_what_was_handed_in_is_neither_signed_nor_taken_back(
    holder: Actor, draft: DraftView, now: datetime
):
    made = signed(holder, draft, now)
    applying.submit(holder, draft.id, now=now)
    for act in (
        lambda: esigning.permit_signing(holder, slug(draft), now=now),
        lambda: esigning.accept(holder, slug(draft), made, None, now=now),
        lambda: esigning.sign_with_container(holder, slug(draft), packed(), PASSWORD, now=now),
        lambda: esigning.remove(holder, draft.id, now=now),
    ):
        with pytest.raises(NotAsked):
            act()
    assert len(rows()) == 1


def test_operator_gets_the_parts_and_the_look_is_noted_once(
    holder: Actor, draft: DraftView, now: datetime
):
    made = signed(holder, draft, now)
    applying.submit(holder, draft.id, now=now)
    operator = make_operator(now)
    for _ in range(2):
        kept = esigning.kept_part(operator, slug(draft), Part.SIGNATURE, now=now)
        assert kept.content == made
    with reading() as db:
        looks = [row for row in db.exec(select(AuditEntry)) if row.actor_id == operator.user_id]
    assert [row.fields for row in looks] == ["esignature_signature"]
    put(draft.id, status=ApplicationStatus.WITHDRAWN)
    with pytest.raises(NotFound):
        esigning.kept_part(operator, slug(draft), Part.SIGNATURE, now=now)


def test_unsigned_application_has_no_parts(holder: Actor, draft: DraftView, now: datetime):
    for part in Part:
        with pytest.raises(NotFound):
            esigning.kept_part(holder, slug(draft), part, now=now)


def test_dropped_draft_keeps_no_signature(holder: Actor, draft: DraftView, now: datetime):
    signed(holder, draft, now)
    applying.withdraw(holder, draft.id, now=now)
    assert rows() == []


def test_draft_that_nobody_finished_keeps_no_signature(
    holder: Actor, draft: DraftView, now: datetime
):
    signed(holder, draft, now)
    # Reminded first: nothing ends unannounced.
    for later in (now + 28 * DAY, now + 62 * DAY):
        lapsing.remind(now=later)
        lapsing.expire(now=later)
    assert rows() == []


def test_new_application_on_the_ground_of_an_old_one_is_signed_anew(
    holder: Actor, draft: DraftView, now: datetime
):
    signed(holder, draft, now)
    applying.submit(holder, draft.id, now=now)
    applying.withdraw(holder, draft.id, now=now)
    assert applying.reapply(holder, draft.id, now=now).signature is None


def test_tries_are_counted(holder: Actor, draft: DraftView, now: datetime):
    for _ in range(esigning.TRIES.tries):
        esigning.permit_signing(holder, slug(draft), now=now)
    with pytest.raises(TooManyAttempts):
        for _ in range(2):
            esigning.permit_signing(holder, slug(draft), now=now)


def test_signing_wakes_the_screens_and_outdates_what_was_read(
    holder: Actor, draft: DraftView, now: datetime
):
    def version() -> int:
        with reading() as db:
            found = db.get(Application, draft.id)
            assert found is not None
            return found.version

    before = version()
    signed(holder, draft, now)
    assert version() == before + 1
    esigning.remove(holder, draft.id, now=now)
    assert version() == before + 2


def test_commands_of_the_guide_make_a_signature_that_is_valid(
    holder: Actor, draft: DraftView, tmp_path: Path, roots: Path
):
    guide = (Path(__file__).parents[2] / "docs" / "esignature.md").read_text(encoding="utf-8")
    commands = guide.split("```sh\n")[1].split("```")[0].replace("rsa:3072", "rsa:2048")
    moment = clock.now()
    (tmp_path / "text.json").write_bytes(text_of(holder, draft, moment))
    subprocess.run(
        ["bash", "-euc", commands], cwd=tmp_path, check=True, capture_output=True, timeout=120
    )
    (roots / "guide.cer").write_bytes((tmp_path / "root.cer").read_bytes())
    moment = clock.now()
    made = (tmp_path / "text.json.sig").read_bytes()
    view = esigning.accept(holder, slug(draft), made, None, now=moment)
    assert view.check.outcome is Outcome.VALID
    container = (tmp_path / "person.pfx").read_bytes()
    view = esigning.sign_with_container(holder, slug(draft), container, "secret", now=moment)
    assert view.check.outcome is Outcome.VALID
    assert json.loads(esigning.kept_part(holder, slug(draft), Part.TEXT, now=moment).content)
