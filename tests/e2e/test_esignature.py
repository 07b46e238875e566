"""A holder signs the form with certificates that openssl has made, in a browser."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.applying import RIGHT, field, fill_in, hand_in, next_step
from tests.e2e.conftest import Visit
from tests.e2e.screens import look
from tests.running import HOLDER, OPERATOR, ROOT, Server

PASSWORD = "secret"


@pytest.fixture
def made(tmp_path: Path, server: Server) -> Path:
    """Make what the guide makes, for the applicant, before there is a text to sign."""
    commands = (ROOT / "docs" / "esignature.md").read_text(encoding="utf-8").split("```sh\n")[1]
    commands = commands.split("```")[0].replace("rsa:3072", "rsa:2048")
    commands = commands.replace("Иванова", RIGHT.last).replace(
        "Мария Сергеевна", f"{RIGHT.first} {RIGHT.patronymic}"
    )
    (tmp_path / "text.json").write_bytes(b"{}")
    run(commands, tmp_path)
    roots = server.data / "trusted-roots"
    roots.mkdir(exist_ok=True)
    (roots / "root.cer").write_bytes((tmp_path / "root.cer").read_bytes())
    return tmp_path


def run(commands: str, folder: Path) -> None:
    subprocess.run(
        ["bash", "-euc", commands], cwd=folder, check=True, capture_output=True, timeout=120
    )


def choose(form: Locator, name: str, path: Path) -> None:
    form.locator(f"input[name={name}]").set_input_files(path)
    drop = form.locator(".e-drop", has=form.page.locator(f"[name={name}]"))
    expect(drop).to_contain_text(path.name)


def refusal_of(page: Page, name: str) -> str:
    """Return what is said beside the control, as a screen reader finds it."""
    control = page.locator(f"#field-{name}")
    expect(control).to_have_attribute("aria-invalid", "true")
    expect(control).to_be_focused()
    return page.locator(f"#refusal-{name}").inner_text()


def test_holder_signs_changes_the_form_signs_again_and_the_operator_sees_it(
    server: Server, visit: Visit, made: Path
):
    page = visit("/cabinet", person=HOLDER)
    fill_in(page, server, made)
    page.get_by_text("Подписать своей программой").click()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Скачать текст заявки").click()
    waiting.value.save_as(made / "text.json")
    sign = page.locator("form[data-send-url$='/files']")
    button = sign.get_by_role("button", name="Проверить подпись")
    button.click()
    assert "Выберите файл" in refusal_of(page, "signature")
    choose(sign, "signature", made / "text.json.sig")
    button.click()
    expect(page.locator("#refusal-signature")).to_contain_text("под другим текстом")
    refusal_of(page, "signature")
    look(page, "esignature-refused")
    run(
        "openssl cms -sign -binary -cades -nocerts -in text.json -signer person.cer "
        "-inkey person.key -outform PEM -out bare.sig",
        made,
    )
    choose(sign, "signature", made / "bare.sig")
    button.click()
    expect(page.locator("#refusal-certificate")).to_contain_text(".cer")
    choose(sign, "certificate", made / "person.cer")
    button.click()
    page.get_by_text("Подпись верна", exact=True).wait_for()
    page.get_by_text("Сведения о подписи").click()
    page.get_by_text("в списке доверенных").wait_for()
    look(page, "esignature-valid")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="подпись", exact=True).click()
    assert Path(waiting.value.path()).read_bytes() == (made / "bare.sig").read_bytes()

    page.goto("/cabinet/apply/details")
    field(page, "Адрес регистрации").fill("г. Москва, ул. Ильинка, д. 5, кв. 7")
    next_step(page, "документы")
    page.wait_for_url("**/apply/papers")
    page.goto("/cabinet/apply/review")
    page.get_by_text("Под прежним текстом", exact=True).wait_for()
    page.get_by_role("button", name="Отправить заявку").click()
    problem = page.get_by_role("alert").filter(has_text="Заявка ещё не готова")
    expect(problem).to_contain_text("Электронная подпись")
    look(page, "esignature-outdated")

    page.get_by_text("Подписать файлом .pfx").click()
    seal = page.locator("form[data-send-url$='/container']")
    choose(seal, "container", made / "person.pfx")
    password = page.get_by_label("Пароль от этого файла")
    password.fill("не тот")
    seal.get_by_role("button", name="Подписать заявку").click()
    expect(page.locator("#refusal-container_password")).to_contain_text("ароль")
    refusal_of(page, "container_password")
    expect(password).to_have_value("")
    look(page, "esignature-container")
    password.fill(PASSWORD)
    seal.get_by_role("button", name="Подписать заявку").click()
    page.get_by_text("Подпись верна", exact=True).wait_for()

    number = hand_in(page)
    page.get_by_role("link", name="Следить за заявкой").click()
    check = page.get_by_text("Электронная подпись").first
    check.wait_for()
    look(page, "esignature-case")
    desk = visit(f"/review/{number.replace('ЭМК', 'EMK')}", person=OPERATOR)
    desk.get_by_text("Подпись верна", exact=True).wait_for()
    desk.get_by_text("Сведения о подписи").click()
    look(desk, "esignature-review")
