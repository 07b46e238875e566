"""Build the demo world: the same every time, and safe to build twice."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from pyotp.totp import TOTP
from sqlmodel import col, select

from emk_app import clock
from emk_app.db.engine import reading
from emk_app.db.tables.clinics import Clinic
from emk_app.demo import people, register, stories
from emk_app.demo.people import PASSWORD, RESIDENTS, Resident
from emk_app.domain.actors import Actor, Role
from emk_app.domain.news import Release, Typed
from emk_app.domain.people import Sex
from emk_app.domain.support import Subject
from emk_app.services import accounts, publishing, sharing, supporting
from emk_app.services.employing import Said
from emk_app.settings import settings

CLINIC_REGIONS: Final = ("77", "78")
"""The first clinic of each of these regions has demo staff."""
NEWS: Final = (
    (
        9,
        "Книжку можно проверить без интернета",
        "Откройте страницу проверки один раз, пока связь есть, и она останется в телефоне.\n\n"
        "Дальше QR-код читается и без сети: видно, чья книжка, до какого числа она действует и "
        "цела ли подпись.",
    ),
    (
        2,
        "Запись на осмотр: что изменилось",
        "Теперь в кабинете можно:\n\n"
        "- выбрать день и время в медорганизации, которую вы указали в заявке\n"
        "- перенести или отменить запись не позже чем за два часа\n"
        "- добавить осмотр в календарь телефона\n\n"
        "О записи мы напомним накануне.",
    ),
)
"""How many days ago, title, text."""


def build() -> None:
    """Fill the register, settle the residents and tell what happened to them."""
    register.load()
    clinic_ids = demo_clinics()
    actors = {resident.login: settle(resident, clinic_ids) for resident in RESIDENTS}
    tell_stories(actors, clock.now())
    admin = next(actor for actor in actors.values() if actor.role is Role.ADMIN)
    tell_tickets(actors, clock.now())
    tell_news(admin, clock.now())


def tell_stories(actors: Mapping[str, Actor], now: datetime) -> None:
    """Bring each holder to the stage they are there to show; a told story is not told again."""
    operator, chair = actors[people.OPERATOR.login], actors[people.CHAIR.login]
    assert chair.clinic_id is not None
    stories.open_rooms(chair, now)

    anna = actors[people.DRAFT_HOLDER.login]
    if not stories.has_applied(anna):
        form = stories.form_of(
            people.DRAFT_HOLDER.name, "02.06.1994", Sex.FEMALE, 101, "teacher", "+79125550101"
        )
        stories.begin_draft(anna, dict(list(form.items())[:6]), now - timedelta(days=1))

    boris = actors[people.WAITING_HOLDER.login]
    if not stories.has_applied(boris):
        form = stories.form_of(
            people.WAITING_HOLDER.name, "19.01.1987", Sex.MALE, 102, "cook", "+79125550102"
        )
        number = stories.hand_in(boris, form, chair.clinic_id, now - timedelta(days=2))
        examination_id = stories.open_examination(chair, number, now - timedelta(hours=3))
        stories.enter_results(chair, examination_id, now - timedelta(hours=2), at_most=6)

    vera = actors[people.MINOR_HOLDER.login]
    if not stories.has_applied(vera):
        # Of an age that stays between 16 and 17.
        form = stories.form_of(
            people.MINOR_HOLDER.name,
            f"01.09.{now.year - 17}",
            Sex.FEMALE,
            106,
            "cook",
            "+79125550106",
            passport_at=14,
        )
        form = stories.by_mother(form, "Клёнова Ирина Сергеевна")
        number = stories.hand_in(vera, form, chair.clinic_id, now - timedelta(hours=5))
        stories.book_visit(vera, number, now)

    maria = actors[people.BOOK_HOLDER.login]
    if not stories.has_applied(maria):
        form = stories.form_of(
            people.BOOK_HOLDER.name, "27.03.1990", Sex.FEMALE, 103, "cook", "+79125550103"
        )
        book_id = stories.make_book(maria, operator, chair, form, now - timedelta(days=20))
        stories.share(maria, book_id, "для кафе на Мира", 90, now - timedelta(days=15))

    pavel = actors[people.EXPIRED_HOLDER.login]
    if not stories.has_applied(pavel):
        form = stories.form_of(
            people.EXPIRED_HOLDER.name, "11.11.1979", Sex.MALE, 104, "cook", "+79125550104"
        )
        issued_at = now - timedelta(days=5 * 366 + 30)
        book_id = stories.make_book(pavel, operator, chair, form, issued_at)
        stories.share(pavel, book_id, "старая ссылка", 365, now - timedelta(days=300))

    olga = actors[people.REVOKED_HOLDER.login]
    if not stories.has_applied(olga):
        form = stories.form_of(
            people.REVOKED_HOLDER.name, "30.08.1983", Sex.FEMALE, 105, "cook", "+79125550105"
        )
        book_id = stories.make_book(olga, operator, chair, form, now - timedelta(days=60))
        stories.share(olga, book_id, "для столовой", 90, now - timedelta(days=50))
        stories.revoke(operator, book_id, now - timedelta(days=40))

    stories.employ(
        actors[people.EMPLOYER.login],
        {
            people.BOOK_HOLDER.login: (maria, Said("Иванова М. С.", "014", "Кухня", "cook")),
            people.EXPIRED_HOLDER.login: (pavel, Said("Громов П. А.", "008", "Кухня", "cook")),
            people.REVOKED_HOLDER.login: (olga, Said("Белова О. П.", "021", "Зал", "waiter")),
        },
        {people.DRAFT_HOLDER.login: Said("Соколова А. И.", "", "Зал", "waiter")},
        now,
    )


def tell_tickets(actors: Mapping[str, Actor], now: datetime) -> None:
    """Ask support a few things, where nothing has ever been asked."""
    support = actors[people.SUPPORT.login]
    boris, maria = actors[people.WAITING_HOLDER.login], actors[people.BOOK_HOLDER.login]
    employer = actors[people.EMPLOYER.login]
    if stories.has_asked(boris):
        return
    numbers = supporting.applications_of(boris)
    stories.ask_support(
        boris,
        Subject.APPLICATION,
        "Документы отправил, осмотр начал. Скажите, всё ли дошло и что ещё от меня нужно?",
        now - timedelta(days=4),
        number=numbers[0].slug,
    )
    ticket = stories.ask_support(
        maria,
        Subject.BOOK,
        "Закрыла ссылку для кафе, а открыть её снова не получается. Как быть?",
        now - timedelta(days=3),
    )
    stories.answer_support(
        support,
        ticket,
        "Здравствуйте! Закрытую ссылку открыть нельзя, но можно сделать новую: «Мои документы» → "
        "«Показать книжку».",
        now - timedelta(days=2),
    )
    stories.ask_support(
        employer,
        Subject.ERROR,
        "При выгрузке списка появилась страница с ошибкой. Повторили, стало нормально.",
        now - timedelta(hours=2),
        incident="40371920",
    )


def tell_news(admin: Actor, now: datetime) -> None:
    """Publish what the news begin with, where nothing has ever been written."""
    if publishing.desk(admin):
        return
    for ago, title, text in NEWS:
        at = now - timedelta(days=ago)
        publishing.write(admin, Typed(title, text, Release.NOW.value, ""), now=at)


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


def settle(resident: Resident, clinic_ids: tuple[int, ...]) -> Actor:
    """Make the resident's account, or find it; return who acts when the resident does."""
    clinic_id = None if resident.clinic is None else clinic_ids[resident.clinic]
    user_id = accounts.create_user(
        resident.role,
        resident.login,
        PASSWORD,
        totp_secret=resident.totp_secret,
        name=resident.name,
        clinic_id=clinic_id,
        position=resident.position,
        own_specialties=resident.specialties,
        is_demo=True,
        now=clock.now(),
    )
    return Actor(user_id, resident.role, clinic_id=clinic_id, position=resident.position)


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
    print("\nСсылки, которые открывает работодатель:")
    for holder in (people.BOOK_HOLDER, people.EXPIRED_HOLDER, people.REVOKED_HOLDER):
        for link in sharing.links(settle(holder, ()), now=now):
            print(f"  {link.url} — {holder.name}, {holder.about.partition(': ')[2]}")
    print(
        "\nКоды меняются каждые 30 секунд; свежие покажет `make codes`. "
        f"СМС и письма: {settings().origin}/demo/outbox\n"
    )
