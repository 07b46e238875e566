"""What a page is: a row of the table from which the site is registered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import reflex as rx


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the site."""

    route: str
    """ASCII; a part in brackets is an argument, like ``/review/[number_arg]``."""
    title: str
    component: Callable[[], rx.Component]
    on_load: tuple[Any, ...] = ()
    demo_only: bool = False
