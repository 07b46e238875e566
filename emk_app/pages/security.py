"""What guards one's own account; one page for every role."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from emk_app.components import badges, buttons, cards, dialogs, forms
from emk_app.components.layout import SECURITY_ROUTE
from emk_app.components.markup import given, some, when
from emk_app.components.passkeys import passkey_button
from emk_app.components.qr import qr_plate
from emk_app.components.tables import Column, data_table
from emk_app.domain.factors import LONGEST_NAME, Purpose
from emk_app.pages import frames, provider
from emk_app.pages.contacts import contacts
from emk_app.pages.factors import fresh_factor
from emk_app.pages.meter import new_password_field
from emk_app.pages.table import Page
from emk_app.states.contacts import ContactsState
from emk_app.states.meter import MeterState
from emk_app.states.provider import ProviderState
from emk_app.states.security import SecurityState
from emk_app.states.session import PersonState

OTHERS: Final = "end-others"


def security() -> rx.Component:
    """Return the page."""
    shown = rx.el.div(
        _factors(),
        _sessions(),
        contacts(),
        _password(),
        _keys(),
        _authenticator(),
        _sms(),
        _codes(),
        provider.card(),
        class_name="e-body",
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
            ["Способ", "Подробности", "Состояние"],
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
            new_password_field("Новый пароль", "password", error=errors["password"]),
            forms.password_field(
                "Новый пароль ещё раз", "repeated", new=True, error=errors["repeated"]
            ),
            _code("password_form"),
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
            _code("codes"),
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
            _code("proof"),
            buttons.actions(
                buttons.primary_button("Заменить приложение", type="submit"),
                buttons.quiet_button("Оставить прежнее", on_click=state.keep),
            ),
            on_submit=state.prove,
        ),
    )
    asked = rx.el.div(
        rx.el.p(
            rx.cond(
                state.has_app,
                "Сменили телефон? Подключите приложение на новом. Если прежнего уже нет, "
                "подтвердите замену другим способом или резервным кодом.",
                "«Яндекс Ключ», Google Authenticator или похожее приложение: коды работают и без "
                "связи.",
            ),
            class_name="mb-4",
        ),
        _problem(state.errors["replace"]),
        forms.form(
            _code("replace"),
            buttons.actions(
                buttons.secondary_button(
                    rx.cond(state.has_app, "Заменить приложение", "Подключить приложение"),
                    type="submit",
                )
            ),
            on_submit=state.replace,
        ),
        when(
            state.has_app,
            cards.details(
                "Отключить приложение",
                _problem(state.errors["no_app"]),
                forms.form(
                    rx.el.p(
                        "Его коды перестанут подходить, остальные сеансы завершатся. Последний "
                        "способ подтвердить вход отключить нельзя."
                    ),
                    _code("no_app"),
                    buttons.actions(buttons.danger_button("Отключить приложение", type="submit")),
                    on_submit=state.do_without_app,
                ),
            ),
        ),
    )
    return cards.card(rx.cond(given(state.secret), begun, asked), title="Приложение с кодами")


def _keys() -> rx.Component:
    state = SecurityState
    return cards.card(
        rx.el.p(
            "Вход подтверждают телефон, компьютер или токен: отпечатком, лицом или ПИН-кодом. "
            "Такой ключ работает только на этом сайте, поэтому его не выманить.",
            class_name="mb-4",
        ),
        when(
            some(state.keys),
            data_table(
                ["Название", "Добавлен", "Когда применялся", Column("Действие", hidden=True)],
                state.keys,
                lambda row: [
                    rx.el.b(row["name"]),
                    row["added"],
                    row["used"],
                    buttons.quiet_button(
                        rx.fragment(
                            "Удалить", rx.el.span(" ключ ", row["name"], class_name="e-hidden")
                        ),
                        on_click=state.choose_key(row["id"]),
                    ),
                ],
                caption="Ключи доступа",
                key=lambda row: row["id"],
            ),
        ),
        rx.cond(
            state.removing > 0,
            _key_removal(),
            rx.cond(state.is_adding, _key_making(), _key_naming()),
        ),
        title="Ключи доступа",
    )


def _key_naming() -> rx.Component:
    state = SecurityState
    return rx.el.div(
        _problem(state.errors["key"]),
        forms.form(
            forms.text_field(
                "Название нового ключа",
                "key_name",
                hint="Например, «Рабочий ноутбук». Оставите пустым — назовём по устройству.",
                required=False,
                max_length=LONGEST_NAME,
                width="medium",
            ),
            _code("key"),
            buttons.actions(buttons.secondary_button("Добавить ключ", type="submit")),
            on_submit=state.begin_key,
        ),
        class_name="mt-4",
    )


def _key_making() -> rx.Component:
    state = SecurityState
    return forms.form(
        rx.el.p(
            "Сейчас устройство предложит, где хранить ключ, и попросит отпечаток, лицо или ПИН-код."
        ),
        buttons.actions(
            passkey_button("Создать ключ", Purpose.ADD, name=state.new_key, auto_focus=True),
            buttons.quiet_button("Отмена", on_click=state.drop_key),
        ),
        on_submit=state.end_key,
        class_name="mt-4",
    )


def _key_removal() -> rx.Component:
    state = SecurityState
    return rx.el.div(
        _problem(state.errors["no_key"]),
        forms.form(
            rx.el.p(
                "Удалить ключ «",
                rx.el.b(state.removing_name),
                "»? Войти им больше не получится, остальные сеансы завершатся.",
                role="status",
            ),
            _code("no_key"),
            buttons.actions(
                buttons.danger_button("Удалить ключ", type="submit"),
                buttons.quiet_button("Отмена", on_click=state.keep_key),
            ),
            on_submit=state.remove_key,
        ),
        class_name="mt-4",
    )


def _sms() -> rx.Component:
    state = SecurityState
    return when(
        given(state.phone),
        cards.card(
            rx.el.p(
                rx.cond(
                    state.sends_sms,
                    "Вход можно подтвердить кодом из СМС на номер ",
                    "Коды по СМС отключены. Их можно получать на номер ",
                ),
                state.phone,
                ". СМС надёжнее пароля, но слабее ключа и приложения: номер могут перевыпустить.",
                class_name="mb-4",
            ),
            _problem(state.errors["sms"]),
            forms.form(
                _code("sms"),
                buttons.actions(
                    buttons.secondary_button(
                        rx.cond(state.sends_sms, "Отключить коды по СМС", "Включить коды по СМС"),
                        type="submit",
                    )
                ),
                on_submit=state.switch_sms,
            ),
            title="Коды по СМС",
        ),
    )


def _code(form: str) -> rx.Component:
    return when(
        SecurityState.needs_code,
        fresh_factor(
            f"code_{form}",
            hint="Или резервный код: прошло больше пяти минут, подтвердите действие заново.",
        ),
    )


def _problem(text: Any) -> rx.Component:
    return when(given(text), cards.notice(text, tone="danger", live=True))


PAGES: Final = (
    Page(
        SECURITY_ROUTE,
        "Безопасность",
        security,
        (
            PersonState.load,
            ProviderState.load,
            ProviderState.show,
            MeterState.load,
            SecurityState.follow,
            ContactsState.follow,
        ),
    ),
)
