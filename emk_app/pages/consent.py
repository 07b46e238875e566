"""The holder's consent: what was agreed to, its text and forms, and how to take it back."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from emk_app.components import buttons, cards, dialogs, links
from emk_app.components.badges import badge
from emk_app.components.markup import given, some, when
from emk_app.components.tables import data_table
from emk_app.domain.consent import CURRENT, TEXTS, ConsentText
from emk_app.pages import frames
from emk_app.pages.menus import HOLDER_MENU
from emk_app.pages.table import Page
from emk_app.states.consent import ConsentState
from emk_app.states.session import PersonState

CONSENT: Final = "/cabinet/consent"


def consent() -> rx.Component:
    """Return the page of the consent."""
    state = ConsentState
    shown = rx.el.div(
        _standing(),
        _records(),
        cards.section(
            "Тексты",
            rx.el.div(
                *[cards.details(_named(text), text_of(text)) for text in reversed(TEXTS.values())],
                class_name="grid gap-3",
            ),
        ),
        when(state.card.may_withdraw, _withdrawal()),
        class_name="e-body",
    )
    return frames.signed_in(
        rx.cond(state.is_loaded, shown, cards.loading()),
        title="Согласие на обработку данных",
        lead="На основании согласия сервис и медорганизация ведут вашу заявку и книжку.",
        menu=HOLDER_MENU,
        current="/cabinet",
        back=("Главная", "/cabinet"),
    )


def text_of(text: ConsentText) -> rx.Component:
    """Return one version of the text, to be read."""
    return cards.prose(
        *[
            rx.fragment(rx.el.h3(heading), rx.el.p(paragraph))
            for heading, paragraph in text.sections
        ],
        rx.el.p(f"Версия текста: {text.version}", class_name="e-muted"),
    )


def downloads() -> rx.Component:
    """Return the links to the form on paper, filled in and empty."""
    return buttons.actions(
        buttons.download_link("Скачать с моими данными, PDF", "/api/consent/form.pdf"),
        buttons.download_link("Скачать пустой бланк, PDF", "/api/consent/blank.pdf"),
    )


def _named(text: ConsentText) -> str:
    return f"Версия {text.version}" + (", действующая" if text is CURRENT else ", прежняя")


def _standing() -> rx.Component:
    card: Any = ConsentState.card
    return cards.card(
        rx.el.p(card["text"]),
        downloads(),
        when(
            card["may_give"],
            rx.el.div(
                buttons.actions(
                    dialogs.dialog_button("Дать согласие", "give-consent", kind="primary")
                ),
                dialogs.confirm_dialog(
                    "give-consent",
                    CURRENT.title,
                    text_of(CURRENT),
                    confirm="Прочитано, согласие даю",
                    on_confirm=ConsentState.give,
                    danger=False,
                ),
            ),
        ),
        title="Сейчас",
        actions=badge(card["status"], card["tone"]),
        tone=card["tone"],
    )


def _records() -> rx.Component:
    state = ConsentState
    return cards.section(
        "На что вы соглашались",
        data_table(
            ["Когда", "Версия текста", "Как", "С заявкой", "Состояние"],
            state.records,
            lambda row: [
                row["given"],
                row["version"],
                row["channel"],
                rx.cond(
                    given(row["href"]),
                    links.link(row["number"], row["href"], "e-link whitespace-nowrap"),
                    "—",
                ),
                badge(row["status"], row["tone"]),
            ],
            caption="Данные согласия",
            empty=cards.empty_state(
                "Согласий ещё не было", "Запись появится здесь, когда вы отправите заявку."
            ),
        ),
    )


def _withdrawal() -> rx.Component:
    listed = rx.el.ul(
        rx.foreach(ConsentState.consequences, rx.el.li), class_name="list-disc pl-5 grid gap-2"
    )
    return cards.card(
        rx.el.p("Отозвать согласие можно в любой день. Вот что произойдёт:"),
        when(some(ConsentState.consequences), listed),
        buttons.actions(
            dialogs.dialog_button("Отозвать согласие", "withdraw-consent", kind="secondary")
        ),
        dialogs.confirm_dialog(
            "withdraw-consent",
            "Отозвать согласие?",
            listed,
            confirm="Отозвать согласие",
            on_confirm=ConsentState.withdraw,
        ),
        title="Отозвать согласие",
    )


PAGES: Final = (Page(CONSENT, "Согласие", consent, (PersonState.load, ConsentState.follow)),)
