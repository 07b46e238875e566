"""What a page is: a row of the table from which the site is registered."""

from __future__ import annotations

import re
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

    def apart(self) -> Callable[[], rx.Component]:
        """Return the component as of a module of its own.

        Reflex bundles what it makes of a page by the module of its component: all pages of a module
        would bring what any of them needs.
        """

        def component() -> rx.Component:
            return self.component()

        name = re.sub(r"[^a-z0-9]+", "_", self.route).strip("_") or "start"
        component.__module__ = f"{__package__}.{name}"
        return component
