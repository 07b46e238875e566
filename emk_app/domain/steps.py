"""Changes of status as a table: from where to where, and who makes them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from emk_app.domain.actors import Role
from emk_app.domain.errors import NotPermitted, TransitionNotAllowed

StatusT = TypeVar("StatusT", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Step(Generic[StatusT]):
    """One allowed change of status and the role that makes it."""

    source: StatusT
    target: StatusT
    by: Role


def take_step(
    steps: frozenset[Step[StatusT]], current: StatusT, target: StatusT, role: Role
) -> StatusT:
    """Return ``target`` when one of ``steps`` leads there for ``role``."""
    allowed = {step.by for step in steps if (step.source, step.target) == (current, target)}
    if not allowed:
        raise TransitionNotAllowed(current, target)
    if role not in allowed:
        raise NotPermitted(f"{role} may not move from {current} to {target}")
    return target
