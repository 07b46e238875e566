"""What the holder sees of the audit: who saw or changed their records, when and why (D51)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from emk_app.db.engine import reading
from emk_app.db.repositories import watching as repository
from emk_app.db.repositories.watching import Line
from emk_app.domain.actors import Actor, Position, Role, permit
from emk_app.domain.applications import TrackingNumber
from emk_app.domain.books import Verdict
from emk_app.domain.watching import SPANS, Span

PAGE: Final = 20


@dataclass(frozen=True, slots=True)
class Watched:
    """One act of somebody else; of people no more than their work and where they do it."""

    id: str
    at: datetime
    role: Role | None
    """None for who has no account here."""
    position: Position | None
    clinic: str
    action: str
    """As the audit calls it; ``look`` for a look through a link."""
    target: str
    """The kind of thing, as the audit calls it."""
    fields: tuple[str, ...]
    number: TrackingNumber | None
    """Of the application, where it was one."""
    link: str = ""
    """What the holder has called the link."""
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class WatchedPage:
    """One page of the list, newest first."""

    lines: tuple[Watched, ...]
    page: int
    """From 1; the nearest there is to the one asked for."""
    pages: int
    total: int


def page_of(
    actor: Actor, span: Span, page: int, *, only_views: bool = False, now: datetime
) -> WatchedPage:
    """Return who beside the holder has seen or changed the holder's records.

    What the service does by itself is not in it, nor what the holder did.
    """
    permit(actor, Role.HOLDER)
    length = SPANS[span]
    since = None if length is None else now - length
    with reading() as db:
        total = repository.count(db, actor.user_id, since, only_views=only_views)
        pages = max(1, -(-total // PAGE))
        page = min(max(1, page), pages)
        found = repository.page(
            db,
            actor.user_id,
            since,
            only_views=only_views,
            limit=PAGE,
            offset=(page - 1) * PAGE,
        )
        ids = {line.entry.actor_id for line in found if line.entry and line.entry.actor_id}
        staff = repository.staff_of(db, ids)
        numbers = repository.numbers_of(db, actor.user_id)
    lines = tuple(_watched(line, staff, numbers) for line in found)
    return WatchedPage(lines, page, pages, total)


def _watched(line: Line, staff: repository.Staff, numbers: dict[str, str]) -> Watched:
    if line.look is not None:
        look, link = line.look
        return Watched(
            id=f"look:{look.id}",
            at=look.at,
            role=None,
            position=None,
            clinic="",
            action="look",
            target="link",
            fields=(),
            number=None,
            link=link.label,
            verdict=Verdict(look.verdict),
        )
    entry = line.entry
    assert entry is not None
    position, clinic = staff.get(entry.actor_id or 0, (None, ""))
    number = numbers.get(entry.target)
    return Watched(
        id=f"audit:{entry.id}",
        at=entry.at,
        role=Role(entry.role) if entry.actor_id is not None else None,
        position=position,
        clinic=clinic,
        action=entry.action,
        target=entry.target.partition(":")[0],
        fields=tuple(name for name in entry.fields.split(",") if name),
        number=TrackingNumber.parse(number) if number else None,
    )
