"""``python -m tests``: the whole suite on SQLite, and on a real PostgreSQL, meanwhile, what depends on the database.

Further arguments go to pytest: ``python -m tests -x``, ``python -m tests tests/admin``. At the end of each of the two
runs stands what was skipped, and why. CONTRIBUTING.md says how to run a part of it.
"""

import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from typing import IO

# More at a time than a small machine has processors: many tests wait more than they work. A file stays together, with
# the site it has started. In our order, the longest first: xdist's own begins with the files that have the most tests.
TOGETHER = ["--dist", "loadfile", "--no-loadscope-reorder"]
SKIPPED = ["-rs"]
SUITES = {
    "sqlite": ["-n", "3", *TOGETHER, *SKIPPED],
    "postgres": ["-n", "2", *TOGETHER, *SKIPPED, "-m", "not browser"],
}

# Without these the tests do not begin, or end with a name that says little of what to install.
WANTED = ("pytest", "pytest_django", "pytest_asyncio", "xdist", "playwright", "psycopg", "dj_database_url")
HOW_TO_INSTALL = (
    'pip install --group test -e ".[postgres,redis,demo]"  # in the clone, with pip 25.1 or newer'
)


def start(database: str, arguments: list[str], output: IO[bytes] | None = None) -> subprocess.Popen[bytes]:
    environment = os.environ | {"CHATKIT_TEST_DATABASE": database}
    command = [sys.executable, "-m", "pytest", *SUITES[database], *arguments]
    return subprocess.Popen(command, env=environment, stdout=output, stderr=output)


def run(arguments: list[str]) -> dict[str, int]:
    """Run both, and tell of one after the other. Returns their exit codes."""
    with tempfile.TemporaryFile() as told_later:
        say("=== Tests on sqlite; those on postgres, at the same time, are told of afterwards ===")
        suites = {
            "sqlite": start("sqlite", arguments),
            "postgres": start("postgres", arguments, told_later),
        }
        results = {database: suite.wait() for database, suite in suites.items()}
        told_later.seek(0)
        say("=== Tests on postgres ===")
        say(told_later.read().decode(errors="replace"))
    return results


def say(text: str) -> None:
    sys.stdout.write(f"\n{text}\n")
    sys.stdout.flush()


def main() -> int:
    arguments = sys.argv[1:]
    if {"-h", "--help"} & set(arguments):
        sys.stdout.write(f"{__doc__}\nWhat pytest takes: pytest --help\n")
        return 0
    if missing := [name for name in WANTED if find_spec(name) is None]:
        sys.stdout.write(f"Not installed: {', '.join(missing)}. {HOW_TO_INSTALL}\n")
        return 2
    # Both go on in any case: what fails on one says something about the other.
    failed = [database for database, code in run(arguments).items() if code]
    if failed:
        say(f"Failed on {' and '.join(failed)}.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
