"""Fixtures shared by all tests."""

import pytest

pytest.register_assert_rewrite("chatkit_app.store_contract")


@pytest.fixture(autouse=True)
def no_leftovers():
    """No answer and no database connection outlives the test that made it."""
    yield
    from chatkit_app import db, runs

    for index in (runs._live, runs._by_thread, runs._by_request):
        index.clear()
    db.shutdown()
