"""The holder's electronic signature under the form: taken in, checked anew, shown, taken back.

A signature is checked outside any transaction: GOST takes seconds.
"""

from __future__ import annotations

import base64
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from sqlmodel import Session

from emk_app import clock
from emk_app.crypto import cades
from emk_app.crypto.canonical import canonical, sha256
from emk_app.crypto.chains import Roots
from emk_app.db import changes, vault
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.repositories import applications
from emk_app.db.tables.applications import Application, ESignature
from emk_app.db.vault import Vault
from emk_app.domain import intake, signed_text
from emk_app.domain.accounts import Rule
from emk_app.domain.actors import Actor, Role, permit
from emk_app.domain.applications import ApplicationStatus, TrackingNumber
from emk_app.domain.corrections import NotAsked
from emk_app.domain.errors import ChangedMeanwhile, Invalid, InvalidValue, NotFound
from emk_app.domain.esignature import ESignatureCheck, ESignatureRefused, NothingToSign
from emk_app.domain.intake import Applicant
from emk_app.services import auditing, throttling
from emk_app.settings import settings
from emk_app.storage import pfx, signatures

CONTROL: Final = "esignature"
"""Name of the control, which is no field of the form."""
TRIES: Final = Rule(tries=40, window=timedelta(days=1), longest_block=timedelta(hours=1))
"""Signatures a holder may send in a day, good and bad: each costs up to seconds of processor."""

_CONTENT: Final = ("esignatures", "content")
_FOUND: Final = ("esignatures", "found")

log = logging.getLogger("emk.esigning")


class Part(StrEnum):
    """What is kept of a signature."""

    TEXT = "text"
    SIGNATURE = "signature"
    CERTIFICATE = "certificate"


@dataclass(frozen=True, slots=True)
class ESignatureFile:
    """One of the parts, to be saved and looked at with any other program."""

    content: bytes = field(repr=False)
    name: str


@dataclass(frozen=True, slots=True)
class ESignatureView:
    """A signature that goes along with the application."""

    check: ESignatureCheck
    is_current: bool
    """It is under the form as it stands, not under one of before."""
    given_at: datetime


@dataclass(frozen=True, slots=True)
class Proof:
    """A kept signature checked a moment ago, outside the transaction that is to rely on it."""

    given_at: datetime
    check: ESignatureCheck
    is_current: bool


def text(actor: Actor, number: str, *, now: datetime) -> ESignatureFile:
    """Return the text to be signed; raise ``NothingToSign`` while the form has mistakes."""
    permit(actor, Role.HOLDER)
    with reading() as db:
        application = _own_draft(db, actor, number)
        _, content = _to_sign(db, application, now)
    return ESignatureFile(content, _file_name(application, Part.TEXT))


def permit_signing(actor: Actor, number: str, *, now: datetime) -> None:
    """Raise why no signature would be taken, before a byte of it is read.

    Raises ``NotFound``, ``NotAsked``, ``NothingToSign``, ``TooManyAttempts``.
    """
    permit(actor, Role.HOLDER)
    throttling.spend((throttling.key_of("esignatures", str(actor.user_id)), TRIES), now=now)
    with reading() as db:
        _to_sign(db, _own_draft(db, actor, number), now)


def accept(
    actor: Actor, number: str, signature: bytes, certificate: bytes | None, *, now: datetime
) -> ESignatureView:
    """Check a detached signature and keep it in the place of the one before.

    ``certificate`` is not needed where the signature carries its own. Raises ``ESignatureRefused``,
    ``ChangedMeanwhile`` where the form was changed during the check,
    ``ESignatureCheckUnavailable``, and what ``permit_signing`` raises.
    """
    permit(actor, Role.HOLDER)
    with reading() as db:
        applicant, content = _to_sign(db, _own_draft(db, actor, number), now)
    check = signatures.check(
        content,
        signature,
        certificate,
        name=applicant.name,
        snils=applicant.snils,
        roots=_roots(),
        at=now,
    )
    if not check.is_accepted:
        raise ESignatureRefused(check)
    signer = cades.signer_certificate(signature, certificate)
    return _keep(actor, number, content, signer, signature, check, now, by="files")


def sign_with_container(
    actor: Actor, number: str, container: bytes, password: str, *, now: datetime
) -> ESignatureView:
    """Sign with the key of a .pfx file in the confined child, and keep the signature alone.

    Raises like ``accept``. File and password live no longer than the call.
    """
    permit(actor, Role.HOLDER)
    with reading() as db:
        applicant, content = _to_sign(db, _own_draft(db, actor, number), now)
    made = pfx.sign(
        container,
        password,
        content,
        name=applicant.name,
        snils=applicant.snils,
        roots=_roots(),
        at=now,
    )
    if not made.check.is_accepted:
        raise ESignatureRefused(made.check)
    return _keep(
        actor, number, content, made.certificate, made.signature, made.check, now, by="container"
    )


def remove(actor: Actor, application_id: int, *, now: datetime) -> None:
    """Take the signature back before handing in; it is no error if there is none."""
    permit(actor, Role.HOLDER)
    with unit_of_work() as db:
        application = applications.locked(db, application_id)
        _permit_change(application, actor)
        if forget(db, application):
            _stir(db, actor, application, "remove_esignature", "", now)


def forget(db: Session, application: Application) -> bool:
    """Delete the signature; say whether there was one."""
    kept = applications.esignature_of(db, application.id)
    if kept is not None:
        db.delete(kept)
    return kept is not None


def kept_part(actor: Actor, number: str, part: Part, *, now: datetime) -> ESignatureFile:
    """Return a part of the kept signature for its holder, or an operator, whose look is noted."""
    permit(actor, Role.HOLDER, Role.OPERATOR)
    with reading() as db:
        application = _by_number(db, number)
        kept = applications.esignature_of(db, application.id)
        if kept is None or not _may_see(actor, application):
            raise NotFound
        content = _content(kept, vault.vault_for(db, application.holder_id))
    if actor.role is not Role.HOLDER:
        auditing.look(
            actor,
            f"application:{application.id}",
            subject_id=application.holder_id,
            fields=f"{CONTROL}_{part}",
            now=now,
        )
    return ESignatureFile(content[part], _file_name(application, part))


def view(db: Session, application: Application, now: datetime) -> ESignatureView | None:
    """Return what was found about the signature when it was last checked."""
    kept = applications.esignature_of(db, application.id)
    if kept is None:
        return None
    found = _found(kept, vault.vault_for(db, application.holder_id))
    try:
        _, content = _to_sign(db, application, now)
        is_current = found["digest"] == sha256(content).hex()
    except NothingToSign:
        is_current = False
    return ESignatureView(ESignatureCheck.from_facts(found["facts"]), is_current, kept.given_at)


def prove(actor: Actor, application_id: int, *, now: datetime) -> Proof | None:
    """Check the kept signature anew and write down what is found, before the form is handed in."""
    permit(actor, Role.HOLDER)
    with reading() as db:
        application = applications.own(db, actor, application_id)
        if application.status is not ApplicationStatus.DRAFT:
            return None
        before = view(db, application, now)
    proof = proof_of(application_id, now=now) if before else None
    if proof is not None and before is not None and proof.check != before.check:
        with unit_of_work() as db:
            application = applications.locked(db, application_id)
            note(db, application, proof, now)
            _announce(db, application)
    return proof


def proof_of(application_id: int, *, now: datetime) -> Proof | None:
    """Check the kept signature anew: its own text, the form's name and СНИЛС, today's issuers.

    Dates are judged by the moment at which it was given: since then it is known to be there.
    """
    with reading() as db:
        application = applications.get(db, application_id)
        kept = applications.esignature_of(db, application_id)
        if kept is None:
            return None
        content = _content(kept, vault.vault_for(db, application.holder_id))
        try:
            applicant, text_now = _to_sign(db, application, now)
        except NothingToSign:
            # Who can't be compared with the form has been compared once: that stands until then.
            seen = view(db, application, now)
            return Proof(kept.given_at, seen.check, is_current=False) if seen else None
    check = signatures.check(
        content[Part.TEXT],
        content[Part.SIGNATURE],
        content[Part.CERTIFICATE],
        name=applicant.name,
        snils=applicant.snils,
        roots=_roots(),
        at=kept.given_at,
    )
    return Proof(kept.given_at, check, is_current=content[Part.TEXT] == text_now)


def require_same(db: Session, application: Application, proof: Proof | None) -> None:
    """Raise ``ChangedMeanwhile`` if the signature is another one than was checked."""
    kept = applications.esignature_of(db, application.id)
    if (kept.given_at if kept else None) != (proof.given_at if proof else None):
        raise ChangedMeanwhile


def note(db: Session, application: Application, proof: Proof, now: datetime) -> None:
    """Write down what a check has found; raises like ``require_same``."""
    require_same(db, application, proof)
    kept = applications.esignature_of(db, application.id)
    assert kept is not None
    holder = vault.vault_for(db, application.holder_id)
    digest = _found(kept, holder)["digest"]
    kept.found_sealed, kept.checked_at = _seal_found(holder, application, digest, proof.check), now
    db.add(kept)


def _keep(
    actor: Actor,
    number: str,
    content: bytes,
    certificate: bytes,
    signature: bytes,
    check: ESignatureCheck,
    now: datetime,
    *,
    by: str,
) -> ESignatureView:
    with unit_of_work() as db:
        application = applications.locked(db, _by_number(db, number).id)
        _permit_change(application, actor)
        if _to_sign(db, application, now)[1] != content:
            raise ChangedMeanwhile
        holder = vault.vault_for(db, application.holder_id)
        parts = {
            Part.TEXT: content.decode(),
            Part.SIGNATURE: base64.b64encode(signature).decode(),
            Part.CERTIFICATE: base64.b64encode(certificate).decode(),
        }
        sealed = holder.seal_json(parts, *_CONTENT, application.id)
        found = _seal_found(holder, application, sha256(content).hex(), check)
        kept = applications.esignature_of(db, application.id) or ESignature(
            application_id=application.id,
            content_sealed=sealed,
            found_sealed=found,
            given_at=now,
            checked_at=now,
        )
        kept.content_sealed, kept.found_sealed = sealed, found
        kept.given_at = kept.checked_at = now
        db.add(kept)
        _stir(db, actor, application, "esign", by, now)
    return ESignatureView(check, is_current=True, given_at=now)


def _to_sign(db: Session, application: Application, now: datetime) -> tuple[Applicant, bytes]:
    """Return the form, read, with its canonical text; raise ``NothingToSign``."""
    try:
        # Like everywhere else, what was handed in is not asked what is asked only since.
        read = intake.read if application.submitted_at is None else intake.read_again
        applicant = read(applications.form_of(db, application), clock.day_of(now))
    except Invalid:
        raise NothingToSign from None
    number = TrackingNumber.parse(application.tracking_number)
    return applicant, canonical(signed_text.document(number, applicant))


def _by_number(db: Session, number: str) -> Application:
    try:
        slug = TrackingNumber.parse(number).slug
    except InvalidValue:
        raise NotFound from None
    return applications.by_number(db, slug)


def _own_draft(db: Session, actor: Actor, number: str) -> Application:
    application = _by_number(db, number)
    _permit_change(application, actor)
    return application


def _permit_change(application: Application, actor: Actor) -> None:
    if application.holder_id != actor.user_id:
        raise NotFound
    if application.status is not ApplicationStatus.DRAFT:
        raise NotAsked


def _may_see(actor: Actor, application: Application) -> bool:
    if actor.role is Role.HOLDER:
        return application.holder_id == actor.user_id
    return (
        application.submitted_at is not None
        and application.status is not ApplicationStatus.WITHDRAWN
    )


def _content(kept: ESignature, holder: Vault) -> Mapping[Part, bytes]:
    parts = holder.open_json(kept.content_sealed, *_CONTENT, kept.application_id)
    return {
        Part.TEXT: parts[Part.TEXT].encode(),
        Part.SIGNATURE: base64.b64decode(parts[Part.SIGNATURE]),
        Part.CERTIFICATE: base64.b64decode(parts[Part.CERTIFICATE]),
    }


def _found(kept: ESignature, holder: Vault) -> dict[str, Any]:
    return holder.open_json(kept.found_sealed, *_FOUND, kept.application_id)


def _seal_found(
    holder: Vault, application: Application, digest: str, check: ESignatureCheck
) -> bytes:
    found = {"digest": digest, "facts": check.as_facts()}
    return holder.seal_json(found, *_FOUND, application.id)


def _file_name(application: Application, part: Part) -> str:
    suffix = {Part.TEXT: "json", Part.SIGNATURE: "json.sig", Part.CERTIFICATE: "cer"}[part]
    return f"{application.tracking_number}.{suffix}"


def _stir(
    db: Session, actor: Actor, application: Application, action: str, how: str, now: datetime
) -> None:
    application.version += 1
    application.changed_at = now
    db.add(application)
    _announce(db, application)
    auditing.record(
        db,
        actor,
        action,
        f"application:{application.id}",
        subject_id=application.holder_id,
        fields=how,
        now=now,
    )


def _announce(db: Session, application: Application) -> None:
    changes.announce(db, f"application:{application.id}", f"holder:{application.holder_id}")


def _roots() -> Roots:
    """Return the trusted issuers as the folder has them now."""
    folder = settings().trusted_roots
    try:
        with os.scandir(folder) as entries:
            stamp = tuple(
                sorted(
                    (each.name, each.stat().st_mtime_ns, each.stat().st_size) for each in entries
                )
            )
    except FileNotFoundError:
        return Roots()
    return _read_roots(folder, stamp)


@lru_cache(maxsize=1)
def _read_roots(folder: Path, stamp: object) -> Roots:
    """Read the folder once for each state of it, which ``stamp`` tells apart."""
    del stamp
    roots = Roots.read(folder)
    if roots.unread:
        log.warning("trusted roots that can't be read: %s", ", ".join(roots.unread))
    return roots
