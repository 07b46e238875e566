"""Icons and the mark, drawn here so that no page asks anybody for a picture."""

from __future__ import annotations

from typing import Any, Final, Literal, get_args

import reflex as rx

from emk_app.components.markup import Text, words

IconName = Literal[
    "alert", "arrow-left", "arrow-right", "bell", "calendar", "camera", "check", "chevron-down",
    "clinic", "clock", "copy", "cross", "dot", "download", "edit", "external", "eye", "eye-off",
    "file", "fit", "info", "lock", "menu", "minus", "person", "plus", "print", "qr", "refresh",
    "search",
    "share", "shield", "sign-out", "trash", "upload",
]  # fmt: skip

# One stroke path each, on a 24 by 24 grid.
PATHS: Final[dict[str, str]] = {
    "alert": "M12 4 2.5 20.5h19L12 4Zm0 6v5m0 2.6v.1",
    "arrow-left": "M19 12H5m6-6-6 6 6 6",
    "arrow-right": "M5 12h14m-6-6 6 6-6 6",
    "bell": "M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 1.5h-15L6 16.5Zm4 4h4",
    "calendar": "M4 6h16v14H4V6Zm0 4.5h16M8 3.5V8m8-4.5V8",
    "camera": "M4 8h3.5L9 5h6l1.5 3H20v11H4V8Zm8 8.5a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4Z",
    "check": "m4.5 12.5 5 5 10-11",
    "chevron-down": "m6 9.5 6 6 6-6",
    "clinic": "M4 20.5V8l8-4.5L20 8v12.5H4Zm8-11v7m-3.5-3.5h7",
    "clock": "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Zm0-14v5.2l3.4 2",
    "copy": "M9 9h11v11H9V9ZM15 9V4H4v11h5",
    "cross": "m6 6 12 12M18 6 6 18",
    "dot": "M12 15.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7Z",
    "download": "M12 4v11m-5-5 5 5 5-5M4.5 20h15",
    "edit": "m4 20 1-4.5L16.5 4 20 7.5 8.5 19 4 20Zm10-13.5 3.5 3.5",
    "external": "M14 4h6v6m0-6-9 9M18 14v6H4V6h6",
    "eye": "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12Z"
    "M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z",
    "eye-off": "M9.8 5.8A9 9 0 0 1 12 5.5c6 0 9.5 6.5 9.5 6.5a16 16 0 0 1-2.7 3.4"
    "M6.2 7.2A15 15 0 0 0 2.5 12S6 18.5 12 18.5a9 9 0 0 0 4-.9"
    "M10 10a3 3 0 0 0 4 4M4 4l16 16",
    "file": "M6 3.5h8l4.5 4.5v12.5H6v-17Zm8 0V8h4.5M9.5 13h6m-6 3.5h6",
    "fit": "M4 9V4h5m6 0h5v5m0 6v5h-5m-6 0H4v-5",
    "info": "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Zm0-10v5.5m0-9v.1",
    "lock": "M5.5 11h13v9.5h-13V11ZM8 11V8a4 4 0 0 1 8 0v3",
    "menu": "M4 7h16M4 12h16M4 17h16",
    "minus": "M5 12h14",
    "person": "M12 11.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.5 20.5c.6-4 3.5-6 7.5-6s6.9 2 7.5 6",
    "plus": "M12 5v14M5 12h14",
    "print": "M7 9V3.5h10V9M7 17H4V9h16v8h-3M7 14h10v6.5H7V14Z",
    "qr": "M4 4h6v6H4V4Zm10 0h6v6h-6V4ZM4 14h6v6H4v-6Zm10 0h2v2m4-2v3m0 3h-3m-3-2v2",
    "refresh": "M19.5 12a7.5 7.5 0 1 1-2.4-5.5L19.5 8.5m0-5v5h-5",
    "search": "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14Zm5-2 4.5 4.5",
    "share": "M12 15V3.5m-4 4 4-4 4 4M6 11.5H5v9h14v-9h-1",
    "shield": "M12 3.5 5 6v5.5c0 4.5 3 7.5 7 9 4-1.5 7-4.5 7-9V6l-7-2.5Zm-3 8.5 2.2 2.2L15.2 10",
    "sign-out": "M10 4H5v16h5M10 12h10m-4-4 4 4-4 4",
    "trash": "M4.5 7h15M9 7V4h6v3M6.5 7l1 13.5h9l1-13.5M10 11v6m4-6v6",
    "upload": "M12 16V4.5m-5 5 5-5 5 5M4.5 20h15",
}

# Which icon says what a tone says, so that colour is never the only sign.
TONE_ICONS: Final[dict[str, IconName]] = {
    "neutral": "dot",
    "info": "info",
    "waiting": "clock",
    "success": "check",
    "danger": "alert",
}

assert set(PATHS) == set(get_args(IconName))


def _svg(path: Any, class_name: Text = "") -> rx.Component:
    return rx.el.svg(
        rx.el.path(d=path),
        view_box="0 0 24 24",
        class_name=words("e-icon", class_name),
        custom_attrs={"aria-hidden": "true", "focusable": "false"},
    )


def icon(name: IconName, class_name: Text = "") -> rx.Component:
    """Draw a decorative icon; the words beside it carry the meaning."""
    return _svg(PATHS[name], class_name)


def tone_icon(tone: Text, class_name: Text = "") -> rx.Component:
    """Draw the icon of a tone that may be known only in the browser."""
    if isinstance(tone, str):
        return icon(TONE_ICONS[tone], class_name)
    cases = [(name, PATHS[drawn]) for name, drawn in TONE_ICONS.items()]
    return _svg(rx.match(tone, *cases, PATHS["dot"]), class_name)


def mark(class_name: Text = "e-mark") -> rx.Component:
    """Draw the mark: an open booklet with a tick, in the colours of the band it stands on."""
    return rx.el.svg(
        rx.el.path(
            d="M16 8C13 5.5 8.5 5 4.5 5.5v19C8.5 24 13 24.5 16 27V8Z",
            custom_attrs={"fill": "currentColor", "fillOpacity": "0.62"},
        ),
        rx.el.path(
            d="M16 8c3-2.5 7.5-3 11.5-2.5v19C23.5 24 19 24.5 16 27V8Z",
            custom_attrs={"fill": "currentColor"},
        ),
        rx.el.path(
            d="m18.3 15.6 2.4 2.5 4.3-5",
            custom_attrs={
                "fill": "none",
                "stroke": "var(--band)",
                "strokeWidth": "2.4",
                "strokeLinecap": "round",
                "strokeLinejoin": "round",
            },
        ),
        view_box="0 0 32 32",
        class_name=class_name,
        custom_attrs={"aria-hidden": "true", "focusable": "false"},
    )


def wordmark() -> rx.Component:
    """Write the name of the service beside its mark, as a link to the start."""
    return rx.el.a(
        mark(),
        rx.el.span(rx.el.b("ЭМК"), " Онлайн"),
        href="/",
        class_name="e-wordmark",
        custom_attrs={"aria-label": "ЭМК Онлайн, на главную"},
    )
