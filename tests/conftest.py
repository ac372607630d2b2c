"""Fixtures shared by all tests."""

import time

import pytest

pytest.register_assert_rewrite("chatkit_app.store_contract")


@pytest.fixture(autouse=True)
def no_leftovers():
    """No answer and no database connection outlives the test that made it."""
    yield
    from chatkit_app import db, runs

    runs._live.clear()
    pool = db._pool
    while pool is not None and pool._idle_semaphore._value < len(pool._threads):
        time.sleep(0.001)  # shutdown() reaches the idle workers only
    db.shutdown()
