import gc
from collections.abc import Iterator

import pytest

from chatkit_app.asgi import get_asgi_application
from chatkit_app.process.garbage import collect_less_often


@pytest.fixture(autouse=True)
def _own_thresholds() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_threshold_of_python_is_raised_and_the_others_stay() -> None:
    gc.set_threshold(700, 11, 12)

    collect_less_often()

    assert gc.get_threshold() == (10_000, 11, 12)


@pytest.mark.parametrize("first", [0, 50_000])
def test_threshold_is_left_to_a_site_that_collects_even_less(first: int) -> None:
    gc.set_threshold(first, 11, 12)

    collect_less_often()

    assert gc.get_threshold() == (first, 11, 12)


def test_application_raises_the_threshold() -> None:
    gc.set_threshold(700, 11, 12)

    get_asgi_application()

    assert gc.get_threshold()[0] == 10_000
