"""The wheel and the source distribution: that they bring the bundle of the client, and a site loads it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NEEDED = ("bundle", "chatkit_app", "hatch_build.py", "pyproject.toml", "README.md", "LICENSE", ".gitignore")
PAGE = """
import sys
import django
from django.conf import settings
settings.configure(
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.staticfiles", "chatkit_app"],
    STATIC_URL="/static/", SECRET_KEY="x", CHATKIT={"CLIENT": "bundled"},
)
django.setup()
import re
from django.contrib.staticfiles import finders
from django.test import RequestFactory
from chatkit_app.rendering.element import render_chatkit
html = render_chatkit(RequestFactory().get("/"), url="/chat")
for url in re.findall(r'(?:src|href)="/static/([^"]+)"', html):
    print(finders.find(url))
"""

pytestmark = pytest.mark.usefixtures("bundle")


def ignored(folder: str, names: list[str]) -> set[str]:
    """What a fresh clone has not."""
    built = {"bundle", "bundle.new"} if Path(folder).name == "chatkit_app" else set()
    return {"node_modules", "__pycache__"} | built


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The repository, as far as it is packed, without a bundle but with the packages that build it."""
    return clone_to(tmp_path / "clone")


def clone_to(folder: Path) -> Path:
    folder.mkdir()
    for name in NEEDED:
        if (ROOT / name).is_file():
            shutil.copy(ROOT / name, folder)
        else:
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    shutil.copytree(ROOT / "bundle/node_modules", folder / "bundle/node_modules", symlinks=True)
    return folder


@pytest.fixture(scope="module")
def wheel(built_bundle: bool, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not built_bundle:
        pytest.skip("There is no npm to build the bundle with.")
    return packed(clone_to(tmp_path_factory.mktemp("wheel") / "clone"), "wheel")


@pytest.fixture
def no_npm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


def pack(source: Path, kind: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(source.parent / "packed")]
    return subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)


def packed(source: Path, kind: str) -> Path:
    done = pack(source, kind)
    assert done.returncode == 0, done.stdout + done.stderr
    (package,) = (source.parent / "packed").glob("*.whl" if kind == "wheel" else "*.tar.gz")
    return package


def files_of(wheel: Path) -> set[str]:
    return set(zipfile.ZipFile(wheel).namelist())


def test_wheel_has_the_bundle_and_the_modules(wheel: Path):
    names = files_of(wheel)
    expected = {
        "bundle/manifest.json",
        "bundle/bootstrap.js",
        "bundle/element/index.js",
        "client/element/index.js",
    }
    assert {f"chatkit_app/{name}" for name in expected} <= names
    assert [name for name in names if "node_modules" in name] == []


def test_site_with_the_wheel_loads_the_bundle(wheel: Path, tmp_path: Path):
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    environment = os.environ | {"PYTHONPATH": str(site)}
    command = [sys.executable, "-W", "ignore", "-c", PAGE]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    found = [Path(line) for line in done.stdout.split()]
    assert len(found) >= 3, done.stderr
    assert [path for path in found if not path.is_relative_to(site / "chatkit_app/bundle")] == []


def test_wheel_of_a_source_distribution_has_the_bundle_without_npm(clone: Path, tmp_path: Path, monkeypatch):
    with tarfile.open(packed(clone, "sdist")) as archive:
        # Pythons from before 3.11.4 have no filters.
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(tmp_path / "unpacked")
    monkeypatch.setenv("PATH", str(tmp_path))
    (source,) = (tmp_path / "unpacked").iterdir()
    assert "chatkit_app/bundle/bootstrap.js" in files_of(packed(source, "wheel"))


@pytest.mark.usefixtures("no_npm")
def test_source_distribution_without_npm_is_not_built_and_says_what_to_do(clone: Path):
    done = pack(clone, "sdist")
    assert done.returncode != 0
    assert "npm is missing, which builds the bundle of the chat's client" in done.stderr
    assert "CHATKIT_WITHOUT_BUNDLE=1" in done.stderr


@pytest.mark.usefixtures("no_npm")
def test_wheel_of_a_clone_without_npm_has_the_modules_and_says_so(clone: Path):
    done = pack(clone, "wheel")
    assert done.returncode == 0, done.stderr
    assert "npm is missing, which builds the bundle of the chat's client" in done.stdout + done.stderr
    (package,) = (clone.parent / "packed").glob("*.whl")
    names = files_of(package)
    assert "chatkit_app/client/element/index.js" in names
    assert "chatkit_app/bundle/manifest.json" not in names
