"""A made-up register of clinics with numbers that pass every check, the same at every start."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import select

from emk_app.db.engine import unit_of_work
from emk_app.db.repositories.clinics import folded
from emk_app.db.tables.clinics import Clinic
from emk_app.domain.clinics import ClinicKind, LicenceStatus
from emk_app.domain.numbers import inn10_check_digit, ogrn_check_digit, okpo_check_digit
from emk_app.domain.regions import REGIONS

A_REGION: Final = 24
SEED: Final = 29

_CAPITALS: Final = """
01:Майкоп 02:Уфа 03:Улан-Удэ 04:Горно-Алтайск 05:Махачкала 06:Магас 07:Нальчик 08:Элиста
09:Черкесск 10:Петрозаводск 11:Сыктывкар 12:Йошкар-Ола 13:Саранск 14:Якутск 15:Владикавказ
16:Казань 17:Кызыл 18:Ижевск 19:Абакан 20:Грозный 21:Чебоксары 22:Барнаул 23:Краснодар
24:Красноярск 25:Владивосток 26:Ставрополь 27:Хабаровск 28:Благовещенск 29:Архангельск
30:Астрахань 31:Белгород 32:Брянск 33:Владимир 34:Волгоград 35:Вологда 36:Воронеж 37:Иваново
38:Иркутск 39:Калининград 40:Калуга 41:Петропавловск-Камчатский 42:Кемерово 43:Киров
44:Кострома 45:Курган 46:Курск 47:Гатчина 48:Липецк 49:Магадан 50:Красногорск 51:Мурманск
52:Нижний_Новгород 53:Великий_Новгород 54:Новосибирск 55:Омск 56:Оренбург 57:Орёл 58:Пенза
59:Пермь 60:Псков 61:Ростов-на-Дону 62:Рязань 63:Самара 64:Саратов 65:Южно-Сахалинск
66:Екатеринбург 67:Смоленск 68:Тамбов 69:Тверь 70:Томск 71:Тула 72:Тюмень 73:Ульяновск
74:Челябинск 75:Чита 76:Ярославль 77:Москва 78:Санкт-Петербург 79:Биробиджан 83:Нарьян-Мар
86:Ханты-Мансийск 87:Анадырь 89:Салехард 90:Мелитополь 91:Симферополь 92:Севастополь 93:Донецк
94:Луганск 95:Геническ
"""
CAPITALS: Final = {pair[:2]: pair[3:].replace("_", " ") for pair in _CAPITALS.split()}
"""Chief towns by the code of the region."""

STREETS: Final = (
    "Ленина",
    "Мира",
    "Гагарина",
    "Садовая",
    "Советская",
    "Пушкина",
    "Лермонтова",
    "Школьная",
    "Больничный переулок",
    "Набережная",
    "Кирова",
    "Победы",
)
PRIVATE: Final = ("Здоровье", "Профмед", "Медосмотр", "Диагност", "Эскулап", "Забота", "Ориентир")
HOURS: Final = (
    "пн–пт 8:00–20:00, сб 9:00–14:00",
    "пн–пт 7:30–19:00",
    "пн–сб 8:00–18:00",
)


def clinics() -> Iterator[Clinic]:
    """Yield the register, region by region."""
    chance = random.Random(SEED)
    serial = 0
    for code, region in REGIONS.items():
        for number in range(1, A_REGION + 1):
            serial += 1
            yield _clinic(chance, code, region, number, serial)


def load() -> int:
    """Put the register into the database, once; return how many clinics were added."""
    with unit_of_work() as db:
        known = set(db.exec(select(Clinic.oid)).all())
        fresh: list[dict[str, Any]] = [
            clinic.model_dump(exclude={"id"}) for clinic in clinics() if clinic.oid not in known
        ]
        if fresh:
            db.exec(sa.insert(Clinic), params=fresh)
    return len(fresh)


def _clinic(chance: random.Random, code: str, region: str, number: int, serial: int) -> Clinic:
    kind = chance.choice(tuple(ClinicKind))
    city = CAPITALS[code]
    name, short_name = _names(chance, kind, city, number)
    points = ["23", "24", "25", "26", "27"]
    if number > 3:
        points = sorted(chance.sample(points, chance.randint(2, 5)))
    status = LicenceStatus.ACTIVE
    if number > 3:
        status = chance.choices(tuple(LicenceStatus), (92, 4, 4))[0]
    inn = f"{code}{chance.randint(1, 99):02}{serial:05}"
    ogrn = f"1{chance.randint(2, 26):02}{code}{serial:07}"
    okpo = f"{1_000_000 + serial * 37 % 8_999_999:07}"
    return Clinic(
        oid=f"1.2.643.5.1.13.13.12.2.{int(code)}.{serial}",
        name=name,
        short_name=short_name,
        search_name=folded(f"{name} {short_name} {city} {region}"),
        kind=kind,
        region_code=code,
        inn=inn + inn10_check_digit(inn),
        ogrn=ogrn + ogrn_check_digit(ogrn),
        okpo=okpo + okpo_check_digit(okpo),
        address=f"г. {city}, ул. {chance.choice(STREETS)}, д. {chance.randint(1, 120)}",
        phone=f"+7 800 555-{serial // 100 % 100:02}-{serial % 100:02}",
        hours=chance.choice(HOURS),
        licence_number=f"Л041-{1000 + serial:05}-{code}/{chance.randint(1, 999_999):08}",
        licence_status=status,
        licensed_on=date(2012, 1, 1) + timedelta(days=chance.randint(0, 4700)),
        has_electronic_policy=chance.random() < 0.6,
        is_connected=chance.random() < 0.85 or number == 1,
        has_oms_contract=chance.random() < 0.7,
        points=",".join(points),
        is_demo=True,
    )


def _names(chance: random.Random, kind: ClinicKind, city: str, number: int) -> tuple[str, str]:
    """Return the full and the short name; numbers keep names of one city apart."""
    if chance.random() < 0.25:
        brand = f"{chance.choice(PRIVATE)}-{number}"
        return (
            f"Общество с ограниченной ответственностью «Медицинский центр „{brand}“», {city}",
            f"ООО «МЦ „{brand}“»",
        )
    match kind:
        case ClinicKind.POLYCLINIC:
            core = f"Городская поликлиника № {number}"
        case ClinicKind.HOSPITAL:
            core = f"Городская клиническая больница № {number}"
        case ClinicKind.CENTRE:
            core = f"Центр профессиональной патологии № {number}"
    return (
        f"Государственное бюджетное учреждение здравоохранения «{core}», {city}",
        f"ГБУЗ «{core}», {city}",
    )
