"""Dotted paths in settings, and the objects that they name."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from chatkit_app.dotted_paths import PathNotImportable, import_path, try_import


def test_path_names_an_object():
    assert import_path("datetime.timedelta", named_by="it").__name__ == "timedelta"


@pytest.mark.parametrize("path", ["nowhere.at_all", "datetime.nothing", "datetime"])
def test_error_of_a_path_that_names_nothing_says_who_has_it_and_what_to_do(path):
    with pytest.raises(PathNotImportable) as caught:
        import_path(path, named_by='CHATKIT["AGENT"]')
    assert isinstance(caught.value, ImproperlyConfigured)
    assert str(caught.value).startswith(f'CHATKIT["AGENT"] ({path}) cannot be imported: ')
    assert str(caught.value).endswith(
        "Name an object by its full dotted path; python manage.py check looks at all of them."
    )


def test_error_of_the_module_itself_stays_what_it_is(tmp_path, monkeypatch):
    (tmp_path / "broken_module.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ZeroDivisionError):
        import_path("broken_module.server", named_by="it")


def test_problem_of_a_path_is_told_whatever_its_module_raises(tmp_path, monkeypatch):
    (tmp_path / "broken_module.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(tmp_path)
    assert try_import("broken_module.server") == (None, "ZeroDivisionError: division by zero")


@pytest.mark.parametrize(
    ("key", "ask"),
    [
        ("CONTEXT", "chatkit_app.context.build_context"),
        ("DATABASE_CONTEXT", "chatkit_app.database_context.of"),
        ("ADMIN_SCOPE", "chatkit_app.staff.scope.threads_of"),
    ],
)
def test_setting_that_names_nothing_is_told_by_its_key(settings, rf, key, ask):
    settings.CHATKIT = {key: "nowhere.at_all"}
    with pytest.raises(PathNotImportable, match=f'CHATKIT\\["{key}"\\] \\(nowhere.at_all\\)'):
        import_path(ask, named_by="the test")(rf.get("/"))
