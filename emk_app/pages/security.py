"""What guards one's own account; one page for every role."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from emk_app.components import badges, buttons, cards, dialogs, forms
from emk_app.components.layout import SECURITY_ROUTE
from emk_app.components.markup import given, some, when
from emk_app.components.qr import qr_plate
from emk_app.components.tables import Column, data_table
from emk_app.pages import frames
from emk_app.pages.table import Page
from emk_app.states.security import SecurityState
from emk_app.states.session import PersonState

OTHERS: Final = "end-others"


def security() -> rx.Component:
    """Return the page."""
    shown = rx.el.div(
        _factors(), _sessions(), _password(), _codes(), _authenticator(), class_name="e-body"
    )
    return frames.signed_in(
        rx.cond(SecurityState.is_loaded, shown, cards.loading()),
        title="Безопасность",
        lead="Чем защищён вход и где он сейчас открыт.",
        menu=[],
        current=SECURITY_ROUTE,
        back=("Главная", SecurityState.home),
    )


def _factors() -> rx.Component:
    return cards.section(
        "Способы входа",
        data_table(
            ["Способ", "Когда применялся", "Состояние"],
            SecurityState.factors,
            lambda row: [
                rx.el.b(row["name"]),
                row["text"],
                badges.badge(row["status"], row["tone"]),
            ],
            caption="Способы входа",
        ),
    )


def _sessions() -> rx.Component:
    return cards.section(
        "Где открыт вход",
        data_table(
            ["Устройство", "Вход", "Последнее действие", Column("Действие", hidden=True)],
            SecurityState.sessions,
            lambda row: [
                row["device"],
                row["began"],
                row["seen"],
                rx.cond(
                    row["is_here"],
                    badges.badge("это вы", "success"),
                    buttons.quiet_button(
                        rx.fragment(
                            "Завершить", rx.el.span(" сеанс ", row["device"], class_name="e-hidden")
                        ),
                        on_click=SecurityState.end(row["id"]),
                    ),
                ),
            ],
            caption="Открытые сеансы",
            key=lambda row: row["id"],
        ),
        when(
            SecurityState.sessions.length() > 1,
            rx.el.div(
                buttons.actions(dialogs.dialog_button("Завершить все, кроме этого", OTHERS)),
                dialogs.confirm_dialog(
                    OTHERS,
                    "Завершить остальные сеансы?",
                    "На других устройствах экраны закроются сразу, несохранённое пропадёт.",
                    confirm="Завершить остальные",
                    on_confirm=SecurityState.end_others,
                ),
            ),
        ),
    )


def _password() -> rx.Component:
    errors: Any = SecurityState.errors
    return cards.card(
        rx.el.p("После смены пароля остальные сеансы завершатся, вам придёт уведомление."),
        _problem(errors["password_form"]),
        forms.form(
            forms.password_field("Нынешний пароль", "present", error=errors["present"]),
            forms.password_field(
                "Новый пароль",
                "password",
                new=True,
                hint="Не короче 12 символов. Подойдёт фраза из нескольких слов.",
                error=errors["password"],
            ),
            forms.password_field(
                "Новый пароль ещё раз", "repeated", new=True, error=errors["repeated"]
            ),
            _code(),
            buttons.actions(buttons.primary_button("Сменить пароль", type="submit")),
            on_submit=SecurityState.change_password,
        ),
        title="Пароль",
    )


def _codes() -> rx.Component:
    state = SecurityState
    listed = rx.el.div(
        rx.el.p(
            "Сохраните коды там, где их не увидят другие: каждый заменяет код из приложения один "
            "раз. Больше мы их не покажем.",
        ),
        rx.el.ul(
            rx.foreach(state.codes, lambda code: rx.el.li(rx.el.code(code, class_name="text-lg"))),
            class_name="grid gap-2 sm:grid-cols-2 my-4",
            id="recovery-codes",
        ),
        buttons.actions(
            buttons.print_button("Распечатать"),
            buttons.quiet_button("Коды сохранены", on_click=state.hide_codes),
        ),
    )
    asked = rx.el.div(
        rx.el.p(
            "Десять одноразовых кодов на случай, если телефон потерян или сломан. Новые коды "
            "отменяют прежние.",
            class_name="mb-4",
        ),
        _problem(state.errors["codes"]),
        forms.form(
            _code(),
            buttons.actions(buttons.secondary_button("Создать новые коды", type="submit")),
            on_submit=state.make_codes,
        ),
    )
    return cards.card(rx.cond(some(state.codes), listed, asked), title="Резервные коды")


def _authenticator() -> rx.Component:
    state = SecurityState
    begun = rx.el.div(
        rx.el.p(
            "Отсканируйте QR-код новым приложением и введите шесть цифр, которые оно покажет. До "
            "этого действует прежнее."
        ),
        qr_plate(state.picture, alt="QR-код для приложения с кодами"),
        cards.details(
            "Не получается отсканировать",
            rx.el.p("Введите этот ключ в приложение вручную:", class_name="mb-2"),
            rx.el.p(rx.el.code(state.secret, id="totp-secret", class_name="break-all text-lg")),
        ),
        _problem(state.errors["proof"]),
        forms.form(
            forms.code_field("Код из нового приложения", "proof"),
            _code(),
            buttons.actions(
                buttons.primary_button("Заменить приложение", type="submit"),
                buttons.quiet_button("Оставить прежнее", on_click=state.keep),
            ),
            on_submit=state.prove,
        ),
    )
    asked = rx.el.div(
        rx.el.p(
            "Сменили телефон? Подключите приложение на новом. Если прежнего уже нет, подтвердите "
            "замену резервным кодом.",
            class_name="mb-4",
        ),
        _problem(state.errors["replace"]),
        forms.form(
            _code(),
            buttons.actions(buttons.secondary_button("Заменить приложение", type="submit")),
            on_submit=state.replace,
        ),
    )
    return cards.card(rx.cond(given(state.secret), begun, asked), title="Приложение с кодами")


def _code() -> rx.Component:
    return when(
        SecurityState.needs_code,
        forms.code_field(
            "Код из приложения или резервный код",
            "code",
            length=11,
            hint="Прошло больше пяти минут, поэтому действие подтверждается свежим кодом.",
        ),
    )


def _problem(text: Any) -> rx.Component:
    return when(given(text), cards.notice(text, tone="danger", live=True))


PAGES: Final = (
    Page(SECURITY_ROUTE, "Безопасность", security, (PersonState.load, SecurityState.follow)),
)
