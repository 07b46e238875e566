"""Passkeys (WebAuthn Level 3): what a browser is asked for, and whether its answer holds.

The library checks what the specification orders; here stand our choices: the person is verified by
the key each time, no attestation is asked for, and only algorithms in wide use are taken.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, parse_client_data_json
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.options_to_json_dict import options_to_json_dict
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from emk_app.crypto.errors import CryptoError

NAME: Final = "ЭМК Онлайн"
TIMEOUT: Final = 120_000
"""Milliseconds that a browser gives the person to find the key."""
ALGORITHMS: Final = [
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]
TRANSPORTS: Final = frozenset(each.value for each in AuthenticatorTransport)


class AnswerRefused(CryptoError):
    """The answer is not one of this site's keys to this challenge."""


@dataclass(frozen=True, slots=True)
class Site:
    """Whose keys these are: what a browser calls the site, and the address it must stand at."""

    id: str
    origin: str


@dataclass(frozen=True, slots=True)
class Known:
    """A key that is there already, so that the browser finds it, or does not make another."""

    id: bytes
    transports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NewKey:
    """What is kept of a new key."""

    id: bytes
    public_key: bytes
    sign_count: int
    transports: tuple[str, ...]


def new_challenge() -> bytes:
    """Return 256 random bits."""
    return secrets.token_bytes(32)


def creation(
    site: Site, challenge: bytes, handle: bytes, login: str, known: Sequence[Known]
) -> dict[str, Any]:
    """Return what ``navigator.credentials.create`` is asked for; ``handle`` names the person."""
    return options_to_json_dict(
        generate_registration_options(
            rp_id=site.id,
            rp_name=NAME,
            user_id=handle,
            user_name=login,
            challenge=challenge,
            timeout=TIMEOUT,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.PREFERRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=_described(known),
            supported_pub_key_algs=ALGORITHMS,
        )
    )


def request(site: Site, challenge: bytes, known: Sequence[Known]) -> dict[str, Any]:
    """Return what ``navigator.credentials.get`` is asked for."""
    return options_to_json_dict(
        generate_authentication_options(
            rp_id=site.id,
            challenge=challenge,
            timeout=TIMEOUT,
            allow_credentials=_described(known),
            user_verification=UserVerificationRequirement.REQUIRED,
        )
    )


def challenge_in(answer: Mapping[str, Any]) -> bytes:
    """Return the challenge that the browser says it answers; raise ``AnswerRefused``."""
    try:
        told = base64url_to_bytes(answer["response"]["clientDataJSON"])
        return parse_client_data_json(told).challenge
    except Exception as error:
        raise AnswerRefused("no client data") from error


def id_in(answer: Mapping[str, Any]) -> bytes:
    """Return which key answers; raise ``AnswerRefused``."""
    try:
        return base64url_to_bytes(answer["rawId"])
    except Exception as error:
        raise AnswerRefused("no key named") from error


def handle_in(answer: Mapping[str, Any]) -> bytes | None:
    """Return whom the key says it belongs to; those that keep nothing say nothing."""
    told = answer["response"].get("userHandle")
    try:
        return base64url_to_bytes(told) if told else None
    except Exception as error:
        raise AnswerRefused("no handle") from error


def check_creation(site: Site, challenge: bytes, answer: Mapping[str, Any]) -> NewKey:
    """Return the new key that the answer proves; raise ``AnswerRefused``."""
    try:
        checked = verify_registration_response(
            credential=dict(answer),
            expected_challenge=challenge,
            expected_rp_id=site.id,
            expected_origin=site.origin,
            require_user_verification=True,
            supported_pub_key_algs=ALGORITHMS,
        )
    except Exception as error:
        # Whatever the parser stumbles over was written by a stranger.
        raise AnswerRefused(type(error).__name__) from error
    told = answer["response"].get("transports") or ()
    transports = tuple(sorted(TRANSPORTS.intersection(told)))
    return NewKey(
        checked.credential_id, checked.credential_public_key, checked.sign_count, transports
    )


def check_request(
    site: Site, challenge: bytes, public_key: bytes, answer: Mapping[str, Any]
) -> int:
    """Return the key's counter, signed by it; raise ``AnswerRefused``.

    Whether the counter has gone on is for the caller to say: a signature that holds under a counter
    that does not is news for the owner, and the library would not tell the two apart.
    """
    try:
        checked = verify_authentication_response(
            credential=dict(answer),
            expected_challenge=challenge,
            expected_rp_id=site.id,
            expected_origin=site.origin,
            credential_public_key=public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except Exception as error:
        raise AnswerRefused(type(error).__name__) from error
    return checked.new_sign_count


def text_of(raw: bytes) -> str:
    """Return bytes as browsers write them: base64url without filling."""
    return bytes_to_base64url(raw)


def bytes_of(text: str) -> bytes:
    """Return what ``text_of`` wrote."""
    return base64url_to_bytes(text)


def _described(known: Sequence[Known]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=each.id,
            transports=[AuthenticatorTransport(name) for name in each.transports] or None,
        )
        for each in known
    ]
