"""What a holder does: fills the form in, shows papers, chooses a clinic, hands in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

from playwright.sync_api import Locator, Page, expect

from emk_app.demo import papers
from emk_app.domain.documents import ScanKind
from emk_app.domain.people import Sex
from emk_app.domain.policies import Enp
from tests.running import REGIONS, Server

POLICY: Final = Enp.issue(77, date(1990, 3, 27), Sex.FEMALE, 12345).digits
NUMBER: Final = re.compile(r"ЭМК-[\d-]+")


@dataclass(frozen=True)
class Applicant:
    """What somebody writes into the form."""

    last: str = "Берёзкина"
    first: str = "Алёна"
    patronymic: str = "Игоревна"
    birth: str = "27.03.1990"
    sex: str = "Женский"
    series: str = "4510"
    passport: str = "406933"
    issued: str = "20.04.2010"
    unit: str = "770-045"
    snils: str = "112-233-445 95"
    policy: str = POLICY
    phone: str = "+7 912 345-67-89"
    index: str = "109012"
    address: str = "г. Москва, ул. Ильинка, д. 4, кв. 7"
    occupation: str = "Повар, пекарь, кондитер"
    kind: str = "Предварительный"

    @property
    def texts(self) -> Mapping[str, str]:
        """Return what is typed, by the label of its field."""
        return {
            "Фамилия": self.last,
            "Имя": self.first,
            "Отчество": self.patronymic,
            "Дата рождения": self.birth,
            "Серия паспорта": self.series,
            "Номер паспорта": self.passport,
            "Дата выдачи паспорта": self.issued,
            "Код подразделения": self.unit,
            "СНИЛС": self.snils,
            "Номер полиса ОМС": self.policy,
            "Мобильный телефон": self.phone,
            "Почтовый индекс": self.index,
            "Адрес регистрации": self.address,
        }

    def keep_private(self, server: Server) -> None:
        """Let the server's log be searched for all of it."""
        told = (self.index, self.series)
        server.keep_private(*(text for text in self.texts.values() if text not in told))
        server.keep_private(re.sub(r"\D", "", self.snils), re.sub(r"\D", "", self.phone)[1:])


RIGHT: Final = Applicant()
MISTAKEN: Final = replace(
    RIGHT,
    last="Bерёзкина",
    birth="31.02.1990",
    snils="112-233-445 96",
    policy=POLICY[:-1] + str((int(POLICY[-1]) + 1) % 10),
    phone="8 495 000",
    index="10901",
)


def field(page: Page, label: str) -> Locator:
    """Return the control that the label names; an optional one has a word more in its label."""
    return page.get_by_label(re.compile(f"^{re.escape(label)}( \\(?необязательно\\)?)?$"))


def fill_details(page: Page, applicant: Applicant = RIGHT) -> None:
    """Fill the first step in, field by field, as they are left."""
    for label, text in applicant.texts.items():
        control = field(page, label)
        control.fill(text)
        control.blur()
    tick(page.get_by_role("radio", name=applicant.sex))
    field(page, "Профессия").select_option(label=applicant.occupation)
    tick(page.get_by_role("radio", name=applicant.kind))


def tick(control: Locator) -> None:
    """Choose an answer or agree, and wait until it is seen to be chosen."""
    control.click()
    expect(control).to_be_checked()


def problem_of(page: Page, label: str) -> str:
    """Return what is said beside a field, as a screen reader finds it."""
    control = field(page, label)
    expect(control).to_have_attribute("aria-invalid", "true")
    described = control.get_attribute("aria-describedby") or ""
    texts = [page.locator(f"[id='{each}']") for each in described.split()]
    return " ".join(each.inner_text() for each in texts if each.is_visible())


def is_right(page: Page, label: str) -> None:
    """Wait until nothing is said against the field."""
    expect(field(page, label)).not_to_have_attribute("aria-invalid", "true")


def paper(folder: Path, kind: ScanKind, applicant: Applicant = RIGHT) -> Path:
    """Return the file of a scan that says who the applicant is."""
    name = f"{applicant.last} {applicant.first} {applicant.patronymic}"
    file = folder / f"{kind.value}.jpg"
    if not file.exists():
        file.write_bytes(papers.picture(kind, {"ФИО": name, "Дата рождения": applicant.birth}))
    return file


def show_papers(page: Page, folder: Path) -> None:
    """Send the two scans that every application needs."""
    for label, kind in (("Паспорт", ScanKind.PASSPORT), ("Полис ОМС", ScanKind.POLICY)):
        choose_file(page, label, paper(folder, kind))
        file_field(page, label).get_by_role("button", name="Посмотреть").wait_for()


def file_field(page: Page, label: str) -> Locator:
    """Return the whole field of a file: name, buttons, messages."""
    return page.locator("[data-upload-url]").filter(
        has=page.locator("label", has_text=re.compile(f"^{re.escape(label)}"))
    )


def choose_file(page: Page, label: str, file: Path) -> None:
    """Choose a file, which is sent at once."""
    file_field(page, label).locator("input[type=file]:not([capture])").set_input_files(file)


def clinic_of(server: Server, number: int) -> tuple[str, str]:
    """Return short name and ОКПО of a clinic with staff: 1 or 2."""
    region = REGIONS[number - 1]
    return server.rows(
        "SELECT short_name, okpo FROM clinics WHERE region_code = ? ORDER BY id LIMIT 1", region
    )[0]  # type: ignore[return-value]


def choose_clinic(page: Page, server: Server, number: int = 1) -> None:
    """Find a clinic by its ОКПО, and choose it."""
    name, okpo = clinic_of(server, number)
    search = page.get_by_label("Название или код ОКПО")
    search.fill(okpo)
    page.get_by_role("button", name=f"Выбрать {name}").click()
    page.get_by_text("Вы выбрали").wait_for()


def next_step(page: Page, name: str) -> None:
    """Go on to the step whose button has ``name``."""
    page.get_by_role("button", name=f"Далее: {name}").click()


def fill_in(page: Page, server: Server, folder: Path, applicant: Applicant = RIGHT) -> None:
    """Fill the whole form in, from the first step to the last."""
    applicant.keep_private(server)
    page.goto("/cabinet/apply")
    page.wait_for_url("**/apply/details")
    fill_details(page, applicant)
    next_step(page, "документы")
    page.wait_for_url("**/apply/papers")
    show_papers(page, folder)
    next_step(page, "медорганизация")
    page.wait_for_url("**/apply/clinic")
    choose_clinic(page, server)
    next_step(page, "проверка")
    page.wait_for_url("**/apply/review")
    tick(page.get_by_role("checkbox", name=re.compile("согласен")))


def hand_in(page: Page) -> str:
    """Hand the application in; return its number as shown."""
    page.get_by_role("button", name="Отправить заявку").click()
    page.get_by_text("Заявка отправлена").first.wait_for()
    found = NUMBER.search(page.locator("main").inner_text())
    assert found, "no number on the screen"
    return found.group()
