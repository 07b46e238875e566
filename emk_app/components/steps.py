"""Where the person is in a form of several pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import reflex as rx

from emk_app.components.icons import icon
from emk_app.components.links import link
from emk_app.components.markup import Text, either

SPOKEN: Final[dict[str, str]] = {
    "done": "заполнено",
    "current": "вы здесь",
    "upcoming": "впереди",
    "error": "есть ошибки",
}


@dataclass(frozen=True)
class Step:
    """One page of a form; ``state`` is done, current, upcoming or error and may be a Var."""

    text: str
    state: Text
    href: str = ""


def wizard_steps(steps: Sequence[Step], *, label: str = "Шаги заявки") -> rx.Component:
    """List the pages of a form: numbered, ticked when done, in a column on the phone."""
    return rx.el.nav(
        rx.el.ol(*[_line(step) for step in steps], class_name="e-steps"),
        custom_attrs={"aria-label": label},
    )


def _line(step: Step) -> rx.Component:
    current = step.state == "current"
    if isinstance(step.state, str):
        spoken: Text = SPOKEN[step.state]
    else:
        spoken = cast("rx.Var[Any]", rx.match(step.state, *SPOKEN.items(), ""))
    text = (
        link(step.text, step.href) if step.href else rx.el.span(step.text, class_name="e-step-text")
    )
    return rx.el.li(
        rx.el.span(
            icon("check"),
            icon("alert"),
            class_name="e-step-dot",
            custom_attrs={"aria-hidden": "true"},
        ),
        text,
        rx.el.span(spoken, class_name="e-hidden"),
        class_name="e-step",
        custom_attrs={
            "data-state": step.state,
            "aria-current": either(current, "step", "false"),
        },
    )
