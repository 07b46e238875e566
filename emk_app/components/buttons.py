"""Buttons: one primary act per screen, the others step back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import reflex as rx

from emk_app.components import icons
from emk_app.components.icons import IconName
from emk_app.components.links import link, plain_link
from emk_app.components.markup import Child, Flag, Handler, Text, either, when, words

Kind = Literal["primary", "secondary", "quiet", "danger"]

CLASSES: Final[dict[str, str]] = {
    "primary": "btn btn-primary",
    "secondary": "btn btn-outline",
    "quiet": "btn btn-ghost",
    "danger": "btn btn-error",
}


@dataclass(frozen=True)
class Shortcut:
    """A key that presses a button while nobody types and no dialog is open.

    ``code`` is the place on the keyboard (``KeyboardEvent.code``), so that it works in every
    layout; ``shown`` is what stands on the key in the Russian one.
    """

    code: str
    shown: str

    @property
    def attributes(self) -> dict[str, str]:
        """Return what the script and a screen reader look for."""
        return {"data-key": self.code, "aria-keyshortcuts": self.shown}

    def hint(self) -> rx.Component:
        """Draw the key."""
        return rx.el.kbd(self.shown, class_name="e-kbd", custom_attrs={"aria-hidden": "true"})


def button(
    text: Child,
    on_click: Handler = None,
    *,
    kind: Kind = "primary",
    busy: Flag = False,
    busy_text: Text = "",
    disabled: Flag = False,
    type: Literal["button", "submit", "reset"] = "button",
    icon: IconName | None = None,
    shortcut: Shortcut | None = None,
    class_name: Text = "",
    **props: Any,
) -> rx.Component:
    """Do something on this screen; while ``busy`` the button shows it and cannot be pressed."""
    label = either(busy, busy_text, text) if busy_text else text
    forward = icon == "arrow-right"
    resting = icons.icon(icon) if icon and not forward else None
    spinner = rx.el.span(class_name="e-spinner", custom_attrs={"aria-hidden": "true"})
    if on_click is not None:
        props["on_click"] = on_click
    custom_attrs = dict(props.pop("custom_attrs", {}))
    if shortcut:
        custom_attrs |= shortcut.attributes
    if busy is not False:
        # Not ``disabled``, which would drop the focus; the script swallows the second press.
        custom_attrs["aria-busy"] = custom_attrs["aria-disabled"] = either(busy, "true", "false")
    return rx.el.button(
        when(busy, spinner, resting),
        rx.el.span(label),
        *([icons.icon(icon)] if icon and forward else []),
        *([shortcut.hint()] if shortcut else []),
        type=type,
        disabled=disabled,
        class_name=words(CLASSES[kind], class_name),
        custom_attrs=custom_attrs,
        **props,
    )


def primary_button(text: Child, on_click: Handler = None, **props: Any) -> rx.Component:
    """The one act the screen is for."""
    return button(text, on_click, kind="primary", **props)


def secondary_button(text: Child, on_click: Handler = None, **props: Any) -> rx.Component:
    """An act beside the main one."""
    return button(text, on_click, kind="secondary", **props)


def quiet_button(text: Child, on_click: Handler = None, **props: Any) -> rx.Component:
    """An act that should not draw the eye: cancel, skip, show more."""
    return button(text, on_click, kind="quiet", **props)


def danger_button(text: Child, on_click: Handler = None, **props: Any) -> rx.Component:
    """An act that takes something away; belongs into a ``confirm_dialog``."""
    return button(text, on_click, kind="danger", **props)


def button_link(
    text: Child, href: Text, *, kind: Kind = "primary", icon: IconName | None = None
) -> rx.Component:
    """A link to another screen that is the next thing to do."""
    return link(_content(text, icon), href, CLASSES[kind])


def download_link(
    text: Child, href: Text, *, filename: Text = "", kind: Kind = "secondary"
) -> rx.Component:
    """Save a file the server makes."""
    return plain_link(
        _content(text, "download"),
        href,
        CLASSES[kind],
        custom_attrs={"download": filename or True},
    )


def save_links(*links: Child, more: Sequence[Child] = ()) -> rx.Component:
    """Offer files that take the server a while: told while made, one at a time, and why not.

    ``links`` are of ``save_link``; ``more`` stands before them.
    """
    return rx.el.div(
        actions(*more, *links),
        rx.el.p("", role="status", class_name="e-muted", custom_attrs={"data-saves-status": ""}),
        rx.el.p(
            icons.icon("alert"),
            rx.el.span("", custom_attrs={"data-saves-refusal": ""}),
            hidden=True,
            role="alert",
            class_name="e-error",
        ),
        class_name="grid gap-2",
        custom_attrs={"data-saves": ""},
    )


def save_link(text: Child, href: Text, *, kind: Kind = "secondary") -> rx.Component:
    """Save a file within ``save_links``."""
    spinner = rx.el.span(class_name="e-spinner", custom_attrs={"aria-hidden": "true"})
    return plain_link(
        rx.fragment(spinner, _content(text, "download")),
        href,
        CLASSES[kind],
        custom_attrs={"download": True, "data-save": ""},
    )


def copy_button(
    text: str, value: Text, *, done: str = "Скопировано", kind: Kind = "secondary"
) -> rx.Component:
    """Put ``value`` on the clipboard and say so, on the button and to a screen reader."""
    return rx.el.button(
        icons.icon("copy"),
        rx.el.span(rx.el.span(text), rx.el.span(done), class_name="e-swap"),
        type="button",
        class_name=CLASSES[kind],
        custom_attrs={"data-copy": value, "data-copied": done, "aria-label": text},
    )


def share_button(
    text: str, url: Text, *, title: Text = "", kind: Kind = "secondary"
) -> rx.Component:
    """Hand a link to the telephone's own share sheet; not shown where there is none."""
    return rx.el.button(
        _content(text, "share"),
        type="button",
        class_name=CLASSES[kind],
        custom_attrs={"data-share": url, "data-share-title": title},
    )


def print_button(text: str = "Распечатать", *, kind: Kind = "secondary") -> rx.Component:
    """Print this screen as a clean sheet."""
    return rx.el.button(
        _content(text, "print"),
        type="button",
        class_name=CLASSES[kind],
        custom_attrs={"data-print": ""},
    )


def actions(*buttons: Child) -> rx.Component:
    """Set buttons in a row, or one under another on the phone."""
    return rx.el.div(*buttons, class_name="e-actions")


def _content(text: Child, name: IconName | None) -> rx.Component:
    label = rx.el.span(text)
    if not name:
        return label
    drawn = icons.icon(name)
    # An arrow that leads on stands where it leads.
    return rx.fragment(label, drawn) if name == "arrow-right" else rx.fragment(drawn, label)
