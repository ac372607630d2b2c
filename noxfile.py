"""The tests with each Django on each Python: ``nox``, or one of ``nox --list``; further arguments go to pytest.

What of these is installed is taken, the rest skipped. ``.ci/versions`` tries the ends of all other packages.
"""

import nox

nox.needs_version = ">=2025.2"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.error_on_missing_interpreters = False

PYTHONS = {"5.2": ("3.11", "3.12", "3.13"), "6.0": ("3.12", "3.13"), "6.1": ("3.12", "3.13")}


@nox.session
@nox.parametrize(
    ("python", "django"),
    [(python, django) for django, pythons in PYTHONS.items() for python in pythons],
)
def tests(session: nox.Session, django: str) -> None:
    """What needs no browser, on SQLite."""
    group = nox.project.dependency_groups(nox.project.load_toml("pyproject.toml"), "test")
    session.install("-e", ".[postgres,redis,demo]", f"django~={django}.0", *group)
    session.run("pytest", "-n", "2", "--dist", "loadfile", "-m", "not browser", *session.posargs)
