"""The demonstration page of the component kit: every part in every state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import reflex as rx

from emk_app.components.badges import badge, track
from emk_app.components.buttons import (
    actions,
    button_link,
    copy_button,
    danger_button,
    download_link,
    primary_button,
    print_button,
    quiet_button,
    save_link,
    save_links,
    secondary_button,
    share_button,
)
from emk_app.components.cards import (
    card,
    details,
    empty_state,
    error_state,
    loading,
    notice,
    progress,
    prose,
    result_panel,
    section,
    stat,
    stats,
    summary_list,
    summary_row,
)
from emk_app.components.dialogs import close_button, confirm_dialog, dialog, dialog_button
from emk_app.components.forms import (
    Choice,
    checkbox_field,
    code_field,
    date_field,
    error_summary,
    field_row,
    fieldset,
    file_field,
    form,
    password_field,
    phone_field,
    picked_file,
    radio_cards,
    refusal,
    search_box,
    select_field,
    send_form,
    snils_field,
    strength_meter,
    text_field,
    textarea_field,
)
from emk_app.components.layout import message_region, page_frame
from emk_app.components.links import external_link, link, plain_link
from emk_app.components.qr import full_screen_qr, qr_plate
from emk_app.components.steps import Step, wizard_steps
from emk_app.components.tables import Column, data_table, pager
from emk_app.components.timeline import timeline, timeline_entry
from emk_app.components.verdict import verdict
from emk_app.pages.table import Page

ROUTE: Final = "/demo/kit"

_MENU: Final = (
    ("Обзор", "/cabinet"),
    ("Мои заявки", "/cabinet/applications"),
    ("Запись к врачу", "/cabinet/visits"),
    ("Мои документы", "/cabinet/book"),
    ("Части экрана", ROUTE),
    ("Безопасность", "/cabinet/security"),
)

_LONG: Final = (
    "Водитель-экспедитор автотранспортного средства для перевозки скоропортящихся продуктов"
)

# A tiny pattern in place of a real code: the page needs no server to be seen.
_CODE: Final = (
    "data:image/svg+xml;utf8,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 9 9'>"
    "<path d='M0 0h3v3H0zM6 0h3v3H6zM0 6h3v3H0zM4 0h1v2H4zM4 3h2v1H4zM7 4h2v1H7zM3 5h2v1H3z"
    "M6 6h1v1H6zM8 6h1v2H8zM4 7h1v2H4zM6 8h2v1H6z'/></svg>"
)

_APPLICATIONS: Final = (
    ("ЭМК-2026-000417", "27.03.2026", "На проверке", "waiting", "3"),
    ("ЭМК-2026-000398", "02.03.2026", "Требуется уточнение", "danger", "12"),
    ("ЭМК-2025-011204", "14.11.2025", "Одобрено", "success", "5"),
)


def kit() -> rx.Component:
    """Show the kit inside the frame of a signed-in person."""
    return page_frame(
        _buttons(),
        _messages(),
        _steps(),
        _fields(),
        _wrong_fields(),
        _choices(),
        _files(),
        _badges(),
        _facts(),
        _tables(),
        _states(),
        _dialogs(),
        _history(),
        _codes(),
        _verdicts(),
        _pages(),
        title="Части экрана",
        lead="Всё, из чего собраны страницы, в каждом состоянии: пусто, загрузка, ошибка, занято.",
        menu=_MENU,
        current=ROUTE,
        person="Константинопольская М. А.",
        back=("Ко всем заявкам", "/cabinet/applications"),
        actions=secondary_button("Новая заявка", rx.noop(), icon="plus"),
        demo=True,
    )


def _buttons() -> rx.Component:
    return section(
        "Кнопки и ссылки",
        card(
            actions(
                primary_button("Отправить заявку", rx.noop()),
                secondary_button("Сохранить черновик", rx.noop()),
                quiet_button("Отмена", rx.noop()),
                danger_button("Отозвать ссылку", rx.noop()),
            ),
            actions(
                primary_button("Отправить заявку", busy=True, busy_text="Отправляем…"),
                secondary_button("Проверяем", busy=True),
                primary_button("Подписать заключение", disabled=True),
                secondary_button("Скачать", disabled=True),
            ),
            actions(
                button_link("Продолжить", ROUTE, icon="arrow-right"),
                download_link("Скачать выписку, PDF, 84 КБ", "/favicon.svg"),
                copy_button("Скопировать ссылку", "https://emk.example/v/ABCD"),
                share_button("Поделиться", "https://emk.example/v/ABCD", title="Медкнижка"),
                print_button(),
            ),
            save_links(
                save_link("Список, PDF", "/favicon.svg"),
                save_link("Список, CSV", "/favicon.svg"),
            ),
            actions(
                primary_button(
                    "Подтвердить получение электронной личной медицинской книжки и перейти к "
                    "скачиванию выписки",
                    rx.noop(),
                ),
            ),
            rx.el.p(
                "Внутренняя ",
                link("ссылка на экран", ROUTE),
                ", ссылка на ",
                plain_link("файл сервера", "/favicon.svg"),
                " и ссылка на ",
                external_link("сайт Роспотребнадзора", "https://www.rospotrebnadzor.ru/"),
                ".",
            ),
        ),
    )


def _messages() -> rx.Component:
    return section(
        "Сообщения",
        message_region("Черновик сохранён в 14:05.", "Нет ответа от реестра клиник."),
        notice("Ответ приходит за 3–7 рабочих дней.", title="Сроки", tone="info"),
        notice("Осмотр пройден, ждём заключение председателя комиссии.", tone="neutral"),
        notice(
            rx.el.p("Осталось 12 дней. ", link("Продлить книжку", ROUTE)),
            title="Срок книжки заканчивается",
            tone="waiting",
        ),
        notice("Книжка подписана и выдана.", title="Готово", tone="success"),
        notice(
            "СНИЛС в заявке не совпадает с полисом. Исправьте его и отправьте заявку снова.",
            title="Требуется уточнение",
            tone="danger",
        ),
    )


def _steps() -> rx.Component:
    return section(
        "Шаги",
        card(
            wizard_steps(
                (
                    Step("Данные", "done", ROUTE),
                    Step("Документы", "error", ROUTE),
                    Step("Медорганизация", "current"),
                    Step("Проверка и отправка", "upcoming"),
                )
            ),
        ),
        card(
            wizard_steps(
                (
                    Step("Данные", "done", ROUTE),
                    Step("Документы", "done", ROUTE),
                    Step("Медорганизация", "done", ROUTE),
                    Step("Проверка и отправка", "current"),
                ),
                label="Шаги заявки, последний",
            ),
        ),
    )


def _fields() -> rx.Component:
    return section(
        "Поля",
        card(
            form(
                text_field(
                    "Фамилия, имя, отчество",
                    "full_name",
                    auto_complete="name",
                    hint="Как в паспорте. Нет отчества — не пишите его.",
                ),
                field_row(date_field("Дата рождения", "born_on"), snils_field()),
                field_row(
                    phone_field(),
                    text_field(
                        "Электронная почта",
                        "email",
                        type="email",
                        auto_complete="email",
                        required=False,
                        hint="Сюда придёт копия уведомлений",
                    ),
                ),
                fieldset(
                    "Адрес регистрации",
                    text_field(
                        "Индекс",
                        "postcode",
                        width="tiny",
                        input_mode="numeric",
                        max_length=6,
                        auto_complete="postal-code",
                        default_value="190000",
                    ),
                    text_field(
                        "Город, улица, дом, квартира",
                        "address",
                        auto_complete="street-address",
                        default_value="Санкт-Петербург, наб. канала Грибоедова, д. 174А, кв. 12",
                    ),
                ),
                select_field(
                    "Работа",
                    "occupation",
                    [("", "Выберите"), ("cook", "Повар"), ("driver", _LONG)],
                    placeholder="",
                ),
                text_field("Гемоглобин", "haemoglobin", suffix="г/л", width="short"),
                text_field("Стоимость осмотра", "price", prefix="до", suffix="₽", width="short"),
                password_field(
                    hint="Не короче 12 знаков",
                    new=True,
                    name="kit_password",
                    meter=strength_meter(rx.Var.create(2), rx.Var.create("Хороший пароль.")),
                ),
                code_field(hint="Шесть цифр из приложения или СМС"),
                textarea_field(
                    "Комментарий для клиники",
                    "comment",
                    required=False,
                    hint="Не пишите здесь диагнозы и номера документов.",
                ),
                text_field(
                    "Номер заявки", "number", default_value="ЭМК-2026-000417", disabled=True
                ),
                actions(
                    primary_button("Сохранить и продолжить", type="submit"),
                    quiet_button("Вернуться к данным"),
                ),
                on_submit=rx.noop(),
            ),
            title="Данные владельца",
            level=3,
        ),
    )


def _wrong_fields() -> rx.Component:
    return section(
        "Ошибки в форме",
        card(
            error_summary(
                [
                    ("wrong_snils", "В СНИЛС 11 цифр, а введено 10"),
                    ("wrong_until", "Дата рождения не может быть в будущем"),
                    ("wrong_consent", "Без согласия заявку нельзя отправить"),
                ]
            ),
            form(
                snils_field(
                    name="wrong_snils",
                    default_value="112-233-445 9",
                    error="В СНИЛС 11 цифр, а введено 10. Проверьте последние две.",
                ),
                date_field(
                    "Дата рождения",
                    "wrong_until",
                    default_value="27.03.2990",
                    error="Дата рождения не может быть в будущем.",
                ),
                password_field(name="wrong_password", error="Пароль не подходит к этому входу."),
                select_field(
                    "Регион",
                    "wrong_region",
                    [("78", "Санкт-Петербург")],
                    error="Выберите регион.",
                ),
                checkbox_field(
                    "Согласен на обработку персональных данных",
                    "wrong_consent",
                    error="Без согласия заявку нельзя отправить.",
                ),
                on_submit=rx.noop(),
            ),
        ),
    )


def _choices() -> rx.Component:
    return section(
        "Выбор",
        card(
            radio_cards(
                "Как подтвердить вход",
                "factor",
                (
                    Choice("totp", "Код из приложения", "Работает без связи и без СМС"),
                    Choice("sms", "Код из СМС", "Придёт на номер, оканчивающийся на 67-89"),
                ),
                value="totp",
                hint="Способ можно сменить в разделе «Безопасность».",
                columns=2,
            ),
            radio_cards(
                "Решение",
                "decision",
                (Choice("approve", "Одобрить"), Choice("reject", "Отклонить")),
                value="",
                error="Выберите решение.",
            ),
            checkbox_field(
                rx.fragment(
                    "Я согласен на ",
                    link("обработку персональных данных", ROUTE),
                    " и понимаю, что сведения о здоровье увидит только клиника",
                ),
                "consent",
                default_checked=True,
            ),
            checkbox_field(
                "Показывать мою фамилию при проверке",
                "show_name",
                hint="Иначе работодатель увидит только «Действует» и срок.",
            ),
            checkbox_field("Недоступно, пока не подтверждён телефон", "locked", disabled=True),
            search_box(
                "Найти клинику", "clinic", placeholder="Название или ОКПО", on_submit=rx.noop()
            ),
            search_box("Фамилия или номер заявки", "queue", busy=True),
        ),
    )


def _files() -> rx.Component:
    def passport(name: str, **props: Any) -> rx.Component:
        return file_field(
            "Паспорт: разворот с фотографией",
            name,
            upload_url="/demo/upload",
            limit_bytes=2 * 1024 * 1024,
            limit_text="PDF или JPEG до 2 МБ",
            hint="Цветной, все углы видны, без бликов.",
            **props,
        )

    loaded: dict[str, Any] = {
        "file_name": "паспорт-разворот-константинопольская-мария-александровна.pdf",
        "file_details": "PDF, 1,2 МБ, загружен сегодня в 14:05",
        "pages": ["/favicon.svg"],
        "on_remove": rx.noop(),
    }
    return section(
        "Файлы",
        card(
            passport("scan_empty", fields={"kind": "passport"}),
            passport("scan_loaded", **loaded),
            passport("scan_checking", file_name="паспорт.jpg", checking=True),
            passport("scan_wrong", error="Скан чёрно-белый. Нужен цветной."),
            passport("scan_closed", disabled=True, required=False),
            send_form(
                picked_file(
                    "Файл .pfx",
                    "kit_container",
                    accept=".pfx",
                    limit_bytes=128 * 1024,
                    limit_text="Не больше 128 КБ",
                ),
                password_field("Пароль от этого файла", "kit_password", kept=False),
                refusal("kit_password", ("wrong_password",)),
                send_url="/demo/upload",
                send="Подписать",
                sending="Подписываем…",
            ),
        ),
    )


def _badges() -> rx.Component:
    return section(
        "Статусы",
        card(
            rx.el.div(
                badge("Черновик"),
                badge("Получено", "info"),
                badge("На проверке", "waiting"),
                badge("Одобрено", "success"),
                badge("Требуется уточнение", "danger"),
                class_name="flex flex-wrap gap-3",
            ),
            rx.el.div(
                track("Документы", "success", "Проверены"),
                track("Осмотр", "waiting", "Ждём результаты анализов"),
            ),
        ),
        stats(
            stat("Ждут решения", "14", hint="3 дольше 10 дней", tone="danger"),
            stat("На осмотре сегодня", "27", tone="info"),
            stat("Выдано за месяц", "1 204", hint="на 8 % больше, чем в феврале", tone="success"),
        ),
    )


def _facts() -> rx.Component:
    return section(
        "Карточки и списки",
        card(
            summary_list(
                summary_row(
                    "Фамилия, имя, отчество",
                    "Константинопольская Мария Александровна",
                    change_href=ROUTE,
                    change_what="фамилию, имя, отчество",
                ),
                summary_row("СНИЛС", "112-233-445 95", change_href=ROUTE),
                summary_row("Работа", _LONG, change_href=ROUTE, change_what="работу"),
                summary_row("Электронная почта", "", change_href=ROUTE, change_what="почту"),
                summary_row("Статус", badge("На проверке", "waiting")),
            ),
            title="Проверьте данные",
            actions=badge("Черновик"),
            level=3,
        ),
        card(
            rx.el.p("Действует до 26.03.2031 включительно, осталось 1 825 дней."),
            progress(60, "Готово 3 из 5 исследований"),
            actions(primary_button("Продлить", rx.noop()), secondary_button("Выписка", rx.noop())),
            title="Медкнижка № 78-2026-000417",
            tone="success",
            level=3,
        ),
        details(
            "Почему нужен СНИЛС",
            prose(
                rx.el.p("По нему клиника находит карту и передаёт результаты:"),
                rx.el.ul(rx.el.li("в реестр медкнижек;"), rx.el.li("в вашу медкарту.")),
            ),
        ),
    )


def _tables() -> rx.Component:
    return section(
        "Таблицы",
        card(
            data_table(
                (
                    "Номер",
                    "Подана",
                    "Статус",
                    Column("Дней в работе", numeric=True),
                    Column("Действия", hidden=True),
                ),
                _APPLICATIONS,
                _application_cells,
                caption="Мои заявки",
                show_caption=True,
            ),
            pager(1, 12, on_page=lambda _page: rx.noop()),
        ),
        card(
            data_table(
                ("Номер", "Подана"),
                (),
                _application_cells,
                caption="Отозванные заявки",
                empty=empty_state(
                    "Отозванных заявок нет",
                    "Здесь появятся заявки, которые вы отзовёте до осмотра.",
                    button_link("Подать заявку", ROUTE, kind="secondary"),
                ),
            ),
        ),
        card(
            data_table(
                ("Номер",), (), _application_cells, caption="Очередь проверки", loading=True
            ),
        ),
    )


def _application_cells(row: Sequence[str]) -> list[Any]:
    number, filed, status, tone, days = row
    return [
        link(number, ROUTE),
        filed,
        badge(status, tone),
        days,
        secondary_button("Открыть", rx.noop(), custom_attrs={"aria-label": f"Открыть {number}"}),
    ]


def _states() -> rx.Component:
    return section(
        "Пусто, загрузка, ошибка, готово",
        loading("Загружаем список клиник…"),
        empty_state(
            "Ничего не нашлось",
            "Проверьте, нет ли опечатки, или ищите по ОКПО: это 8 или 10 цифр.",
            icon_name="search",
        ),
        error_state("Не получилось открыть очередь", incident="7F3A-91C2", on_retry=rx.noop()),
        result_panel(
            "Заявка отправлена",
            "Ответ придёт за 3–7 рабочих дней. Номер понадобится в клинике.",
            number="ЭМК-2026-000417",
        ),
        result_panel("Заявка ждёт уточнения", number="ЭМК-2026-000398", tone="waiting"),
        result_panel("Заявка отклонена", number="ЭМК-2026-000399", tone="danger"),
    )


def _dialogs() -> rx.Component:
    return section(
        "Окна",
        card(
            actions(
                dialog_button("Что увидит работодатель", "kit-about", icon="eye"),
                dialog_button("Отозвать ссылку", "kit-revoke", kind="danger"),
            ),
        ),
        dialog(
            "kit-about",
            "Что увидит работодатель",
            rx.el.p("Действует ли книжка, до какого дня и для каких работ. Диагнозов не увидит."),
            actions=(close_button("Понятно", kind="primary"),),
        ),
        confirm_dialog(
            "kit-revoke",
            "Отозвать ссылку «Отдел кадров»?",
            "QR‑код по ней сразу перестанет открываться. Вернуть её нельзя, можно создать новую.",
            confirm="Отозвать ссылку",
            on_confirm=rx.noop(),
        ),
    )


def _history() -> rx.Component:
    return section(
        "История",
        card(
            timeline(
                timeline_entry(
                    "Требуется уточнение",
                    "27.03.2026, 14:05",
                    by="Оператор",
                    text="Скан полиса обрезан снизу. Загрузите его снова, номер заявки останется.",
                    tone="danger",
                    current=True,
                ),
                timeline_entry("На проверке", "27.03.2026, 10:12", by="Оператор", tone="waiting"),
                timeline_entry("Получено", "26.03.2026, 18:40", by="Автопроверка", tone="success"),
                timeline_entry("Отправлено", "26.03.2026, 18:39", by="Вы", tone="info"),
                timeline_entry("Черновик", "20.03.2026, 09:00", by="Вы"),
            ),
        ),
    )


def _codes() -> rx.Component:
    return section(
        "QR‑код",
        rx.el.div(
            qr_plate(
                _CODE,
                alt="QR‑код медкнижки",
                caption="Действует до 26.03.2031",
                code="emk.example/v/ABCD-EFGH",
            ),
            qr_plate(_CODE, alt="QR‑код для приложения", code="JBSW Y3DP EHPK 3PXP", size="small"),
            class_name="flex flex-wrap gap-6 items-start",
        ),
        dialog_button("На весь экран", "kit-full", icon="fit"),
        full_screen_qr(
            "kit-full", _CODE, alt="QR‑код медкнижки", caption="Электронная медицинская книжка"
        ),
    )


def _verdicts() -> rx.Component:
    facts = (
        ("Работы", "Общественное питание; торговля пищевыми продуктами"),
        ("Выдана", "27.03.2026, версия 3"),
        ("Издатель", "ЭМК Онлайн, клиника «Здоровье на Невском»"),
    )
    compare = "Сравните имя с паспортом: ссылку мог показать не её владелец."
    return section(
        "Вердикт проверки",
        rx.el.div(
            verdict(
                tone="success",
                word="Действует",
                until="до 26.03.2031 включительно",
                sentence="Подпись верна, версия последняя, все осмотры в сроке.",
                name="Константинопольская М. А., 1990",
                compare=compare,
                facts=facts,
                hash_short="9F3A-61C2",
                hash_full="9f3a61c2" * 8,
                checked_at="14:05:09",
                level=2,
            ),
            verdict(
                tone="waiting",
                word="Не подтверждена",
                sentence="Книжка настоящая, но срок профилактического осмотра вышел 01.03.2026.",
                advice=("Не допускайте к работе с продуктами.", "Попросите пройти осмотр."),
                checked_at="14:05:09",
                level=2,
            ),
            verdict(
                tone="danger",
                word="Не действует",
                sentence="Срок книжки закончился 26.03.2026.",
                advice=("Попросите владельца продлить книжку и показать новый код.",),
                checked_at="14:05:09",
                level=2,
            ),
            verdict(
                tone="neutral",
                word="Не найдена",
                sentence="Такого кода нет. Проверьте, что он отсканирован целиком.",
                level=2,
            ),
            class_name="grid gap-6 md:grid-cols-2 items-start",
        ),
    )


def _pages() -> rx.Component:
    return section(
        "Длинные слова",
        card(
            rx.el.p(
                "Государственное бюджетное учреждение здравоохранения «Консультативно-"
                "диагностический центр профилактической медицины Красногвардейского района»; "
                "рентгеноэлектрокардиографического, "
                "дерматовенерологооториноларингологического."
            ),
        ),
    )


PAGES: Final = (Page(ROUTE, "Части экрана", kit, demo_only=True),)
