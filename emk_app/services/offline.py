"""Checking what somebody holds without asking the server: a code, a saved version or an extract.

Needs the published trust list and the time, and nothing else: no database, no keys, no network.
Whether a link was closed or a book revoked since can be known as far as a saved list of statuses
goes, and is never claimed without one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509

from emk_app.clock import day_of
from emk_app.crypto import cose, downloads, pades, qr, statuslist, tokens, trustlist
from emk_app.crypto.cose import Claims, TokenOutcome
from emk_app.crypto.downloads import Download, NotADownload
from emk_app.crypto.pades import PdfCheck
from emk_app.crypto.signing import KeyStatus, SignatureCheck, TrustList
from emk_app.crypto.statuslist import StatusList, TokenStatus
from emk_app.crypto.trustlist import ListProblem, ListRefused, PublishedList
from emk_app.domain.books import (
    BookContent,
    BookFacts,
    BookStatus,
    BookUnreadable,
    Standing,
    Verdict,
    dated_lines,
    judge,
    read,
)
from emk_app.services.sharing import TOKEN_VERDICTS

LONGEST_TEXT: Final = 4096
"""Characters of a code with its address."""
_PICTURES: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF")
_SAID: Final = {code: verdict for verdict, code in TOKEN_VERDICTS.items()}


class Kind(StrEnum):
    """What was checked."""

    TOKEN = "token"
    DOWNLOAD = "download"
    EXTRACT = "extract"


class Outcome(StrEnum):
    """The first thing that speaks against it, in the order of checking."""

    MALFORMED = "malformed"
    UNKNOWN_KEY = "unknown_key"
    KEY_WITHDRAWN = "key_withdrawn"
    NOT_GENUINE = "not_genuine"
    EXPIRED = "expired"
    NOT_IN_FORCE = "not_in_force"
    """Genuine and in its term, but it says itself that nobody may work on it."""
    OVER = "over"
    """Genuine, but the list of statuses says that it is over."""
    GENUINE = "genuine"


@dataclass(frozen=True, slots=True)
class OfflineCheck:
    """The outcome and every fact behind it; what it says stands only where it is genuine."""

    kind: Kind
    outcome: Outcome
    checked_at: datetime
    reasons: tuple[Verdict, ...] = ()
    """Why it is not in force, as it says itself."""
    signature: SignatureCheck | None = None
    """Of the version; ``None`` for a code, whose key signs nothing else."""
    seal: SignatureCheck | None = None
    """Of a saved file as a whole."""
    key_id: bytes | None = None
    claims: Claims | None = field(default=None, repr=False)
    content: BookContent | None = field(default=None, repr=False)
    download: Download | None = field(default=None, repr=False)
    pdf: PdfCheck | None = field(default=None, repr=False)
    document_hash: str = ""
    status: TokenStatus | None = None
    """What the list of statuses says; ``None`` without a list, or for what has no code."""

    @property
    def is_good(self) -> bool:
        """Say whether it is genuine and in force at ``checked_at``, as far as that can be told."""
        return self.outcome is Outcome.GENUINE


class SeveralCodes(ValueError):
    """The picture shows more than one code of ours: nobody can tell which is meant."""


def read_trust_list(raw: bytes, root: bytes | None, *, now: datetime) -> PublishedList:
    """Return a saved list of keys (``/.well-known/emk/keys.json``); raises ``ListRefused``.

    ``root`` is the certificate to go by, DER or PEM. Without one the list is believed as the file
    it is: it has to be signed under the first root that it names itself.
    """
    try:
        pinned = _certificate(root) if root is not None else trustlist.named_root(raw)
    except ValueError as error:
        raise ListRefused(ListProblem.MALFORMED) from error
    return trustlist.read(raw, pinned, now=now)


def read_status_list(raw: bytes, root: x509.Certificate, *, now: datetime) -> StatusList:
    """Return a saved list of statuses (``/.well-known/emk/status``); raises ``ListRefused``.

    One past its end is refused: what it does not mark may have been revoked since.
    """
    found = statuslist.read(raw.strip(), root, now=now)
    if now >= found.expires:
        raise ListRefused(ListProblem.EXPIRED)
    return found


def _certificate(raw: bytes) -> x509.Certificate:
    if raw.startswith(b"-----"):
        return x509.load_pem_x509_certificate(raw)
    return x509.load_der_x509_certificate(raw)


def verify(
    raw: bytes, trust: TrustList, *, now: datetime, statuses: StatusList | None = None
) -> OfflineCheck:
    """Check whatever it is by its first bytes: an extract, a saved version, a picture, or a text.

    Raises ``SeveralCodes``.
    """
    found = _verify(raw, trust, now)
    if statuses is None or found.claims is None:
        return found
    status = statuses.status(found.claims.share_id)
    is_over = status is not TokenStatus.NOT_MARKED and found.outcome in _STILL_GOOD
    return replace(found, status=status, outcome=Outcome.OVER if is_over else found.outcome)


_STILL_GOOD: Final = (Outcome.GENUINE, Outcome.NOT_IN_FORCE)


def _verify(raw: bytes, trust: TrustList, now: datetime) -> OfflineCheck:
    if raw.startswith(_PICTURES):
        return _verify_picture(raw, trust, now)
    if raw.startswith(b"%PDF-"):
        return verify_extract(raw, trust, now=now)
    if raw.lstrip()[:1] == b"{":
        return verify_download(raw, trust, now=now)
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = ""
    return verify_text(text, trust, now=now)


def _verify_picture(raw: bytes, trust: TrustList, now: datetime) -> OfflineCheck:
    try:
        texts = set(qr.read_codes(raw))
    except ValueError:
        texts = set[str]()
    # Beside ours a poster may show any other code.
    checks = [verify_text(text, trust, now=now) for text in texts]
    ours = [check for check in checks if check.outcome is not Outcome.MALFORMED]
    if len(ours) > 1:
        raise SeveralCodes
    return ours[0] if ours else OfflineCheck(Kind.TOKEN, Outcome.MALFORMED, now)


def verify_text(text: str, trust: TrustList, *, now: datetime) -> OfflineCheck:
    """Check a code: its whole text, the fragment with or without «#», or the bare token.

    The two halves of a whole text have to belong together.
    """
    share, token = _parts(text)
    found = cose.check_token(token, trust, now)
    claims, outcome = found.claims, _TOKEN_OUTCOMES[found.outcome]
    reasons: tuple[Verdict, ...] = ()
    if claims is not None:
        if share is not None and tokens.share_id(share) != claims.share_id:
            return OfflineCheck(Kind.TOKEN, Outcome.NOT_GENUINE, now, key_id=found.key_id)
        said = _SAID.get(claims.verdict, Verdict.NOT_GENUINE)
        reasons = () if said is Verdict.VALID else (said,)
        if outcome is Outcome.GENUINE and reasons:
            outcome = Outcome.NOT_IN_FORCE
    return OfflineCheck(
        Kind.TOKEN,
        outcome,
        now,
        reasons=reasons,
        key_id=found.key_id,
        claims=claims,
        document_hash=claims.document_hash.hex() if claims else "",
    )


def verify_download(raw: bytes, trust: TrustList, *, now: datetime) -> OfflineCheck:
    """Check a saved version (``emk-download/1``)."""
    try:
        download, check = downloads.check(raw, trust)
    except NotADownload:
        return OfflineCheck(Kind.DOWNLOAD, Outcome.MALFORMED, now)
    fault = _fault_of(check.document) or _fault_of(check.seal)
    content = None if fault else _content(download.document)
    reasons: tuple[Verdict, ...] = ()
    if fault is None and content is None:
        fault = Outcome.MALFORMED
    elif content is not None:
        reasons = _reasons(content, download, now)
    return OfflineCheck(
        Kind.DOWNLOAD,
        fault or _judged(reasons),
        now,
        reasons=reasons,
        signature=check.document,
        seal=check.seal,
        key_id=check.document.key_id,
        content=content,
        download=download if content else None,
        document_hash=download.signature.digest.hex() if content else "",
    )


def verify_extract(raw: bytes, trust: TrustList, *, now: datetime) -> OfflineCheck:
    """Check an extract in PDF, and the code on it, which has to be of the same version."""
    found = pades.check_pdf(raw, trust)
    extract = found.extract
    if not found.is_signed or not found.claims_to_be_ours:
        return OfflineCheck(Kind.EXTRACT, Outcome.MALFORMED, now, pdf=found)
    fault = _fault_of(found.signature)
    if fault is None and (extract is None or not found.is_genuine):
        fault = Outcome.NOT_GENUINE
    if fault is not None or extract is None:
        return OfflineCheck(
            Kind.EXTRACT,
            fault or Outcome.NOT_GENUINE,
            now,
            signature=found.signature,
            key_id=found.signature.key_id,
            pdf=found,
        )
    code = verify_text(f"/{extract.share}#{extract.token}", trust, now=now)
    outcome = code.outcome
    if code.claims is not None and (
        code.claims.book_number,
        code.claims.version,
        code.document_hash,
    ) != (extract.number, extract.version, extract.version_hash):
        outcome = Outcome.NOT_GENUINE
    return replace(
        code,
        kind=Kind.EXTRACT,
        outcome=outcome,
        claims=None if outcome is Outcome.NOT_GENUINE else code.claims,
        signature=found.signature,
        key_id=found.signature.key_id,
        pdf=found,
    )


def _parts(text: str) -> tuple[str | None, str]:
    """Return the share, if the text names one, and the token."""
    said = text.strip()
    if len(said) > LONGEST_TEXT:
        return None, ""
    address, mark, fragment = said.rpartition("#")
    if not mark:
        return None, said
    if not address:
        return None, fragment
    try:
        path = urlsplit(address).path
    except ValueError:
        return None, ""
    share = tokens.parse_share(path.rpartition("/")[2])
    # An address that is not one of ours makes the whole text something else.
    return (share, fragment) if share else (None, "")


_TOKEN_OUTCOMES: Final = {outcome: Outcome(outcome.value) for outcome in TokenOutcome}


def _fault_of(found: SignatureCheck) -> Outcome | None:
    """Return what speaks against a signature, in the order of the code's check."""
    if found.signer is None:
        return Outcome.NOT_GENUINE
    if not found.key_listed:
        return Outcome.UNKNOWN_KEY
    if found.key_status is KeyStatus.COMPROMISED:
        return Outcome.KEY_WITHDRAWN
    if not (found.intact and found.signature_valid):
        return Outcome.NOT_GENUINE
    if not found.chain_trusted:
        return Outcome.UNKNOWN_KEY
    if not (found.key_in_term and found.certificate_in_dates):
        return Outcome.KEY_WITHDRAWN
    return None


def _content(document: bytes) -> BookContent | None:
    try:
        return read(json.loads(document))
    except (BookUnreadable, ValueError, RecursionError):
        return None


def _reasons(content: BookContent, download: Download, now: datetime) -> tuple[Verdict, ...]:
    """Return what the book fails by, as far as the file can tell."""
    status = _STATUSES.get(content.standing)
    if status is None:
        try:
            status = BookStatus(download.status)
        except ValueError:
            return (Verdict.NOT_GENUINE,)
    return judge(
        BookFacts(
            signature_genuine=True,
            version=content.version,
            current_version=download.current_version,
            status=status,
            valid_until=content.valid_until,
            items=dated_lines(content),
            link=None,
        ),
        now,
        day_of(now),
    ).reasons


_STATUSES: Final = {
    Standing.SUSPENDED: BookStatus.SUSPENDED,
    Standing.REVOKED: BookStatus.REVOKED,
}


def _judged(reasons: tuple[Verdict, ...]) -> Outcome:
    if not reasons:
        return Outcome.GENUINE
    return Outcome.EXPIRED if reasons == (Verdict.TERM_PASSED,) else Outcome.NOT_IN_FORCE
