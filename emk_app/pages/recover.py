"""The way back in: a forgotten password, and everything lost."""

from __future__ import annotations

from typing import Final

import reflex as rx

from emk_app.components import buttons, cards, forms, links
from emk_app.components.markup import given, when
from emk_app.pages import frames
from emk_app.pages.meter import new_password_field
from emk_app.pages.table import Page
from emk_app.presenting.notices import RECOVER, RESET
from emk_app.states.meter import MeterState
from emk_app.states.recover import LABELS, LOGIN, NewPasswordState, RecoverState

LOST: Final = "/recover/lost"


def recover() -> rx.Component:
    """Return the page that sends a link."""
    return frames.narrow(
        rx.cond(RecoverState.is_sent, _sent(), _question()),
        title=rx.cond(RecoverState.is_sent, "Проверьте сообщения", "Восстановление доступа"),
    )


def new_password() -> rx.Component:
    """Return the page that the link opens."""
    state = NewPasswordState
    return frames.narrow(
        rx.el.p(
            "После этого мы попросим подтвердить вход вторым способом, как обычно. Новый пароль "
            "начнёт действовать сразу после подтверждения, а все открытые сеансы завершатся.",
            class_name="mb-4",
        ),
        forms.error_summary(state.summary),
        when(
            given(state.problem),
            cards.notice(
                state.problem,
                links.link("Запросить новую ссылку", RECOVER),
                tone="danger",
                live=True,
            ),
        ),
        forms.form(
            # The small script fills it from behind «#» and takes the token out of the address.
            rx.el.input(type="hidden", name="token", custom_attrs={"data-from-hash": ""}),
            new_password_field(
                LABELS["password"],
                "password",
                error=state.errors.get("password", ""),
            ),
            forms.password_field(
                LABELS["repeated"], "repeated", new=True, error=state.errors.get("repeated", "")
            ),
            buttons.actions(
                buttons.primary_button(
                    "Продолжить", type="submit", busy=state.busy, busy_text="Сохраняем…"
                )
            ),
            on_submit=state.give,
        ),
        title="Новый пароль",
    )


def lost() -> rx.Component:
    """Return the page for those who have nothing left to prove themselves with."""
    return frames.narrow(
        rx.el.p(
            "Восстановить доступ можно и тогда, когда нет ни пароля, ни второго подтверждения. "
            "Личность проверит сотрудник поддержки по паспорту.",
            class_name="mb-4",
        ),
        rx.el.ol(
            rx.el.li(
                "Проверьте, не сохранились ли резервные коды: десять знаков через дефис на бумаге "
                "или в файле. Одного хватит, чтобы войти и подключить новое приложение."
            ),
            rx.el.li(
                "Проверьте, не открыт ли вход на другом устройстве: там можно создать новые "
                "резервные коды и заменить приложение."
            ),
            rx.el.li(
                "Если ничего не осталось, напишите в поддержку со своей почты или телефона, "
                "указанных в учётной записи. Не присылайте паспорт и его фото сообщением."
            ),
            rx.el.li(
                "Сотрудник назначит встречу, лично или по видео, и сверит паспорт с данными вашей "
                "заявки. Пароль и коды он не спрашивает и не видит."
            ),
            rx.el.li(
                "После проверки на все ваши контакты придёт уведомление. Вы зададите новый пароль "
                "и подключите второе подтверждение заново."
            ),
            class_name="mb-4 list-decimal space-y-2 pl-6",
        ),
        rx.el.p(
            "Медкнижка тем временем действует: её срок и записи от входа не зависят.",
            class_name="mb-4",
        ),
        rx.el.p(links.link("Войти", "/login")),
        title="Если потеряно всё",
    )


def _question() -> rx.Component:
    state = RecoverState
    return rx.fragment(
        rx.el.p(
            "Мы отправим ссылку, по которой можно задать новый пароль. Второе подтверждение входа "
            "останется прежним.",
            class_name="mb-4",
        ),
        when(given(state.problem), cards.notice(state.problem, tone="danger", live=True)),
        forms.form(
            forms.text_field(
                LOGIN, "login", error=state.error, auto_complete="username", max_length=254
            ),
            buttons.actions(
                buttons.primary_button(
                    "Отправить ссылку", type="submit", busy=state.busy, busy_text="Отправляем…"
                )
            ),
            on_submit=state.ask,
        ),
        rx.el.p(
            "Помните пароль, но нет кода? ",
            links.link("Что делать", LOST),
            class_name="mt-6",
        ),
        rx.el.p(links.link("Вернуться ко входу", "/login"), class_name="mt-2"),
    )


def _sent() -> rx.Component:
    return rx.fragment(
        rx.el.p(
            "Если такая учётная запись есть, ссылка придёт на её телефон и почту в течение минуты. "
            "Она действует 15 минут и открывается один раз.",
            class_name="mb-4",
            role="status",
        ),
        cards.details(
            "Сообщение не пришло",
            rx.el.ul(
                rx.el.li("Посмотрите в папке «Спам»."),
                rx.el.li("Проверьте, тот ли телефон, почту или ИНН вы указали."),
                rx.el.li("Повторить можно через минуту, не больше трёх раз в час."),
                class_name="list-disc space-y-1 pl-6",
            ),
        ),
        buttons.actions(
            buttons.secondary_button("Указать другой логин", on_click=RecoverState.start_over)
        ),
        rx.el.p(
            "Нет доступа к телефону и почте? ",
            links.link("Что делать", LOST),
            class_name="mt-6",
        ),
    )


PAGES: Final = (
    Page(RECOVER, "Восстановление доступа", recover, (RecoverState.load,)),
    Page(RESET, "Новый пароль", new_password, (NewPasswordState.load, MeterState.load)),
    Page(LOST, "Если потеряно всё", lost),
)
