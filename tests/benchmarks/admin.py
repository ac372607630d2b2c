"""How fast the admin is among a million conversations. ``python -m tests.benchmarks.admin [words of cases …]``.

Measures on PostgreSQL: in the database of ``DATABASE_URL``, or in one of our own that is filled first
(``BENCHMARK_THREADS``, 20,000 unless given, and five times as many items). For the figures in the documentation::

    DATABASE_URL=postgres://… python manage.py migrate
    DATABASE_URL=postgres://… python manage.py make_conversations --threads 1000000 --items 5000000
    DATABASE_URL=postgres://… python -m tests.benchmarks.admin

Each case is asked for as a staff member who is no superuser does, with a warm cache. Figures of different machines, or
of a machine that is busy, do not compare.
"""

import os
import statistics
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import django

REQUESTS = 15
LIMITS = {"list": 150, "search": 300, "page": 300}
"""Milliseconds that are aimed at."""


def cases() -> Iterator[tuple[str, str, str]]:
    """The kind, the name and the URL of each."""
    from django.contrib.auth import get_user_model
    from django.urls import NoReverseMatch, reverse
    from django.utils import timezone

    from chatkit_app.models import Label, Thread, ThreadItem

    inbox = reverse("admin:chatkit_app_thread_changelist")
    month = (timezone.now() - timedelta(days=30)).date()
    deep = min(100, max(1, Thread.objects.count() // 50))
    lists = {
        "all": "",
        f"page {deep}": f"p={deep}",
        "oldest first": "o=5",
        **{f"status {status}": f"status__exact={status}" for status in Thread.Status.values},
        **{f"feedback {kind}": f"feedback={kind}" for kind in ("positive", "negative", "none")},
        "flagged": "flagged=yes",
        "not flagged": "flagged=no",
        "assigned to me": "assignee=me",
        "assigned": "assignee=somebody",
        "not assigned": "assignee=nobody",
        **{f"label {label.name}": f"label={label.pk}" for label in Label.objects.all()[:6]},
        "of users": "owner_kind=user",
        "of visitors": "owner_kind=visitor",
        "namespace sales": "namespace=sales",
        "namespace of nobody": "namespace=nobody",
        "since a month": f"active_from={month}",
        "one day": f"active_from={month}&active_to={month}",
        "closed, sales, negative": "status__exact=closed&namespace=sales&feedback=negative",
        "of one user": f"user={get_user_model().objects.filter(is_staff=False).values('pk')[0]['pk']}",
    }
    for name, query in lists.items():
        yield "list", name, f"{inbox}?{query}"

    rare = ThreadItem.objects.filter(text__contains=" A0").order_by("pk")[50].text.split()[-1]
    words = ThreadItem.objects.filter(type="assistant_message")[1000].text.split()
    phrase = next(words[at : at + 2] for at in range(len(words)) if len("".join(words[at : at + 2])) > 12)
    user = get_user_model().objects.filter(is_staff=False).order_by("pk")[20].get_username()
    searches = {
        "rare word": rare,
        "common word": "order",
        "most common word": "the",
        "less common word": "address",
        "uncommon word": max(words, key=len),
        "phrase": f'"{" ".join(phrase)}"',
        "two words": "password invoice",
        "common and rare word": f"the {rare}",
        "no such word": "xylophonist",
        "two letters": "qx",
        "user:": f"user:{user}",
        "user: and a word": f"user:{user} the",
        "status: and a word": "status:locked invoice",
        "label: and a word": "label:vip invoice",
        "dates and a word": f"after:{month} before:{month + timedelta(days=2)} invoice",
        "whole id": Thread.objects.order_by("pk")[500].public_id,
    }
    from urllib.parse import urlencode

    for name, typed in searches.items():
        yield "search", name, f"{inbox}?{urlencode({'q': typed})}"

    longest = Thread.objects.order_by("-item_count")[0]
    yield (
        "page",
        f"thread of {longest.item_count} items",
        reverse("admin:chatkit_app_thread_change", args=[longest.pk]),
    )
    for name in ("run", "feedback", "attachment", "flag", "auditentry", "label"):
        try:
            yield "list", f"{name} list", reverse(f"admin:chatkit_app_{name}_changelist")
        except NoReverseMatch:
            continue
    try:
        yield "page", "numbers", reverse("admin:chatkit_app_dailystatistics_changelist")
    except NoReverseMatch:
        return


def staff_client() -> Any:
    from django.contrib.auth.models import Permission, User
    from django.test import Client

    user, _ = User.objects.get_or_create(username="benchmark", defaults={"is_staff": True})
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="chatkit_app"))
    client = Client()
    client.force_login(user)
    return client


def measure(client: Any, url: str) -> tuple[float, float, float, int]:
    """Least, median and 95th percentile in milliseconds, and the number of queries."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        response = client.get(url)
    assert response.status_code == 200, f"{response.status_code} {url}"
    asked = [query for query in queries if query["sql"] not in ("BEGIN", "COMMIT")]
    times = []
    for _ in range(REQUESTS):
        start = time.perf_counter()
        client.get(url)
        times.append((time.perf_counter() - start) * 1000)
    times.sort()
    return times[0], statistics.median(times), times[int(0.95 * REQUESTS)], len(asked)


def fill() -> None:
    """Make a data set in a database of our own."""
    from django.core.management import call_command
    from django.db import connection
    from tqdm import tqdm

    from chatkit_app.models import search_index
    from project.crowd import make_crowd, vacuum

    call_command("migrate", verbosity=0)
    threads = int(os.environ.get("BENCHMARK_THREADS", "20000"))
    with tqdm(total=threads, unit=" threads") as bar:
        make_crowd(threads=threads, items=5 * threads, advance=bar.update)
    try:
        search_index.create(connection)
    except search_index.Unavailable as error:
        print(f"Without the search index: {error}")
    vacuum()


def main(wanted: list[str]) -> None:
    if url := os.environ.get("DATABASE_URL"):
        os.environ["TEST_POSTGRES_URL"] = url
    os.environ |= {"DJANGO_SETTINGS_MODULE": "tests.settings", "CHATKIT_TEST_DATABASE": "postgres"}
    django.setup()

    from chatkit_app.models import Thread, ThreadItem

    if not url:
        fill()
    print(f"{Thread.objects.count():,} threads, {ThreadItem.objects.count():,} items; milliseconds")
    print(f"{'':10}{'':28}{'least':>8}{'median':>8}{'p95':>8}{'queries':>9}")
    client = staff_client()
    for kind, name, path in cases():
        if wanted and not any(word in f"{kind} {name}" for word in wanted):
            continue
        least, median, p95, queries = measure(client, path)
        over = f"  over {LIMITS[kind]}" if median > LIMITS[kind] else ""
        print(f"{kind:10}{name:28}{least:8.0f}{median:8.0f}{p95:8.0f}{queries:9}{over}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
