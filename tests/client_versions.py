"""Versions of the client to upgrade from and to, and the settings of the storages that sites keep static files in."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from django.contrib.staticfiles.storage import (
    ManifestFilesMixin,
    ManifestStaticFilesStorage,
)
from django.core.files.storage import InMemoryStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage

from chatkit_app.rendering import client_files

from .bundle import build_bundle


class RewritingStorage(ManifestStaticFilesStorage):
    support_js_module_import_aggregation = True


class CompressedRewritingStorage(CompressedManifestStaticFilesStorage):
    support_js_module_import_aggregation = True


class BucketStorage(InMemoryStorage):
    """Like one on S3: it has no paths, and its URLs are of another host."""

    def __init__(self) -> None:
        super().__init__(base_url="https://bucket.example/site/")


class ManifestBucketStorage(ManifestFilesMixin, BucketStorage):
    def __init__(self) -> None:
        super().__init__(manifest_storage=InMemoryStorage())


WHITENOISE = "whitenoise.storage.CompressedManifestStaticFilesStorage"
STORAGES = {
    "plain": "django.contrib.staticfiles.storage.StaticFilesStorage",
    "manifest": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage",
    "whitenoise": WHITENOISE,
    "bucket": f"{__name__}.BucketStorage",
    "bucket with manifest": f"{__name__}.ManifestBucketStorage",
    "rewritten imports": f"{__name__}.RewritingStorage",
    "whitenoise with rewritten imports": f"{__name__}.CompressedRewritingStorage",
}
"""Storages by what they are like."""


@contextmanager
def client_version(
    directory: Path, version: str, *, only: str = "*.js", is_bundled: bool = False
) -> Iterator[None]:
    """A client of which the modules, or only those that match, add the version to the page's list ``versions``."""
    shutil.copytree(client_files.CLIENT_DIRECTORY, directory)
    for module in directory.rglob(only):
        with module.open("a", encoding="utf-8") as file:
            file.write(f'\n(globalThis.versions ??= []).push("{version}");\n')
    bundle = directory.with_name(f"{directory.name} bundle")
    if is_bundled:
        build_bundle(directory, bundle)
    with patch.multiple(client_files, CLIENT_DIRECTORY=directory, BUNDLE_DIRECTORY=bundle):
        client_files._folder.cache_clear()
        yield
    client_files._folder.cache_clear()
