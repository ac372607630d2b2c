"""The judgement on a soak, which must not pass what it is there to find."""

from __future__ import annotations

from collections.abc import Callable
from math import isnan

import pytest

from .judgement import Sample, complaints, growth, judge


def samples(megabytes: Callable[[int], float], *, threads: int = 16, connections: int = 12) -> list[Sample]:
    return [
        Sample(second=second, megabytes=megabytes(second), threads=threads, connections=connections)
        for second in range(600)
    ]


FLAT = samples(lambda second: 200.0)


def test_flat_soak_has_nothing_wrong():
    assert judge(FLAT, visits=100, failures=[], log="INFO all is well") == []


def test_memory_that_grows_is_told():
    (wrong,) = judge(samples(lambda second: 200 + second / 10), visits=100, failures=[], log="")
    assert wrong == "The memory has grown by +21.2 %, and 5 % are allowed."


def test_memory_that_grows_while_it_warms_up_is_none():
    assert growth(samples(lambda second: 100.0 if second < 90 else 200.0)) == 0


def test_too_few_samples_are_no_pass():
    assert isnan(growth(FLAT[:5]))
    assert judge(FLAT[:5], visits=1, failures=[], log="") == [
        "The memory has grown by +nan %, and 5 % are allowed."
    ]


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (samples(lambda second: 200.0, threads=25), "There were 25 threads, and 24 are allowed."),
        (
            samples(lambda second: 200.0, connections=21),
            "There were 21 database connections, and 20 are allowed.",
        ),
    ],
    ids=["threads", "connections"],
)
def test_too_many_are_told(found, told):
    assert judge(found, visits=1, failures=[], log="") == [told]


def test_visit_that_failed_is_told():
    assert judge(FLAT, visits=2, failures=["AssertionError: 500"], log="") == [
        "1 of 2 visits failed, the first with: AssertionError: 500"
    ]


def test_soak_without_visits_is_no_pass():
    assert judge(FLAT, visits=0, failures=[], log="") == ["Nobody has visited."]


@pytest.mark.parametrize(
    "line",
    [
        "ERROR chatkit_app.runs: The run failed.",
        "Traceback (most recent call last):",
        "Task exception was never retrieved",
        "Exception ignored in: <coroutine object>",
    ],
)
def test_complaint_of_the_log_is_found(line):
    assert complaints(f"INFO started\n{line}\nINFO ended") == [line]
