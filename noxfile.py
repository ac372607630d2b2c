"""The tests with each Django on each Python: ``nox``; how much of the package they run: ``nox -s coverage``.

Further arguments go to pytest.

What of these is installed is taken, the rest skipped. ``.ci/versions`` tries the ends of all other packages.
"""

import nox

nox.needs_version = ">=2025.2"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.error_on_missing_interpreters = False
nox.options.sessions = ["tests"]

PYTEST = ("pytest", "-n", "2", "--dist", "loadfile", "-m", "not browser")
PYTHONS = {"5.2": ("3.11", "3.12", "3.13"), "6.0": ("3.12", "3.13"), "6.1": ("3.12", "3.13")}


def install(session: nox.Session, *requirements: str) -> None:
    group = nox.project.dependency_groups(nox.project.load_toml("pyproject.toml"), "test")
    session.install("-e", ".[postgres,redis,demo]", *requirements, *group)


@nox.session
@nox.parametrize(
    ("python", "django"),
    [(python, django) for django, pythons in PYTHONS.items() for python in pythons],
)
def tests(session: nox.Session, django: str) -> None:
    """What needs no browser, on SQLite."""
    install(session, f"django~={django}.0")
    session.run(*PYTEST, *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """The same on this Python, with the share of branches that it runs; all of it has a floor, in pyproject.toml."""
    install(session)
    floor = ("--cov-fail-under=0",) if session.posargs else ()
    # With the package's name: else a file that is asked for would be taken for what is measured.
    session.run(*PYTEST, "--cov=chatkit_app", *floor, *session.posargs)
