"""What a release that still runs cannot live with."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from django.db import migrations, models

from tandem.ops.checks.migrations import findings
from tests.stack import ROOT


def found(*operations) -> list[str]:
    migration = migrations.Migration("0002_next", "shop")
    migration.operations = operations
    return findings(migration)


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        (migrations.RemoveField("order", "total"), "removes order.total"),
        (migrations.RenameField("order", "total", "sum"), "renames order.total"),
        (migrations.DeleteModel("Order"), "deletes the model Order"),
        (migrations.RenameModel("Order", "Purchase"), "renames the model Order to Purchase"),
        (migrations.AlterModelTable("order", "orders"), "renames the table"),
        (migrations.AddField("order", "code", models.TextField(default="")), "without null=True"),
        (migrations.AlterField("order", "total", models.IntegerField()), "alters order.total"),
        (
            migrations.AddConstraint(
                "order", models.UniqueConstraint(fields=["code"], name="one_code")
            ),
            "adds a constraint to order",
        ),
        (
            migrations.SeparateDatabaseAndState([migrations.RemoveField("order", "total")], []),
            "removes order.total",
        ),
    ],
)
def test_a_change_that_breaks_the_running_release_is_named(operation, words: str):
    (sentence,) = found(operation)
    assert sentence.startswith("shop.0002_next ")
    assert words in sentence


@pytest.mark.parametrize(
    "operation",
    [
        migrations.AddField("order", "note", models.TextField(null=True)),
        migrations.AddField("order", "note", models.TextField(db_default="")),
        migrations.AlterField("order", "note", models.TextField(null=True)),
        migrations.AddIndex("order", models.Index(fields=["code"], name="by_code")),
        migrations.AddField("order", "tags", models.ManyToManyField("shop.Tag")),
        migrations.SeparateDatabaseAndState([], [migrations.RemoveField("order", "total")]),
    ],
)
def test_a_change_that_it_does_not_notice_is_not(operation):
    assert found(operation) == []


def test_a_table_of_the_same_migration_is_nobodys_yet():
    create = migrations.CreateModel("Order", [("id", models.AutoField(primary_key=True))])
    code = migrations.AddField("order", "code", models.TextField(default=""))
    assert found(create, code) == []


def test_the_sites_own_migrations_are_all_listed_without_a_database():
    done = subprocess.run(
        [sys.executable, "-m", "tandem.ops.checks.migrations"], cwd=ROOT, check=True,
        env={
            **os.environ, "PYTHONPATH": f"{ROOT}:{ROOT}/app", "DJANGO_DEBUG": "on",
            "DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_HOST": "/nowhere",
        },
        capture_output=True, text=True,
    )  # fmt: skip
    listed = json.loads(done.stdout)
    assert listed["chat.0001_initial"] == []
    assert "auth.0001_initial" in listed
