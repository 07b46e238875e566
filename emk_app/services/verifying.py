"""Looking at a book: what a scan finds at this very moment, and the trace it leaves."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final, cast

from sqlmodel import Session

from emk_app import clock
from emk_app.crypto import canonical, signing, tokens
from emk_app.crypto.errors import SealBroken
from emk_app.crypto.signing import DetachedSignature, SignatureCheck
from emk_app.db import changes, vault
from emk_app.db.engine import unit_of_work
from emk_app.db.repositories import books
from emk_app.db.repositories.books import Scanned
from emk_app.db.tables.books import BookVersion, MedicalBook
from emk_app.db.vault import Vault
from emk_app.domain.books import FORMAT, BookFacts, Judgement, Verdict, judge
from emk_app.domain.clearance import DatedItem
from emk_app.domain.errors import NotFound
from emk_app.domain.people import FullName
from emk_app.domain.sharing import SHOWN, LinkState, SharedField, ShareLink, link_state
from emk_app.keys import keystore

VIEWER_LIMIT: Final = 60


@dataclass(frozen=True, slots=True)
class Witness:
    """What was found about a stored version, each fact on its own; no version is believed twice."""

    opens: bool
    """The stored bytes are unsealed by the holder's key, in the place they were sealed for."""
    hash_matches: bool
    """They have the hash that stands beside them, which the holder's card shows."""
    is_its_own: bool
    """They name the book and the version in whose row they lie."""
    signature: SignatureCheck
    said: dict[str, Any] | None = field(repr=False)
    """The document, where its signature is valid."""

    @property
    def is_genuine(self) -> bool:
        """Whether every fact speaks for the version."""
        return self.opens and self.hash_matches and self.is_its_own and self.signature.is_valid


UNREADABLE: Final = Witness(
    opens=False, hash_matches=False, is_its_own=False, signature=SignatureCheck(), said=None
)


@dataclass(frozen=True, slots=True)
class LookResult:
    """What a look shows; beside the verdict only what the link's scope allows (D22).

    A link that is over, and a version that is not genuine, show the verdict alone.
    """

    verdict: Verdict
    reasons: tuple[Verdict, ...]
    checked_at: datetime
    name: str | None = field(default=None, repr=False)
    """Surname and initials."""
    birth_year: int | None = None
    occupation_group: str | None = None
    issued_on: date | None = None
    valid_until: date | None = None
    days_left: int | None = None
    items_valid_until: date | None = None
    """The last day on which every study is in date; which study ends then is nobody's matter."""
    items_overdue_since: date | None = None
    version: int | None = None
    superseded_by: int | None = None
    version_hash: str | None = None
    issuer: str | None = None

    @property
    def is_valid(self) -> bool:
        """Whether the holder may work on this book today."""
        return self.verdict is Verdict.VALID


@dataclass(frozen=True, slots=True)
class Sight:
    """A look that has found its result and has not been written down yet."""

    share_id: int
    holder_id: int
    book_id: int
    viewer: str
    is_limited: bool
    is_open: bool
    """Whether the link lives, so that the look counts."""
    result: LookResult


def look(code: str, viewer: str, *, now: datetime) -> LookResult:
    """Return what the link shows now, and write the look down; raise ``NotFound``.

    An unknown code and one that never was a code look the same. ``viewer`` is a browser's family.
    """
    return record([see(code, viewer, now=now)])[0]


def see(code: str, viewer: str, *, now: datetime) -> Sight:
    """Find out what the link shows now; to be shown once ``record`` has written it down."""
    share = tokens.parse_share(code)
    found = books.by_digest(tokens.share_digest(share)) if share else None
    if found is None:
        raise NotFound
    link = ShareLink(
        found.scope, found.expires_at, found.link_revoked_at, found.max_looks, found.looks
    )
    state = link_state(link, now)
    if state is LinkState.ALIVE:
        result = _judged(found, link, now)
    else:
        verdict = Verdict(state.value)
        result = LookResult(verdict, (verdict,), now)
    return Sight(
        share_id=found.share_id,
        holder_id=found.holder_id,
        book_id=found.book_id,
        viewer=viewer[:VIEWER_LIMIT],
        is_limited=found.max_looks is not None,
        is_open=state is LinkState.ALIVE,
        result=result,
    )


def record(sights: Sequence[Sight]) -> list[LookResult]:
    """Write looks down, many in one transaction, and return what each may be shown.

    The count is taken against the row as it stands now: of two looks that race for the last one,
    one gets it, and a link closed since it was read shows nothing.
    """
    with unit_of_work() as db:
        results = _granted(db, sights)
        books.write_looks(
            db,
            [
                {
                    "share_id": sight.share_id,
                    "at": result.checked_at,
                    "verdict": result.verdict.value,
                    "viewer": sight.viewer,
                }
                for sight, result in zip(sights, results, strict=True)
            ],
        )
        changes.announce(db, *{f"holder:{sight.holder_id}" for sight in sights})
    return results


def witness_of(book: MedicalBook, version: BookVersion, holder: Vault) -> Witness:
    """Open a stored version and check everything about it; never raises for a spoilt one."""
    return _witness(
        holder,
        book_id=book.id,
        number=book.number,
        version=version.version,
        sealed=version.canonical_sealed,
        version_hash=version.version_hash,
        signature=version.signature,
        signed_at=version.signed_at,
    )


def _judged(found: Scanned, link: ShareLink, now: datetime) -> LookResult:
    today = clock.day_of(now)
    try:
        holder = vault.vault_from(found.holder_uid, found.holder_key)
    except SealBroken:
        return _not_genuine(now)
    witness = _witness(
        holder,
        book_id=found.book_id,
        number=found.number,
        version=found.version,
        sealed=found.canonical_sealed,
        version_hash=found.version_hash,
        signature=found.signature,
        signed_at=found.signed_at,
    )
    if not witness.is_genuine or witness.said is None:
        return _not_genuine(now)
    said = witness.said
    ends = min((line["valid_until"] for line in _lines(said) if line["valid_until"]), default="")
    items_until = date.fromisoformat(ends) if ends else None
    judgement = judge(
        BookFacts(
            signature_genuine=True,
            version=found.version,
            current_version=found.current_version,
            status=found.status,
            valid_until=date.fromisoformat(said["valid_until"]),
            # The public hears of the first study to end, not of each (D22): that one decides.
            items=(DatedItem("first", today, items_until),) if _lines(said) else (),
            link=link,
        ),
        now,
        today,
    )
    return _shown(said, found, judgement, items_until, witness, now)


def _shown(
    said: dict[str, Any],
    found: Scanned,
    judgement: Judgement,
    items_until: date | None,
    witness: Witness,
    now: datetime,
) -> LookResult:
    fields = SHOWN[found.scope]
    person = said["holder"]
    name = FullName(person["last_name"], person["first_name"], person["patronymic"] or None)
    return LookResult(
        verdict=judgement.verdict,
        reasons=judgement.reasons,
        checked_at=now,
        name=name.short if SharedField.NAME in fields else None,
        birth_year=int(person["born_on"][:4]) if SharedField.BIRTH_YEAR in fields else None,
        occupation_group=(
            said["occupation"]["group"] if SharedField.OCCUPATION in fields else None
        ),
        issued_on=date.fromisoformat(said["issued_on"]),
        valid_until=judgement.valid_until,
        days_left=judgement.days_left,
        items_valid_until=items_until,
        items_overdue_since=judgement.items_overdue_since,
        version=found.version,
        superseded_by=judgement.superseded_by,
        version_hash=found.version_hash,
        issuer=witness.signature.signer,
    )


def _not_genuine(now: datetime) -> LookResult:
    return LookResult(Verdict.NOT_GENUINE, (Verdict.NOT_GENUINE,), now)


def _witness(
    holder: Vault,
    *,
    book_id: int,
    number: str,
    version: int,
    sealed: bytes,
    version_hash: str,
    signature: bytes,
    signed_at: datetime,
) -> Witness:
    try:
        raw = books.open_canonical(holder, book_id, version, sealed)
    except SealBroken:
        return UNREADABLE
    check = signing.verify_document(raw, _unpacked(signature), keystore().trust_list, signed_at)
    # Only what is signed is read at all.
    said = cast("dict[str, Any]", json.loads(raw)) if check.is_valid else None
    return Witness(
        opens=True,
        hash_matches=canonical.sha256(raw).hex() == version_hash,
        is_its_own=said is not None
        and (said["format"], said["number"], said["version"]) == (FORMAT, number, version),
        signature=check,
        said=said,
    )


@lru_cache(maxsize=4096)
def _unpacked(packed: bytes) -> DetachedSignature | bytes:
    """Read a stored signature; a pure reading, so it may be kept, unlike what is found about it."""
    try:
        return DetachedSignature.unpack(packed)
    except ValueError:
        return packed


def _lines(said: dict[str, Any]) -> list[dict[str, Any]]:
    return said["examination"]["lines"]


def _granted(db: Session, sights: Sequence[Sight]) -> list[LookResult]:
    """Count the looks and return their results, those of refused ones replaced."""
    wanted = Counter(sight.share_id for sight in sights if sight.is_open)
    limited = {sight.share_id for sight in sights if sight.is_limited}
    # In one order for all, so that two processes never wait for each other's rows.
    left = {
        share_id: _count(db, share_id, wanted[share_id], share_id in limited)
        for share_id in sorted(wanted)
    }
    results: list[LookResult] = []
    for sight in sights:
        granted = not sight.is_open or left[sight.share_id] > 0
        if sight.is_open:
            left[sight.share_id] -= 1
        results.append(sight.result if granted else _refused(db, sight))
    return results


def _count(db: Session, share_id: int, wanted: int, is_limited: bool) -> int:
    """Count ``wanted`` looks, or as many as there are left; return how many."""
    if books.count_looks(db, share_id, wanted):
        return wanted
    return sum(books.count_looks(db, share_id) for _ in range(wanted)) if is_limited else 0


def _refused(db: Session, sight: Sight) -> LookResult:
    revoked = books.is_revoked(db, sight.share_id)
    verdict = Verdict.LINK_REVOKED if revoked else Verdict.LINK_EXHAUSTED
    return LookResult(verdict, (verdict,), sight.result.checked_at)
