"""What people do at the door: register, add the second factor, sign in, leave."""

from __future__ import annotations

import io
import re
import time
import urllib.parse
from typing import Final

import zxingcpp
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.e2e.screens import PATIENCE
from tests.running import PASSWORD, Server

LOGIN: Final = "Телефон, почта или ИНН"


def register(page: Page, server: Server, login: str, *, contact: str = "") -> str:
    """Make an account through the screens; return the secret of its second factor.

    Ends signed in, on the holder's first screen.
    """
    server.keep_private(login, contact)
    page.goto("/register")
    fill_registration(page, login, contact=contact)
    return _registered(page, server, contact or login)


def register_employer(page: Page, server: Server, login: str) -> str:
    """Make an employer's account, as ``register`` does a holder's."""
    server.keep_private(login)
    page.goto("/employer/register")
    page.get_by_label("Рабочая почта").fill(login)
    _fill_password(page)
    return _registered(page, server, login)


def _registered(page: Page, server: Server, reach: str) -> str:
    page.get_by_role("button", name="Получить код").click()
    code = page.get_by_label("Код из сообщения")
    code.wait_for()
    code.fill(code_sent_to(server, reach))
    page.get_by_role("button", name="Подтвердить").click()
    page.wait_for_url("**/login")
    secret = read_secret(page)
    server.keep_private(secret)
    give_code(page, server.code_for(secret))
    return secret


def fill_registration(page: Page, login: str, *, contact: str = "") -> None:
    """Fill the form of registration."""
    field = page.get_by_label(LOGIN)
    field.fill(login)
    field.blur()
    if contact:
        page.get_by_label("Телефон или почта для сообщений").fill(contact)
    _fill_password(page)


def _fill_password(page: Page) -> None:
    page.get_by_label("Пароль", exact=True).fill(PASSWORD)
    page.get_by_label("Пароль ещё раз", exact=True).fill(PASSWORD)


def sign_in(page: Page, server: Server, login: str, secret: str) -> None:
    """Sign in through the screens with password and code."""
    page.goto("/login")
    give_password(page, login)
    # Every code is good once, so somebody who comes again shows the next one.
    server.clock_step()
    give_code(page, server.code_for(secret))


def give_password(page: Page, login: str, password: str = PASSWORD) -> None:
    """Fill the first step of signing in, and send it."""
    page.get_by_label(LOGIN).fill(login)
    page.get_by_label("Пароль", exact=True).fill(password)
    page.get_by_role("button", name="Войти", exact=True).click()


def give_code(page: Page, code: str) -> None:
    """Give the code of the second factor, and wait to be let in."""
    page.get_by_label("Код из приложения").fill(code)
    page.get_by_role("button", name="Подтвердить").click()
    page.wait_for_url(lambda url: urllib.parse.urlsplit(url).path != "/login")


def read_secret(page: Page) -> str:
    """Read the authenticator's secret as an authenticator does: from the picture on the screen."""
    picture = page.get_by_role("img", name="QR-код для приложения с кодами")
    picture.wait_for()
    address = urllib.parse.urlsplit(decode(picture))
    assert address.scheme == "otpauth" and address.netloc == "totp"
    return urllib.parse.parse_qs(address.query)["secret"][0]


def _codes(png: bytes) -> list[zxingcpp.Barcode]:
    # The squares of a code happen to look like lines of another kind.
    return zxingcpp.read_barcodes(
        Image.open(io.BytesIO(png)), formats=zxingcpp.barcode_formats_from_str("QRCode")
    )


def decode(picture: Locator) -> str:
    """Return what the one QR code of a picture on the screen says."""
    expect(picture).to_be_visible()
    # Not under a message at the edge of the window.
    picture.evaluate("picture => picture.scrollIntoView({block: 'center'})")
    end = time.monotonic() + PATIENCE / 1000
    # A picture has its place on the screen before its bytes have come.
    while not (found := _codes(picture.screenshot())):
        assert time.monotonic() < end, "no QR code can be read from the screen"
    assert len(found) == 1
    return found[0].text


def code_sent_to(server: Server, contact: str) -> str:
    """Return the code of the last letter to a contact."""
    letter = server.letter_to(contact, r"\d{6}")
    return re.findall(r"\d{6}", letter)[-1]
