"""Features that administrators switch off and on; asked at each use, read only when changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlmodel import col, select

from emk_app.db import changes
from emk_app.db.engine import reading, unit_of_work
from emk_app.db.kept import Kept
from emk_app.db.repositories import desks
from emk_app.db.tables.switches import FeatureSwitch
from emk_app.domain.actors import Actor, Role, permit, permit_fresh
from emk_app.domain.errors import ChangedMeanwhile, NotFound
from emk_app.domain.staff import read_reason
from emk_app.domain.switches import Feature, FeatureOff
from emk_app.domain.values import Problems
from emk_app.services import auditing

TOPIC: Final = "switches"


@dataclass(frozen=True, slots=True)
class SwitchView:
    """How one feature stands; ``since`` is None where nobody has ever switched it."""

    feature: Feature
    is_on: bool
    since: datetime | None
    by: str
    reason: str


def is_on(feature: Feature, *, now: datetime) -> bool:
    """Whether the feature may be used."""
    return feature not in _kept.get(now)


def require(feature: Feature, *, now: datetime) -> None:
    """Raise ``FeatureOff`` where the feature is switched off."""
    if not is_on(feature, now=now):
        raise FeatureOff(feature)


def off(*, now: datetime) -> dict[Feature, datetime]:
    """Return what is switched off, and since when."""
    held = _kept.get(now)
    return {each: held[each] for each in Feature if each in held}


def switches(actor: Actor) -> tuple[SwitchView, ...]:
    """Return how every feature stands."""
    permit(actor, Role.ADMIN)
    with reading() as db:
        rows = {row.feature: row for row in db.exec(select(FeatureSwitch)).all()}
        names = desks.names_of(db, [row.changed_by for row in rows.values()])
    return tuple(
        SwitchView(
            each,
            rows[each].is_on if each in rows else True,
            rows[each].changed_at if each in rows else None,
            names.get(rows[each].changed_by, "") if each in rows else "",
            rows[each].reason if each in rows else "",
        )
        for each in Feature
    )


def turn(actor: Actor, feature: str, wanted: bool, reason: str, *, now: datetime) -> Feature:
    """Switch a feature off or on, at once and for everybody.

    Raises ``Invalid`` with ``reason``, ``FreshFactorNeeded``, ``NotFound`` for no feature,
    ``ChangedMeanwhile`` where it stands so already.
    """
    permit(actor, Role.ADMIN)
    permit_fresh(actor, now)
    if feature not in set(Feature):
        raise NotFound
    named = Feature(feature)
    problems = Problems()
    said = problems.take("reason", read_reason, reason)
    problems.raise_any()
    with unit_of_work() as db:
        row = db.exec(
            select(FeatureSwitch).where(FeatureSwitch.feature == named).with_for_update()
        ).first()
        if (row.is_on if row else True) is wanted:
            raise ChangedMeanwhile
        if row is None:
            row = FeatureSwitch(
                feature=named, is_on=wanted, reason=said, changed_by=actor.user_id, changed_at=now
            )
        row.is_on, row.reason = wanted, said
        row.changed_by, row.changed_at = actor.user_id, now
        db.add(row)
        changes.announce(db, TOPIC)
        action = "switch_on" if wanted else "switch_off"
        auditing.record(db, actor, action, f"feature:{named}", fields=named.value, now=now)
    return named


def _read(_now: datetime) -> dict[Feature, datetime]:
    with reading() as db:
        rows = db.exec(select(FeatureSwitch).where(col(FeatureSwitch.is_on).is_(False))).all()
        return {row.feature: row.changed_at for row in rows}


_kept: Final = Kept(TOPIC, _read)
