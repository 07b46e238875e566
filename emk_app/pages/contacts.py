"""Where one is reached: a card on the page of what guards the account."""

from __future__ import annotations

import reflex as rx

from emk_app.components import buttons, cards, forms
from emk_app.components.markup import given, when
from emk_app.domain.notices import Channel
from emk_app.pages.factors import fresh_factor
from emk_app.states.contacts import ContactsState


def contacts() -> rx.Component:
    """Return the card."""
    state = ContactsState
    return cards.card(
        cards.summary_list(
            cards.summary_row("Телефон", state.phone, empty="не указан"),
            cards.summary_row("Почта", state.email, empty="не указана"),
        ),
        when(given(state.problem), cards.notice(state.problem, tone="danger", live=True)),
        rx.cond(state.waits != "", _proof(), _question()),
        title="Телефон и почта",
    )


def _question() -> rx.Component:
    state = ContactsState
    return rx.fragment(
        rx.el.p(
            "Сюда приходят уведомления и ссылка для нового пароля, с ними можно входить. Укажите "
            "и телефон, и почту: если одно потеряется, останется другое. Прежний контакт "
            "действует, пока новый не подтверждён кодом.",
            class_name="my-4",
        ),
        forms.form(
            forms.text_field(
                "Новый телефон или почта", "contact", error=state.error, max_length=254
            ),
            _factor(),
            buttons.actions(buttons.secondary_button("Получить код", type="submit")),
            on_submit=state.begin,
        ),
        when(given(state.phone) & given(state.email), _removal()),
    )


def _removal() -> rx.Component:
    """Ask which of two contacts goes; the last one can't."""
    return cards.details(
        "Удалить телефон или почту",
        forms.form(
            forms.select_field(
                "Что удалить",
                "removed",
                [(Channel.SMS.value, "Телефон"), (Channel.EMAIL.value, "Почту")],
                error=ContactsState.removed_error,
                hint="Уведомления туда больше не придут, войти с этим контактом будет нельзя.",
            ),
            _factor("removal_factor"),
            buttons.actions(buttons.danger_button("Удалить контакт", type="submit")),
            on_submit=ContactsState.remove,
        ),
    )


def _proof() -> rx.Component:
    state = ContactsState
    return rx.fragment(
        rx.el.p(
            "Код отправлен: ",
            rx.el.b(state.waits),
            ". Он действует пять минут.",
            class_name="my-4",
            role="status",
        ),
        forms.form(
            forms.code_field("Код из сообщения", "contact_code"),
            _factor(),
            buttons.actions(
                buttons.primary_button("Подтвердить контакт", type="submit"),
                buttons.quiet_button("Оставить прежний", on_click=state.drop),
            ),
            on_submit=state.confirm,
        ),
    )


def _factor(name: str = "contact_factor") -> rx.Component:
    return when(
        ContactsState.needs_code,
        fresh_factor(
            name,
            hint="Или резервный код: прошло больше пяти минут, подтвердите действие заново.",
        ),
    )
