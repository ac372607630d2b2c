"""``python -m tests.soak [--minutes 60] [--visitors 12] [--database postgres]``: a server under a crowd.

Does it stay as it is? On a new database: a real PostgreSQL, or SQLite. It prints what the process takes, and ends with
1 when something is wrong: see ``judgement.py``.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import time
from pathlib import Path

from tests.attack.new_database import make_database, rows
from tests.attack.unmet_limits import UNMET_LIMITS

from .judgement import Sample, growth, judge


def make_people() -> None:
    from django.contrib.auth.hashers import make_password
    from django.contrib.auth.models import User

    from .visits import PASSWORD, USERS

    password = make_password(PASSWORD)
    # The login that there is takes staff in.
    users = (User(username=f"user{number}", password=password, is_staff=True) for number in range(USERS))
    User.objects.bulk_create(users)
    User.objects.create(username="staff", password=password, is_staff=True, is_superuser=True)


def take_sample(pid: int, second: float) -> Sample:
    from django.db import connection

    status = dict(re.findall(r"(\w+):\s+(\d+)", Path(f"/proc/{pid}/status").read_text()))
    connections = 0
    if connection.vendor == "postgresql":
        mine = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        connections = rows(mine)[0][0]
    return Sample(
        second=second,
        megabytes=int(status["VmRSS"]) / 1024,
        threads=int(status["Threads"]),
        connections=connections,
    )


def soak(minutes: float, visitors: int, files: str) -> list[str]:
    from tests.attack.served import OURS, Served

    from .visits import Crowd

    os.environ["CHATKIT_PROCESS_FILES"] = files
    make_people()
    served = Served("uvicorn", OURS, LIMITS=UNMET_LIMITS, ATTACHMENTS={})
    samples: list[Sample] = []
    try:
        served.wait()
        crowd = Crowd(served.port)
        crowd.come(visitors)
        begun = told = time.monotonic()
        while (now := time.monotonic()) < begun + minutes * 60:
            time.sleep(2)
            samples.append(take_sample(served.process.pid, now - begun))
            if now - told >= 60:
                told = now
                say(
                    f"{(now - begun) / 60:4.0f} min: {samples[-1]}, {crowd.visits} visits, {len(crowd.failures)} failed"
                )
        crowd.leave()
        served.terminate()
        code = served.ended()
        log = served.output()
    finally:
        served.kill()
    wrong = judge(samples, visits=crowd.visits, failures=crowd.failures, log=log)
    if code not in (0, -15):
        wrong.append(f"The server ended with {code}.")
    say(
        f"{crowd.visits} visits, {len(crowd.failures)} failed; memory {samples[0].megabytes:.0f} to "
        f"{samples[-1].megabytes:.0f} MB, {growth(samples):+.1f} % after the warm-up; at most "
        f"{max(sample.threads for sample in samples)} threads and "
        f"{max(sample.connections for sample in samples)} database connections"
    )
    return wrong


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--visitors", type=int, default=12, help="how many are there at once")
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="postgres")
    given = parser.parse_args()
    os.environ["CHATKIT_TEST_DATABASE"] = given.database
    with tempfile.TemporaryDirectory(prefix="chatkit-soak-") as folder:
        make_database(Path(folder))
        wrong = soak(given.minutes, given.visitors, folder)
    for sentence in wrong:
        say(sentence)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
