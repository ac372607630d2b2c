"""JavaScript packages that the tests need and nothing ships: ``npm ci --prefix tests/js``."""

import os
from pathlib import Path

import pytest


def package(name: str) -> Path:
    """The folder of a package. Without it the test is skipped, and with CI=true it fails."""
    folder = Path(__file__).parent / "node_modules" / name
    if not folder.is_dir() and os.environ.get("CI") == "true":
        pytest.fail(f"{name} is not installed, and CI=true wants the tests with it to run.")
    if not folder.is_dir():
        pytest.skip(f"{name} is not installed: npm ci --prefix tests/js")
    return folder
