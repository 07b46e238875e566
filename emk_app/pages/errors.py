"""Pages that say why there is no page."""

from __future__ import annotations

import reflex as rx

from emk_app.components import buttons, links
from emk_app.pages import frames
from emk_app.pages.support import error_links
from emk_app.pages.table import Page


def ended() -> rx.Component:
    """Return what somebody sees whose session is over."""
    return frames.narrow(
        rx.el.p(
            "Вы вышли, долго ничего не делали или прошло 12 часов. Всё, что вы успели ввести, "
            "сохранено.",
            class_name="mb-6",
        ),
        # A full page load: the browser needs a fresh cookie to begin with.
        links.plain_link("Войти снова", "/login", class_name="btn btn-primary"),
        title="Сеанс завершён",
    )


def forbidden() -> rx.Component:
    """Return what somebody sees who may not see the page."""
    return frames.narrow(
        rx.el.p(
            "У этой страницы другие посетители. Войдите под учётной записью, которой она открыта, "
            "или вернитесь к себе.",
            class_name="mb-6",
        ),
        buttons.actions(
            buttons.button_link("В свой кабинет", "/login"),
            buttons.button_link("На главную", "/", kind="secondary"),
        ),
        error_links("403"),
        title="Нет доступа",
    )


def not_found() -> rx.Component:
    """Return what stands where nothing is."""
    return frames.narrow(
        rx.el.p(
            "Проверьте адрес: возможно, ссылка устарела или в ней опечатка.",
            class_name="mb-6",
        ),
        buttons.actions(buttons.button_link("На главную", "/")),
        error_links("404"),
        title="Такой страницы нет",
    )


PAGES = (
    Page("/ended", "Сеанс завершён", ended),
    Page("/forbidden", "Нет доступа", forbidden),
    Page("/404", "Такой страницы нет", not_found),
)
