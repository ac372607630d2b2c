import contextlib

from django.db import migrations

from chatkit_app.models import search_index


def create(apps, schema_editor):
    # Where it cannot be had, searches do without; `manage.py chatkit_search_index` makes it later.
    if schema_editor.connection.vendor == "postgresql":
        with contextlib.suppress(search_index.Unavailable):
            search_index.create(schema_editor.connection)


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        search_index.drop(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("chatkit_app", "0001_initial")]

    operations = [migrations.RunPython(create, drop, elidable=False)]
