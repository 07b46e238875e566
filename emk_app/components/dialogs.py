"""Dialogs: the browser's own, opened and closed by the small script, focus given back."""

from __future__ import annotations

from collections.abc import Sequence

import reflex as rx

from emk_app.components import icons
from emk_app.components.buttons import CLASSES, Kind, Shortcut, button
from emk_app.components.icons import IconName
from emk_app.components.markup import Child, Flag, Handler, Text, fixed_id, words


def dialog(
    id: Text,
    title: Text,
    *children: Child,
    actions: Sequence[Child] = (),
) -> rx.Component:
    """A window over the screen for one small matter; Esc and «Закрыть» leave it."""
    heading = fixed_id(words_id(id, "title"))
    return rx.el.dialog(
        rx.el.div(
            rx.el.h2(title, id=heading),
            *children,
            rx.el.div(*actions, class_name="e-actions mt-2"),
            class_name="e-dialog-body",
        ),
        id=fixed_id(id),
        class_name="e-dialog",
        custom_attrs={"aria-labelledby": heading},
    )


def dialog_button(
    text: Child,
    opens: Text,
    *,
    kind: Kind = "secondary",
    icon: IconName | None = None,
    shortcut: Shortcut | None = None,
) -> rx.Component:
    """Open the dialog whose id is ``opens``."""
    return rx.el.button(
        *([icons.icon(icon)] if icon else []),
        rx.el.span(text),
        *([shortcut.hint()] if shortcut else []),
        type="button",
        class_name=CLASSES[kind],
        custom_attrs={"data-dialog-open": opens, "aria-haspopup": "dialog"}
        | (shortcut.attributes if shortcut else {}),
    )


def close_button(
    text: Text = "Отмена", *, kind: Kind = "quiet", first: bool = False
) -> rx.Component:
    """Leave the dialog this button stands in; ``first`` has the focus when it opens."""
    return rx.el.button(
        rx.el.span(text),
        type="button",
        class_name=words(CLASSES[kind], "e-plain" if kind == "quiet" else ""),
        custom_attrs={"data-dialog-close": ""} | ({"data-dialog-first": ""} if first else {}),
    )


def confirm_dialog(
    id: Text,
    title: Text,
    text: Child,
    *,
    confirm: Text,
    on_confirm: Handler,
    busy: Flag = False,
    danger: bool = True,
    cancel: str = "Отмена",
    children: Sequence[Child] = (),
) -> rx.Component:
    """Ask before an act that cannot be undone: question and button both name the act."""
    return dialog(
        id,
        title,
        text if isinstance(text, rx.Component) else rx.el.p(text),
        *children,
        actions=(
            button(
                confirm,
                on_confirm,
                kind="danger" if danger else "primary",
                busy=busy,
                custom_attrs={"data-dialog-close": ""},
            ),
            close_button(cancel, kind="secondary", first=danger),
        ),
    )


def words_id(id: Text, part: str) -> Text:
    """Name a part of the dialog after the dialog."""
    return f"{id}-{part}" if isinstance(id, str) else id.to(str) + f"-{part}"
