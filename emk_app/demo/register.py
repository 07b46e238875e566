"""A made-up register of clinics with numbers that pass every check, the same at every start."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Final, TextIO

from emk_app import clock
from emk_app.domain.actors import SYSTEM
from emk_app.domain.clinics import ClinicKind, LicenceStatus
from emk_app.domain.numbers import inn10_check_digit, ogrn_check_digit, okpo_check_digit
from emk_app.domain.regions import REGIONS
from emk_app.domain.register import HEADER, Entry, written
from emk_app.services import importing

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
FIRST_PARTS: Final = (
    *("Авиа", "Аква", "Альфа", "Аура", "Био", "Вита", "Гармо", "Гео", "Дельта", "Евро", "Здрав"),
    *("Инте", "Ладо", "Лайф", "Люкс", "Мед", "Мил", "Невро", "Нова", "Омни", "Орто", "Пульс"),
    *("Росто", "Сана", "Сибир", "Смарт", "Термо", "Ультра", "Фарм", "Форму", "Эко", "Юни"),
)
LAST_PARTS: Final = (
    *("вита", "град", "дар", "дент", "диагностика", "клиник", "корпус", "лаб", "лайн", "лекарь"),
    *("мастер", "медика", "мир", "норма", "плюс", "порт", "профи", "пункт", "резерв", "сервис"),
    *("союз", "стандарт", "терра", "трест", "фактор", "холдинг", "центрум", "экспресс"),
)
TOWN_FIRST: Final = (
    *("Бело", "Верхне", "Высоко", "Горно", "Дальне", "Железно", "Зелено", "Камено", "Красно"),
    *("Лесо", "Мало", "Медно", "Мирно", "Нижне", "Ново", "Приозёрно", "Светло", "Северо"),
    *("Сосново", "Старо", "Степно", "Трёх", "Усть-", "Черно"),
)
TOWN_LAST: Final = (
    *("борск", "бродск", "водск", "горск", "заводск", "знаменск", "каменск", "ключевск"),
    *("кузнецк", "лугинск", "михайловск", "озёрск", "павловск", "песчанск", "полянск"),
    *("реченск", "рудинск", "сельск", "уральск", "холмск", "шахтинск", "ярск"),
)
NAMESAKES: Final = (
    *("С. П. Боткина", "Н. И. Пирогова", "Н. В. Склифосовского", "Г. А. Захарьина"),
    *("В. М. Бехтерева", "Ф. Ф. Эрисмана", "И. М. Сеченова", "А. А. Остроумова"),
    *("П. Г. Выжлецова", "Е. О. Мухина", "М. Я. Мудрова", "В. П. Филатова"),
)
HOURS: Final = (
    "пн–пт 8:00–20:00, сб 9:00–14:00",
    "пн–пт 7:30–19:00",
    "пн–сб 8:00–18:00",
)


def entries(count: int = 0) -> Iterator[Entry]:
    """Yield the register: ``A_REGION`` clinics of each region, or ``count`` in all.

    The first three of a region can always be chosen, for any work.
    """
    chance = random.Random(SEED)
    a_region, over = divmod(count, len(REGIONS)) if count else (A_REGION, 0)
    serial = 0
    for at, (code, region) in enumerate(REGIONS.items()):
        for number in range(1, a_region + (at < over) + 1):
            serial += 1
            yield _entry(chance, code, region, number, serial)


def write(file: TextIO, made: Iterable[Entry]) -> int:
    """Write a register as its import reads it; return how many clinics."""
    writer = csv.DictWriter(file, HEADER, delimiter=";", lineterminator="\r\n")
    writer.writeheader()
    count = 0
    for entry in made:
        writer.writerow(written(entry))
        count += 1
    return count


def load(count: int = 0) -> int:
    """Put the register into the database, once; return how many clinics were added."""
    return importing.put_all(SYSTEM, entries(count), now=clock.now()).added


def _entry(chance: random.Random, code: str, region: str, number: int, serial: int) -> Entry:
    kind = chance.choice(tuple(ClinicKind))
    # Most of a large register stands outside the chief town.
    is_capital = number <= A_REGION or chance.random() < 0.2
    town = CAPITALS[code] if is_capital else chance.choice(TOWN_FIRST) + chance.choice(TOWN_LAST)
    name, short_name = _names(chance, kind, town, number)
    points = ["23", "24", "25", "26", "27"]
    if number > 3:
        points = sorted(chance.sample(points, chance.randint(2, 5)))
    status = LicenceStatus.ACTIVE
    if number > 3:
        status = chance.choices(_LICENCES, (92, 4, 4))[0]
    inn = f"{code}{1 + (serial // 100_000 * 7 + number) % 99:02}{serial % 100_000:05}"
    ogrn = f"1{chance.randint(2, 26):02}{code}{serial:07}"
    okpo = f"{1_000_000 + serial * 37 % 8_999_999:07}"
    oid = f"1.2.643.5.1.13.13.12.2.{int(code)}.{serial}"
    return Entry(
        oid=oid,
        name=name,
        short_name=short_name,
        kind=kind,
        region_code=code,
        inn=inn + inn10_check_digit(inn),
        kpp=f"{inn[:4]}01001",
        ogrn=ogrn + ogrn_check_digit(ogrn),
        okpo=okpo + okpo_check_digit(okpo),
        federal_id=str(500_000 + serial),
        subject_id=str(200_000 + serial),
        subject_name=name[:350],
        department=f"Орган управления здравоохранением: {region}",
        address=f"г. {town}, ул. {chance.choice(STREETS)}, д. {chance.randint(1, 120)}",
        phone=f"+7 800 555-{serial // 100 % 100:02}-{serial % 100:02}",
        hours=chance.choice(HOURS),
        licence_number=f"Л041-{1000 + serial % 90_000:05}-{code}/{chance.randint(1, 999_999):08}",
        licence_status=status,
        licensed_on=date(2012, 1, 1) + timedelta(days=chance.randint(0, 4700)),
        has_electronic_policy=chance.random() < 0.6,
        is_connected=chance.random() < 0.85 or number == 1,
        has_oms_contract=chance.random() < 0.7,
        points=",".join(points),
        is_demo=True,
    )


_LICENCES: Final = (LicenceStatus.ACTIVE, LicenceStatus.SUSPENDED, LicenceStatus.ENDED)


def _names(chance: random.Random, kind: ClinicKind, town: str, number: int) -> tuple[str, str]:
    """Return the full and the short name; numbers keep names of one town apart."""
    if chance.random() < 0.25:
        brand = f"{chance.choice(PRIVATE)}-{number}"
        if number > A_REGION:
            brand = chance.choice(FIRST_PARTS) + chance.choice(LAST_PARTS)
        return (
            f"Общество с ограниченной ответственностью «Медицинский центр „{brand}“», {town}",
            f"ООО «МЦ „{brand}“»",
        )
    # In towns numbers begin anew, and some clinics bear a name as well.
    shown = number if number <= A_REGION else chance.randint(1, 200)
    match kind:
        case ClinicKind.POLYCLINIC:
            core = f"Городская поликлиника № {shown}"
        case ClinicKind.HOSPITAL:
            core = f"Городская клиническая больница № {shown}"
        case ClinicKind.CENTRE:
            core = f"Центр профессиональной патологии № {shown}"
    if number > A_REGION and chance.random() < 0.2:
        core += f" имени {chance.choice(NAMESAKES)}"
    return (
        f"Государственное бюджетное учреждение здравоохранения «{core}», {town}",
        f"ГБУЗ «{core}», {town}",
    )
