"""Build the demo world: the same every time, and safe to build twice."""

from __future__ import annotations

from typing import Final

from pyotp.totp import TOTP
from sqlmodel import col, select

from emk_app import clock
from emk_app.db.engine import reading
from emk_app.db.tables.clinics import Clinic
from emk_app.demo import register
from emk_app.demo.people import PASSWORD, RESIDENTS, Resident
from emk_app.services import accounts
from emk_app.settings import settings

CLINIC_REGIONS: Final = ("77", "78")
"""The first clinic of each of these regions has demo staff."""


def build() -> None:
    """Fill the register and settle the residents."""
    register.load()
    clinic_ids = demo_clinics()
    for resident in RESIDENTS:
        settle(resident, clinic_ids)


def demo_clinics() -> tuple[int, ...]:
    """Return the identities of the clinics that have demo staff."""
    with reading() as db:
        return tuple(
            db.exec(
                select(Clinic.id)
                .where(Clinic.region_code == code)
                .order_by(col(Clinic.id))
                .limit(1)
            ).one()
            for code in CLINIC_REGIONS
        )


def settle(resident: Resident, clinic_ids: tuple[int, ...]) -> int:
    """Make the resident's account, or find it; return its identity."""
    return accounts.create_user(
        resident.role,
        resident.login,
        PASSWORD,
        totp_secret=resident.totp_secret,
        name=resident.name,
        clinic_id=None if resident.clinic is None else clinic_ids[resident.clinic],
        position=resident.position,
        is_demo=True,
        now=clock.now(),
    )


def print_people() -> None:
    """Print who may sign in, with the codes of this half minute."""
    now = clock.now()
    wide = max(len(resident.login) for resident in RESIDENTS)
    print(f"\nДемонстрационные люди. Пароль у всех: {PASSWORD}\n")
    print(f"{'Логин':<{wide}}  Код     Ключ для приложения с кодами      Кто это")
    for resident in RESIDENTS:
        code = TOTP(resident.totp_secret).at(now)
        print(
            f"{resident.login:<{wide}}  {code}  {resident.totp_secret}  "
            f"{resident.name} — {resident.about}"
        )
    print(
        "\nКоды меняются каждые 30 секунд; свежие покажет `make codes`. "
        f"СМС и письма: {settings().origin}/demo/outbox\n"
    )
