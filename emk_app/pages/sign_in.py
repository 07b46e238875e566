"""The way in: password, second factor, registration."""

from __future__ import annotations

from typing import Final

import reflex as rx

from emk_app.components import buttons, cards, forms, links
from emk_app.components.markup import some, when
from emk_app.components.passkeys import passkey_button
from emk_app.components.qr import qr_plate
from emk_app.domain.factors import Purpose, Way
from emk_app.pages import frames, provider
from emk_app.pages.meter import new_password_field
from emk_app.pages.recover import LOST
from emk_app.pages.table import Page
from emk_app.presenting.notices import RECOVER
from emk_app.states.meter import MeterState
from emk_app.states.provider import ProviderState
from emk_app.states.sign_in import EMPLOYERS_LOGIN, LABELS, RegisterState, SignInState

EMPLOYER_REGISTER: Final = "/employer/register"


def login() -> rx.Component:
    """Return the page for signing in."""
    return frames.narrow(
        rx.match(
            SignInState.step,
            ("code", _code()),
            ("enrol", _enrolment()),
            ("ticket", _ticket()),
            _password(),
        ),
        title=rx.match(
            SignInState.step,
            ("code", "Подтвердите вход"),
            ("enrol", "Защитите вход"),
            ("ticket", "Входим"),
            "Вход",
        ),
    )


def register() -> rx.Component:
    """Return the page for making an account."""
    return frames.narrow(
        rx.cond(RegisterState.step == "contact", _contact_code(), _registration()),
        title="Регистрация",
    )


def register_employer() -> rx.Component:
    """Return the page for making an employer's account."""
    return frames.narrow(
        rx.cond(
            RegisterState.step == "contact",
            _contact_code(),
            rx.fragment(
                rx.el.ol(
                    rx.el.li("Подтвердите рабочую почту кодом."),
                    rx.el.li("Защитите вход вторым подтверждением."),
                    rx.el.li("Укажите ИНН и ОГРН организации или примите приглашение в неё."),
                    class_name="list-decimal pl-5 mb-6",
                ),
                _registration(as_employer=True),
            ),
        ),
        title="Кабинет работодателя",
    )


def _password() -> rx.Component:
    return rx.fragment(
        _problem(SignInState.problem),
        forms.form(
            forms.text_field(
                "Телефон, почта или ИНН",
                "login",
                auto_complete="username",
                max_length=254,
            ),
            forms.password_field("Пароль", "password"),
            buttons.actions(
                buttons.primary_button(
                    "Войти", type="submit", busy=SignInState.busy, busy_text="Проверяем…"
                )
            ),
            on_submit=SignInState.give_password,
        ),
        rx.el.p(links.link("Забыли пароль?", RECOVER), class_name="mt-6"),
        provider.button_at_door(),
        rx.el.p(
            "Ещё нет учётной записи? ",
            links.link("Зарегистрироваться", "/register"),
            class_name="mt-2",
        ),
    )


def _code() -> rx.Component:
    return rx.fragment(
        _new_password(),
        _problem(SignInState.problem),
        rx.match(
            SignInState.way,
            (Way.PASSKEY.value, _passkey()),
            (Way.SMS.value, _sms()),
            (Way.RECOVERY.value, _recovery()),
            _app(
                hint="Шесть цифр. Новый код появляется каждые 30 секунд и действует один раз.",
            ),
        ),
        _other_ways(),
    )


def _passkey() -> rx.Component:
    return rx.fragment(
        rx.el.p(
            "Устройство попросит отпечаток, лицо или ПИН-код. Отсканированное остаётся на нём, "
            "нам приходит только подтверждение.",
            class_name="mb-4",
        ),
        passkey_button("Войти ключом доступа", Purpose.ENTER, auto_focus=True),
    )


def _app(*, hint: str = "") -> rx.Component:
    return forms.form(
        forms.code_field("Код из приложения", "code", hint=hint, auto_focus=True),
        buttons.actions(buttons.primary_button("Подтвердить", type="submit")),
        on_submit=SignInState.give_code,
        key="app",
    )


def _sms() -> rx.Component:
    again = buttons.quiet_button("Отправить код ещё раз", on_click=SignInState.send_code)
    return rx.cond(
        SignInState.is_sent,
        forms.form(
            forms.code_field(
                "Код из СМС",
                "code",
                hint=rx.Var.create("Отправили на номер ") + SignInState.phone + ". Шесть цифр.",
                auto_focus=True,
            ),
            buttons.actions(buttons.primary_button("Подтвердить", type="submit"), again),
            on_submit=SignInState.give_code,
            key="sms",
        ),
        rx.fragment(
            rx.el.p("Отправим код на номер ", rx.el.b(SignInState.phone), ".", class_name="mb-4"),
            buttons.actions(
                buttons.primary_button(
                    "Получить код", on_click=SignInState.send_code, auto_focus=True
                )
            ),
        ),
    )


def _recovery() -> rx.Component:
    return forms.form(
        forms.text_field(
            "Резервный код",
            "recovery",
            hint="Десять знаков из списка, который вы сохранили. Каждый код действует один раз.",
            max_length=20,
            auto_focus=True,
        ),
        buttons.actions(buttons.primary_button("Войти по резервному коду", type="submit")),
        on_submit=SignInState.give_code,
        key="recovery",
    )


def _other_ways() -> rx.Component:
    return when(
        some(SignInState.others),
        rx.el.div(
            cards.details(
                "Другой способ",
                rx.el.ul(
                    rx.foreach(
                        SignInState.others,
                        lambda way: rx.el.li(
                            buttons.secondary_button(
                                way["name"], on_click=SignInState.choose_way(way["key"])
                            ),
                            rx.el.p(way["hint"], class_name="e-hint mt-1"),
                            key=way["key"],
                        ),
                    ),
                    class_name="space-y-4",
                ),
                # Who has no factor yet has lost none.
                when(
                    SignInState.step == "code",
                    rx.el.p(
                        "Резервных кодов тоже нет? ",
                        links.link("Что делать", LOST),
                        class_name="mt-4",
                    ),
                ),
            ),
            class_name="mt-6",
            # The list closes once something is chosen from it.
            key=SignInState.way,
        ),
    )


def _new_password() -> rx.Component:
    return rx.cond(
        SignInState.has_new_password,
        cards.notice("Новый пароль начнёт действовать, как только вы подтвердите вход."),
    )


def _enrolment() -> rx.Component:
    return rx.fragment(
        _new_password(),
        rx.el.p(
            "Чтобы медицинские сведения не увидел никто, кроме вас, вход подтверждается ещё одним "
            "способом. Остальные можно подключить потом.",
            class_name="mb-4",
        ),
        rx.match(
            SignInState.way,
            (Way.PASSKEY.value, _new_passkey()),
            (Way.SMS.value, rx.fragment(_problem(SignInState.problem), _sms())),
            _new_app(),
        ),
        _other_ways(),
    )


def _new_passkey() -> rx.Component:
    return rx.fragment(
        rx.el.p(
            "Ключ хранится на телефоне или компьютере, его не подсмотреть и не выманить: он "
            "подтверждает вход отпечатком, лицом или ПИН-кодом и только на этом сайте.",
            class_name="mb-4",
        ),
        passkey_button("Создать ключ доступа", Purpose.ENROL, auto_focus=True),
    )


def _new_app() -> rx.Component:
    return rx.fragment(
        rx.el.p(
            "Подойдёт приложение «Яндекс Ключ», Google Authenticator или любое похожее.",
            class_name="mb-4",
        ),
        rx.el.ol(
            rx.el.li("Откройте приложение и отсканируйте QR-код."),
            rx.el.li("Введите шесть цифр, которые оно покажет."),
            class_name="mb-4 list-decimal space-y-1 pl-6",
        ),
        qr_plate(SignInState.picture, alt="QR-код для приложения с кодами"),
        cards.details(
            "Не получается отсканировать",
            rx.el.p("Введите этот ключ в приложение вручную:", class_name="mb-2"),
            rx.el.p(
                rx.el.code(SignInState.secret, id="totp-secret", class_name="break-all text-lg")
            ),
        ),
        _problem(SignInState.problem),
        forms.form(
            forms.code_field("Код из приложения", "code"),
            buttons.actions(buttons.primary_button("Подтвердить", type="submit")),
            on_submit=SignInState.give_code,
        ),
    )


def _ticket() -> rx.Component:
    """Return the form that the page's script sends by itself; the button is for when it can't."""
    return forms.post_form(
        rx.el.input(type="hidden", name="ticket", value=SignInState.ticket, read_only=True),
        rx.el.p("Код принят, открываем кабинет…", class_name="mb-4", role="status"),
        buttons.primary_button("Продолжить", type="submit"),
        action="/session/enter",
        custom_attrs={"data-autosubmit": "true"},
    )


def _registration(*, as_employer: bool = False) -> rx.Component:
    login = (
        forms.text_field(
            EMPLOYERS_LOGIN,
            "login",
            hint="С ней вы будете входить. На неё придёт код.",
            error=RegisterState.errors.get("login", ""),
            auto_complete="username",
            input_mode="email",
            max_length=254,
        )
        if as_employer
        else rx.fragment(
            forms.text_field(
                LABELS["login"],
                "login",
                hint="Под этим вы будете входить. ИНН — 12 цифр.",
                error=RegisterState.errors.get("login", ""),
                auto_complete="username",
                max_length=254,
                on_blur=RegisterState.look_at_login,
            ),
            rx.cond(
                RegisterState.by_inn,
                forms.text_field(
                    LABELS["contact"],
                    "contact",
                    hint="Сюда придёт код и будут приходить уведомления.",
                    error=RegisterState.errors.get("contact", ""),
                    max_length=254,
                ),
            ),
        )
    )
    return rx.fragment(
        forms.error_summary(RegisterState.summary),
        _problem(RegisterState.problem),
        forms.form(
            login,
            new_password_field(
                LABELS["password"],
                "password",
                error=RegisterState.errors.get("password", ""),
            ),
            forms.password_field(
                LABELS["repeated"],
                "repeated",
                new=True,
                error=RegisterState.errors.get("repeated", ""),
            ),
            buttons.actions(
                buttons.primary_button(
                    "Получить код", type="submit", busy=RegisterState.busy, busy_text="Отправляем…"
                )
            ),
            on_submit=RegisterState.give_form,
        ),
        rx.el.p(
            "Уже зарегистрированы? ",
            links.link("Войти", "/login"),
            class_name="mt-6",
        ),
        rx.el.p(
            "Нужна своя книжка? " if as_employer else "Вы работодатель? ",
            links.link(
                "Зарегистрироваться владельцем" if as_employer else "Завести кабинет организации",
                "/register" if as_employer else EMPLOYER_REGISTER,
            ),
            class_name="mt-2",
        ),
    )


def _contact_code() -> rx.Component:
    return rx.fragment(
        rx.el.p(
            "Мы отправили код. Он действует пять минут. Если вы уже зарегистрированы, вместо кода "
            "придёт напоминание об этом.",
            class_name="mb-4",
        ),
        _problem(RegisterState.problem),
        forms.form(
            forms.code_field("Код из сообщения", "code"),
            buttons.actions(
                buttons.primary_button("Подтвердить", type="submit"),
                buttons.quiet_button("Отправить код ещё раз", on_click=RegisterState.send_again),
                buttons.quiet_button("Изменить данные", on_click=RegisterState.start_over),
            ),
            on_submit=RegisterState.give_code,
        ),
    )


def _problem(text: rx.Var[str]) -> rx.Component:
    return rx.cond(text != "", cards.notice(text, tone="danger", live=True))


PAGES = (
    Page("/login", "Вход", login, (ProviderState.load, SignInState.load)),
    Page("/register", "Регистрация", register, (RegisterState.load, MeterState.load)),
    Page(
        EMPLOYER_REGISTER,
        "Кабинет работодателя",
        register_employer,
        (RegisterState.load_employer, MeterState.load),
    ),
)
