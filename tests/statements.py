"""Conclusions for tests of the exchange, and the systems that send them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from emk_app.crypto.messages import ServiceKey
from emk_app.domain.actors import SYSTEM
from emk_app.domain.clearance import Conclusion, Fitness
from emk_app.domain.examinations import ExaminationKind, ItemKind
from emk_app.domain.exchange import Organisation, Shot, Statement, Study
from emk_app.domain.people import FullName, Sex
from emk_app.domain.vaccinations import RecordKind
from emk_app.services import exchanging

FOREIGN_OID = "1.2.643.5.1.13.13.12.2.78.5001"


def made(**changed: Any) -> Statement:
    """Return a conclusion about the person of ``factories.FORM`` with everything one can have."""
    values: dict[str, Any] = {
        "application": "SPB-2026-77",
        "version": 1,
        "signed_at": datetime(2026, 11, 20, 12, 30, 5, tzinfo=UTC),
        "name": FullName("Иванова", "Мария", "Сергеевна"),
        "born_on": date(1990, 3, 27),
        "sex": Sex.FEMALE,
        "snils": "11223344595",
        "referred_on": date(2026, 11, 12),
        "kind": ExaminationKind.PRE_PLACEMENT,
        "point": "23",
        "work": "Работы на предприятиях пищевых производств",
        "occupation": "Повар",
        "book_number": "770100001226",
        "clinic": Organisation(
            FOREIGN_OID,
            "СПб ГБУЗ «Поликлиника № 5» & Ко",
            "1027700132195",
            "г. Санкт-Петербург, Невский пр., д. 1",
            "+7 812 000-00-00",
        ),
        "chair_id": "c0ffee" * 5,
        "chair": "Юдина Раиса Фёдоровна",
        "commission": ("Юдина Раиса Фёдоровна", "Кротов Денис Павлович"),
        "studies": (
            Study("therapist", "Терапевт", ItemKind.PHYSICIAN, "no_contraindications",
                  "противопоказаний нет", False, date(2026, 11, 19), date(2027, 11, 18)),
            Study("glucose", "Глюкоза натощак", ItemKind.LAB, "6.4", "6,4 ммоль/л", True,
                  date(2026, 11, 18), date(2027, 11, 17), "Лаборатория № 2", "АБВ-100", "№ 12/7"),
            Study("ecg", "Электрокардиография в покое", ItemKind.INSTRUMENTAL, "normal", "норма",
                  False, date(2026, 11, 18), date(2027, 11, 17)),
            Study("bp", "Артериальное давление", ItemKind.MEASUREMENT, "118/76",
                  "118/76 мм рт. ст.", False, date(2026, 11, 19), date(2027, 11, 18)),
            Study("hygiene", "Гигиеническая подготовка", ItemKind.ATTESTATION, "2026-11-17",
                  "17.11.2026", False, date(2026, 11, 17), date(2027, 11, 16)),
            Study("further_1", "УЗИ щитовидной железы", ItemKind.FURTHER, "normal", "норма", False,
                  date(2026, 11, 20), None),
        ),
        "shots": (
            Shot("rubella", "Краснуха", RecordKind.HAD_DISEASE, date(1996, 5, 1)),
            Shot("measles", "Корь", RecordKind.DONE, date(2020, 2, 3), "RV", "ЖКВ", "А-12"),
            Shot("hepatitis_b", "Гепатит B", RecordKind.IMMUNE, date(2024, 2, 3)),
            Shot("influenza", "Грипп", RecordKind.EXEMPTION, date(2026, 10, 1),
                 until=date(2027, 1, 31)),
            Shot("diphtheria", "Дифтерия", RecordKind.REFUSAL, date(2026, 10, 1)),
        ),
        "conclusion": Conclusion(Fitness.FIT_WITH_RESTRICTIONS, "без ночных смен < 22:00"),
    }  # fmt: skip
    return Statement(**(values | changed))


def partner(now: datetime, *oids: str, signs_receipts: bool = False) -> ServiceKey:
    """Return the key of a system that has just been registered for these organisations."""
    key = ServiceKey.generate()
    exchanging.add_partner(
        SYSTEM,
        "МИС Северная",
        key.public,
        key.key_id,
        oids=oids or (FOREIGN_OID,),
        signs_receipts=signs_receipts,
        now=now,
    )
    return key
