"""Looking a book up by its number and the holder's СНИЛС, as an employer with the paper does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from sqlmodel import Session

from emk_app.crypto import tokens
from emk_app.db import vault
from emk_app.db.engine import unit_of_work
from emk_app.db.repositories import books
from emk_app.db.tables.books import BookVersion, MedicalBook
from emk_app.domain.accounts import Rule
from emk_app.domain.books import BookContent, BookNumber, Verdict
from emk_app.domain.errors import NotFound
from emk_app.domain.fieldpolicy import Viewer, name_for
from emk_app.domain.numbers import Snils
from emk_app.domain.switches import Feature
from emk_app.domain.values import Problems
from emk_app.services import auditing, issuing, switching, throttling
from emk_app.services.verifying import LookResult, Witness, witness_of
from emk_app.settings import settings

BY_ADDRESS: Final = Rule(tries=20, window=timedelta(minutes=15))
BY_NUMBER: Final = Rule(tries=5, window=timedelta(minutes=15))
"""СНИЛС numbers tried against one book: who has the right one needs one try."""
LONGEST_PASTED: Final = 1000


class NotACode(ValueError):
    """Neither a link of ours nor a code; ``host`` is that of somebody else's link."""

    def __init__(self, host: str = "") -> None:
        super().__init__("not a code")
        self.host = host


def share_in(text: str) -> str:
    """Return the code in a pasted link, or the pasted code itself, in its canonical form.

    Taken in any case, with or without https, with blanks in the code, and with what follows it.
    Raises ``NotACode``.
    """
    pasted = text.strip()[:LONGEST_PASTED]
    if "/" not in pasted:
        share = tokens.parse_share("".join(pasted.split()))
        if share is None:
            raise NotACode
        return share
    address = pasted if "//" in pasted else f"https://{pasted.lstrip('/')}"
    if pasted.startswith("/") and not pasted.startswith("//"):
        address = settings().origin + pasted
    try:
        parts = urlsplit(address)
        host = parts.netloc.rpartition("@")[2].lower()
    except ValueError:
        raise NotACode from None
    if host != urlsplit(settings().origin).netloc.lower():
        raise NotACode(host[:80])
    before, _, last = parts.path.rstrip("/").rpartition("/")
    share = tokens.parse_share(last)
    if share is None or before.lower() != "/v":
        raise NotACode
    return share


@dataclass(frozen=True, slots=True)
class Owned:
    """A book whose number and holder's СНИЛС were known."""

    book: MedicalBook
    version: BookVersion
    witness: Witness
    content: BookContent


def tries_of(number: BookNumber) -> tuple[str, Rule]:
    """Return under what the tries against one book are counted, and how many there may be."""
    return throttling.key_of("lookup-number", number.digits), BY_NUMBER


def owned(db: Session, number: BookNumber, snils: Snils) -> Owned:
    """Return the book of that number whose holder has that СНИЛС; raise ``NotFound``.

    Whoever calls it counts the tries.
    """
    book = books.by_number(db, number)
    version = books.version(db, book.id, book.current_version)
    witness = witness_of(book, version, vault.vault_for(db, book.holder_id))
    content = issuing.content_of(witness)
    if content is None or content.snils != snils.digits:
        raise NotFound
    return Owned(book, version, witness, content)


def by_number(number: str, snils: str, address: str, *, now: datetime) -> LookResult:
    """Return what may be told of the book: the verdict, its dates, and the name masked (D22).

    A number that does not exist, somebody else's СНИЛС and a version that is not genuine are all
    ``NotFound``. Raises ``FeatureOff``, ``Invalid`` with ``number`` and ``snils``, and
    ``TooManyAttempts``, which is counted by address and by number alike, whether or not there is
    such a book.
    """
    switching.require(Feature.NUMBER_CHECK, now=now)
    problems = Problems()
    book_number = problems.take("number", BookNumber.parse, number)
    owner = problems.take("snils", Snils.parse, snils)
    problems.raise_any()
    throttling.spend(
        (throttling.key_of("lookup-address", address), BY_ADDRESS),
        tries_of(book_number),
        now=now,
    )
    with unit_of_work() as db:
        found = owned(db, book_number, owner)
        book, version, content = found.book, found.version, found.content
        judgement = issuing.judgement_of(book, version, content, now=now)
        auditing.record(db, None, "look_up", f"book:{book.id}", subject_id=book.holder_id, now=now)
    ends = judgement.readiness.items_valid_until
    return LookResult(
        verdict=judgement.verdict,
        # Which other reasons there are, and what is overdue, is told to who was given a link.
        reasons=(judgement.verdict,),
        checked_at=now,
        name=name_for(Viewer.BY_NUMBER, content.holder),
        issued_on=content.issued_on,
        valid_until=content.valid_until,
        days_left=judgement.days_left,
        items_valid_until=None if Verdict.ITEMS_OVERDUE in judgement.reasons else ends,
        version=version.version,
        version_hash=version.version_hash,
        issuer=found.witness.signature.signer,
    )
