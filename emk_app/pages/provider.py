"""The parts of two pages that lead to the provider of identities."""

from __future__ import annotations

import reflex as rx

from emk_app.components import buttons, cards, forms
from emk_app.components.links import plain_link
from emk_app.components.markup import given, when
from emk_app.pages.factors import fresh_factor
from emk_app.states.provider import ProviderState


def button_at_door() -> rx.Component:
    """Return the way in beside the password, where there is a provider."""
    return when(
        given(ProviderState.name),
        rx.el.div(
            _told(),
            buttons.actions(
                plain_link(
                    rx.fragment("Войти через «", ProviderState.name, "»"),
                    "/session/provider",
                    buttons.CLASSES["secondary"],
                ),
            ),
            rx.el.p(
                "Личность подтвердит «",
                ProviderState.name,
                "», а вход — ваш код второго шага.",
                class_name="e-hint",
            ),
            class_name="mt-6 grid gap-3",
        ),
    )


def card() -> rx.Component:
    """Return what a holder sees of it among what guards the account."""
    linked = rx.fragment(
        rx.el.p("Вход через «", ProviderState.name, "» ", ProviderState.since, "."),
        _form(
            ProviderState.unlink,
            buttons.secondary_button("Отвязать", type="submit"),
        ),
    )
    apart = rx.fragment(
        rx.el.p(
            "Можно входить через «",
            ProviderState.name,
            "» вместо пароля. Код второго шага останется.",
        ),
        _form(
            ProviderState.link,
            buttons.secondary_button("Привязать", type="submit"),
        ),
    )
    shown = cards.card(
        _told(),
        when(
            given(ProviderState.problem),
            cards.notice(ProviderState.problem, tone="danger", live=True),
        ),
        rx.cond(given(ProviderState.since), linked, apart),
        title="Внешний вход",
    )
    return when(given(ProviderState.name) & ProviderState.is_holder, shown)


def _form(on_submit: object, button: rx.Component) -> rx.Component:
    return forms.form(
        when(
            ProviderState.needs_code,
            fresh_factor(
                hint="Прошло больше пяти минут, поэтому действие подтверждается свежим кодом.",
            ),
        ),
        buttons.actions(button),
        on_submit=on_submit,
    )


def _told() -> rx.Component:
    return when(
        given(ProviderState.told),
        cards.notice(ProviderState.told, tone=ProviderState.tone, live=True),
    )
