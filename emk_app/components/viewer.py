"""Scans to be read: one page at a time, enlarged and turned by the small script."""

from __future__ import annotations

from typing import Any

import reflex as rx

from emk_app.components.icons import IconName, icon
from emk_app.components.markup import Text


def viewer(papers: rx.Var[Any]) -> rx.Component:
    """Show the pages of ``papers`` (rows with ``ref``, ``label``, ``details``, ``pages``).

    What is shown, how large and which way up is the browser's own business: no word to the server.
    """
    return rx.el.section(
        rx.el.div(
            rx.foreach(papers, _tab),
            class_name="e-viewer-tabs",
            role="group",
            custom_attrs={"aria-label": "Документы"},
        ),
        rx.el.div(
            rx.el.div(
                rx.foreach(papers, _pages),
                class_name="e-viewer-canvas",
                custom_attrs={"data-viewer-canvas": ""},
            ),
            class_name="e-viewer-stage",
            tab_index=0,
            role="group",
            custom_attrs={"data-viewer-stage": "", "aria-label": "Страница документа"},
        ),
        rx.el.div(
            _act("prev", "Предыдущая страница", "arrow-left", "ArrowLeft"),
            rx.el.span(
                class_name="e-viewer-where",
                role="status",
                custom_attrs={"data-viewer-where": ""},
            ),
            _act("next", "Следующая страница", "arrow-right", "ArrowRight"),
            rx.el.span(class_name="flex-1"),
            _act("out", "Уменьшить", "minus", "Minus NumpadSubtract"),
            _act("in", "Увеличить", "plus", "Equal NumpadAdd"),
            _act("fit", "Показать целиком", "fit", "Digit0 Numpad0"),
            _act("turn", "Повернуть", "refresh", "KeyR"),
            class_name="e-viewer-bar",
            role="toolbar",
            custom_attrs={"aria-label": "Просмотр документа"},
        ),
        class_name="e-viewer",
        custom_attrs={"data-viewer": "", "aria-label": "Сканы документов"},
    )


def show_button(ref: Text, label: Text, what: Text) -> rx.Component:
    """Bring the paper that proves ``what`` into the viewer."""
    return rx.el.button(
        icon("eye"),
        rx.el.span(label),
        rx.el.span(", сверить: ", what, class_name="e-hidden"),
        type="button",
        class_name="e-viewer-jump",
        custom_attrs={"data-viewer-show": ref, "data-viewer-from": ""},
    )


def _tab(paper: Any, position: Any) -> rx.Component:
    number = position + 1
    return rx.el.button(
        rx.el.kbd(number, class_name="e-kbd", custom_attrs={"aria-hidden": "true"}),
        rx.el.span(paper.label),
        type="button",
        key=paper.ref,
        class_name="e-tab",
        custom_attrs={
            "data-viewer-show": paper.ref,
            "data-key": "Digit" + number.to_string(),
            "aria-pressed": rx.cond(position == 0, "true", "false"),
        },
    )


def _pages(paper: Any) -> rx.Component:
    return rx.fragment(
        rx.foreach(
            paper.pages,
            lambda address, position: rx.el.img(
                src=address,
                alt=f"{paper.label}, страница {position + 1}",
                loading="lazy",
                draggable=False,
                custom_attrs={
                    "data-viewer-page": paper.ref,
                    "data-viewer-label": paper.label,
                    "data-viewer-file": paper.file_url,
                },
            ),
        ),
        key=paper.ref,
    )


def _act(act: str, label: str, name: IconName, keys: str) -> rx.Component:
    return rx.el.button(
        icon(name),
        rx.el.span(label, class_name="e-hidden"),
        type="button",
        title=label,
        class_name="e-viewer-act",
        custom_attrs={"data-viewer-act": act, "data-key": keys},
    )
