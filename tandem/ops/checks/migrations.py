"""Find migrations that break the release which still runs while the next is rolled out.

Usage, with the site's settings in the environment: ``python -m tandem.ops.checks.migrations``
Prints JSON: ``{"app.0001_initial": ["app.0001_initial: …", …], …}``, every migration with
what the code of before could not live with.  Asks no database: docs/migrations.md says
what is looked for and how to do each change in two releases.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import django
from django.db import models
from django.db.migrations import Migration, operations
from django.db.migrations.loader import MigrationLoader
from django.db.models.fields import NOT_PROVIDED

INVISIBLE = (operations.AddIndex, operations.RenameIndex, operations.AlterModelOptions)


def _breaks(operation: operations.base.Operation, created: set[str]) -> str:
    """Return what the running code cannot live with, or nothing.

    ``created`` are models of the same migration, which the running code does not know.
    """
    model = str(getattr(operation, "model_name", getattr(operation, "name", ""))).lower()
    if model in created:
        return ""
    match operation:
        case operations.DeleteModel(name=name):
            return f"deletes the model {name}, which the running release still reads"
        case operations.RenameModel(old_name=old, new_name=new):
            return f"renames the model {old} to {new}: the running release looks for the old table"
        case operations.AlterModelTable(name=name):
            return f"renames the table of {name}: the running release looks for the old one"
        case operations.RemoveField(model_name=owner, name=name):
            return f"removes {owner}.{name}, which the running release still selects"
        case operations.RenameField(model_name=owner, old_name=old):
            return f"renames {owner}.{old}, which the running release still selects"
        case operations.AddField(model_name=owner, name=name, field=field):
            return _insert(f"{owner}.{name}", field)
        case operations.AlterField(model_name=owner, name=name, field=field):
            if not field.null:
                return f"alters {owner}.{name}: the running release may store what no longer fits"
        case operations.AddConstraint():
            return f"adds a constraint to {model}: the running release may store what it forbids"
        case operations.AlterUniqueTogether(name=name):
            return f"alters what is unique in {name}: the running release may store doubles"
    return ""


def _insert(field_name: str, field: models.Field) -> str:
    """Return why an INSERT that does not know a new field fails, or nothing."""
    if isinstance(field, models.ManyToManyField) or field.null:
        return ""
    if getattr(field, "db_default", NOT_PROVIDED) is not NOT_PROVIDED:
        return ""
    return (
        f"adds {field_name} without null=True or db_default: the running release inserts rows"
        " without it, which the database refuses"
    )


def _flat(found: Sequence[operations.base.Operation]) -> Iterator[operations.base.Operation]:
    """Give every operation that changes the database."""
    for operation in found:
        if isinstance(operation, operations.SeparateDatabaseAndState):
            yield from _flat(operation.database_operations)
        elif not isinstance(operation, INVISIBLE):
            yield operation


def findings(migration: Migration) -> list[str]:
    """Return a sentence for each operation that breaks the code of before."""
    found = list(_flat(migration.operations))
    created = {o.name.lower() for o in found if isinstance(o, operations.CreateModel)}
    label = f"{migration.app_label}.{migration.name}"
    return [f"{label} {why}." for o in found if (why := _breaks(o, created))]


def main() -> None:
    """Print what is found in all migrations of the site."""
    django.setup()
    loader = MigrationLoader(None, ignore_no_migrations=True)
    print(
        json.dumps(
            {
                f"{app}.{name}": findings(migration)
                for (app, name), migration in sorted(loader.disk_migrations.items())
            }
        )
    )


if __name__ == "__main__":
    main()
