"""The guide: who needs a book, papers, steps, terms, questions; and the search over all of it.

Every number, age, term and list is read from the tables by which the program itself decides. None
is typed here: ``tests/unit/test_guide.py`` refuses a digit and a numeral in these texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from itertools import groupby
from typing import Final

from emk_app.domain import (
    books,
    clearance,
    deadlines,
    documents,
    examinations,
    occupations,
    people,
    representation,
    sharing,
)
from emk_app.domain.documents import ScanKind
from emk_app.domain.examinations import HYGIENE, ORDER, ExaminationKind, listed_studies, programme
from emk_app.domain.intake import AppliedBy, Field, HolderCategory
from emk_app.domain.numbers import SNILS_DIGITS
from emk_app.domain.occupations import OCCUPATIONS, POINTS, offered
from emk_app.domain.papers import MEDICAL_POINT, papers
from emk_app.domain.people import Sex
from emk_app.domain.reminders import MARKS
from emk_app.domain.representation import Basis
from emk_app.domain.searching import Query, hits, stem, words_of
from emk_app.domain.typos import is_mistakable, nearest
from emk_app.domain.vaccinations import INFECTIONS
from emk_app.domain.visits import Bring, everything_to_bring
from emk_app.presenting.applications import BASES, CATEGORIES, KINDS, SCAN_KINDS, paper_name
from emk_app.presenting.finding import FoundRow, as_rows
from emk_app.presenting.formats import NBSP, counted, file_size, plural

LAWS: Final = (
    "Федеральный закон № 52-ФЗ (статья 34), приказы Минздрава № 90н, № 29н и № 1122н, законы "
    "№ 152-ФЗ о персональных данных и № 63-ФЗ об электронной подписи."
).replace("№ ", f"№{NBSP}")
NO_WORDS: Final = "Введите слово, например «повар», «паспорт», «срок» или «работодатель»."
NOTHING: Final = (
    "Ничего не нашлось. Попробуйте другое слово или только его начало, либо прочитайте разделы "
    "ниже."
)
SHOWN: Final = 20
AMENDABLE: Final = ("who", "examination", "terms")
"""Topics that tell of occupations and studies, which are amended (decisions 0036, 0042)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that is told."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Topic:
    """A section of the page."""

    id: str
    title: str
    entries: tuple[Entry, ...]
    lead: str = ""


def topics(on: date) -> tuple[Topic, ...]:
    """Return the whole guide as of a day, in the order of the page."""
    return (
        Topic("who", "Кому нужна книжка", tuple(_works(on)), _WHO),
        Topic("papers", "Что подготовить", tuple(_papers())),
        Topic("steps", "Как её получить", tuple(_steps()), promise()),
        Topic("examination", "Что входит в осмотр", tuple(_examination(on)), _EXAMINATION),
        Topic("terms", "Сколько что действует", tuple(_terms(on))),
        Topic("paper", "Чем отличается от бумажной", tuple(_differences())),
        Topic("questions", "Вопросы", tuple(_questions())),
        Topic("laws", "На чём это основано", (Entry("Законы и приказы", (LAWS,)),)),
    )


@cache
def shipped() -> tuple[Topic, ...]:
    """Return the guide as the tables ship and the built page tells it; no amendment is that old."""
    return topics(ORDER.first)


def _told(on: date) -> tuple[Topic, ...]:
    return _told_by(on, occupations.amendments(), examinations.amendments())


@lru_cache(maxsize=2)
def _told_by(on: date, *_amendments: object) -> tuple[Topic, ...]:
    # A tenth of a second, for the programmes of all ages. What is amended tells editions apart.
    return topics(on)


def amended(on: date) -> dict[str, tuple[Entry, ...]]:
    """Return by their ids the topics that no longer say what ``shipped`` says."""
    return {
        told.id: told.entries
        for told, built in zip(_told(on), shipped(), strict=True)
        if told.id in AMENDABLE and told.entries != built.entries
    }


_WHO: Final = (
    "Тем, кого перед работой и во время неё осматривают по приказу Минздрава: ниже виды работ и "
    "профессии. Найдите свою."
)


_EXAMINATION: Final = (
    "Что именно нужно вам, решают вид работы, возраст и пол: список появится в заявке. Действующие "
    "исследования не повторяют."
)


def promise() -> str:
    """Return how long all of it takes."""
    return (
        f"Всё вместе — от {deadlines.SHORTEST_DAYS} до {_working_days(deadlines.LONGEST_DAYS)}. "
        f"Документы проверяют не дольше {_working_days(deadlines.PAPERS_DAYS)}, заключение после "
        f"осмотра готовят не дольше {_working_days(deadlines.CONCLUSION_DAYS)}. Пока мы ждём "
        "уточнения от вас, срок не идёт."
    )


def term() -> str:
    """Return how long a book lasts."""
    usual = books.years_of_validity(representation.FULL_AGE)
    others = "; ".join(
        f"{_years(books.years_of_validity(age))}, если {said}" for age, said in _other_ages(usual)
    )
    return f"Книжка действует {_years(usual)} со дня выдачи" + (f" ({others})." if others else ".")


def _works(on: date) -> Iterator[Entry]:
    for group, found in groupby(offered(on), key=lambda each: each.group):
        yield Entry(group, tuple(each.name for each in found))


def _papers() -> Iterator[Entry]:
    always = papers({}).required
    yield Entry(
        "Каждому",
        (
            *(f"{SCAN_KINDS[kind]}: {_scan_of(kind)}" for kind in always),
            f"{SCAN_KINDS[ScanKind.SNILS]}: понадобится номер, {_digits()}",
            "Мобильный телефон и адрес регистрации с почтовым индексом",
        ),
    )
    for category in HolderCategory:
        fields = {Field.CATEGORY.value: category.value}
        if more := _more(fields, always):
            yield Entry(f"{CATEGORIES[category]}: дополнительно", more)
    medical = next(each for each in OCCUPATIONS.values() if each.point == MEDICAL_POINT)
    yield Entry(
        f"{POINTS[MEDICAL_POINT].short_name}: дополнительно",
        _more({Field.OCCUPATION.value: medical.code}, always),
    )
    for basis in Basis:
        fields = {
            Field.APPLIED_BY.value: AppliedBy.REPRESENTATIVE.value,
            Field.REPRESENTATIVE_BASIS.value: basis.value,
        }
        yield Entry(
            f"За владельца подаёт представитель ({_lower(BASES[basis])}): дополнительно",
            _more(fields, always),
        )
    yield Entry("Можно приложить", tuple(SCAN_KINDS[kind] for kind in papers({}).offered))
    yield Entry("Какими должны быть файлы", (file_rules(),))
    for kind in ExaminationKind:
        yield Entry(
            f"Что взять на осмотр: {_lower(KINDS[kind].text)}",
            tuple(_to_bring(each) for each in everything_to_bring(kind)),
        )


def file_rules() -> str:
    """Return what scans have to be."""
    small = {documents.LIMITS[kind] for kind in papers({}).required}
    others = {documents.LIMITS[kind] for kind in ScanKind} - small
    pages = counted(documents.MAX_PAGES, "страницы", "страниц", "страниц")
    return (
        f"Сканы — PDF или JPEG: паспорт и полис до {_sizes(small)}, остальные документы до "
        f"{_sizes(others)}. В одном PDF — не больше {pages}."
    )


def _steps() -> Iterator[Entry]:
    late = _working_days(deadlines.LATE_DAYS)
    yield Entry(
        "Подайте заявку",
        ("Заполните форму и приложите сканы. Черновик сохраняется сам, к нему можно вернуться.",),
    )
    yield Entry(
        "Дождитесь проверки документов",
        (
            f"Оператор смотрит их не дольше {_working_days(deadlines.PAPERS_DAYS)}. Если что-то "
            "не так, он напишет, что исправить, и заявка не потеряется.",
        ),
    )
    yield Entry(
        "Пройдите осмотр",
        (
            "Выберите медорганизацию и время. Осмотр проходят лично: по закону он очный. Ход "
            "осмотра виден в кабинете.",
        ),
    )
    yield Entry(
        "Подтвердите получение",
        (
            "Комиссия подписывает заключение, книжка появляется в кабинете. Нажмите «Подтвердить "
            "получение», и её можно показывать.",
        ),
    )
    yield Entry(
        "Покажите книжку",
        ("Дайте работодателю QR-код или ссылку: срок, имя и вид работы на ней выбираете вы.",),
    )
    yield Entry("Если долго нет ответа", (f"Прошло больше {late} — обратитесь в поддержку.",))


def _examination(on: date) -> Iterator[Entry]:
    def names(point: str, age: int, sex: Sex) -> list[str]:
        studies = programme(point, age, sex, ExaminationKind.PRE_PLACEMENT, on)
        return [each.name for each in studies]

    ages = range(representation.FULL_AGE, people.OLDEST + 1)
    adult = {each: names(each, ages[0], Sex.FEMALE) for each in POINTS}
    common = set[str].intersection(*(set(found) for found in adult.values()))
    own = {point: [each for each in found if each not in common] for point, found in adult.items()}
    first = next(iter(POINTS))
    of_all = [names(first, age, sex) for age in ages for sex in Sex]
    always = set[str].intersection(*(set(found) for found in of_all)) - set(own[first])
    anybodys = dict.fromkeys(name for found in of_all for name in found if name not in own[first])
    yield Entry("Всем", tuple(each for each in anybodys if each in always))
    yield Entry("Смотря по возрасту и полу", tuple(each for each in anybodys if each not in always))
    for point, found in own.items():
        yield Entry(f"{POINTS[point].short_name}: дополнительно", tuple(found))
    shots = ", ".join(dict.fromkeys(each.name for each in INFECTIONS.values()))
    yield Entry("Прививки, о которых спросит врач", (f"{shots}. Без них книжку тоже выдадут.",))


def _terms(on: date) -> Iterator[Entry]:
    listed = listed_studies(on)
    yield Entry("Книжка", (term(),))
    yield Entry(
        "Гигиеническая подготовка и аттестация",
        tuple(
            f"{POINTS[each.point].short_name}: {_months(each.study.period_months)}"
            for each in listed
            if each.study.code == HYGIENE and each.study.period_months is not None
        ),
    )
    others = {each.study.period_months for each in listed if each.study.code != HYGIENE}
    periods = [_months(each) for each in sorted(each for each in others if each is not None)]
    once = " Некоторые делают один раз, при поступлении на работу." if None in others else ""
    yield Entry(
        "Врачи и исследования",
        (f"Результат действует {_either(periods)}, смотря по исследованию.{once}",),
    )
    last, *sooner = MARKS
    later = sorted(sooner, reverse=True)
    yield Entry(
        "Продление",
        (
            f"Продлить книжку можно за {_days(clearance.SOON_DAYS)} до конца срока, если все "
            "исследования в порядке.",
            f"Напомним {', '.join(_mark(each) for each in later)} и {_mark(last)}.",
        ),
    )
    lives = ", ".join(str(each) for each in sharing.LIFETIMES_DAYS[:-1])
    yield Entry(
        "Ссылка и QR-код",
        (
            f"Столько, сколько вы выберете: {lives} или {_days(sharing.LIFETIMES_DAYS[-1])}. "
            "Закрыть ссылку можно в любую минуту.",
        ),
    )


def _differences() -> Iterator[Entry]:
    yield Entry("Где лежит", ("В вашем кабинете. Потерять или испортить её нельзя.",))
    yield Entry(
        "Как проверяют",
        ("По QR-коду, сразу: действует ли, до какого числа, для какой работы.",),
    )
    yield Entry(
        "Что видит работодатель",
        ("Только вердикт и срок. Анализы, диагнозы и прививки — никогда.",),
    )
    yield Entry(
        "Подделка", ("Каждая версия подписана; изменишь любой знак — проверка скажет об этом.",)
    )
    yield Entry("Осмотр", ("Проходят лично в медорганизации: по закону он очный.",))
    yield Entry(
        "Изменения",
        (
            "Новый осмотр, другая работа или фамилия — это новая версия. Прежние остаются видны "
            "вам.",
        ),
    )


def _questions() -> Iterator[Entry]:
    yield Entry(
        "С какого возраста можно подать заявку?",
        (
            f"Самостоятельно — с {_aged(representation.FULL_AGE)}. За того, кому меньше, подаёт "
            "родитель, опекун или попечитель.",
        ),
    )
    yield Entry(
        "Что если заявку вернули?",
        (
            "В кабинете написано, что исправить. Исправьте только это и отправьте снова: срок "
            "стоит, пока мы ждём вас.",
        ),
    )
    yield Entry(
        "Кто увидит мои анализы?",
        (
            "Вы, медорганизация, где вы проходите осмотр, и врач, которому вы сами откроете "
            "записи. Каждый просмотр остаётся в журнале.",
        ),
    )
    yield Entry(
        "Как работодателю проверить книжку?",
        (
            "Навести камеру телефона на QR-код или открыть ссылку. Регистрация не нужна. Без "
            "кода — по номеру книжки и СНИЛС на странице «Проверить книжку».",
        ),
    )
    yield Entry(
        "Работает ли проверка без интернета?",
        (
            "Да: страницу проверки можно установить на телефон заранее, подпись кода она "
            "проверит сама.",
        ),
    )
    yield Entry(
        "Что если найдены противопоказания?",
        (
            "Комиссия скажет, временно это или нет. С заключением можно не согласиться и подать "
            "жалобу прямо из кабинета.",
        ),
    )
    outside = [each.short_name for each in POINTS.values() if not each.in_elmk_registry]
    if outside:
        yield Entry(
            "Всех ли заносят в федеральный реестр медкнижек?",
            (f"Нет. {', '.join(outside)}: осматривают по тому же приказу, но в реестр не вносят.",),
        )


def find(text: str, on: date) -> tuple[list[FoundRow], str]:
    """Return what the guide says about the words, best first, and a sentence about it."""
    query = Query.parse(text)
    told = _told(on)
    if not query.words:
        return [], NO_WORDS
    query, is_mended = _mended(query, _vocabulary(told))
    weighed: list[tuple[tuple[int, int, int], tuple[Topic, Entry, str]]] = []
    for topic, entry, line in _said(told):
        texts = (topic.title, entry.title, line)
        borne = len(query.words) - len(query.missing(texts))
        if borne:
            weight = (-borne, -hits(query, (entry.title, line)), -hits(query, (entry.title,)))
            weighed.append((weight, (topic, entry, line)))
    if not weighed:
        return [], NOTHING
    weighed.sort(key=lambda each: each[0])
    most = weighed[0][0][0]
    best = [each for weight, each in weighed if weight[0] == most]
    rows = [
        FoundRow(
            key=str(at),
            title=as_rows(query.pieces(entry.title)),
            text=as_rows(query.pieces(line)),
            where=topic.title,
            href=f"#{topic.id}",
        )
        for at, (topic, entry, line) in enumerate(best[:SHOWN])
    ]
    return rows, _summary(query, len(best), is_whole=-most == len(query.words), mended=is_mended)


def _summary(query: Query, count: int, *, is_whole: bool, mended: bool) -> str:
    word = plural(count, "Нашёлся", "Нашлись", "Нашлось")
    found = f"{word} {counted(count, 'ответ', 'ответа', 'ответов')}."
    if count > SHOWN:
        found = f"Нашлось {count}, показаны первые {SHOWN}."
    if mended:
        return f"Показано по запросу «{' '.join(query.words)}». {found}"
    return found if is_whole else f"Всех слов вместе нигде нет, вот самое близкое. {found}"


def _mended(query: Query, vocabulary: frozenset[str]) -> tuple[Query, bool]:
    """Put words right that the guide does not know and that may be mistyped."""

    def meant(word: str) -> str:
        # The end of a word depends on the sentence: «повору» is nearer to «повар» without it.
        near = nearest(word, vocabulary) or nearest(stem(word), vocabulary)
        return near[0] if near else word

    unknown = query.missing(vocabulary)
    words = tuple(
        dict.fromkeys(
            meant(word) if word in unknown and is_mistakable(word) else word for word in query.words
        )
    )
    return Query(words), words != query.words


def _texts(topic: Topic, entry: Entry, line: str) -> tuple[str, str, str]:
    return topic.title, entry.title, line


@lru_cache(maxsize=2)
def _said(told: tuple[Topic, ...]) -> tuple[tuple[Topic, Entry, str], ...]:
    return tuple(
        (topic, entry, line) for topic in told for entry in topic.entries for line in entry.lines
    )


@lru_cache(maxsize=2)
def _vocabulary(told: tuple[Topic, ...]) -> frozenset[str]:
    said = _said(told)
    return frozenset(word for each in said for text in _texts(*each) for word in words_of(text))


def _more(fields: dict[str, str], always: Iterable[ScanKind]) -> tuple[str, ...]:
    needed = papers(fields).required
    return tuple(paper_name(kind, fields) for kind in needed if kind not in always)


def _scan_of(kind: ScanKind) -> str:
    if kind is ScanKind.PASSPORT:
        return "цветной скан страницы с фотографией"
    return "цветной скан или файл из личного кабинета страховой"


def _to_bring(thing: Bring) -> str:
    return f"{thing.what}: {_lower(thing.why)}" if thing.why else thing.what


def _lower(text: str) -> str:
    return text[0].lower() + text[1:]


def _other_ages(usual: int) -> Iterator[tuple[int, str]]:
    """Yield an age of each span in which a book lasts otherwise, and the span in words."""
    terms = [(age, books.years_of_validity(age)) for age in range(people.OLDEST + 1)]
    for years, found in groupby(terms, key=lambda each: each[1]):
        ages = [age for age, _ in found]
        if years == usual:
            continue
        if ages[0] == 0:
            yield ages[0], f"владельцу нет {_aged(ages[-1] + 1)}"
        else:
            yield ages[0], f"владелец старше {_aged(ages[0] - 1)}"


def _mark(days_left: int) -> str:
    return f"за {_days(days_left)}" if days_left else "в последний день"


def _working_days(n: int) -> str:
    return counted(n, "рабочего дня", "рабочих дней", "рабочих дней")


def _days(n: int) -> str:
    return counted(n, "день", "дня", "дней")


def _months(n: int) -> str:
    return _years(n // 12) if n % 12 == 0 else counted(n, "месяц", "месяца", "месяцев")


def _years(n: int) -> str:
    return counted(n, "год", "года", "лет")


def _aged(n: int) -> str:
    return counted(n, "года", "лет", "лет")


def _digits() -> str:
    return counted(SNILS_DIGITS, "цифра", "цифры", "цифр")


def _either(texts: list[str]) -> str:
    *first, last = texts
    return f"{', '.join(first)} или {last}" if first else last


def _sizes(limits: Iterable[int]) -> str:
    return " или ".join(file_size(each) for each in sorted(limits))
