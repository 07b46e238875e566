"""Who lives in the demo world; nobody of them exists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from emk_app.domain.actors import Position, Role

PASSWORD: Final = "демо медкнижка 2026"


@dataclass(frozen=True, slots=True)
class Resident:
    """One person of the demo world."""

    role: Role
    login: str
    name: str
    totp_secret: str
    about: str
    """What the person is there to show, in Russian."""
    clinic: int | None = None
    """Which of the two demo clinics employs the person: 0 or 1."""
    position: Position | None = None
    specialties: tuple[str, ...] = ()


DRAFT_HOLDER: Final = Resident(
    Role.HOLDER, "anna@example.ru", "Соколова Анна Игоревна", "ANNA2222ANNA2222ANNA2222ANNA2222",
    "владелец: заявка не дописана",
)  # fmt: skip
WAITING_HOLDER: Final = Resident(
    Role.HOLDER, "+79125550102", "Ёлкин Борис Львович", "BORIS222BORIS222BORIS222BORIS222",
    "владелец: заявка на проверке, осмотр начат",
)  # fmt: skip
MINOR_HOLDER: Final = Resident(
    Role.HOLDER, "vera@example.ru", "Клёнова Вера Павловна", "VERA2222VERA2222VERA2222VERA2222",
    "владелец младше 18 лет: заявку подала мать, записана на осмотр",
)  # fmt: skip
BOOK_HOLDER: Final = Resident(
    Role.HOLDER, "500100732259", "Иванова Мария Сергеевна", "MARIA222MARIA222MARIA222MARIA222",
    "владелец: книжка действует",
)  # fmt: skip
EXPIRED_HOLDER: Final = Resident(
    Role.HOLDER, "pavel@example.ru", "Громов Павел Андреевич", "PAVEL222PAVEL222PAVEL222PAVEL222",
    "владелец: срок книжки истёк",
)  # fmt: skip
REVOKED_HOLDER: Final = Resident(
    Role.HOLDER, "olga@example.ru", "Белова Ольга Петровна", "OLGA2222OLGA2222OLGA2222OLGA2222",
    "владелец: книжка аннулирована",
)  # fmt: skip
OPERATOR: Final = Resident(
    Role.OPERATOR, "operator1@example.ru", "Орлова Ксения Олеговна",
    "OPER2222OPER2222OPER2222OPER2222", "оператор",
)  # fmt: skip
CHAIR: Final = Resident(
    Role.CLINIC, "chair1@example.ru", "Седов Виктор Ильич", "CHAIR222CHAIR222CHAIR222CHAIR222",
    "председатель комиссии, первая медорганизация", 0, Position.CHAIR,
)  # fmt: skip

EMPLOYER: Final = Resident(
    Role.EMPLOYER, "employer@example.ru", "Кафе на Мира", "EMPL2222EMPL2222EMPL2222EMPL2222",
    "работодатель: список сотрудников",
)  # fmt: skip

SUPPORT: Final = Resident(
    Role.SUPPORT, "support1@example.ru", "Синицына Дарья Олеговна",
    "HELP2222HELP2222HELP2222HELP2222", "поддержка: обращения ждут ответа",
)  # fmt: skip

RESIDENTS: Final = (
    DRAFT_HOLDER,
    WAITING_HOLDER,
    MINOR_HOLDER,
    BOOK_HOLDER,
    EXPIRED_HOLDER,
    REVOKED_HOLDER,
    OPERATOR,
    Resident(
        Role.OPERATOR, "operator2@example.ru", "Лужин Семён Ефимович",
        "OPERB222OPERB222OPERB222OPERB222", "второй оператор",
    ),
    Resident(
        Role.CLINIC, "registrar1@example.ru", "Зимина Алла Юрьевна",
        "REGA2222REGA2222REGA2222REGA2222", "регистратор, первая медорганизация",
        0, Position.REGISTRAR,
    ),
    Resident(
        Role.CLINIC, "doctor1@example.ru", "Кротов Денис Павлович",
        "DOCA2222DOCA2222DOCA2222DOCA2222", "терапевт, первая медорганизация",
        0, Position.PHYSICIAN, ("therapist",),
    ),
    Resident(
        Role.CLINIC, "laboratory1@example.ru", "Белкина Нина Фёдоровна",
        "DOCB2222DOCB2222DOCB2222DOCB2222", "врач лаборатории, первая медорганизация",
        0, Position.PHYSICIAN, ("laboratory", "functional", "radiologist", "ultrasound"),
    ),
    Resident(
        Role.CLINIC, "specialist1@example.ru", "Журавлёв Олег Борисович",
        "DOCC2222DOCC2222DOCC2222DOCC2222", "врач-специалист, первая медорганизация",
        0, Position.PHYSICIAN,
        ("ophthalmologist", "neurologist", "psychiatrist", "narcologist", "gynecologist", "ent",
         "dermatologist", "dentist", "occupational"),
    ),
    CHAIR,
    Resident(
        Role.CLINIC, "chair2@example.ru", "Юдина Раиса Фёдоровна",
        "CHAIRB22CHAIRB22CHAIRB22CHAIRB22", "председатель комиссии, вторая медорганизация",
        1, Position.CHAIR,
    ),
    EMPLOYER,
    SUPPORT,
    Resident(
        Role.SUPPORT, "support2@example.ru", "Чайкин Илья Маркович",
        "HELPB222HELPB222HELPB222HELPB222", "второй сотрудник поддержки",
    ),
    Resident(
        Role.ADMIN, "admin@example.ru", "Администратор",
        "ADMIN222ADMIN222ADMIN222ADMIN222", "администратор",
    ),
    Resident(
        Role.ADMIN, "admin2@example.ru", "Второй администратор",
        "ADMINB22ADMINB22ADMINB22ADMINB22", "второй администратор: подтверждает решения первого",
    ),
)  # fmt: skip
