"""The applicant's own electronic signature: what was found about it, and what that comes to.

Each fact stands on its own; the headline is the first of ``Outcome`` that the facts bear out.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from emk_app.domain.errors import InvalidValue
from emk_app.domain.numbers import Snils
from emk_app.domain.people import FullName
from emk_app.domain.values import DASHES, Personal

TEXT_LIMIT: Final = 50 * 1024
"""Bytes of the text that is signed: the digest of GOST takes a quarter of a second for it."""
CERTIFICATE_LIMIT: Final = 32 * 1024
SIGNATURE_LIMIT: Final = 128 * 1024
CONTAINER_LIMIT: Final = 128 * 1024
"""Bytes of a .cer, .sig and .pfx file, inclusive."""
PASSWORD_LIMIT: Final = 128
"""Characters of the password of a .pfx."""

_COMPARED: Final = 200


class Algorithm(StrEnum):
    """The kind of the signer's key."""

    RSA = "rsa"
    ECDSA = "ecdsa"
    GOST_256 = "gost_256"
    GOST_512 = "gost_512"


class Chain(StrEnum):
    """Who vouches for the certificate, as far as the folder of trusted issuers can tell."""

    TRUSTED = "trusted"
    UNKNOWN_ISSUER = "unknown_issuer"
    FORGED = "forged"
    """It names the key of a trusted issuer, and that key has not signed it."""


class Dates(StrEnum):
    """The dates of the certificates at the moment of the check, both ends inclusive."""

    IN_FORCE = "in_force"
    NOT_YET = "not_yet"
    EXPIRED = "expired"
    ISSUER_OUT_OF_DATES = "issuer_out_of_dates"


class Match(StrEnum):
    """A value of the certificate held against the form."""

    MATCHES = "matches"
    DIFFERS = "differs"
    ABSENT = "absent"
    """The certificate does not have it, or has it twice."""


class Outcome(StrEnum):
    """What is to be said of a signature, the gravest first: the order is that of the headline."""

    # The files can't be used at all.
    FILE_EMPTY = "file_empty"
    TEXT_TOO_LARGE = "text_too_large"
    CERTIFICATE_TOO_LARGE = "certificate_too_large"
    SIGNATURE_TOO_LARGE = "signature_too_large"
    CONTAINER_TOO_LARGE = "container_too_large"
    PRIVATE_KEY_SENT = "private_key_sent"
    CERTIFICATE_NOT_READABLE = "certificate_not_readable"
    SIGNATURE_NOT_READABLE = "signature_not_readable"
    ATTACHED = "attached"
    NO_SIGNER = "no_signer"
    SEVERAL_SIGNERS = "several_signers"
    CERTIFICATE_MISSING = "certificate_missing"
    ALGORITHM_OUTDATED = "algorithm_outdated"
    ALGORITHM_UNSUPPORTED = "algorithm_unsupported"
    # Nor can the container of the key.
    CONTAINER_NOT_READABLE = "container_not_readable"
    CONTAINER_GOST = "container_gost"
    CONTAINER_UNSUPPORTED = "container_unsupported"
    CONTAINER_TOO_COSTLY = "container_too_costly"
    WRONG_PASSWORD = "wrong_password"
    CONTAINER_NO_KEY = "container_no_key"
    CONTAINER_SEVERAL_KEYS = "container_several_keys"
    CONTAINER_NO_CERTIFICATE = "container_no_certificate"
    CONTAINER_CHECK_UNAVAILABLE = "container_check_unavailable"
    # The signature proves nothing.
    OTHER_CERTIFICATE = "other_certificate"
    TEXT_DIFFERS = "text_differs"
    SIGNATURE_FALSE = "signature_false"
    NOT_BOUND = "not_bound"
    # It proves something, but not that the applicant has signed.
    NOT_FOR_SIGNING = "not_for_signing"
    ISSUER_FORGED = "issuer_forged"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    NAME_DIFFERS = "name_differs"
    SNILS_DIFFERS = "snils_differs"
    # It may well be right: a person has to look.
    UNKNOWN_ISSUER = "unknown_issuer"
    ISSUER_OUT_OF_DATES = "issuer_out_of_dates"
    NAME_ABSENT = "name_absent"
    SNILS_ABSENT = "snils_absent"
    VALID = "valid"


@dataclass(frozen=True, slots=True, repr=False)
class Subject(Personal):
    """Whom the certificate names, in its own words; ``None`` for what it does not say."""

    surname: str | None = None
    given_name: str | None = None
    """First name and patronymic."""
    snils: str | None = None
    inn: str | None = None

    def __str__(self) -> str:
        return " ".join(filter(None, (self.surname, self.given_name)))

    @property
    def masked(self) -> str:
        """First letters: «И*** М***»."""
        return " ".join(f"{part[0]}***" for part in (self.surname, self.given_name) if part)


@dataclass(frozen=True, slots=True)
class ESignatureCheck:
    """What was found about a signature, each fact on its own; nothing found means nothing good.

    Whether the certificate has been revoked is not among the facts: no list of revocations and no
    OCSP service is asked.
    """

    refusal: Outcome | None = None
    """Why the files can't be used; the facts below then are as far as they were seen."""
    algorithm: Algorithm | None = None
    intact: bool = False
    """The digest in the signature is that of the application's text."""
    signature_valid: bool = False
    """The key of the certificate has signed the attributes of the signature."""
    signing_certificate_bound: bool = False
    """The signed attributes name this very certificate, as CAdES-BES asks."""
    certificate_given: bool = True
    """The certificate uploaded beside the signature, if any, is the signer's."""
    may_sign: bool = False
    """The certificate allows its key to sign documents, and is no authority's."""
    chain: Chain | None = None
    dates: Dates | None = None
    name: Match | None = None
    snils: Match | None = None
    subject: Subject | None = None
    issuer: str | None = None
    serial: str | None = None
    """Number of the certificate, hexadecimal."""
    fingerprint: str | None = None
    """SHA-256 of the certificate, hexadecimal."""
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    """Last moment of the certificate, inclusive."""
    claimed_at: datetime | None = None
    """When the signer says to have signed; nobody vouches for it."""

    @property
    def outcome(self) -> Outcome:
        """The headline: the first of ``Outcome`` that the facts bear out."""
        if self.refusal is not None:
            return self.refusal
        return next(outcome for outcome, holds in _HEADLINES.items() if holds(self))

    @property
    def is_valid(self) -> bool:
        """Whether every fact speaks for the signature."""
        return self.outcome is Outcome.VALID

    @property
    def is_undecided(self) -> bool:
        """Whether the signature is mathematically right and a person has to judge the rest."""
        return self.outcome in UNDECIDED

    @property
    def is_genuine(self) -> bool:
        """Whether the holder of this certificate's key has signed this text, whoever that is."""
        return (
            self.refusal is None
            and self.intact
            and self.signature_valid
            and self.signing_certificate_bound
        )

    @property
    def is_accepted(self) -> bool:
        """Whether the signature goes along with the application: valid, or for a person to judge.

        Any other is given back to the holder, who puts it right or goes without.
        """
        return self.is_valid or self.is_undecided

    def as_facts(self) -> dict[str, str]:
        """Return what was found as flat text, to be kept as evidence; times in ISO form."""
        facts: dict[str, str] = {}
        for name, value in _named(self):
            match value:
                case None | False:
                    continue
                case True:
                    facts[name] = "yes"
                case datetime():
                    facts[name] = value.isoformat()
                case Subject():
                    said = ((f"subject_{part}", text) for part, text in _named(value))
                    facts |= {part: str(text) for part, text in said if text is not None}
                case _:
                    facts[name] = str(value)
        return facts

    @classmethod
    def from_facts(cls, facts: Mapping[str, str]) -> ESignatureCheck:
        """Return what ``as_facts`` wrote down; names it does not know are passed over."""
        subject = {
            field.name: facts[f"subject_{field.name}"]
            for field in fields(Subject)
            if f"subject_{field.name}" in facts
        }
        found: dict[str, object] = {
            name: read(facts[name]) for name, read in _READERS.items() if name in facts
        }
        for name in _YES_OR_NO:
            found[name] = facts.get(name) == "yes"
        return cls(**found, subject=Subject(**subject) if subject else None)  # pyright: ignore[reportArgumentType]


class ESignatureRefused(InvalidValue):
    """The signature does not prove that the applicant has signed; ``check`` says why."""

    def __init__(self, check: ESignatureCheck) -> None:
        super().__init__(check.outcome.value)
        self.check = check


class ESignatureOutdated(InvalidValue):
    """The form was changed after it was signed: the signature is under the text of before."""


class NothingToSign(InvalidValue):
    """The form has mistakes still, so that there is no text to sign."""


_YES_OR_NO: Final = (
    "intact",
    "signature_valid",
    "signing_certificate_bound",
    "certificate_given",
    "may_sign",
)
_READERS: Final[Mapping[str, Callable[[str], object]]] = MappingProxyType(
    {
        "refusal": Outcome,
        "algorithm": Algorithm,
        "chain": Chain,
        "dates": Dates,
        "name": Match,
        "snils": Match,
        "issuer": str,
        "serial": str,
        "fingerprint": str,
        "valid_from": datetime.fromisoformat,
        "valid_until": datetime.fromisoformat,
        "claimed_at": datetime.fromisoformat,
    }
)


def _named(value: ESignatureCheck | Subject) -> list[tuple[str, object]]:
    return [(field.name, getattr(value, field.name)) for field in fields(value)]


UNDECIDED: Final = frozenset(
    {
        Outcome.UNKNOWN_ISSUER,
        Outcome.ISSUER_OUT_OF_DATES,
        Outcome.NAME_ABSENT,
        Outcome.SNILS_ABSENT,
    }
)

_HEADLINES: Final[Mapping[Outcome, Callable[[ESignatureCheck], bool]]] = MappingProxyType(
    {
        Outcome.OTHER_CERTIFICATE: lambda check: not check.certificate_given,
        Outcome.TEXT_DIFFERS: lambda check: not check.intact,
        Outcome.SIGNATURE_FALSE: lambda check: not check.signature_valid,
        Outcome.NOT_BOUND: lambda check: not check.signing_certificate_bound,
        Outcome.NOT_FOR_SIGNING: lambda check: not check.may_sign,
        Outcome.ISSUER_FORGED: lambda check: check.chain is Chain.FORGED,
        Outcome.NOT_YET_VALID: lambda check: check.dates is Dates.NOT_YET,
        Outcome.EXPIRED: lambda check: check.dates is Dates.EXPIRED,
        Outcome.NAME_DIFFERS: lambda check: check.name is Match.DIFFERS,
        Outcome.SNILS_DIFFERS: lambda check: check.snils is Match.DIFFERS,
        Outcome.UNKNOWN_ISSUER: lambda check: check.chain is not Chain.TRUSTED,
        Outcome.ISSUER_OUT_OF_DATES: lambda check: check.dates is not Dates.IN_FORCE,
        Outcome.NAME_ABSENT: lambda check: check.name is not Match.MATCHES,
        Outcome.SNILS_ABSENT: lambda check: check.snils is not Match.MATCHES,
        Outcome.VALID: lambda _: True,
    }
)


def match_name(subject: Subject, name: FullName) -> Match:
    """Hold the certificate's name against the form's: case, blanks and «ё» do not count."""
    if subject.surname is None or subject.given_name is None:
        return Match.ABSENT
    given = " ".join(filter(None, (name.first, name.patronymic)))
    is_same = _comparable(subject.surname) == _comparable(name.last) and _comparable(
        subject.given_name
    ) == _comparable(given)
    return Match.MATCHES if is_same else Match.DIFFERS


def match_snils(subject: Subject, snils: Snils) -> Match:
    """Hold the certificate's СНИЛС against the form's: blanks and dashes do not count."""
    if subject.snils is None:
        return Match.ABSENT
    digits = subject.snils[:_COMPARED].translate(DASHES).replace("-", "").replace(" ", "")
    return Match.MATCHES if digits == snils.digits else Match.DIFFERS


def _comparable(text: str) -> str:
    # The certificate's text is a stranger's: long ones are not normalised, and match nobody.
    if len(text) > _COMPARED:
        return ""
    visible = "".join(each for each in text if unicodedata.category(each) != "Cf")
    plain = unicodedata.normalize("NFC", visible).translate(DASHES).casefold().replace("ё", "е")
    return " ".join(plain.replace("-", " - ").split())
