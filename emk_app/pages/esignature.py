"""The holder's electronic signature on the screen: asked for in the wizard, shown in a case."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from emk_app.components import buttons, cards, forms, links
from emk_app.components.badges import badge
from emk_app.components.markup import fixed_id, given, some, when
from emk_app.domain.esignature import CERTIFICATE_LIMIT, CONTAINER_LIMIT, SIGNATURE_LIMIT, Outcome
from emk_app.presenting import esignatures as words
from emk_app.presenting.esignatures import CERTIFICATE, CONTAINER, PASSWORD, SIGNATURE
from emk_app.presenting.formats import file_size
from emk_app.services.esigning import CONTROL

ABOUT_CERTIFICATE: Final = (
    Outcome.CERTIFICATE_TOO_LARGE,
    Outcome.CERTIFICATE_NOT_READABLE,
    Outcome.CERTIFICATE_MISSING,
    Outcome.OTHER_CERTIFICATE,
)
ABOUT_SIGNATURE: Final = (
    Outcome.FILE_EMPTY,
    Outcome.PRIVATE_KEY_SENT,
    Outcome.SIGNATURE_TOO_LARGE,
    Outcome.SIGNATURE_NOT_READABLE,
    Outcome.ATTACHED,
    Outcome.NO_SIGNER,
    Outcome.SEVERAL_SIGNERS,
    Outcome.TEXT_DIFFERS,
    Outcome.SIGNATURE_FALSE,
    Outcome.NOT_BOUND,
)
ABOUT_CONTAINER: Final = (
    Outcome.FILE_EMPTY,
    Outcome.CONTAINER_TOO_LARGE,
    Outcome.CONTAINER_NOT_READABLE,
    Outcome.CONTAINER_GOST,
    Outcome.CONTAINER_UNSUPPORTED,
    Outcome.CONTAINER_TOO_COSTLY,
    Outcome.CONTAINER_NO_KEY,
    Outcome.CONTAINER_SEVERAL_KEYS,
    Outcome.CONTAINER_NO_CERTIFICATE,
)
"""Which refusals are said beside which control; the rest stand under the button."""


def signing(state: Any) -> rx.Component:
    """Return the wizard's part; ``state`` has ``signature``, ``can_sign``, ``slug`` and
    ``remove_signature``.
    """
    shown = state.signature
    signed = given(shown["word"])
    return rx.el.div(
        cards.card(
            when(
                signed,
                rx.el.div(
                    signature(shown),
                    buttons.actions(
                        buttons.quiet_button(
                            "Удалить подпись", state.remove_signature, icon="trash"
                        )
                    ),
                    class_name="grid gap-2",
                ),
                rx.el.p(words.OPTIONAL),
            ),
            when(
                ~signed | shown["is_outdated"],
                when(state.can_sign, _ways(state.slug), rx.el.p(_LATER, class_name="e-muted")),
            ),
            title=rx.fragment("Электронная подпись", rx.el.small(" (необязательно)")),
        ),
        id=fixed_id(f"field-{CONTROL}"),
        tab_index=-1,
    )


def signature(row: Any) -> rx.Component:
    """Return a signature with what was found about it; ``row`` is a ``SignatureRow``."""
    return rx.el.div(
        rx.el.div(
            badge(row["word"], row["tone"]),
            rx.el.span("Подписано ", row["given"], class_name="e-muted"),
            class_name="flex flex-wrap items-center gap-x-3 gap-y-1",
        ),
        rx.el.p(row["text"], role="status"),
        cards.details(
            "Сведения о подписи",
            when(
                some(row["facts"]),
                cards.summary_list(
                    rx.foreach(row["facts"], lambda fact: cards.summary_row(fact[0], fact[1]))
                ),
            ),
            rx.el.div(
                rx.el.p(words.NOT_ASKED, class_name="e-muted"),
                rx.el.p(
                    "Скачать: ",
                    _part("подписанный текст", row["text_href"]),
                    ", ",
                    _part("подпись", row["signature_href"]),
                    ", ",
                    _part("сертификат", row["certificate_href"]),
                ),
                class_name="grid gap-2 pt-3",
            ),
        ),
        class_name="grid gap-2 min-w-0",
    )


_LATER: Final = "Подписать можно, когда в данных не останется ошибок."


def _part(text: str, href: Any) -> rx.Component:
    return links.plain_link(text, href, custom_attrs={"download": True})


def _ways(slug: Any) -> rx.Component:
    return rx.el.div(
        rx.el.p(words.SIGNED, class_name="e-muted"),
        cards.details("Подписать своей программой и загрузить подпись", _files(slug)),
        cards.details("Подписать файлом .pfx или .p12", _container(slug)),
        class_name="grid gap-2",
    )


def _files(slug: Any) -> rx.Component:
    return rx.el.div(
        rx.el.p("Закрытый ключ остаётся только у вас."),
        cards.prose(
            rx.el.ol(
                rx.el.li("Скачайте текст заявки и ничего в нём не меняйте."),
                rx.el.li(
                    "Подпишите его программой для электронной подписи: подпись отсоединённая, "
                    "формат CAdES-BES."
                ),
                rx.el.li("Загрузите файл подписи. Если сертификата в нём нет, добавьте файл .cer."),
            )
        ),
        buttons.actions(
            buttons.download_link("Скачать текст заявки", "/api/esignatures/" + slug + "/text")
        ),
        forms.send_form(
            forms.picked_file(
                "Файл подписи (.sig)",
                SIGNATURE,
                accept=".sig,.p7s,.sgn,.pem,application/pkcs7-signature",
                limit_bytes=SIGNATURE_LIMIT,
                limit_text=f"Не больше {file_size(SIGNATURE_LIMIT)}",
                codes=ABOUT_SIGNATURE,
            ),
            forms.picked_file(
                "Сертификат (.cer)",
                CERTIFICATE,
                accept=".cer,.crt,.der,.pem,application/pkix-cert,application/x-x509-ca-cert",
                limit_bytes=CERTIFICATE_LIMIT,
                limit_text=f"Не больше {file_size(CERTIFICATE_LIMIT)}",
                required=False,
                codes=ABOUT_CERTIFICATE,
            ),
            send_url="/api/esignatures/" + slug + "/files",
            send="Проверить подпись",
            sending="Проверяем подпись…",
        ),
        class_name="grid gap-4",
    )


def _container(slug: Any) -> rx.Component:
    return rx.el.div(
        cards.notice(
            rx.el.p(words.CONTAINER_WARNING),
            rx.el.p(words.PREFERRED),
            title="Мы не советуем этот способ",
            tone="waiting",
        ),
        forms.send_form(
            forms.picked_file(
                "Файл .pfx или .p12",
                CONTAINER,
                accept=".pfx,.p12,application/x-pkcs12",
                limit_bytes=CONTAINER_LIMIT,
                limit_text=f"Не больше {file_size(CONTAINER_LIMIT)}",
                codes=ABOUT_CONTAINER,
            ),
            rx.el.div(
                forms.password_field("Пароль от этого файла", PASSWORD, kept=False),
                forms.refusal(PASSWORD, (Outcome.WRONG_PASSWORD,)),
                class_name="e-field",
            ),
            send_url="/api/esignatures/" + slug + "/container",
            send="Подписать заявку",
            sending="Подписываем…",
        ),
        class_name="grid gap-4",
    )
