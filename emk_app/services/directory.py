"""Finding a clinic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session

from emk_app.db.engine import reading
from emk_app.db.repositories import clinics
from emk_app.db.repositories.clinics import Candidate, Cell, Filters
from emk_app.db.tables.clinics import Clinic
from emk_app.domain.clinics import ClinicKind, LicenceStatus, key_of, words_of
from emk_app.domain.regions import REGIONS
from emk_app.domain.register import is_oid
from emk_app.domain.typos import is_mistakable, nearest

FOUND_AT_ONCE: Final = 20
SHOWN_AT_MOST: Final = 100
LONGEST_QUERY: Final = 120
WORDS_AT_MOST: Final = 12
COUNTED: Final = 500
"""Found clinics that are counted one by one; of more than that the number is not told."""
RANKED: Final = 100
"""Where there are more, so many of each kind of match are ranked: whole words, beginnings, any."""
SHORTEST_CODE: Final = 4
SHORTEST_MIDDLE: Final = 3
"""Letters by which a word is found in its middle; fewer find only its beginning."""


@dataclass(frozen=True, slots=True)
class ClinicView:
    """A clinic as anybody may see it."""

    id: int
    oid: str
    name: str
    short_name: str
    kind: ClinicKind
    region_code: str
    region_name: str
    address: str
    phone: str
    hours: str
    okpo: str
    licence_number: str
    licence_status: LicenceStatus
    is_connected: bool
    has_electronic_policy: bool
    has_oms_contract: bool
    points: frozenset[str]
    is_demo: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """How many clinics each value of a filter would leave, the other filters as they are.

    None where there are too many to count.
    """

    regions: Mapping[str, int] | None = None
    kinds: Mapping[str, int] | None = None
    with_electronic_policy: int | None = None
    in_force: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The first clinics of a search, and how many there are."""

    clinics: tuple[ClinicView, ...]
    total: int
    is_total_known: bool = True
    """Otherwise there are more than ``total``."""
    corrected: str = ""
    """The query that was looked for instead, since nothing bears what was typed."""
    counts: Counts = field(default_factory=Counts)


@dataclass(frozen=True, slots=True)
class _Match:
    """Candidates of one query, with what is known of their number."""

    candidates: list[Candidate]
    total: int
    is_total_known: bool
    counts: Counts


def search(
    query: str = "",
    *,
    region: str | None = None,
    kind: ClinicKind | None = None,
    with_electronic_policy: bool = False,
    in_force: bool = False,
    point: str | None = None,
    limit: int = FOUND_AT_ONCE,
) -> Found:
    """Find clinics by words of the name, the beginning of an ОКПО (guide, «Шаг 3»), or an OID.

    Words may stand in any order, be unfinished or begin in the middle. Mistyped ones are looked
    for only where nothing bears them as they are, the filters aside. At most ``SHOWN_AT_MOST``
    clinics come back, those first that a holder may choose.
    """
    filters = Filters(region, kind, point, with_electronic_policy, in_force)
    text = query[:LONGEST_QUERY]
    words = list(dict.fromkeys(words_of(text)))[:WORDS_AT_MOST]
    with reading() as db:
        if not words:
            found = _all(db, filters) if not text.strip() else _Match([], 0, True, Counts())
            return _answer(db, found, words, limit)
        if is_oid(text.strip()):
            return _answer(db, _counted(clinics.by_oid(db, text.strip()), filters), words, limit)
        code = "".join(words)
        if code.isascii() and code.isdigit() and len(code) >= SHORTEST_CODE:
            known = clinics.by_okpo(db, code, limit=COUNTED + 1)
            if known:
                return _answer(db, _counted(known, filters), words, limit)
        found, exists = _by_words(db, words, filters)
        if found.candidates or exists:
            return _answer(db, found, words, limit)
        for meant in _meant(db, words):
            found, exists = _by_words(db, meant, filters)
            if exists:
                return _answer(db, found, meant, limit, corrected=" ".join(meant))
        return Found((), 0)


def relaxed(
    query: str,
    *,
    region: str | None,
    kind: ClinicKind | None,
    with_electronic_policy: bool,
    in_force: bool,
    point: str | None,
) -> dict[str, int]:
    """Return how many clinics would be found without each of the filters, where any would be.

    Keys are the names of the arguments.
    """
    asked: dict[str, Any] = {
        "region": region,
        "kind": kind,
        "with_electronic_policy": with_electronic_policy,
        "in_force": in_force,
        "point": point,
    }
    nothing: dict[str, Any] = dict.fromkeys(asked) | {
        "with_electronic_policy": False,
        "in_force": False,
    }
    totals = {
        name: search(query, limit=1, **asked | {name: nothing[name]}).total
        for name, value in asked.items()
        if value
    }
    return {name: total for name, total in totals.items() if total}


def get(clinic_id: int) -> ClinicView:
    """Return one clinic; raise ``NotFound``."""
    with reading() as db:
        return view(clinics.get(db, clinic_id))


def regions() -> tuple[tuple[str, str], ...]:
    """Return code and name of every region, by name."""
    return tuple(sorted(REGIONS.items(), key=lambda pair: pair[1]))


def view(row: Clinic | sa.Row[Any]) -> ClinicView:
    """Return what anybody may see of a clinic."""
    return ClinicView(
        id=row.id,
        oid=row.oid,
        name=row.name,
        short_name=row.short_name,
        kind=row.kind,
        region_code=row.region_code,
        region_name=REGIONS[row.region_code],
        address=row.address,
        phone=row.phone,
        hours=row.hours,
        okpo=row.okpo,
        licence_number=row.licence_number,
        licence_status=row.licence_status,
        is_connected=row.is_connected,
        has_electronic_policy=row.has_electronic_policy,
        has_oms_contract=row.has_oms_contract,
        points=frozenset(row.points.split(",")) - {""},
        is_demo=row.is_demo,
    )


def _answer(
    db: Session, found: _Match, words: list[str], limit: int, *, corrected: str = ""
) -> Found:
    best = _best(found.candidates, words, min(limit, SHOWN_AT_MOST))
    rows = clinics.shown(db, [each.id for each in best])
    return Found(tuple(map(view, rows)), found.total, found.is_total_known, corrected, found.counts)


def _best(found: list[Candidate], words: list[str], limit: int) -> list[Candidate]:
    """Whole words before beginnings before middles; then those that can be chosen; then by name."""
    keys = list(map(key_of, words))
    whole = [f" {key} " for key in keys]
    begun = [f" {key}" for key in keys]
    phrase = " ".join(keys)

    def rank(each: Candidate) -> tuple[int, ...]:
        name = each.search_name
        return (
            # Lists: for two or three words a generator costs more than the looking.
            -sum([word in name for word in whole]),
            -sum([word in name for word in begun]),
            not (each.is_in_force and each.is_connected),
            phrase not in name,
        )

    ranked = sorted(((rank(each), each) for each in found), key=lambda pair: pair[0])
    # Names are dear to compare, so only those that may come among the first are.
    last = ranked[limit - 1][0] if len(ranked) > limit else None
    near = [pair for pair in ranked if last is None or pair[0] <= last]
    near.sort(key=lambda pair: (pair[0], _natural(pair[1].short_name), pair[1].id))
    return [each for _, each in near[:limit]]


@lru_cache(maxsize=8192)
def _natural(name: str) -> tuple[object, ...]:
    """Order «№ 9» before «№ 10»."""
    parts = words_of(name)
    return (tuple(word for word in parts if not word.isdigit()), _numbers(parts))


def _numbers(parts: Iterable[str]) -> tuple[int, ...]:
    return tuple(int(word) for word in parts if word.isascii() and word.isdigit())


def _all(db: Session, filters: Filters) -> _Match:
    """Find without words: the counts are kept, so nothing has to be counted."""
    counts, total = _kept_counts(clinics.counts(db, filters.point), filters)
    return _Match(clinics.candidates(db, [], filters, limit=RANKED), total, True, counts)


def _by_words(db: Session, words: list[str], filters: Filters) -> tuple[_Match, bool]:
    """Return what bears all words, and whether any clinic does, whatever the filters say."""
    loose = [_part(word) for word in words]
    known, is_all = clinics.few(db, loose, Filters(), limit=COUNTED, otherwise=RANKED)
    if is_all:
        return _counted(known, filters), bool(known)
    if not filters.is_empty:
        known, is_all = clinics.few(db, loose, filters, limit=COUNTED, otherwise=RANKED)
        if is_all:
            # What is not narrowed by a filter of its own can be counted among those that fit.
            counted = _counted(known, filters).counts
            counts = replace(
                counted,
                regions=None if filters.region else counted.regions,
                kinds=None if filters.kind else counted.kinds,
            )
            return _Match(known, len(known), True, counts), True
    # Too many to look at them all: the first of each kind of match are.
    begun = [f" {key_of(word)}" for word in words]
    first = clinics.candidates(db, [f"{part} " for part in begun], filters, limit=RANKED)
    if len(first) < RANKED:
        # Nothing comes before whole words, but they don't fill the screen.
        first += clinics.candidates(db, begun, filters, limit=RANKED) + known
    ranked = {each.id: each for each in first}
    return _Match(list(ranked.values()), COUNTED, False, Counts()), True


def _part(word: str) -> str:
    key = key_of(word)
    return key if len(key) >= SHORTEST_MIDDLE else f" {key}"


def _meant(db: Session, words: list[str]) -> Iterable[list[str]]:
    """Yield queries in which words nobody bears are put right, the likeliest first."""
    choices: list[list[str]] = []
    for word in words:
        if not is_mistakable(word) or clinics.is_borne(db, _part(word)):
            choices.append([word])
        else:
            choices.append(nearest(word, clinics.words_like(db, word)))
    if all(choices) and any(choice[0] != word for choice, word in zip(choices, words, strict=True)):
        yield [choice[0] for choice in choices]
        # One other guess for one word at a time, so that the number of searches stays small.
        for at, choice in enumerate(choices):
            for other in choice[1:2]:
                yield [other if at == place else each[0] for place, each in enumerate(choices)]


def _counted(known: list[Candidate], filters: Filters) -> _Match:
    """Narrow what was found by the filters, and count by each filter with the others kept."""
    fitting = [each for each in known if filters.admit(each)]
    by_region = replace(filters, region=None)
    by_kind = replace(filters, kind=None)
    counts = Counts(
        regions=Counter(each.region_code for each in known if by_region.admit(each)),
        kinds=Counter(each.kind for each in known if by_kind.admit(each)),
        with_electronic_policy=sum(each.has_electronic_policy for each in fitting),
        in_force=sum(each.is_in_force for each in fitting),
    )
    is_known = len(known) <= COUNTED
    if not is_known:
        fitting, counts = fitting[:COUNTED], Counts()
    return _Match(fitting, len(fitting), is_known, counts)


def _kept_counts(cells: list[Cell], filters: Filters) -> tuple[Counts, int]:
    """Sum up the cells of the register."""
    regions: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    total = with_policy = in_force = 0
    for cell in cells:
        if (filters.with_electronic_policy and not cell.has_electronic_policy) or (
            filters.in_force and not cell.in_force
        ):
            continue
        is_region = filters.region in (None, cell.region_code)
        is_kind = filters.kind in (None, cell.kind)
        if is_kind:
            regions[cell.region_code] += cell.number
        if is_region:
            kinds[cell.kind] += cell.number
        if is_region and is_kind:
            total += cell.number
            with_policy += cell.number * cell.has_electronic_policy
            in_force += cell.number * cell.in_force
    return Counts(regions, kinds, with_policy, in_force), total
