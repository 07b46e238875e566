"""Looking at a book: what a scan finds at this very moment, and the trace it leaves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final

import msgspec
from sqlmodel import Session

from emk_app import clock
from emk_app.crypto import signing, tokens
from emk_app.crypto.errors import SealBroken
from emk_app.crypto.signing import DetachedSignature, SignatureCheck
from emk_app.db import changes, vault
from emk_app.db.engine import bare_unit_of_work, is_embedded, quick_unit_of_work, unit_of_work
from emk_app.db.repositories import books
from emk_app.db.repositories.books import Run, Scanned
from emk_app.db.tables.books import BookVersion, MedicalBook
from emk_app.db.tables.people import User
from emk_app.db.vault import Vault
from emk_app.domain.books import FORMATS, BookFacts, Verdict, judge
from emk_app.domain.clearance import DatedItem
from emk_app.domain.errors import NotFound
from emk_app.domain.fieldpolicy import Viewer, name_for
from emk_app.domain.notices import News, Notice
from emk_app.domain.people import FullName
from emk_app.domain.sharing import SHOWN, LinkState, SharedField, ShareLink, link_state
from emk_app.keys import keystore
from emk_app.services import notifying

VIEWER_LIMIT: Final = 60
TELLING_PAUSE: Final = timedelta(hours=1)
"""A gate that scans a whole shift is told of once an hour; each look stands in the list."""


class _Holder(msgspec.Struct, frozen=True, gc=False):
    last_name: str
    first_name: str
    patronymic: str
    born_on: date


class _Occupation(msgspec.Struct, frozen=True, gc=False):
    group: str


class _Line(msgspec.Struct, frozen=True, gc=False):
    valid_until: str


class _Examination(msgspec.Struct, frozen=True):
    lines: tuple[_Line, ...]


class Face(msgspec.Struct, frozen=True):
    """The part of a signed document that strangers may be told of (D22); no other part is read."""

    format: str
    number: str
    version: int
    holder: _Holder
    occupation: _Occupation
    examination: _Examination
    issued_on: date
    valid_until: date

    @property
    def items_valid_until(self) -> date | None:
        """The last day on which every study is in date; ``None`` if none has a term."""
        # ISO dates are in the order of their letters.
        ends = min(
            [line.valid_until for line in self.examination.lines if line.valid_until], default=""
        )
        return date.fromisoformat(ends) if ends else None


_FACES: Final = msgspec.json.Decoder(Face)


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
    face: Face | None = field(repr=False)
    canonical: bytes | None = field(repr=False)
    """Face and document, both only where the signature is valid."""

    @property
    def is_genuine(self) -> bool:
        """Whether every fact speaks for the version."""
        return self.opens and self.hash_matches and self.is_its_own and self.signature.is_valid


UNREADABLE: Final = Witness(
    opens=False,
    hash_matches=False,
    is_its_own=False,
    signature=SignatureCheck(),
    face=None,
    canonical=None,
)


class LookResult(msgspec.Struct, frozen=True, gc=False):
    """What a look shows; beside the verdict only what the link's scope allows (D22).

    A link that is over, and a version that is not genuine, show the verdict alone.
    """

    verdict: Verdict
    reasons: tuple[Verdict, ...]
    checked_at: datetime
    name: str | None = None
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

    def __repr__(self) -> str:
        # Whose book it is stays out of logs.
        return f"LookResult({self.verdict}, {self.checked_at})"

    @property
    def is_valid(self) -> bool:
        """Whether the holder may work on this book today."""
        return self.verdict is Verdict.VALID


class Sight(msgspec.Struct, frozen=True, gc=False):
    """A look that has found its result and has not been written down yet."""

    share_id: int
    holder_id: int
    book_id: int
    viewer: str
    is_limited: bool
    is_open: bool
    """Whether the link lives, so that the look counts."""
    is_news: bool
    """Whether the holder has not been told of a look through this link for a while."""
    result: LookResult


def topic_of(holder_id: int) -> str:
    """Return the topic of looks at a holder's book; none of the holder's other screens shows them.

    At a gate they come by the second.
    """
    return f"looks:{holder_id}"


def look(code: str, viewer: str, *, now: datetime) -> LookResult:
    """Return what the link shows now, and write the look down; raise ``NotFound``.

    An unknown code and one that never was a code look the same. ``viewer`` is a browser's family.
    """
    return record([see(code, viewer, now=now)])[0]


def see(code: str, viewer: str, *, now: datetime, again: bool = False) -> Sight:
    """Find out what the link shows now; to be shown once ``record`` has written it down.

    ``again`` is for whoever keeps looking after such a look: it counts no more, and the number of
    looks that the link allows does not end it.
    """
    share = tokens.parse_share(code)
    found = books.by_digest(tokens.share_digest(share)) if share else None
    if found is None:
        raise NotFound
    link = ShareLink(
        found.scope,
        found.expires_at,
        found.link_revoked_at,
        None if again else found.max_looks,
        found.looks,
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
        is_news=found.told_at is None or found.told_at <= now - TELLING_PAUSE,
        result=result,
    )


def record(sights: Sequence[Sight], *, quickly: bool = False) -> list[LookResult]:
    """Write looks down, many in one transaction, and return what each may be shown.

    What is shown is settled here: of two looks that race for the last one, one gets it, and a link
    closed since it was read shows nothing. ``quickly`` is for the embedded database: it raises
    ``Busy`` where others are writing, and leaves it to ``settle`` to wait for the disk.
    """
    is_plain = not any(sight.is_limited or sight.is_news for sight in sights)
    if is_plain and (quickly or not is_embedded()):
        with bare_unit_of_work() as (run, topics):
            results = _results(sights, _closed(run, sights), {})
            _write(run, sights, results)
            topics |= _topics(sights)
        return results
    with quick_unit_of_work() if quickly else unit_of_work() as db:
        run = db.connection().exec_driver_sql
        closed = _closed(run, sights)
        results = _results(sights, closed, _left(db, sights, closed))
        _write(run, sights, results)
        changes.announce(db, *_topics(sights))
        for share_id in sorted({sight.share_id for sight in sights if sight.is_news}):
            _tell(db, next(sight for sight in sights if sight.share_id == share_id))
    return results


def _closed(run: Run, sights: Sequence[Sight]) -> Collection[int]:
    alive = {sight.share_id for sight in sights if sight.is_open}
    return books.closed_among(run, alive) if alive else ()


def _write(run: Run, sights: Sequence[Sight], results: Sequence[LookResult]) -> None:
    books.write_looks(
        run,
        [
            (sight.share_id, result.checked_at, result.verdict.value, sight.viewer)
            for sight, result in zip(sights, results, strict=True)
        ],
    )


def _topics(sights: Sequence[Sight]) -> set[str]:
    return {topic_of(sight.holder_id) for sight in sights}


def _tell(db: Session, sight: Sight) -> None:
    now = sight.result.checked_at
    if not books.take_telling(db, sight.share_id, before=now - TELLING_PAUSE, now=now):
        return
    holder = db.get(User, sight.holder_id)
    assert holder is not None
    # Whose key is lost can be told nothing; the scan is answered all the same.
    with suppress(SealBroken):
        notifying.tell(
            db,
            holder,
            Notice(News.BOOK_LOOKED_AT, at=now),
            dedupe=f"looked:{sight.share_id}:{now:%Y%m%d%H%M%S}",
            now=now,
        )


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


def withdrawn_words(book: MedicalBook, version: BookVersion, holder: Vault) -> bytes | None:
    """Return what a version says whose key is withdrawn, where nothing else speaks against it.

    Only for signing it anew: that the words are the ones we wrote, the seal proves, whose keys are
    apart from those of signatures.
    """
    try:
        raw = books.open_canonical(holder, book.id, version.version, version.canonical_sealed)
    except SealBroken:
        return None
    check = signing.verify_document(
        raw, version.signature, keystore().trust_list, version.signed_at
    )
    face = _face_of(raw) if check.is_withdrawn else None
    if face is None or (face.number, face.version) != (book.number, version.version):
        return None
    return raw


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
    face = witness.face
    if face is None or not witness.is_genuine:
        return _not_genuine(now)
    items_until = face.items_valid_until
    judgement = judge(
        BookFacts(
            signature_genuine=True,
            version=found.version,
            current_version=found.current_version,
            status=found.status,
            valid_until=face.valid_until,
            # The public hears of the first study to end, not of each (D22): that one decides.
            items=(DatedItem("first", today, items_until),) if face.examination.lines else (),
            link=link,
        ),
        now,
        today,
    )
    fields = SHOWN[found.scope]
    person = face.holder
    name = FullName(person.last_name, person.first_name, person.patronymic or None)
    return LookResult(
        verdict=judgement.verdict,
        reasons=judgement.reasons,
        checked_at=now,
        name=name_for(Viewer.BY_LINK, name) if SharedField.NAME in fields else None,
        birth_year=person.born_on.year if SharedField.BIRTH_YEAR in fields else None,
        occupation_group=face.occupation.group if SharedField.OCCUPATION in fields else None,
        issued_on=face.issued_on,
        valid_until=face.valid_until,
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
    packed = _unpacked(signature)
    check = signing.verify_document(raw, packed, keystore().trust_list, signed_at)
    # Only what is signed is read at all.
    face = _face_of(raw) if check.is_valid else None
    return Witness(
        opens=True,
        # An intact document has the hash that its signature names.
        hash_matches=check.intact
        and isinstance(packed, DetachedSignature)
        and packed.digest.hex() == version_hash,
        is_its_own=face is not None
        and face.format in FORMATS
        and (face.number, face.version) == (number, version),
        signature=check,
        face=face,
        canonical=raw if check.is_valid else None,
    )


def _face_of(raw: bytes) -> Face | None:
    try:
        return _FACES.decode(raw)
    except msgspec.MsgspecError:
        return None


@lru_cache(maxsize=4096)
def _unpacked(packed: bytes) -> DetachedSignature | bytes:
    """Read a stored signature; a pure reading, so it may be kept, unlike what is found about it."""
    try:
        return DetachedSignature.unpack(packed)
    except ValueError:
        return packed


def _left(db: Session, sights: Sequence[Sight], closed: Collection[int]) -> dict[int, int]:
    """Count the looks through links with a limit; return how many of them each link still gives."""
    wanted = Counter(
        sight.share_id
        for sight in sights
        if sight.is_open and sight.is_limited and sight.share_id not in closed
    )
    # In one order for all, so that two processes never wait for each other's rows.
    return {
        share_id: books.count_limited(db, share_id, wanted[share_id]) for share_id in sorted(wanted)
    }


def _results(
    sights: Sequence[Sight], closed: Collection[int], left: dict[int, int]
) -> list[LookResult]:
    """Return the results of the looks, those of refused ones replaced."""
    results: list[LookResult] = []
    for sight in sights:
        result = sight.result
        if sight.is_open and sight.share_id in closed:
            result = _refused(sight, Verdict.LINK_REVOKED)
        elif sight.is_open and sight.is_limited:
            left[sight.share_id] -= 1
            if left[sight.share_id] < 0:
                result = _refused(sight, Verdict.LINK_EXHAUSTED)
        results.append(result)
    return results


def _refused(sight: Sight, verdict: Verdict) -> LookResult:
    return LookResult(verdict, (verdict,), sight.result.checked_at)
