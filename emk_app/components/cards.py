"""Blocks of a screen: cards, lists of facts, notices, and what stands there when nothing does."""

from __future__ import annotations

from typing import Any, Literal

import reflex as rx

from emk_app.components.buttons import button, button_link
from emk_app.components.icons import IconName, icon, tone_icon
from emk_app.components.links import link
from emk_app.components.markup import (
    Child,
    Flag,
    Handler,
    Text,
    either,
    fixed_id,
    given,
    keyed,
    when,
)


def card(
    *children: Child,
    title: Text = "",
    actions: Child | None = None,
    tone: Text = "",
    level: Literal[2, 3] = 2,
) -> rx.Component:
    """Hold together what belongs together; ``tone`` draws a coloured upper edge.

    ``level`` is that of the heading: 3 inside a ``section``.
    """
    attrs = {"data-tone": tone} if not isinstance(tone, str) or tone else {}
    return rx.el.div(
        *_headed(title, actions, level), *children, class_name="e-card", custom_attrs=attrs
    )


def called_up(part: rx.Component, key: Text = "") -> rx.Component:
    """A part that a press elsewhere on the screen has called up, under a heading of its own.

    The browser goes there, and back to what was pressed once the part is gone; another ``key``
    is another part.
    """
    return rx.el.div(part, custom_attrs={"data-called": ""}, **keyed(key))


def section(
    title: Text,
    *children: Child,
    actions: Child | None = None,
    id: str = "",
) -> rx.Component:
    """A part of a screen with its own heading, without a frame."""
    props: dict[str, Any] = {"id": fixed_id(id)} if id else {}
    return rx.el.section(*_headed(title, actions), *children, class_name="e-section", **props)


def prose(*children: Child) -> rx.Component:
    """Running text of a readable width, lists included."""
    return rx.el.div(*children, class_name="e-prose")


def summary_list(*rows: Child) -> rx.Component:
    """Show what was answered, line by line."""
    return rx.el.dl(*rows, class_name="e-list")


def summary_row(
    term: Text,
    value: Child,
    *,
    change_href: Text = "",
    change_what: str = "",
    on_change: Handler = None,
    empty: str = "не указано",
) -> rx.Component:
    """One answer, with «Изменить» for those who may; the link also says what it changes."""
    shown = value
    if not isinstance(value, rx.Component):
        shown = when(given(value), value, rx.el.span(empty, class_name="e-muted"))
    change = rx.fragment("Изменить", rx.el.span(f" {change_what or term}", class_name="e-hidden"))
    act: list[Child] = []
    if on_change is not None:
        act = [
            rx.el.dd(rx.el.button(change, type="button", on_click=on_change, class_name="e-link"))
        ]
    elif isinstance(change_href, rx.Var) or change_href:
        act = [rx.el.dd(link(change, change_href))]
    return rx.el.div(rx.el.dt(term), rx.el.dd(shown), *act)


def stats(*figures: Child) -> rx.Component:
    """Set a few figures side by side."""
    return rx.el.div(*figures, class_name="e-stats")


def stat(label: Text, value: Text, *, hint: Text = "", tone: Text = "neutral") -> rx.Component:
    """One figure and what it counts."""
    return rx.el.dl(
        rx.el.dt(label),
        rx.el.dd(value),
        when(given(hint), rx.el.dd(hint)),
        class_name="e-stat",
        custom_attrs={"data-tone": tone},
    )


def notice(
    *children: Child, title: Text = "", tone: Text = "info", live: bool = False
) -> rx.Component:
    """Point something out; ``live`` also reads it aloud when it appears."""
    props: dict[str, Any] = {"role": "alert"} if live else {}
    return rx.el.div(
        tone_icon(tone),
        rx.el.div(when(given(title), rx.el.b(title)), *children, class_name="e-notice-body"),
        class_name="e-notice",
        custom_attrs={"data-tone": tone},
        **props,
    )


def empty_state(
    title: Text, text: Text = "", action: Child | None = None, *, icon_name: IconName = "file"
) -> rx.Component:
    """Say that there is nothing here yet, and what to do about it."""
    return rx.el.div(
        icon(icon_name),
        rx.el.b(title),
        when(given(text), rx.el.p(text)),
        *([action] if action is not None else []),
        class_name="e-empty",
    )


def skeleton(lines: int = 3) -> rx.Component:
    """Grey lines in the place of text that is on its way."""
    return rx.el.div(
        *[rx.el.div(class_name="e-skeleton") for _ in range(lines)],
        class_name="e-loading",
        custom_attrs={"aria-hidden": "true"},
    )


def loading(text: str = "Загружаем…", *, lines: int = 3) -> rx.Component:
    """Say that something is on its way."""
    return rx.el.div(
        rx.el.p(rx.el.span(class_name="e-spinner"), text, role="status"),
        *([skeleton(lines)] if lines else []),
        class_name="e-loading",
    )


def error_state(
    title: Text = "Не получилось показать",
    text: Text = "Данные на месте. Попробуйте ещё раз через минуту.",
    *,
    incident: Text = "",
    on_retry: Handler = None,
    retry_href: Text = "",
    retry: str = "Попробовать ещё раз",
) -> rx.Component:
    """Say that it failed, what to do next, and the number to tell support."""
    act: Child = rx.fragment()
    if on_retry is not None:
        act = button(retry, on_retry, kind="secondary", icon="refresh")
    elif isinstance(retry_href, rx.Var) or retry_href:
        act = button_link(retry, retry_href, kind="secondary")
    return notice(
        rx.el.p(text),
        when(
            given(incident),
            rx.el.p("Номер ошибки: ", rx.el.b(incident, class_name="e-number")),
        ),
        rx.el.div(act, class_name="mt-2"),
        title=title,
        tone="danger",
        live=True,
    )


def result_panel(
    title: Text, text: Text = "", *, number: Text = "", tone: Text = "success"
) -> rx.Component:
    """Tell in large letters that the main thing is done."""
    return rx.el.div(
        tone_icon(tone),
        rx.el.h2(title),
        when(given(number), rx.el.strong(number, class_name="e-number")),
        when(given(text), rx.el.p(text)),
        class_name="e-panel",
        custom_attrs={"data-tone": tone},
    )


def progress(value: Text | int, label: str, *, maximum: int = 100) -> rx.Component:
    """Show how far a long work is."""
    return rx.el.div(
        rx.el.p(label, class_name="mb-1.5"),
        rx.el.progress(
            value=value, max=maximum, class_name="e-progress", custom_attrs={"aria-label": label}
        ),
    )


def details(summary: Child, *children: Child, opened: Flag = False) -> rx.Component:
    """Keep what few people need under one line."""
    return rx.el.details(
        rx.el.summary(icon("chevron-down"), summary),
        rx.el.div(*children),
        open=either(opened, True, False),
        class_name="e-details",
    )


def _headed(title: Text, actions: Child | None, level: Literal[2, 3] = 2) -> list[Child]:
    if isinstance(title, str) and not title and actions is None:
        return []
    head: list[Child] = [rx.el.h2(title) if level == 2 else rx.el.h3(title)]
    if actions is not None:
        head.append(rx.el.div(actions))
    return [rx.el.div(*head, class_name="e-card-head")]
