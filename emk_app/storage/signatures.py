"""The door for signatures: what takes seconds of pure Python is checked in a child of its own.

RSA and ECDSA take milliseconds and are checked on the spot. GOST would hold the interpreter's lock
beside the event loop: its child runs on another processor, at a lower priority.
"""

from __future__ import annotations

import base64
import json
import logging
import os
from datetime import UTC, datetime
from threading import BoundedSemaphore
from typing import Any, Final

from cryptography.hazmat.primitives.serialization import Encoding

from emk_app.crypto import cades, certificates, chains
from emk_app.crypto.chains import Roots
from emk_app.domain.esignature import (
    CERTIFICATE_LIMIT,
    SIGNATURE_LIMIT,
    ESignatureCheck,
)
from emk_app.domain.numbers import Snils
from emk_app.domain.people import FullName
from emk_app.storage import children, confinement
from emk_app.storage.errors import ESignatureCheckUnavailable

CPU_SECONDS: Final = 20
WALL_SECONDS: Final = 60.0
"""From the start of a child to its whole answer, on a machine that has other things to do."""
WAIT_SECONDS: Final = 60.0
"""For the child to be free, before the holder is asked to try again."""
PROGRAM: Final = (
    "import sys; sys.path.append(sys.argv[1]); from emk_app.storage.signatures import main; main()"
)

_LONGEST_ANSWER: Final = 64 * 1024
_NICENESS: Final = 10

_log = logging.getLogger(__name__)
_turn = BoundedSemaphore(1)


def check(
    text: bytes,
    signature: bytes,
    certificate: bytes | None,
    *,
    name: FullName,
    snils: Snils,
    roots: Roots,
    at: datetime,
) -> ESignatureCheck:
    """Check a detached signature as ``cades.check`` does, without stopping anybody else.

    Raises ``ESignatureCheckUnavailable`` where the child has not answered. Not for the event loop.
    """
    is_large = len(signature) > SIGNATURE_LIMIT or len(certificate or b"") > CERTIFICATE_LIMIT
    if is_large or not cades.needs_gost(signature, certificate):
        return cades.check(text, signature, certificate, name=name, snils=snils, roots=roots, at=at)
    question = {
        "text": _written(text),
        "signature": _written(signature),
        "certificate": None if certificate is None else _written(certificate),
        "name": [name.last, name.first, name.patronymic],
        "snils": snils.digits,
        "roots": [_written(each.public_bytes(Encoding.DER)) for each in roots.certificates],
        "at": at.isoformat(),
    }
    if not _turn.acquire(timeout=WAIT_SECONDS):
        raise ESignatureCheckUnavailable
    try:
        answer = children.ask(
            PROGRAM,
            json.dumps(question).encode(),
            longest=_LONGEST_ANSWER,
            wall_seconds=WALL_SECONDS,
        )
        return ESignatureCheck.from_facts(json.loads(answer))
    except (children.ChildFailed, ValueError) as failed:
        _log.warning("checking child: a signature of %d bytes: %s", len(signature), failed)
        raise ESignatureCheckUnavailable from None
    finally:
        _turn.release()


def main() -> None:
    """Be the child: read the question, answer, exit."""
    os.nice(_NICENESS)
    confinement.limit(cpu_seconds=CPU_SECONDS)
    _warm_up()
    confinement.seal_off()
    question: dict[str, Any] = json.loads(children.read_question())
    found = cades.check(
        _read(question["text"]),
        _read(question["signature"]),
        None if question["certificate"] is None else _read(question["certificate"]),
        name=FullName(*question["name"]),
        snils=Snils(question["snils"]),
        roots=Roots(tuple(chains.load(_read(each)) for each in question["roots"])),
        at=datetime.fromisoformat(question["at"]),
    )
    children.say_and_end(json.dumps(found.as_facts()).encode())


def _warm_up() -> None:
    """Load what is loaded on first use: sealed off, nothing more can be."""
    key, at = certificates.new_key(), datetime(2000, 1, 1, tzinfo=UTC)
    root = certificates.root_certificate(key, at)
    own = certificates.signer_certificate("sample", key.public_key(), root, key, at)
    cades.check(
        b"",
        cades.sign(key, own, (), b"", at),
        None,
        name=FullName("", "", None),
        snils=Snils("0"),
        roots=Roots((root,)),
        at=at,
    )


def _written(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _read(text: str) -> bytes:
    return base64.b64decode(text)
