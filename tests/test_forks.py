"""Forks of a process that has imported the SDK are as new as any other process."""

import os
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests import forks


def test_output_is_that_of_its_arguments_and_environment():
    code = "import os, sys; print(sys.argv, sorted(os.environ), os.getcwd())"
    assert forks.run(["-c", code, "one"], environment={"ONE": "1"}) == f"['-c', 'one'] ['ONE'] {forks.ROOT}\n"


def test_module_is_run_as_its_own_program():
    assert forks.run(["-m", "this"], environment={}).startswith("The Zen of Python")


def test_file_is_run_as_its_own_program():
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    printed = forks.run(["manage.py", "diffsettings", "--all"], environment=environment)
    assert "ROOT_URLCONF = 'tests.urls'" in printed


def test_file_of_another_folder_is_run_there(tmp_path: Path):
    (tmp_path / "told.py").write_text("TOLD = 'told'")
    (tmp_path / "tell.py").write_text(
        "import os, sys, told; print(told.TOLD, os.getcwd(), sys.dont_write_bytecode)"
    )
    environment = {"PYTHONDONTWRITEBYTECODE": "1"}
    with tempfile.TemporaryFile("w+") as output:
        assert forks.start(["tell.py"], environment=environment, output=output, folder=tmp_path).wait() == 0
        output.seek(0)
        assert output.read() == f"told {tmp_path} True\n"
    assert not (tmp_path / "__pycache__").exists()


def test_modules_of_the_app_and_settings_are_not_there_yet():
    code = (
        "import sys; from django.conf import settings;"
        "print(settings.configured, 'agents' in sys.modules, [name for name in sys.modules if 'chatkit_app' in name])"
    )
    assert forks.run(["-c", code], environment={}) == "False True []\n"


def test_nothing_is_open_but_what_is_shared():
    code = (
        "import os, sys; shared = int(sys.argv[1]);"
        "opened = [number for number in range(3, 999) if os.path.exists(f'/dev/fd/{number}')];"
        "sys.exit(len(os.read(shared, 9)) if opened == [shared] else 99)"
    )
    reading, writing = os.pipe()
    os.write(writing, b"shared")
    process = forks.start(["-c", code, str(reading)], environment={}, shared=(reading,))
    assert process.wait() == 6
    os.close(reading)
    os.close(writing)


def test_exit_code_is_told():
    process = forks.start(["-c", "raise SystemExit(3)"], environment={})
    assert (process.wait(), process.poll()) == (3, 3)


def test_process_that_goes_on_is_killed_with_its_group():
    process = forks.start(["-c", "import time; time.sleep(600)"], environment={})
    assert process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
