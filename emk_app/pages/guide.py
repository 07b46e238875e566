"""Who needs a book, which papers, how long: each fact from the tables the program itself uses."""

from __future__ import annotations

from itertools import groupby

import reflex as rx

from emk_app.components import buttons, cards
from emk_app.domain.documents import LIMITS, ScanKind
from emk_app.domain.occupations import OCCUPATIONS
from emk_app.pages import frames
from emk_app.pages.table import Page
from emk_app.presenting.formats import NBSP, file_size

PAPERS = (
    "Паспорт: цветной скан страницы с фотографией",
    "Полис ОМС: цветной скан или файл из личного кабинета страховой",
    "СНИЛС: понадобится номер, 11 цифр",
    "Телефон и адрес регистрации с индексом",
)
LAWS = (
    "Федеральный закон № 52-ФЗ (статья 34), приказы Минздрава № 90н, № 29н и № 1122н, законы "
    "№ 152-ФЗ о персональных данных и № 63-ФЗ об электронной подписи."
).replace("№ ", f"№{NBSP}")
DIFFERENCES = (
    ("Где лежит", "В вашем кабинете. Потерять или испортить её нельзя."),
    ("Как проверяют", "По QR-коду за секунду: действует ли, до какого числа, для какой работы."),
    ("Что видит работодатель", "Только вердикт и срок. Анализы, диагнозы и прививки — никогда."),
    ("Подделка", "Каждая версия подписана; изменишь один знак — проверка скажет об этом."),
    ("Осмотр", "Проходят лично в медорганизации: по закону он очный."),
)


def guide() -> rx.Component:
    """Return the page for whoever asks whether and how."""
    groups = groupby(OCCUPATIONS.values(), key=lambda occupation: occupation.group)
    return frames.open_to_all(
        cards.section(
            "Профессии",
            rx.el.div(
                *(
                    rx.el.div(
                        rx.el.h3(group, class_name="font-semibold"),
                        rx.el.ul(
                            *(rx.el.li(occupation.name) for occupation in occupations),
                            class_name="mt-1 list-disc space-y-1 pl-5",
                        ),
                    )
                    for group, occupations in groups
                ),
                class_name="grid gap-6 sm:grid-cols-2 lg:grid-cols-3",
            ),
        ),
        cards.section(
            "Что подготовить",
            rx.el.ul(
                *(rx.el.li(paper) for paper in PAPERS),
                class_name="list-disc space-y-1 pl-5",
            ),
            rx.el.p(
                "Сканы — PDF или JPEG: паспорт и полис до "
                f"{file_size(LIMITS[ScanKind.PASSPORT])}, остальные документы до "
                f"{file_size(LIMITS[ScanKind.WORK_CERTIFICATE])}.",
                class_name="mt-3",
            ),
        ),
        cards.section(
            "Сколько это занимает",
            rx.el.p(
                "От трёх до семи рабочих дней: документы проверяют один-два дня, заключение "
                "после осмотра готовят один-три. Пока мы ждём уточнения от вас, срок не идёт.",
                class_name="max-w-3xl",
            ),
        ),
        cards.section(
            "Чем отличается от бумажной",
            cards.summary_list(*(cards.summary_row(term, text) for term, text in DIFFERENCES)),
        ),
        cards.section(
            "На чём это основано",
            rx.el.p(
                LAWS,
                class_name="max-w-3xl",
            ),
        ),
        buttons.actions(
            buttons.button_link("Оформить книжку", "/register", icon="arrow-right"),
        ),
        title="Кому нужна книжка и как её получить",
        current="/guide",
    )


PAGES = (Page("/guide", "Кому нужна книжка и как её получить", guide),)
