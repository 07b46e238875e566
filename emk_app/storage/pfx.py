"""The door for .pfx files: a confined child opens one, signs the application's text, and is gone.

Key and password live in the child and in the arguments of one call; neither is written anywhere.
The child has no environment, file system or network, and bounded memory and time (``confinement``);
its answer is believed only as far as the signature in it verifies.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from struct import Struct
from threading import BoundedSemaphore
from typing import Final

from emk_app.crypto import cades
from emk_app.crypto.chains import Roots
from emk_app.domain.esignature import (
    CERTIFICATE_LIMIT,
    CONTAINER_LIMIT,
    PASSWORD_LIMIT,
    SIGNATURE_LIMIT,
    TEXT_LIMIT,
    ESignatureCheck,
    Outcome,
)
from emk_app.domain.numbers import Snils
from emk_app.domain.people import FullName
from emk_app.storage import children, confinement

WALL_SECONDS: Final = 8.0
"""From the start of a child to its whole answer."""
WAIT_SECONDS: Final = 30.0
"""For the child to be free, before the holder is asked to try again."""

PROGRAM: Final = (
    "import sys; sys.path.append(sys.argv[1]); from emk_app.storage.pfx import main; main()"
)
"""For ``python -I -c``: the path to our own package comes last, so that it can hide nothing."""

_QUESTION: Final = Struct(">qIII")
_ANSWER: Final = Struct(">4sBII")
_MAGIC: Final = b"EMK2"
_MAX_ANSWER: Final = _ANSWER.size + CERTIFICATE_LIMIT + SIGNATURE_LIMIT
_OUTCOMES: Final = tuple(Outcome)
# What a child may say without a signature that proves it.
_SAID_BY_CHILD: Final = frozenset(
    {
        Outcome.FILE_EMPTY,
        Outcome.CONTAINER_TOO_LARGE,
        Outcome.CONTAINER_NOT_READABLE,
        Outcome.CONTAINER_GOST,
        Outcome.CONTAINER_UNSUPPORTED,
        Outcome.CONTAINER_TOO_COSTLY,
        Outcome.WRONG_PASSWORD,
        Outcome.CONTAINER_NO_KEY,
        Outcome.CONTAINER_SEVERAL_KEYS,
        Outcome.CONTAINER_NO_CERTIFICATE,
        Outcome.CERTIFICATE_NOT_READABLE,
        Outcome.ALGORITHM_OUTDATED,
        Outcome.ALGORITHM_UNSUPPORTED,
        Outcome.NOT_YET_VALID,
        Outcome.EXPIRED,
    }
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)

_log = logging.getLogger(__name__)
_turn = BoundedSemaphore(1)


@dataclass(frozen=True, slots=True)
class ContainerSignature:
    """What came of a .pfx file; certificate and signature (DER) are empty after a refusal."""

    check: ESignatureCheck
    certificate: bytes = b""
    signature: bytes = b""


def sign(
    container: bytes,
    password: str,
    text: bytes,
    *,
    name: FullName,
    snils: Snils,
    roots: Roots,
    at: datetime,
) -> ContainerSignature:
    """Sign ``text`` with the key of a .pfx file, and check the signature like one uploaded.

    Never raises for bad input. Half a second, at most 8 and 30 more in the queue: not for the event
    loop. The signing moment is ``at``, by which the certificate's dates are judged as well.
    """
    if refusal := _refusal(container, password, text):
        return ContainerSignature(ESignatureCheck(refusal=refusal))
    if not _turn.acquire(timeout=WAIT_SECONDS):
        return ContainerSignature(ESignatureCheck(refusal=Outcome.CONTAINER_CHECK_UNAVAILABLE))
    try:
        refusal, certificate, signature = _asked(_pack(container, password, text, at))
    except children.ChildFailed as failed:
        _log.warning("signing child: a container of %d bytes: %s", len(container), failed)
        is_late = isinstance(failed, children.OutOfTime)
        outcome = Outcome.CONTAINER_TOO_COSTLY if is_late else Outcome.CONTAINER_NOT_READABLE
        return ContainerSignature(ESignatureCheck(refusal=outcome))
    finally:
        _turn.release()
    if refusal is not None:
        described = cades.describe(certificate) if certificate else ESignatureCheck()
        return ContainerSignature(replace(described, refusal=refusal))
    check = cades.check(text, signature, certificate, name=name, snils=snils, roots=roots, at=at)
    if not check.is_genuine:
        _log.warning("signing child: a signature that does not verify: %s", check.outcome)
        return ContainerSignature(ESignatureCheck(refusal=Outcome.CONTAINER_NOT_READABLE))
    return ContainerSignature(check, certificate, signature)


def main() -> None:
    """Be the child: read the question, answer, exit."""
    confinement.limit()
    answer = _warmed_up()
    confinement.seal_off()
    children.say_and_end(answer(children.read_question()))


def _refusal(container: bytes, password: str, text: bytes) -> Outcome | None:
    if not container:
        return Outcome.FILE_EMPTY
    if len(container) > CONTAINER_LIMIT:
        return Outcome.CONTAINER_TOO_LARGE
    if len(text) > TEXT_LIMIT:
        return Outcome.TEXT_TOO_LARGE
    if len(password) > PASSWORD_LIMIT:
        return Outcome.WRONG_PASSWORD
    return None


def _pack(container: bytes, password: str, text: bytes, at: datetime) -> bytes:
    secret = password.encode(errors="replace")
    head = _QUESTION.pack((at - _EPOCH) // _SECOND, len(container), len(secret), len(text))
    return head + container + secret + text


def _asked(question: bytes) -> tuple[Outcome | None, bytes, bytes]:
    """Return the child's answer: refusal, certificate, signature."""
    raw = children.ask(PROGRAM, question, longest=_MAX_ANSWER, wall_seconds=WALL_SECONDS)
    if len(raw) < _ANSWER.size:
        raise children.ChildFailed("cut")
    magic, number, certificate, signature = _ANSWER.unpack(raw[: _ANSWER.size])
    body = raw[_ANSWER.size :]
    if magic != _MAGIC or len(body) != certificate + signature or number > len(_OUTCOMES):
        raise children.ChildFailed("not an answer")
    refusal = _OUTCOMES[number - 1] if number else None
    if refusal is not None and refusal not in _SAID_BY_CHILD:
        raise children.ChildFailed("not for the child to say")
    return refusal, body[:certificate], body[certificate:]


def _warmed_up() -> Callable[[bytes], bytes]:
    """Return what answers, after one full turn of it: sealed off, nothing more can be loaded."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

    from emk_app.crypto import certificates, containers

    def answer(question: bytes) -> bytes:
        at, container, secret, text = _unpack(question)
        signed = containers.sign(container, secret.decode(), text, at)
        number = 0 if signed.refusal is None else _OUTCOMES.index(signed.refusal) + 1
        head = _ANSWER.pack(_MAGIC, number, len(signed.certificate), len(signed.signature))
        return head + signed.certificate + signed.signature

    key = ec.generate_private_key(ec.SECP256R1())
    certificate = certificates.root_certificate(key, _EPOCH + timedelta(days=1))
    sample = pkcs12.serialize_key_and_certificates(
        b"sample", key, certificate, None, BestAvailableEncryption(b"sample")
    )
    answer(_pack(sample, "sample", b"sample", _EPOCH + timedelta(days=1)))
    answer(_pack(sample, "other", b"sample", _EPOCH + timedelta(days=1)))
    return answer


def _unpack(question: bytes) -> tuple[datetime, bytes, bytes, bytes]:
    seconds, container, secret, text = _QUESTION.unpack(question[: _QUESTION.size])
    body = question[_QUESTION.size :]
    if len(body) != container + secret + text:
        raise ValueError("not a question")
    at = _EPOCH + timedelta(seconds=seconds)
    return (
        at,
        body[:container],
        body[container : container + secret],
        body[container + secret :],
    )
