"""``python -m tests``: the whole suite on SQLite, and on a real PostgreSQL, meanwhile, what depends on the database.

With ``--second-try``, up to three tests that drive a browser or processes of their own, and have failed, are tried
once more when all else has ended. What passes then is named at the end, and fails nothing. With ``--outcome FILE`` that
end is also in a file.

Further arguments go to pytest: ``python -m tests -x``, ``python -m tests tests/admin``. At the end of each of the two
runs stands what was skipped, and why. CONTRIBUTING.md says how to run a part of it.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from tests.failures import Failure, read_failures

# More at a time than a small machine has processors: many tests wait more than they work. A file stays together, with
# the site it has started. In our order, the longest first: xdist's own begins with the files that have the most tests.
TOGETHER = ["--dist", "loadfile", "--no-loadscope-reorder"]
SKIPPED = ["-rs"]
SUITES = {
    "sqlite": ["-n", "3", *TOGETHER, *SKIPPED],
    "postgres": ["-n", "2", *TOGETHER, *SKIPPED, "-m", "not browser"],
}
# More of them are no chance.
TRIED_AGAIN_AT_MOST = 3
NAMED_AT_MOST = 15

# Without these the tests do not begin, or end with a name that says little of what to install.
WANTED = ("pytest", "pytest_django", "pytest_asyncio", "xdist", "playwright", "psycopg", "dj_database_url")
HOW_TO_INSTALL = (
    'pip install --group test -e ".[postgres,redis,demo]"  # in the clone, with pip 25.1 or newer'
)


class Suite:
    """The tests on one database: pytest in a process of its own, its exit code, and what has failed."""

    def __init__(self, database: str, folder: Path) -> None:
        self.database = database
        self.code = 0
        self.failures: list[Failure] = []
        self._kept = folder / database

    def start(self, arguments: list[str], output: IO[bytes] | None = None) -> None:
        environment = os.environ | {"CHATKIT_TEST_DATABASE": self.database}
        # Else each worker compiles all tests, and each server that a test starts the app.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        command = [sys.executable, "-m", "pytest", "-p", "tests.failures", "--failures", str(self._kept)]
        self._process = subprocess.Popen(
            [*command, *arguments], env=environment, stdout=output, stderr=output
        )

    def wait(self) -> None:
        self.code = self._process.wait()
        self.failures = read_failures(self._kept)

    def may_be_tried_again(self) -> bool:
        """Whether nothing has gone wrong but what a busy machine may have made go wrong."""
        return self.code == 1 and bool(self.failures) and all(f.may_be_tried_again for f in self.failures)

    def try_again(self) -> list[str]:
        """Run what has failed once more, by itself. Returns its names, each with the database, if all pass."""
        failed, self._kept = self.failures, self._kept.with_suffix(".again")
        self.start(["-q", *(failure.test for failure in failed)])
        self.wait()
        return [] if self.code else self.names_of(failed)

    def names_of(self, failures: list[Failure]) -> list[str]:
        return [f"{failure.test} on {self.database}" for failure in failures]


def run(arguments: list[str], *, second_try: bool) -> tuple[list[Suite], list[str]]:
    """Run both, and tell of one after the other. Returns them, and the names of what has passed at the second try."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as told_later:
        sqlite, postgres = suites = [Suite(database, Path(folder)) for database in SUITES]
        say("=== Tests on sqlite; those on postgres, at the same time, are told of afterwards ===")
        sqlite.start([*SUITES["sqlite"], *arguments])
        postgres.start([*SUITES["postgres"], *arguments], told_later)
        for suite in suites:
            suite.wait()
        told_later.seek(0)
        say("=== Tests on postgres ===")
        say(told_later.read().decode(errors="replace"))
        failed = [suite for suite in suites if suite.code]
        if (
            not second_try
            or not all(suite.may_be_tried_again() for suite in failed)
            or sum(len(suite.failures) for suite in failed) > TRIED_AGAIN_AT_MOST
        ):
            return suites, []
        passed: list[str] = []
        for suite in failed:
            say(f"=== Once more, alone, what has failed on {suite.database} ===")
            passed += suite.try_again()
        return suites, passed


def outcome(suites: list[Suite], passed: list[str]) -> str:
    """What is told last: the log of a long run is often kept by its end alone."""
    lines = []
    if passed:
        lines += ["Failed once, passed alone:", *(f"  {name}" for name in passed)]
    if failed := [suite for suite in suites if suite.code]:
        names = [name for suite in failed for name in suite.names_of(suite.failures)]
        lines += [f"  {name}" for name in names[:NAMED_AT_MOST]]
        if len(names) > NAMED_AT_MOST:
            lines.append(f"  and {len(names) - NAMED_AT_MOST} more")
        lines.append(f"Failed on {' and '.join(suite.database for suite in failed)}.")
    return "\n".join(lines)


def say(text: str) -> None:
    sys.stdout.write(f"\n{text}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--second-try", action="store_true")
    parser.add_argument("--outcome", type=Path)
    ours, arguments = parser.parse_known_args()
    if {"-h", "--help"} & set(arguments):
        sys.stdout.write(f"{__doc__}\nWhat pytest takes: pytest --help\n")
        return 0
    if missing := [name for name in WANTED if find_spec(name) is None]:
        sys.stdout.write(f"Not installed: {', '.join(missing)}. {HOW_TO_INSTALL}\n")
        return 2
    # Both go on in any case: what fails on one says something about the other.
    suites, passed = run(arguments, second_try=ours.second_try)
    if told := outcome(suites, passed):
        say(told)
    if ours.outcome:
        ours.outcome.write_text(told and f"{told}\n")
    return int(any(suite.code for suite in suites))


if __name__ == "__main__":
    sys.exit(main())
