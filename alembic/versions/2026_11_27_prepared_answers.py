"""Answers that support gives often, as they were written into the program until now.

Revision ID: 2026_11_27_prepared_answers
Revises: 2026_11_26_amendments
"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "2026_11_27_prepared_answers"
down_revision = "2026_11_26_amendments"
branch_labels = None
depends_on = None

TABLE = "prepared_answers"
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SHIPPED = (
    (
        "Обновить браузер и очистить кэш",
        "Здравствуйте! Пожалуйста, обновите браузер до последней версии, очистите кэш сайта "
        "и откройте страницу снова. Если не поможет, напишите, какой у вас браузер и что "
        "видно на экране.",
    ),
    (
        "Сбросить пароль",
        "Здравствуйте! Откройте страницу входа и выберите «Забыли пароль?». Ссылка для "
        "нового пароля придёт на ваш телефон или почту и действует 15 минут. Пароль нам не "
        "сообщайте.",
    ),
    (
        "Коды входа не подходят",
        "Здравствуйте! Проверьте, что время на телефоне установлено автоматически, и введите "
        "следующий код: каждый действует один раз. Если приложения с кодами больше нет, "
        "войдите по резервному коду и подключите его заново в разделе «Безопасность».",
    ),
    (
        "Заявка на проверке",
        "Здравствуйте! Ваша заявка {заявка} сейчас в статусе {статус}. Документы проверяют "
        "один-два рабочих дня, а вся заявка занимает от трёх до семи рабочих дней, если вы "
        "уже прошли осмотр. Как она движется, видно в разделе «Мои заявки». Я слежу за вашей "
        "заявкой и напишу, если от вас что-то понадобится.",
    ),
    (
        "Передаём оператору",
        "Здравствуйте! Я передаю ваше обращение оператору, который занимается заявками. "
        "Ответ придёт сюда же в течение рабочего дня.",
    ),
    (
        "Электронная подпись",
        "Здравствуйте! Своя электронная подпись для заявки не обязательна: её примут и без "
        "подписи. Если хотите подписать, установите последнюю версию плагина или приложите "
        "файл подписи в заявке.",
    ),
    (
        "Просим снимок экрана",
        "Здравствуйте! Чтобы разобраться, нам нужен снимок экрана с ошибкой и её номер, если "
        "он есть. Закройте на снимке личные данные и приложите его к следующему сообщению.",
    ),
    (
        "Исправлено",
        "Здравствуйте! Мы исправили ошибку. Пожалуйста, обновите страницу и проверьте. Если "
        "всё получилось, закройте обращение; если нет, напишите сюда же.",
    ),
)


def upgrade() -> None:
    made = op.create_table(
        TABLE,
        sa.Column("id", BIG, nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_by", BIG, nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["changed_by"], ["users.id"], name=op.f(f"fk_{TABLE}_changed_by_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{TABLE}")),
    )
    shipped_at = datetime(2026, 11, 27, tzinfo=UTC)
    op.bulk_insert(
        made,
        [
            {"title": title, "text": text, "version": 1, "changed_at": shipped_at}
            for title, text in SHIPPED
        ],
    )


def downgrade() -> None:
    op.drop_table(TABLE)
