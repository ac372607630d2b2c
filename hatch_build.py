"""Builds the client's bundle for the wheel and the source distribution. See ``bundle/build.js``."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

COMMAND = ("npm", "run", "build", "--prefix", "bundle")
WITHOUT = "CHATKIT_WITHOUT_BUNDLE"
NPM_IS_MISSING = """npm is missing, which builds the bundle of the chat's client: pages will load the client as some
ninety modules. To have them load a few files, install Node.js (20 or newer) and install the package again, or
install a released wheel."""
NPM_IS_NEEDED = f"""npm is missing, which builds the bundle of the chat's client for a source distribution. Either
install Node.js (20 or newer), and try again, or set the environment variable {WITHOUT}=1: pages then load the
client as some ninety modules."""
BUILD_FAILED = f"""The bundle of the chat's client could not be built: "{" ".join(COMMAND)}" failed, see above.
Set the environment variable {WITHOUT}=1 to install without it: pages then load the client as some ninety modules."""


class BundleHook(BuildHookInterface[Any]):
    """Not for editable installs, whose modules may change, nor for a source distribution, which has the bundle."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        is_source_distribution = (root / "PKG-INFO").exists()
        if version == "editable" or is_source_distribution or os.environ.get(WITHOUT):
            return
        npm = shutil.which(COMMAND[0])
        if npm is None:
            # Whoever installs from a clone goes on, and a check says so. Releases come of source distributions.
            if self.target_name == "sdist":
                raise RuntimeError(NPM_IS_NEEDED)
            self.app.display_warning(NPM_IS_MISSING)
            return
        if subprocess.run([npm, *COMMAND[1:]], cwd=root, check=False).returncode:
            raise RuntimeError(BUILD_FAILED)
