"""Scans of passports that never were: a hundred people, three qualities, every way of lying."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO
from itertools import cycle

from PIL import Image, ImageChops, ImageFilter

from emk_app.demo import papers
from emk_app.domain import mrz
from emk_app.domain.documents import MediaType
from emk_app.domain.passports import Passport
from emk_app.domain.people import FullName, Sex
from tests.files.good import lines_pdf

QUALITIES = ("clean", "phone", "low")

# Every letter of the alphabet, doubles, no patronymic, the longest and the shortest.
_MEN = (
    ("Подъячев", "Артём", "Сергеевич"),
    ("Цой", "Ян", None),
    ("Щербаков-Хитрово", "Эдуард", "Юрьевич"),
    ("Ёлкин", "Фёдор", "Ильич"),
    ("Жигулёвцев", "Всеволод", "Вячеславович"),
    ("Рахимбердиев", "Абдулмуталиб", "Нурмухаммедович"),
    ("Широких", "Пётр", "Игоревич"),
)
_WOMEN = (
    ("Кузьмина", "Юлия", "Эдуардовна"),
    ("Чернышёва", "Анна-Мария", "Фёдоровна"),
    ("Ли", "Ия", None),
    ("Объедкова", "Зинаида", "Геннадьевна"),
    ("Йорданова", "Цветана", "Христова"),
    ("Гусейнова", "Айгюн", "Эльчин кызы"),
)


@dataclass(frozen=True)
class Specimen:
    """One scan with what its passport says."""

    quality: str
    turned: int
    name: FullName
    sex: Sex
    born_on: date
    passport: Passport
    media_type: MediaType
    content: bytes


def specimens(count: int, seed: int = 20261125) -> Iterator[Specimen]:
    """Yield scans, the same for the same seed; three in four lie upright."""
    chance = random.Random(seed)
    names = cycle(
        [(FullName(*each), Sex.MALE) for each in _MEN]
        + [(FullName(*each), Sex.FEMALE) for each in _WOMEN]
    )
    qualities = cycle(QUALITIES)
    for number in range(count):
        name, sex = next(names)
        issued_on = date(2011, 7, 2) + timedelta(days=chance.randrange(5400))
        born_on = date(issued_on.year - 14 - chance.randrange(60), 1, 1) - timedelta(
            days=chance.randrange(300)
        )
        passport = Passport(
            f"{chance.randrange(10_000):04}",
            f"{chance.randrange(1_000_000):06}",
            issued_on,
            f"{chance.randrange(1_000_000):06}",
        )
        quality = next(qualities)
        turned = chance.choice((90, 180, 270)) if number % 4 == 3 else 0
        picture = taken(papers.passport(name, sex, born_on, passport), quality, chance)
        picture = picture.rotate(turned, expand=True)
        is_pdf = number % 10 == 9
        yield Specimen(
            quality,
            turned,
            name,
            sex,
            born_on,
            passport,
            MediaType.PDF if is_pdf else MediaType.JPEG,
            pdf(picture) if is_pdf else papers.jpeg(picture, _JPEG[quality]),
        )


_JPEG = {"clean": 90, "phone": 70, "low": 75}


def taken(page: Image.Image, quality: str, chance: random.Random) -> Image.Image:
    """Return the page as a scanner, a phone or a poor scanner sees it."""
    if quality == "low":
        return page.resize((520, 520 * page.height // page.width), Image.Resampling.BILINEAR)
    if quality == "phone":
        return _photographed(page, chance)
    return page


def _photographed(page: Image.Image, chance: random.Random) -> Image.Image:
    """On a table, at an angle, in bad light, not quite sharp."""
    table = (120, 105, 90)
    wide, high = page.size
    photo = Image.new("RGB", (wide * 6 // 5, high * 6 // 5), table)
    photo.paste(page, (wide // 10, high // 10))
    shift = [chance.uniform(-0.015, 0.015) * photo.width for _ in range(8)]
    corners = (0, 0, 0, photo.height, photo.width, photo.height, photo.width, 0)
    quad = tuple(at + by for at, by in zip(corners, shift, strict=True))
    photo = photo.transform(
        photo.size, Image.Transform.QUAD, quad, Image.Resampling.BICUBIC, fillcolor=table
    )
    photo = photo.rotate(
        chance.uniform(-2.5, 2.5), Image.Resampling.BICUBIC, expand=True, fillcolor=table
    )
    light = (
        Image.linear_gradient("L").resize(photo.size).point(lambda value: 150 + value * 105 // 255)
    )
    photo = ImageChops.multiply(photo, light.convert("RGB"))
    noise = Image.effect_noise(photo.size, 14).convert("RGB")
    photo = Image.blend(photo, ImageChops.overlay(photo, noise), 0.5)
    return photo.filter(ImageFilter.GaussianBlur(0.8))


def pdf(picture: Image.Image, *more: Image.Image) -> bytes:
    """Return what a scanner makes of the pages."""
    file = BytesIO()
    picture.save(file, "PDF", resolution=150, save_all=True, append_images=more)
    return file.getvalue()


def text_pdf(specimen: Specimen) -> bytes:
    """Return a PDF that says the zone in letters, as programs of scanners add it."""
    return lines_pdf(*_zone(specimen))


def _zone(specimen: Specimen) -> tuple[str, str]:
    return mrz.encode(
        specimen.name,
        series=specimen.passport.series,
        number=specimen.passport.number,
        born_on=specimen.born_on,
        sex=specimen.sex,
        issued_on=specimen.passport.issued_on,
        unit_code=specimen.passport.unit_code,
    )
