"""``python -m tests``: the whole suite on SQLite, then on a real PostgreSQL what depends on the database.

Further arguments go to pytest.
"""

import os
import subprocess
import sys

# Two at a time: many tests wait more than they work. A file stays together, with the site it has started.
# In our order, the longest first: xdist's own begins with the files that have the most tests.
IN_PARALLEL = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
SUITES = {"sqlite": IN_PARALLEL, "postgres": [*IN_PARALLEL, "-m", "not browser"]}


def run(database: str, arguments: list[str]) -> int:
    sys.stdout.write(f"\n=== Tests on {database} ===\n")
    sys.stdout.flush()
    environment = os.environ | {"CHATKIT_TEST_DATABASE": database}
    command = [sys.executable, "-m", "pytest", *SUITES[database], *arguments]
    return subprocess.run(command, env=environment, check=False).returncode


def main() -> int:
    # Both are run in any case: what fails on one says something about the other.
    results = {database: run(database, sys.argv[1:]) for database in SUITES}
    failed = [database for database, code in results.items() if code]
    if failed:
        sys.stdout.write(f"\nFailed on {' and '.join(failed)}.\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
