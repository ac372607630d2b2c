"""A project that is written as a page says, block after block, in the process of the tests."""

from __future__ import annotations

import sys
from copy import deepcopy
from types import ModuleType
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.dispatch import Signal

from chatkit_app import signals

from .blocks import Block, blocks_of

# Of these the tests have their own. tests/browser/test_first_screen.py starts a project that has the README's.
NOT_APPLIED = {"INSTALLED_APPS", "ASGI_APPLICATION"}


class WrittenProject:
    """Its modules, by their files, each as its last block has it. Settings go on with the ``CHATKIT`` that there is."""

    def __init__(self, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.modules: dict[str, ModuleType] = {}
        self.settings: list[ModuleType] = []
        self._django_settings = settings
        self._monkeypatch = monkeypatch
        # What a block listens to it does not hear any more in other tests.
        for signal in vars(signals).values():
            if isinstance(signal, Signal):
                monkeypatch.setattr(signal, "receivers", list(signal.receivers))

    def write(self, block: Block) -> ModuleType:
        """Run a Python block as the file that it names."""
        assert block.file, f"{block}: name the file in the first line: # myapp/chat.py"
        name = block.file.removesuffix(".py").replace("/", ".")
        self._add_package(name.rpartition(".")[0])
        module = ModuleType(name)
        module.__file__ = block.file
        if name.endswith("settings"):
            module.__dict__["INSTALLED_APPS"] = list(self._django_settings.INSTALLED_APPS)
            module.__dict__["CHATKIT"] = deepcopy(getattr(self._django_settings, "CHATKIT", {}))
        self._monkeypatch.setitem(sys.modules, name, module)
        exec(compile(block.code, str(block), "exec"), module.__dict__)
        if name.rpartition(".")[0]:
            self._monkeypatch.setattr(
                sys.modules[name.rpartition(".")[0]], name.rpartition(".")[2], module, raising=False
            )
        self.modules[block.file] = module
        if name.endswith("settings"):
            self.settings.append(module)
            self.apply(module)
        elif name.endswith("urls"):
            self._django_settings.ROOT_URLCONF = name
        return module

    def write_page(self, page: str) -> None:
        """Run the Python blocks of a page."""
        for block in blocks_of(page, "python"):
            self.write(block)

    def apply(self, module: ModuleType) -> None:
        """Let the settings of a block be those of Django."""
        for name, value in vars(module).items():
            if name == "DATABASES":
                # The checks read it. Django would warn of the change: the tests stay where they are connected to.
                self._monkeypatch.setitem(vars(django_settings._wrapped), name, value)
            elif name.isupper() and name not in NOT_APPLIED:
                setattr(self._django_settings, name, value)

    def _add_package(self, name: str) -> None:
        if name and name not in self.modules:
            package = ModuleType(name)
            package.__path__ = []
            self._monkeypatch.setitem(sys.modules, name, package)
            self.modules[name] = package
