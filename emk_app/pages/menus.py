"""One menu per role (design.md section 2)."""

from __future__ import annotations

from typing import Final

Menu = list[tuple[str, str]]

NOTICES: Final = "/cabinet/notices"
HELP: Final = "/help"
SCHEDULE: Final = "/clinic/schedule"
RECORDS: Final = "/clinic/records"

HOLDER_MENU: Final[Menu] = [
    ("Главная", "/cabinet"),
    ("Мои заявки", "/cabinet/applications"),
    ("Запись на осмотр", "/cabinet/visits"),
    ("Мои документы", "/cabinet/book"),
    ("Уведомления", NOTICES),
    ("Поддержка", "/cabinet/support"),
]
CLINIC_MENU: Final[Menu] = [
    ("Осмотры", "/clinic"),
    ("Расписание", SCHEDULE),
    ("Книжка по коду", RECORDS),
    ("Сотрудники", "/clinic/staff"),
    ("Поддержка", "/clinic/support"),
]
OPERATOR_MENU: Final[Menu] = [
    ("Заявки", "/review"),
    ("Книжки", "/books"),
    ("Изменение данных", "/changes"),
    ("Обращения", "/requests"),
]
STAFF_UPLOADS: Final = "/employer/uploads"
MEMBERS: Final = "/employer/members"
EMPLOYER_MENU: Final[Menu] = [
    ("Сотрудники", "/employer"),
    ("Сводка", "/employer/report"),
    ("Ключи для программ", "/employer/api"),
    ("Загрузить список", STAFF_UPLOADS),
    ("Доступ к кабинету", MEMBERS),
    ("Проверить книжку", "/check"),
    ("Поддержка", "/employer/support"),
]
SUPPORT_MENU: Final[Menu] = [
    ("Обращения", "/support"),
    ("Проверить книжку", "/check"),
]
REGISTER: Final = "/admin/clinics"
NEWS: Final = "/admin/news"
ANSWERS: Final = "/admin/answers"
ADMIN_MENU: Final[Menu] = [
    ("Состояние", "/admin"),
    ("Люди", "/admin/people"),
    ("Реестр медорганизаций", REGISTER),
    ("Сообщения", "/admin/outbox"),
    ("Задания", "/admin/jobs"),
    ("Ключи", "/admin/keys"),
    ("Журнал", "/admin/audit"),
    ("Справочники", "/admin/reference"),
    ("Готовые ответы", ANSWERS),
    ("Возможности", "/admin/switches"),
    ("Тревоги", "/admin/alerts"),
    ("Удаление данных", "/admin/erasures"),
    ("Новости", NEWS),
]
