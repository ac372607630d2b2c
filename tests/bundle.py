"""The bundle of the client, which pages of the tests load as those of sites do.

With ``CHATKIT_TEST_CLIENT=modules`` they load the modules.
"""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from chatkit_app.rendering import client_files

PACKAGE = Path(__file__).parents[1] / "bundle"
IS_WANTED = os.environ.get("CHATKIT_TEST_CLIENT") != "modules"


def ensure_bundle() -> bool:
    """Build it, unless there is one of the modules as they are.

    Returns:
        Whether there is one. Without npm there is none; with ``CI=true`` the test then fails.
    """
    # The other process of the tests may be about to do the same.
    with (PACKAGE / "build.js").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if client_files.has_bundle():
            return True
        if not has_npm():
            return False
        run("npm", "run", "build", "--prefix", str(PACKAGE))
    return client_files.has_bundle()


def build_bundle(client: Path, bundle: Path) -> None:
    """Build a bundle of other modules, or in another place."""
    run("node", str(PACKAGE / "build.js"), str(client), str(bundle))


def has_npm() -> bool:
    found = shutil.which("npm") is not None
    if not found and os.environ.get("CI") == "true":
        pytest.fail("npm is not installed, and CI=true wants the tests with the bundle to run.")
    return found


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
