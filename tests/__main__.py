"""``python -m tests``: the whole suite on SQLite, then on a real PostgreSQL what depends on the database.

Further arguments go to pytest: ``python -m tests -x``, ``python -m tests tests/admin``. At the end of each of the two
runs stands what was skipped, and why. CONTRIBUTING.md says how to run a part of it.
"""

import os
import subprocess
import sys
from importlib.util import find_spec

# Two at a time: many tests wait more than they work. A file stays together, with the site it has started.
# In our order, the longest first: xdist's own begins with the files that have the most tests.
IN_PARALLEL = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
SKIPPED = ["-rs"]
SUITES = {
    "sqlite": [*IN_PARALLEL, *SKIPPED],
    "postgres": [*IN_PARALLEL, *SKIPPED, "-m", "not browser"],
}

# Without these the tests do not begin, or end with a name that says little of what to install.
WANTED = ("pytest", "pytest_django", "pytest_asyncio", "xdist", "playwright", "psycopg", "dj_database_url")
HOW_TO_INSTALL = (
    'pip install --group test -e ".[postgres,redis,demo]"  # in the clone, with pip 25.1 or newer'
)


def run(database: str, arguments: list[str]) -> int:
    sys.stdout.write(f"\n=== Tests on {database} ===\n")
    sys.stdout.flush()
    environment = os.environ | {"CHATKIT_TEST_DATABASE": database}
    command = [sys.executable, "-m", "pytest", *SUITES[database], *arguments]
    return subprocess.run(command, env=environment, check=False).returncode


def main() -> int:
    arguments = sys.argv[1:]
    if {"-h", "--help"} & set(arguments):
        sys.stdout.write(f"{__doc__}\nWhat pytest takes: pytest --help\n")
        return 0
    if missing := [name for name in WANTED if find_spec(name) is None]:
        sys.stdout.write(f"Not installed: {', '.join(missing)}. {HOW_TO_INSTALL}\n")
        return 2
    # Both are run in any case: what fails on one says something about the other.
    results = {database: run(database, arguments) for database in SUITES}
    failed = [database for database, code in results.items() if code]
    if failed:
        sys.stdout.write(f"\nFailed on {' and '.join(failed)}.\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
