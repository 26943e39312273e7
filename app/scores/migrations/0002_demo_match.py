"""A match to watch: the gallery's."""

from django.db import migrations


def make(apps, schema_editor):
    apps.get_model("scores", "Match").objects.get_or_create(
        slug="demo", defaults={"home": "Ada's XI", "away": "Grace's XI"}
    )


class Migration(migrations.Migration):
    dependencies = [("scores", "0001_initial")]
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
